"""Parts of reviews and States: outcome, timeline, coverage, follow-up."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert

from services.api.details.coverage import usual_documents
from services.core.domain.documents import DocumentKind
from services.core.store.documents import DOCUMENTS, DocumentRecord, FileEntry
from services.core.store.hearings import HEARINGS, HearingRecord, TotalsSaid
from services.core.store.ingest import readings_table
from services.core.store.recommendations import RECOMMENDATIONS, LabelEntry, RecommendationRecord
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.statements import STATEMENTS, StatementRecord
from tests.api.site import Site, open_site, problem


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def document(document_id: str, kind: str, published_on: str | None = None, **others: Any) -> DocumentRecord:
    file = FileEntry(
        sha256=document_id.encode().hex().ljust(64, "0")[:64],
        name="file.pdf",
        media_type="application/pdf",
        language="en",
        bytes=1,
        pages=1,
        current=True,
        parser="parser",
        parser_version="1",
    )
    published = day(published_on) if published_on else None
    return DocumentRecord(id=document_id, symbol=None, kind=kind, published_on=published, files=[file], **others)


def recommendation(
    number: str | None, states: tuple[str, ...], position: str, detail: str | None = None, part: str = "", **others: Any
) -> RecommendationRecord:
    values: dict[str, Any] = {
        "review": "PER-3",
        "state_under_review": "PER",
        "cycle": 3,
        "text": "Ratify the Optional Protocol",
        "label_ids": (),
        **others,
    }
    record_id = f"{values['review']}-{number or values['text'][:8].replace(' ', '')}{part}"
    return RecommendationRecord(
        id=record_id,
        session=28,
        number=number,
        part=part.strip("-") or None,
        sort_key=record_id,
        text_language="en",
        translations={},
        recommending_states=states,
        position=position,
        position_detail=detail,
        positions=[],
        labels=[LabelEntry(label=label, assigned_by="rule") for label in values["label_ids"]],
        sources=[],
        documents=(),
        date=None,
        **values,
    )


DOCUMENTS_READ = (
    document("A-HRC-37-8", "working_group_report", "2017-12-27"),
    document("A-HRC-37-8-Add.1", "addendum", "2018-03-05"),
    document("A-HRC-DEC-37-108", "council_decision", "2018-04-09"),
    document("doc-letter000001", "letter"),
    document("doc-midterm00001", "mid_term_report", "2020-11-01", author="Peru", author_kind="state"),
    document("doc-midterm00002", "mid_term_report", "2021-01-01", author="A coalition", author_kind="organisation"),
    document("upr_info-PER-3", "upr_info", "2026-01-01"),
)


def store(connection: Connection) -> None:
    documents = tuple(each.id for each in DOCUMENTS_READ)
    REVIEWS.insert(
        connection,
        [
            ReviewRecord(
                id="PER-3",
                state_under_review="PER",
                cycle=3,
                session=28,
                date=day("2017-11-08"),
                adopted_on=day("2017-11-10"),
                documents=documents,
            ),
            ReviewRecord(id="PER-4", state_under_review="PER", cycle=4, session=42, date=day("2023-01-25")),
            ReviewRecord(id="CHL-3", state_under_review="CHL", cycle=3, documents=("doc-letter000002",)),
            ReviewRecord(id="ECU-3", state_under_review="ECU", cycle=3, documents=("doc-midterm00003",)),
        ],
    )
    others = document("doc-midterm00003", "mid_term_report", author_kind="nhri")
    DOCUMENTS.insert(connection, [*DOCUMENTS_READ, document("doc-letter000002", "letter"), others])
    HEARINGS.insert(
        connection,
        [
            HearingRecord(id="upr-28-PER", kind="working_group_review", review="PER-3", date=day("2017-11-08")),
            HearingRecord(
                id="hrc-37-PER",
                kind="council_adoption",
                review="PER-3",
                date=day("2018-03-15"),
                totals_said=TotalsSaid(recommendations=5, supported=4, noted=1),
            ),
        ],
    )
    STATEMENTS.insert(connection, [letter("PER-3", "doc-letter000001"), letter("CHL-3", "doc-letter000002")])
    RECOMMENDATIONS.insert(
        connection,
        [
            recommendation("111.1", ("ESP", "CHL"), "supported", label_ids=("topic:torture-prevention", "sdg:16")),
            recommendation("111.2", ("ESP",), "supported", "in_process", label_ids=("sdg:16", "sdg:5")),
            recommendation("111.3", ("FRA",), "supported", part="-a"),
            recommendation("111.3", ("CHL",), "noted", part="-b"),
            recommendation("111.4", ("FRA",), "pending"),
        ],
    )
    connection.execute(
        insert(readings_table).values(
            source="reading-1",
            review="PER-3",
            document="A-HRC-37-8-Add.1",
            sha256=DOCUMENTS_READ[1].files[0]["sha256"],
            parser="addendum",
            parser_version="1",
            file={},
            reading={"totals": {"recommendations": 5, "supported": 3, "noted": None}},
        )
    )


def letter(review: str, document_id: str) -> StatementRecord:
    return StatementRecord(
        id=f"{review}.ohchr.letter.1",
        hearing=None,
        review=review,
        state_under_review=review[:3],
        cycle=3,
        session=28,
        speaker="ohchr",
        speaker_kind="intergovernmental",
        kind="letter",
        sort_key=f"{review}.1",
        on_behalf_of=(),
        text=None,
        text_language="en",
        paragraph=None,
        page=None,
        document=document_id,
        labels=[],
        label_ids=(),
        suggested_mid_term_year=2020,
        date=day("2018-10-23"),
    )


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    with engine.begin() as connection:
        store(connection)
    with open_site(database_url) as site:
        yield site


def test_the_outcome_is_counted_three_ways(site: Site) -> None:
    outcome = site.json("/v1/reviews/PER-3", include="outcome")["outcome"]
    by_detail = {"implemented": 0, "in_process": 1, "partial": 0, "not_supported": 0}
    # Of the number with two parts, each part has its own answer.
    assert outcome["numbers"] == {"total": 4, "supported": 3, "noted": 1, "pending": 1, "by_detail": by_detail}
    assert outcome["records"] == {"total": 5, "supported": 3, "noted": 1, "pending": 1, "by_detail": by_detail}
    assert outcome["state_rows"] == {"total": 6, "supported": 4, "noted": 1, "pending": 1, "by_detail": by_detail}
    said = {each["told_by"]: each for each in outcome["totals_said"]}
    assert said["council_adoption"]["hearing"] == "hrc-37-PER"
    assert said["council_adoption"]["supported"] == 4
    assert said["addendum"] | {"document": None} == {
        "told_by": "addendum", "hearing": None, "document": None, "recommendations": 5, "supported": 3, "noted": None,
    }  # fmt: skip


def test_an_unread_review_is_never_a_zero(site: Site, engine: Engine) -> None:
    outcome = site.json("/v1/reviews/CHL-3", include="outcome")["outcome"]
    assert outcome == {"numbers": None, "records": None, "state_rows": None, "totals_said": []}
    with engine.begin() as connection:
        text = {"review": "CHL-3", "state_under_review": "CHL", "text": "Told by a database"}
        RECOMMENDATIONS.insert(connection, [recommendation(None, ("ESP",), "noted", **text)])
    outcome = site.json("/v1/reviews/CHL-3", include="outcome")["outcome"]
    assert outcome["numbers"] is None
    assert outcome["records"]["noted"] == outcome["state_rows"]["noted"] == 1


def test_the_timeline_is_in_order(site: Site) -> None:
    timeline = site.json("/v1/reviews/PER-3", include="timeline")["timeline"]
    assert [(each["date"], each["kind"]) for each in timeline] == [
        ("2017-11-08", "review"),
        ("2017-11-10", "working_group_adoption"),
        ("2017-12-27", "working_group_report"),
        ("2018-03-05", "addendum"),
        ("2018-03-15", "council_adoption"),
        ("2018-04-09", "council_decision"),
        ("2018-10-23", "letter"),
        ("2020-11-01", "mid_term_report"),
        ("2021-01-01", "mid_term_report"),
        ("2023-01-25", "next_review"),
    ]
    assert timeline[0]["hearing"] == "upr-28-PER"
    assert timeline[-1]["review"] == "PER-4"


def test_coverage_names_what_is_missing(site: Site) -> None:
    coverage = site.json("/v1/reviews/PER-3", include="coverage")["coverage"]
    assert coverage["documents"]["read"]["mid_term_report"] == ["doc-midterm00001", "doc-midterm00002"]
    assert "matrix" in coverage["documents"]["missing"]
    chile = site.json("/v1/reviews/CHL-3", include="coverage")["coverage"]
    assert "mid_term_report" not in chile["documents"]["missing"]
    assert coverage["recommendations"] == 5
    assert coverage["labels"]["sdg"] == {"labelled": 2, "unlabelled": 3, "share": 0.4}
    assert coverage["labels"]["action"] == {"labelled": 0, "unlabelled": 5, "share": 0.0}
    assert chile["labels"]["sdg"]["share"] is None


def test_the_usual_documents_are_kinds_of_documents() -> None:
    assert usual_documents().keys() <= set(DocumentKind)
    assert not usual_documents().keys() & {"mid_term_report", "implementation_plan", "upr_info", "uhri"}


def test_follow_up(site: Site) -> None:
    follow_up = site.json("/v1/reviews/PER-3", include="follow_up")["follow_up"]
    assert follow_up["adopted_on"] == "2018-03-15"
    assert follow_up["adoption"]["id"] == "hrc-37-PER"
    assert follow_up["decision"]["id"] == "A-HRC-DEC-37-108"
    assert (follow_up["letter"]["date"], follow_up["letter"]["document"]["id"]) == ("2018-10-23", "doc-letter000001")
    mid_term = follow_up["mid_term"]
    assert (mid_term["status"], mid_term["suggested_by"]) == ("submitted", 2020)
    assert (mid_term["report"]["id"], [each["id"] for each in mid_term["others"]]) == (
        "doc-midterm00001", ["doc-midterm00002"],
    )  # fmt: skip
    assert (follow_up["next_review"]["id"], follow_up["next_review"]["session"]) == ("PER-4", 42)
    assert site.json("/v1/reviews/PER-4", include="follow_up")["follow_up"]["next_review"] is None


def test_reviews_are_found_by_their_mid_term_report(site: Site) -> None:
    found = {}
    for status in ("submitted", "suggested", "not_seen"):
        rows = site.json("/v1/reviews", mid_term=status, include="follow_up")["data"]
        found[status] = [row["id"] for row in rows]
        assert {row["follow_up"]["mid_term"]["status"] for row in rows} == {status}
    assert found == {"submitted": ["PER-3"], "suggested": ["CHL-3"], "not_seen": ["ECU-3", "PER-4"]}
    assert site.json("/v1/reviews", mid_term=["suggested", "submitted"])["total"] == 2
    assert "never_seen" in problem(site.get("/v1/reviews", mid_term="never_seen"), 400, "invalid_parameter")["detail"]
    problem(site.get("/v1/changes", mid_term="submitted"), 400, "unknown_parameter")
    problem(site.get("/v1/recommendations", mid_term="submitted"), 400, "unknown_parameter")


def test_what_a_state_received_and_made(site: Site) -> None:
    peru = site.json("/v1/states/PER", include="all")
    assert [review["id"] for review in peru["reviews"]] == ["PER-3", "PER-4"]
    assert peru["reviews"][0]["recommendations"]["records"]["total"] == 5
    assert peru["reviews"][1]["recommendations"]["records"] is None
    assert [each["cycle"] for each in peru["received"]["by_cycle"]] == [3]
    assert peru["received"]["recommendations"]["total"] == site.json(peru["received"]["url"])["total"]
    assert peru["made"]["recommendations"] is None
    assert peru["coverage"]["cycles_not_read"] == [1, 2]
    spain = site.json("/v1/states/ESP", include="made")["made"]
    assert spain["recommendations"]["total"] == site.json(spain["url"])["total"] == 2
    assert spain["by_cycle"][0]["recommendations"]["by_detail"]["in_process"] == 1
    rows = {row["id"]: row for row in site.json("/v1/states", include="received,made", limit=200)["data"]}
    assert rows["ESP"]["made"] == spain
    assert rows["PER"]["received"] == peru["received"]
