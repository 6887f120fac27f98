import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.changes import ChangeRecord, changes_after
from services.core.store.engine import make_engine
from services.core.store.former_ids import removal_reason
from services.core.store.hearings import HEARINGS
from services.core.store.organisations import ORGANISATIONS
from services.core.store.recommendations import RECOMMENDATIONS
from services.ingest.load import Loaded, Loader
from services.ingest.reading import Reading, ReadLabel, ReadOrganisation, ReadTotals
from tests.readings import TEXTS, addendum, council_report, matrix, recommendation, report, summary

LONG_AGO = timedelta(days=36_500)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def load(engine: Engine, tmp_path: Path, reading: Reading, name: str, backfill_after: timedelta = LONG_AGO) -> Loaded:
    file = tmp_path / name
    file.write_text(name)
    return Loader(engine, backfill_after).load(file, hashlib.sha256(name.encode()).hexdigest(), reading)


def changes(engine: Engine, after: int = 0) -> list[ChangeRecord]:
    with engine.connect() as connection:
        return changes_after(connection, after, 10_000)


def recommendations(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {record.id: record for record in RECOMMENDATIONS.where(connection)}


REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
MATRIX = matrix(
    [
        recommendation("116.1", TEXTS[0], position="supported", position_symbol="A/HRC/22/15/Add.1"),
        recommendation("116.2", TEXTS[1], position="noted", position_symbol="A/HRC/22/15/Add.1"),
    ],
    labels=[ReadLabel("116.1", "sdg", "PEACE, JUSTICE AND STRONG INSTITUTIONS", code="16")],
)


def test_a_report_makes_records_and_a_change_each(engine: Engine, tmp_path: Path) -> None:
    loaded = load(engine, tmp_path, REPORT, "report.pdf")
    assert loaded.counts == {
        "review.created": 1,
        "document.created": 1,
        "hearing.created": 1,
        "recommendation.created": 2,
    }
    found = changes(engine)
    assert [change.seq for change in found] == [1, 2, 3, 4, 5]
    assert found[-1].data["text"] == TEXTS[1]
    assert found[-1].data["state_under_review"] == {"code": "PER", "name": "Peru"}
    assert {change.cause for change in found} == {"publication"}


def test_the_same_file_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    before = recommendations(engine)
    assert load(engine, tmp_path, REPORT, "report.pdf").outcome == "unchanged"
    assert len(changes(engine)) == 5
    assert [each.revision for each in recommendations(engine).values()] == [each.revision for each in before.values()]


def test_the_matrix_moves_positions(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    load(engine, tmp_path, MATRIX, "matrix.docx")
    moved = [change for change in changes(engine, after=5) if change.type == "recommendation.position_changed"]
    assert [change.changed["position"] for change in moved] == [["pending", "supported"], ["pending", "noted"]]
    printed = [label for label in moved[0].data["labels"] if label["assigned_by"] == "ohchr-matrix"]
    assert printed[0] == {
        "id": "sdg:16",
        "scheme": "sdg",
        "code": "16",
        "name": "Peace, justice and strong institutions",
        "assigned_by": "ohchr-matrix",
    }
    assert "position:pending" in moved[0].terms_before
    assert "position:supported" in moved[0].terms_after
    assert moved[0].data["revision"] == 2


def test_the_addendum_moves_positions(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    load(engine, tmp_path, addendum([("116.1", "supported"), ("116.2", "noted")]), "addendum.pdf")
    moved = [change for change in changes(engine, after=5) if change.type == "recommendation.position_changed"]
    assert [change.changed["position"] for change in moved] == [["pending", "supported"], ["pending", "noted"]]
    assert [change.effective_on.isoformat() for change in moved if change.effective_on] == ["2013-02-20"] * 2


def test_an_older_source_never_makes_a_position_changed(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, MATRIX, "matrix.docx")
    load(engine, tmp_path, REPORT, "report.pdf")
    assert "recommendation.position_changed" not in {change.type for change in changes(engine)}
    assert [record.position for record in recommendations(engine).values()] == ["supported", "noted"]


def test_a_source_long_published_is_backfill(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf", backfill_after=timedelta(days=180))
    assert {change.cause for change in changes(engine)} == {"backfill"}


def test_the_same_source_read_better_is_a_correction(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    better = report([recommendation("116.1", TEXTS[0], position="supported")], version="2")
    load(engine, tmp_path, better, "report.pdf")
    told = {change.subject: (change.type, change.cause) for change in changes(engine, after=5)}
    assert told["PER-2-116.1"] == ("recommendation.updated", "correction")
    assert told["PER-2-116.2"] == ("recommendation.deleted", "correction")
    with engine.connect() as connection:
        assert removal_reason(connection, "recommendations", "PER-2-116.2") == "no_source_holds_it"


def test_a_removed_record_takes_its_id_back(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    load(engine, tmp_path, report([recommendation("116.1", TEXTS[0])], version="2"), "report.pdf")
    load(engine, tmp_path, report(REPORT.recommendations, version="3"), "report.pdf")
    assert sorted(recommendations(engine)) == ["PER-2-116.1", "PER-2-116.2"]
    with engine.connect() as connection:
        assert removal_reason(connection, "recommendations", "PER-2-116.2") is None


def test_a_draft_that_becomes_a_report_replaces_its_ids(engine: Engine, tmp_path: Path) -> None:
    draft = report(
        [recommendation("6.1", TEXTS[0]), recommendation("6.2", TEXTS[1])],
        symbol="A/HRC/WG.6/14/L.5",
        kind="working_group_draft",
    )
    load(engine, tmp_path, draft, "draft.docx")
    provisional = sorted(recommendations(engine))
    seq = changes(engine)[-1].seq
    load(engine, tmp_path, report([recommendation("116.1", TEXTS[0])]), "report.pdf")
    told = {change.type: change for change in changes(engine, after=seq) if change.noun == "recommendations"}
    replaced = told["recommendation.replaced"]
    assert replaced.subject == "PER-2-116.1"
    assert replaced.changed["id"][0] in provisional
    assert replaced.changed["id"][1] == "PER-2-116.1"
    assert told["recommendation.deleted"].subject in provisional
    assert told["recommendation.deleted"].changed["reason"] == [None, "not_in_final"]
    assert sorted(told) == ["recommendation.deleted", "recommendation.replaced"]


def test_a_document_of_an_unknown_review_is_refused(engine: Engine, tmp_path: Path) -> None:
    unknown = Reading("x", "1", document=REPORT.document.__class__(kind="matrix"))
    with pytest.raises(UnreadableDocumentError, match="State"):
        load(engine, tmp_path, unknown, "unknown.docx")
    assert changes(engine) == []


def test_organisations_grow_with_every_document_that_names_them(engine: Engine, tmp_path: Path) -> None:
    first = summary([ReadOrganisation("Amnesty International", "organisation", "AI", "London", "GBR")])
    again = summary(
        [
            ReadOrganisation("Amnesty International", "organisation", submission="JS1"),
            ReadOrganisation("Defensoría del Pueblo", "nhri", "DP", "Lima", "PER", status="A"),
        ],
        session=28,
    )
    load(engine, tmp_path, first, "first.pdf")
    load(engine, tmp_path, again, "again.pdf")
    load(engine, tmp_path, first, "first.pdf")
    with engine.connect() as connection:
        held = {record.id: record for record in ORGANISATIONS.where(connection)}
    amnesty, ombudsman = held["amnesty-international"], held["per-defensoria-del-pueblo"]
    assert amnesty.states == ("GBR",)
    assert [role["review"] for role in amnesty.roles] == ["PER-2", "PER-3"]
    assert (ombudsman.role_ids, ombudsman.territory) == (("nhri",), "PER")
    told = [change.type for change in changes(engine) if change.noun == "organisations"]
    assert sorted(told) == ["organisation.created", "organisation.created", "organisation.updated"]


def test_what_an_organisation_was_goes_with_the_reading_that_told_it(engine: Engine, tmp_path: Path) -> None:
    chapter = council_report(["PER", "CHL"])
    spoken = [
        replace(each, speaker="a-watch", speaker_kind="organisation", speaker_name="A Watch")
        for each in chapter.statements
    ]
    load(engine, tmp_path, replace(chapter, statements=tuple(spoken)), "council.pdf")
    load(engine, tmp_path, summary([ReadOrganisation("A Watch", "organisation", "AW")]), "summary.pdf")
    with engine.connect() as connection:
        watch = ORGANISATIONS.one(connection, "a-watch")
        assert watch is not None
        assert watch.names == [{"name": "A Watch", "acronym": "AW"}]
        assert [(role.get("review"), role.get("hearing")) for role in watch.roles] == [
            (None, "hrc-22-item6"), ("CHL-2", "hrc-22-CHL"), ("PER-2", None), ("PER-2", "hrc-22-PER"),
        ]  # fmt: skip
    better = [replace(each, speaker="b-watch", speaker_name="B Watch") for each in spoken[1:]]
    load(engine, tmp_path, replace(chapter, statements=(spoken[0], *better), parser_version="2"), "council.pdf")
    load(engine, tmp_path, replace(summary([]), parser_version="2"), "summary.pdf")
    with engine.connect() as connection:
        held = {record.id: record for record in ORGANISATIONS.where(connection)}
    assert {key: len(record.roles) for key, record in held.items()} == {"a-watch": 1, "b-watch": 2}
    assert held["a-watch"].names == [{"name": "A Watch"}]
    load(engine, tmp_path, replace(chapter, statements=(), parser_version="3"), "council.pdf")
    with engine.connect() as connection:
        assert ORGANISATIONS.where(connection) == []
    assert [change.type for change in changes(engine) if change.subject == "b-watch"][-1] == "organisation.deleted"


def test_totals_that_differ_are_told_with_what_was_loaded(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    said = replace(addendum([("116.1", "noted")]), totals=ReadTotals(9, None, None))
    assert [issue.code for issue in load(engine, tmp_path, said, "addendum.pdf").issues] == ["totals_differ"]
    assert load(engine, tmp_path, said, "addendum.pdf").issues == ()
    assert load(engine, tmp_path, summary([]), "summary.pdf").issues == ()


def test_a_report_of_many_reviews_is_shared_out(engine: Engine, tmp_path: Path) -> None:
    load(engine, tmp_path, REPORT, "report.pdf")
    chapter = council_report(["PER", "CHL"])
    loaded = load(engine, tmp_path, chapter, "council.pdf")
    assert loaded.review == "PER-2, CHL-2"
    assert loaded.counts == {
        "document.created": 1, "hearing.created": 3, "statement.created": 3, "review.created": 1, "review.updated": 1,
    }  # fmt: skip
    assert load(engine, tmp_path, chapter, "council.pdf").outcome == "unchanged"
    fewer = replace(council_report(["PER", "CHL"]), parser_version="2", statements=chapter.statements[:-1])
    assert load(engine, tmp_path, fewer, "council.pdf").counts == {"document.updated": 1, "statement.deleted": 1}
    with engine.connect() as connection:
        hearings = {record.id: record.review for record in HEARINGS.where(connection)}
    assert hearings == {
        "upr-14-PER": "PER-2", "hrc-22-PER": "PER-2", "hrc-22-CHL": "CHL-2", "hrc-22-item6": None,
    }  # fmt: skip
