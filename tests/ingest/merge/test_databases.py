import random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.domain.documents import DATA_SETS
from services.ingest.merge import MergedReview, SourceReading, merge_review
from services.ingest.merge.sources import split_superseded
from services.ingest.reading import ReadDocument, Reading, ReadLabel, ReadPledge, ReadRecommendation
from tests.readings import TEXTS, matrix, recommendation, report, source


def database(
    rows: list[ReadRecommendation],
    *,
    kind: str = "upr_info",
    as_of: str = "2026-01-01",
    labels: tuple[ReadLabel, ...] = (),
    pledges: tuple[str, ...] = (),
) -> Reading:
    what = "voluntary pledges" if pledges else "recommendations"
    return Reading(
        parser=kind,
        parser_version="1",
        document=ReadDocument(
            kind=kind, title=f"A database: {what}", published_on=as_of, state_under_review="PER", session=14, cycle=2
        ),
        recommendations=tuple(rows),
        pledges=tuple(map(ReadPledge, pledges)),
        labels=labels,
    )


def row(
    text: str,
    states: list[str],
    position: str | None = "supported",
    number: str | None = None,
    external_ids: tuple[str, ...] = (),
) -> ReadRecommendation:
    return ReadRecommendation(number, text, tuple(states), position=position, external_ids=external_ids)


def merge(*sources: SourceReading) -> MergedReview:
    return merge_review("PER", 2, sources)


REPORT = source(
    report(
        [
            recommendation("116.1", TEXTS[0], ["CHL"]),
            recommendation("116.2", TEXTS[0], ["ESP"]),
            recommendation("116.3", f"{TEXTS[2]}, and {TEXTS[4].lower()}", ["SVK"]),
        ]
    ),
    "report.pdf",
)


def test_a_row_leads_each_of_its_states_to_its_own_recommendation() -> None:
    merged = merge(REPORT, source(database([row(TEXTS[0], ["CHL", "ESP"], external_ids=("upr-info:1",))]), "rows"))
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.2", "PER-2-116.3"]
    first, second = merged.recommendations["PER-2-116.1"], merged.recommendations["PER-2-116.2"]
    assert [entry["kind"] for entry in first.sources] == ["working_group_report", "upr_info"]
    assert (first.recommending_states, second.recommending_states) == (("CHL",), ("ESP",))
    assert "recommending_states" not in first.sources[1]
    assert (first.position, first.positions[-1]["source_kind"]) == ("supported", "upr_info")
    assert first.external_ids == second.external_ids == ("upr-info:1",)


def test_a_state_that_the_report_does_not_name_goes_with_the_others_of_its_row() -> None:
    merged = merge(REPORT, source(database([row(TEXTS[0], ["CHL", "MEX"])]), "rows"))
    assert len(merged.recommendations) == 3
    assert merged.recommendations["PER-2-116.1"].sources[1]["recommending_states"] == ["CHL", "MEX"]


def test_two_rows_that_cut_one_recommendation_answer_it_in_part() -> None:
    merged = merge(REPORT, source(database([row(TEXTS[2], ["SVK"]), row(TEXTS[4], ["SVK"], "noted")]), "rows"))
    record = merged.recommendations["PER-2-116.3"]
    assert len(merged.recommendations) == 3
    assert (record.position, record.position_detail) == ("noted", "partial")
    assert len(record.sources) == 3


def test_a_row_that_fits_nowhere_is_a_recommendation_known_by_its_text() -> None:
    rows = database([row(TEXTS[7], ["CHL"]), row(TEXTS[7] + ".", ["ESP"])])
    (found,) = (record for key, record in merge(REPORT, source(rows, "rows")).recommendations.items() if "~" in key)
    assert found.recommending_states == ("CHL", "ESP")
    alone = merge(source(rows, "rows")).recommendations
    assert list(alone) == [found.id]


def test_an_id_of_words_becomes_an_alias_when_the_report_comes() -> None:
    rows = source(database([row(TEXTS[2], ["SVK"])]), "rows")
    (former,) = merge(rows).recommendations
    assert former in merge(rows, REPORT).recommendations["PER-2-116.3"].aliases


def test_short_formulas_of_other_states_stay_apart() -> None:
    held = source(report([recommendation("116.1", "Ratify CAT", ["CHL"])]), "report.pdf")
    assert len(merge(held, source(database([row("Ratify CAT", ["ESP"])]), "rows")).recommendations) == 2


def test_a_number_holds_only_where_the_text_does_not_speak_against_it() -> None:
    numbered = database([row(TEXTS[6], ["CHL"], number="116.1"), row(TEXTS[0], ["ESP"], number="116.2")], kind="uhri")
    merged = merge(REPORT, source(numbered, "rows"))
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.1.dup2", "PER-2-116.2", "PER-2-116.3"]
    assert merged.recommendations["PER-2-116.1.dup2"].text == TEXTS[6]


def test_what_a_database_repeats_adds_nothing_to_the_history() -> None:
    answered = source(matrix([recommendation("116.1", TEXTS[0], ["CHL"], "noted")]), "matrix.docx")
    merged = merge(REPORT, answered, source(database([row(TEXTS[0], ["CHL"], "noted")]), "rows"))
    kinds = [entry["source_kind"] for entry in merged.recommendations["PER-2-116.1"].positions]
    assert kinds == ["working_group_report", "matrix"]


def test_the_matrix_weighs_more_than_uhri_and_uhri_more_than_upr_info() -> None:
    answered = source(matrix([recommendation("116.1", TEXTS[0], ["CHL"], "noted")]), "matrix.docx")
    uhri = source(database([row(TEXTS[0], ["CHL", "ESP"], "supported")], kind="uhri"), "uhri")
    upr_info = source(database([row(TEXTS[0], ["CHL", "ESP"], "noted")]), "upr-info")
    merged = merge(REPORT, answered, uhri, upr_info).recommendations
    assert (merged["PER-2-116.1"].position, merged["PER-2-116.2"].position) == ("noted", "supported")


def test_a_newer_export_replaces_an_older_one() -> None:
    older = source(database([row(TEXTS[0], ["CHL"], "noted"), row(TEXTS[6], ["CHL"])]), "older")
    newer = source(database([row(TEXTS[0], ["CHL"], "supported")], as_of="2026-02-01"), "newer")
    merged = merge(REPORT, newer, older)
    assert merged.recommendations["PER-2-116.1"].position == "supported"
    assert len(merged.recommendations) == 3


def test_pledges_of_report_and_database_are_one_list_with_labels() -> None:
    told = ReadLabel(None, "upr-info-issue", "Torture and other CID treatment", pledge=1)
    report_with_pledge = source(
        Reading(**{**_fields(REPORT.reading), "pledges": (ReadPledge(TEXTS[0], paragraph="117"),)}), "report.pdf"
    )
    rows = source(database([], pledges=(TEXTS[0] + ";", TEXTS[1]), labels=(told,)), "pledges")
    pledges = merge(report_with_pledge, rows).pledges
    assert [pledge.text for pledge in pledges.values()] == [TEXTS[0], TEXTS[1]]
    first = pledges["PER-2-pledge-1"]
    assert first.paragraph == "117"
    assert "upr-info" in {entry["assigned_by"] for entry in first.labels}


def _fields(reading: Reading) -> dict[str, object]:
    return {name: getattr(reading, name) for name in Reading.__slots__}


_STATES = st.lists(st.sampled_from(["ESP", "CHL", "SVK", "MEX"]), max_size=3, unique=True)
_TEXTS = st.sampled_from([*TEXTS, TEXTS[0] + ".", TEXTS[2][:30], f"{TEXTS[1]} and {TEXTS[5]}", "Ratify CAT"])


@st.composite
def _databases(draw: st.DrawFn) -> list[SourceReading]:
    """A report or none, a matrix or none, two databases in one or two exports each."""
    found = []
    texts = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5, unique=True))
    printed = [recommendation(f"116.{n}", text, draw(_STATES)) for n, text in enumerate(texts, 1)]
    if draw(st.booleans()):
        found.append(source(report(printed), "report.pdf"))
    if draw(st.booleans()):
        answers = [recommendation(each.number, each.text, each.recommending_states, "noted") for each in printed]
        found.append(source(matrix(answers), "matrix.docx"))
    for kind in ("upr_info", "uhri"):
        for as_of in draw(st.lists(st.sampled_from(["2026-01-01", "2026-02-01"]), unique=True)):
            rows = [
                row(
                    draw(_TEXTS),
                    draw(_STATES),
                    draw(st.sampled_from(["supported", "noted", None])),
                    number=draw(st.sampled_from([None, "116.1", "116.9"])) if kind == "uhri" else None,
                )
                for _ in range(draw(st.integers(1, 5)))
            ]
            found.append(source(database(rows, kind=kind, as_of=as_of), f"{kind} {as_of}"))
    return found or [source(report(printed), "report.pdf")]


@settings(max_examples=200, deadline=None)
@given(sources=_databases(), seed=st.integers())
def test_the_order_of_data_sets_and_documents_never_matters(sources: list[SourceReading], seed: int) -> None:
    shuffled = list(sources)
    random.Random(seed).shuffle(shuffled)
    assert merge(*shuffled) == merge(*sources)


@settings(max_examples=150, deadline=None)
@given(sources=_databases())
def test_each_state_of_a_row_ends_in_one_record(sources: list[SourceReading]) -> None:
    merged = merge(*sources)
    current, _ = split_superseded(sources)
    for held in current:
        if held.kind in DATA_SETS:
            rows = sum(len(told.recommending_states) or 1 for told in held.reading.recommendations)
            assert rows == sum(
                len(entry.get("recommending_states", record.recommending_states)) or 1
                for record in merged.recommendations.values()
                for entry in record.sources
                if entry["document"] == held.document
            )
