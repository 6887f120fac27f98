"""Whose word holds (DESIGN §2), where somebody would try to break it."""

from dataclasses import replace

from services.ingest.merge import MergedReview, SourceReading, merge_review
from services.ingest.reading import ReadDocument, Reading, ReadPosition, ReadRecommendation
from tests.readings import TEXTS, addendum, council_report, matrix, recommendation, report, source

REPORT = source(report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])]), "report")


def merge(*sources: SourceReading) -> MergedReview:
    merged = merge_review("PER", 2, sources)
    assert merged == merge_review("PER", 2, reversed(sources))
    return merged


def positions(merged: MergedReview) -> dict[str, str]:
    return {key.removeprefix("PER-2-"): record.position for key, record in merged.recommendations.items()}


def test_a_corrigendum_of_an_addendum_holds_for_what_it_names() -> None:
    first = source(addendum([("116.1", "supported"), ("116.2", "supported")]), "add")
    corrected = addendum([("116.2", "noted")], symbol="A/HRC/22/15/Add.1/Corr.1", published_on="2013-03-01")
    merged = merge(REPORT, first, source(corrected, "corr"))
    assert positions(merged) == {"116.1": "supported", "116.2": "noted"}
    history = merged.recommendations["PER-2-116.2"].positions
    assert [(entry["position"], entry["effective_on"]) for entry in history] == [
        ("pending", "2012-11-05"), ("supported", "2013-02-20"), ("noted", "2013-03-01"),
    ]  # fmt: skip
    assert (history[-1]["symbol"], history[-1]["paragraph"]) == ("A/HRC/22/15/Add.1/Corr.1", "2")


def test_a_corrigendum_without_a_date_still_holds() -> None:
    first = source(addendum([("116.2", "supported")]), "add")
    corrected = addendum([("116.2", "noted")], symbol="A/HRC/22/15/Add.1/Corr.1", published_on=None)
    assert positions(merge(REPORT, first, source(corrected, "corr")))["116.2"] == "noted"


def test_a_dated_corrigendum_of_an_addendum_without_a_date_holds() -> None:
    first = source(addendum([("116.2", "supported")], published_on=None), "add")
    corrected = addendum([("116.2", "noted")], symbol="A/HRC/22/15/Add.1/Corr.1", published_on="2013-03-01")
    assert positions(merge(REPORT, first, source(corrected, "corr")))["116.2"] == "noted"


def test_a_corrigendum_that_says_the_first_answer_again_after_a_second() -> None:
    told = [
        source(addendum([("116.1", position)], symbol=symbol, published_on=day), symbol)
        for position, symbol, day in (
            ("noted", "A/HRC/22/15/Add.1", "2013-02-20"),
            ("supported", "A/HRC/22/15/Add.1/Corr.1", "2013-03-01"),
            ("noted", "A/HRC/22/15/Add.2", "2013-04-01"),
        )
    ]
    merged = merge(REPORT, *told)
    assert positions(merged)["116.1"] == "noted"
    history = merged.recommendations["PER-2-116.1"].positions
    assert [entry["position"] for entry in history] == ["pending", "noted", "supported", "noted"]


def test_a_revised_addendum_replaces_the_first_whole() -> None:
    first = source(addendum([("116.1", "supported"), ("116.2", "supported")]), "add")
    revised = addendum([("116.1", "noted")], symbol="A/HRC/22/15/Add.1/Rev.1", published_on="2013-03-01")
    assert positions(merge(REPORT, first, source(revised, "rev"))) == {"116.1": "noted", "116.2": "pending"}


def test_a_corrigendum_of_the_report_corrects_what_it_prints() -> None:
    corrected = report(
        [recommendation("116.2", f"{TEXTS[1]} and ill-treatment")],
        symbol="A/HRC/22/15/Corr.1",
        published_on="2013-01-15",
    )
    merged = merge(REPORT, source(corrected, "corr"))
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.2"]
    assert merged.recommendations["PER-2-116.2"].text == f"{TEXTS[1]} and ill-treatment"
    assert merged.recommendations["PER-2-116.1"].text == TEXTS[0]


def test_the_answer_of_an_addendum_is_above_the_council_report_and_the_matrix_and_both_databases() -> None:
    others = [
        source(matrix([recommendation("116.1", TEXTS[0], position="noted")]), "matrix"),
        source(_rows("uhri", "noted"), "uhri"),
        source(_rows("upr_info", "noted"), "upr-info"),
    ]
    answered = source(addendum([("116.1", "supported")]), "add")
    assert positions(merge(REPORT, answered, *others))["116.1"] == "supported"
    spoken = replace(council_report(["PER"]), positions=(ReadPosition("116.1", "supported"),))
    spoken = replace(spoken, document=replace(spoken.document, state_under_review="PER"))
    assert positions(merge(REPORT, source(spoken, "council"), *others))["116.1"] == "supported"


def _rows(kind: str, position: str) -> Reading:
    document = ReadDocument(kind, title=kind, published_on="2026-01-01", state_under_review="PER", session=14, cycle=2)
    return Reading(
        kind, "1", document, recommendations=(ReadRecommendation(None, TEXTS[0], ("ESP",), position=position),)
    )


def test_a_translated_addendum_answers_once() -> None:
    english = source(addendum([("116.1", "supported")]), "add-en")
    told = addendum([("116.1", "supported"), ("116.2", "noted")])
    spanish = source(replace(told, document=replace(told.document, language="es")), "add-es")
    merged = merge(REPORT, english, spanish)
    assert len(merged.recommendations["PER-2-116.1"].positions) == 2
    assert positions(merged) == {"116.1": "supported", "116.2": "noted"}


def test_the_number_that_splits_keeps_no_former_id_for_itself() -> None:
    whole = source(report([recommendation("134.1", f"{TEXTS[0]}; {TEXTS[1]}", ["CHL", "SVK"])]), "report")
    parts = source(
        report(
            [
                recommendation("134.1", TEXTS[0], ["CHL"], part="a"),
                recommendation("134.1", TEXTS[1], ["SVK"], part="b"),
            ],
            symbol="A/HRC/22/15/Rev.1",
        ),
        "rev",
    )
    merged = merge(whole, parts, source(addendum([("134.1", "noted")]), "add"))
    assert positions(merged) == {"134.1-a": "noted", "134.1-b": "noted"}
    assert not any("PER-2-134.1" in record.aliases for record in merged.recommendations.values())


def test_an_addendum_answers_both_holders_of_a_misprinted_number() -> None:
    told = source(report([recommendation("116.1", TEXTS[0]), recommendation("116.1", TEXTS[1])]), "report")
    assert positions(merge(told, source(addendum([("116.1", "noted")]), "add"))) == {
        "116.1": "noted",
        "116.1.dup2": "noted",
    }


def test_rows_of_two_databases_in_the_same_words_lose_no_state() -> None:
    rows = [
        source(replace(_rows(kind, "noted"), recommendations=(ReadRecommendation(None, TEXTS[0], (state,)),)), kind)
        for kind, state in (("uhri", "CHL"), ("upr_info", "ESP"))
    ]
    (record,) = merge(*rows).recommendations.values()
    assert record.recommending_states == ("CHL", "ESP")
    assert len(record.sources) == 2


def test_an_addendum_alone_makes_no_recommendation() -> None:
    merged = merge(source(addendum([("116.1", "noted")]), "add"))
    assert merged.recommendations == {}
    assert list(merged.documents) == ["A-HRC-22-15-Add.1"]


def test_a_matrix_alone_is_a_list_of_its_own() -> None:
    merged = merge(
        source(matrix([recommendation("116.1", TEXTS[0], position="noted", position_symbol="A/HRC/22/15/Add.1")]), "m")
    )
    (entry,) = merged.recommendations["PER-2-116.1"].positions
    assert (entry["position"], entry["symbol"], entry["source_kind"]) == ("noted", "A/HRC/22/15/Add.1", "matrix")


def test_text_of_the_report_in_spanish_stands_behind_the_matrix_in_english() -> None:
    spanish = source(report([recommendation("116.1", "Ratificar el Protocolo Facultativo")], language="es"), "es")
    merged = merge(spanish, source(matrix([recommendation("116.1", TEXTS[0])]), "m"))
    record = merged.recommendations["PER-2-116.1"]
    assert (record.text, record.translations) == (TEXTS[0], {"es": "Ratificar el Protocolo Facultativo"})
