import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.domain.organisations import organisation_id
from services.ingest.merge import MergedReview, SourceReading, merge_review
from services.ingest.merge.labels import joined, label_record
from services.ingest.reading import (
    ReadDocument,
    ReadLabel,
    ReadOrganisation,
    ReadPledge,
    ReadPosition,
    ReadStatement,
)
from tests.readings import TEXTS, addendum, council_report, matrix, recommendation, report, source, summary


def merge(*sources: SourceReading) -> MergedReview:
    return merge_review("PER", 2, sources)


def test_rows_of_a_matrix_that_bear_no_number_do_not_share_their_labels() -> None:
    rows = [recommendation(None, TEXTS[0]), recommendation(None, TEXTS[4])]
    labels = [ReadLabel(None, "sdg", "Peace", code="16", row=1), ReadLabel(None, "sdg", "Education", code="4", row=2)]
    merged = merge(source(matrix(rows, labels=labels), "matrix.docx"))
    told = {
        each.text: [key for key in each.label_ids if key.startswith("sdg:")] for each in merged.recommendations.values()
    }
    assert told == {TEXTS[0]: ["sdg:16"], TEXTS[4]: ["sdg:4"]}


def test_report_and_matrix_make_one_record_with_two_sources() -> None:
    merged = merge(
        source(report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])]), "report.pdf"),
        source(
            matrix(
                [recommendation("116.2", TEXTS[1] + ".", position="noted", position_symbol="A/HRC/22/15/Add.1")],
                labels=[ReadLabel("116.2", "ohchr-theme", "Prohibition of torture", code="D25")],
            ),
            "matrix.docx",
        ),
    )
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.2"]
    record = merged.recommendations["PER-2-116.2"]
    assert record.text == TEXTS[1]
    assert [entry["kind"] for entry in record.sources] == ["working_group_report", "matrix"]
    assert record.sources[1]["text"] == TEXTS[1] + "."
    assert (record.position, [entry["position"] for entry in record.positions]) == ("noted", ["pending", "noted"])
    assert record.positions[0]["effective_on"] == "2012-11-05"
    assert record.positions[1]["symbol"] == "A/HRC/22/15/Add.1"
    theme = "ohchr-theme:prohibition-of-torture-and-cruel-inhuman-or-degrading-treatment"
    assert [entry["label"] for entry in record.labels if entry["assigned_by"] == "ohchr-matrix"] == [theme]
    by_rule = {entry["label"] for entry in record.labels if entry["assigned_by"] == "rule"}
    assert {"topic:torture-prevention", "action:5"} <= by_rule
    assert set(record.label_ids) == {theme, *by_rule}
    assert "D25" in merged.labels[theme].printed_codes


def test_themes_stand_as_the_matrix_prints_them() -> None:
    printed = ["Right to life", "Conditions of detention", "Migrants"]
    labels = [
        ReadLabel("116.1", "sdg", "Peace", code="16"),
        *(ReadLabel("116.1", "ohchr-theme", each) for each in printed),
    ]
    merged = merge(source(matrix([recommendation("116.1", TEXTS[0])], labels=labels), "matrix.docx"))
    record = merged.recommendations["PER-2-116.1"]
    assert [entry["label"] for entry in record.labels if entry["assigned_by"] == "ohchr-matrix"] == [
        "ohchr-theme:right-to-life", "ohchr-theme:conditions-of-detention", "ohchr-theme:migrants", "sdg:16",
    ]  # fmt: skip
    schemes = [entry["label"].partition(":")[0] for entry in record.labels]
    assert schemes == sorted(schemes)
    assert list(record.label_ids) == sorted(record.label_ids)


def test_only_the_matrix_knows_a_number() -> None:
    merged = merge(
        source(report([recommendation("116.1", TEXTS[0])]), "report.pdf"),
        source(matrix([recommendation("116.3", TEXTS[2], position="supported")]), "matrix.docx"),
    )
    assert merged.recommendations["PER-2-116.3"].position == "supported"


def test_a_number_misprinted_in_the_matrix_is_found_by_its_text() -> None:
    merged = merge(
        source(report([recommendation("82.93", TEXTS[0])]), "report.pdf"),
        source(matrix([recommendation("84.93", TEXTS[0], position="supported")]), "matrix.docx"),
    )
    assert list(merged.recommendations) == ["PER-2-82.93"]
    assert merged.recommendations["PER-2-82.93"].sources[1]["number"] == "84.93"


def test_a_number_printed_twice_keeps_both() -> None:
    merged = merge(source(report([recommendation("116.1", TEXTS[0]), recommendation("116.1", TEXTS[1])]), "report.pdf"))
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.1.dup2"]


def test_parts_of_a_number_are_told_apart_by_their_texts() -> None:
    parts = [
        recommendation("134.1", TEXTS[0], ["CHL"], part="a"),
        recommendation("134.1", TEXTS[1], ["SVK"], part="b"),
    ]
    turned = [
        recommendation("134.1", TEXTS[1], ["SVK"], "noted", part="a"),
        recommendation("134.1", TEXTS[0], ["CHL"], "supported", part="b"),
    ]
    merged = merge(source(report(parts), "report.pdf"), source(matrix(turned), "matrix.docx"))
    positions = {key: record.position for key, record in merged.recommendations.items()}
    assert positions == {"PER-2-134.1-a": "supported", "PER-2-134.1-b": "noted"}


def test_a_row_that_holds_all_parts_tells_of_each() -> None:
    parts = [
        recommendation("134.1", TEXTS[0], ["CHL"], part="a"),
        recommendation("134.1", TEXTS[1], ["SVK"], part="b"),
    ]
    whole = recommendation("134.1", f"{TEXTS[0]}; {TEXTS[1]}", ["CHL", "SVK"], "noted")
    merged = merge(source(report(parts), "report.pdf"), source(matrix([whole]), "matrix.docx"))
    assert [record.position for record in merged.recommendations.values()] == ["noted", "noted"]


def test_a_text_in_another_language_is_a_translation() -> None:
    spanish = report([recommendation("116.1", "Ratificar el Protocolo Facultativo")], language="es")
    merged = merge(
        source(spanish, "es.pdf"),
        source(report([recommendation("116.1", TEXTS[0])]), "en.pdf"),
    )
    record = merged.recommendations["PER-2-116.1"]
    assert (record.text, record.text_language) == (TEXTS[0], "en")
    assert record.translations == {"es": "Ratificar el Protocolo Facultativo"}
    assert merged.documents["A-HRC-22-15"].languages == ("en", "es")


def test_a_draft_gives_way_to_the_report_and_its_ids_become_aliases() -> None:
    draft = report(
        [recommendation("6.1", TEXTS[0]), recommendation("6.2", TEXTS[1])],
        symbol="A/HRC/WG.6/14/L.5",
        kind="working_group_draft",
    )
    alone = merge(source(draft, "draft.docx"))
    assert all("~" in key for key in alone.recommendations)
    merged = merge(source(draft, "draft.docx"), source(report([recommendation("116.1", TEXTS[0])]), "report.pdf"))
    record = merged.recommendations["PER-2-116.1"]
    assert list(merged.recommendations) == ["PER-2-116.1"]
    assert set(record.aliases) < set(alone.recommendations)
    assert len(record.aliases) == 1


def test_a_revision_replaces_what_it_revises() -> None:
    first = source(report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])]), "first.pdf")
    revised = source(
        report([recommendation("116.1", TEXTS[1])], symbol="A/HRC/22/15/Rev.1", published_on="2013-02-01"), "rev.pdf"
    )
    merged = merge(first, revised)
    assert list(merged.recommendations) == ["PER-2-116.1"]
    record = merged.recommendations["PER-2-116.1"]
    assert record.text == TEXTS[1]
    assert record.aliases == ("PER-2-116.2",)
    assert [file["current"] for file in merged.documents["A-HRC-22-15"].files] == [False]


def test_statements_are_numbered_by_speaker_and_kind() -> None:
    statements = [ReadStatement("ESP", "dialogue", "Spain said."), ReadStatement("ESP", "dialogue", "Spain added.")]
    merged = merge(source(report([recommendation("116.1", TEXTS[0])], statements=statements), "report.pdf"))
    assert list(merged.statements) == ["upr-14-PER.ESP.dialogue.1", "upr-14-PER.ESP.dialogue.2"]
    assert merged.hearings["upr-14-PER"].announced_speakers == 52
    assert merged.review.troika == ("MDA", "MDV", "MEX")


def test_statements_keep_who_spoke_and_are_labelled_by_rule() -> None:
    letter = ReadStatement(
        "ohchr", "letter", "Parliament should ratify OPCAT.", speaker_kind="intergovernmental", speaker_name="OHCHR",
        suggested_mid_term_year=2015,
    )  # fmt: skip
    question = ReadStatement("ESP", "question", "When will Peru ratify?", original_text="¿Cuándo ratificará?")
    merged = merge(source(report([recommendation("116.1", TEXTS[0])], statements=[letter, question]), "report.pdf"))
    said, asked = merged.statements["PER-2.ohchr.letter.1"], merged.statements["upr-14-PER.ESP.question.1"]
    assert (said.speaker_name, said.speaker_kind, said.suggested_mid_term_year) == ("OHCHR", "intergovernmental", 2015)
    assert (asked.speaker_name, asked.speaker_kind, asked.original_text) == (None, "state", "¿Cuándo ratificará?")
    assert {"instrument:opcat", "addressee:parliament", "topic:torture-prevention"} <= set(said.label_ids)
    assert {entry["assigned_by"] for entry in said.labels} == {"rule"}
    assert not [label for label in said.label_ids if label.startswith("action:")]  # nothing is asked of the State
    assert merged.organisations["ohchr"].roles == [
        {"role": "intergovernmental", "name": "OHCHR", "document": "A-HRC-22-15", "review": "PER-2"}
    ]


def test_a_hearing_is_what_all_sources_tell_of_it() -> None:
    decision = replace(
        council_report(["PER"]),
        document=ReadDocument("council_decision", "A/HRC/DEC/22/101", state_under_review="PER", session=14, cycle=2),
    )
    chapter = replace(decision, document=replace(decision.document, kind="council_report", symbol="A/HRC/22/2"))
    hearing = replace(chapter.hearings[0], meeting="25th", recommendations_said=3, noted_said=0)
    merged = merge(
        source(replace(decision, hearings=decision.hearings[:1], statements=()), "decision.pdf"),
        source(replace(chapter, hearings=(hearing,), statements=chapter.statements[:1]), "council.pdf"),
    )
    held = merged.hearings["hrc-22-PER"]
    assert (held.meeting, held.council_session, held.states, held.review) == ("25th", 22, ("PER",), "PER-2")
    assert held.totals_said == {"recommendations": 3, "supported": None, "noted": 0}
    assert held.documents == ("A-HRC-22-2", "A-HRC-DEC-22-101")


def test_a_speaker_and_a_stakeholder_are_one_organisation() -> None:
    names = [
        ReadOrganisation("Amnesty International", "organisation", "AI", "London", "GBR"),
        ReadOrganisation("Defensoría del Pueblo", "nhri", page=9),
    ]
    spoken = [
        ReadStatement(
            organisation_id(name, of), "comment", "…", hearing="hrc-22-PER", speaker_kind=kind, speaker_name=name
        )
        for name, kind, of in (
            ("The Amnesty International", "organisation", None),
            ("Defensoria del Pueblo", "nhri", "PER"),
        )
    ]
    merged = merge(
        source(summary(names), "summary.pdf"),
        source(report([recommendation("116.1", TEXTS[0])], statements=spoken), "report.pdf"),
    )
    amnesty, ombudsman = (merged.organisations[key] for key in ("amnesty-international", "per-defensoria-del-pueblo"))
    assert amnesty.names == [
        {"name": "Amnesty International", "acronym": "AI"},
        {"name": "The Amnesty International"},
    ]
    assert (amnesty.states, amnesty.territory, len(amnesty.roles)) == (("GBR",), None, 2)
    assert (ombudsman.states, ombudsman.territory, ombudsman.role_ids) == ((), "PER", ("nhri",))


def test_the_names_of_vocabularies_stand() -> None:
    known = label_record(ReadLabel(None, "sdg", "1 no poverty"), "en")
    assert joined(known, replace(known, names={"en": "A name", "fr": "Un nom"})) == known
    unknown = [label_record(ReadLabel(None, "group", name), "en") for name in ("the Unheard of", "The unheard of")]
    assert joined(*unknown).names == joined(*reversed(unknown)).names == {"en": "The unheard of"}


def test_an_addendum_answers_what_the_report_left_open() -> None:
    merged = merge(
        source(addendum([("116.1", "supported"), ("116.2", "noted"), ("116.9", "noted")]), "addendum.pdf"),
        source(report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])]), "report.pdf"),
    )
    record = merged.recommendations["PER-2-116.1"]
    assert sorted(merged.recommendations) == ["PER-2-116.1", "PER-2-116.2"]
    assert [(entry["position"], entry["effective_on"]) for entry in record.positions] == [
        ("pending", "2012-11-05"),
        ("supported", "2013-02-20"),
    ]
    assert record.documents == ("A-HRC-22-15", "A-HRC-22-15-Add.1")
    assert record.sources[1]["paragraph"] == "2"
    assert record.positions[1]["phrase"] == "Peru: supported"


def test_an_answer_holds_for_all_parts_of_its_number() -> None:
    parts = [recommendation("134.1", TEXTS[0], ["CHL"], part="a"), recommendation("134.1", TEXTS[1], part="b")]
    merged = merge(source(report(parts), "report.pdf"), source(addendum([("134.1", "noted")]), "addendum.pdf"))
    assert [record.position for record in merged.recommendations.values()] == ["noted", "noted"]


def test_a_matrix_that_cites_the_addendum_joins_its_entry() -> None:
    cited = recommendation("116.1", TEXTS[0], position="supported", position_symbol="A/HRC/22/15/Add.1")
    sources = [
        source(report([recommendation("116.1", TEXTS[0])]), "report.pdf"),
        source(matrix([cited]), "matrix.docx"),
        source(addendum([("116.1", "supported")]), "addendum.pdf"),
    ]
    [_, entry] = merge(*sources).recommendations["PER-2-116.1"].positions
    assert (entry["source_kind"], entry["document"]) == ("addendum", "A-HRC-22-15-Add.1")


def test_a_matrix_that_says_otherwise_is_kept_but_does_not_hold() -> None:
    cited = recommendation("116.1", TEXTS[0], position="noted", position_symbol="A/HRC/22/15/Add.1")
    record = merge(
        source(report([recommendation("116.1", TEXTS[0])]), "report.pdf"),
        source(matrix([cited]), "matrix.docx"),
        source(addendum([("116.1", "supported")]), "addendum.pdf"),
    ).recommendations["PER-2-116.1"]
    assert sorted(entry["position"] for entry in record.positions) == ["noted", "pending", "supported"]
    assert record.position == "supported"


def test_all_other_recommendations_are_those_left_open_and_not_named() -> None:
    rows = [recommendation("116.1", TEXTS[0], position="supported")]
    rows += [recommendation(f"117.{n}", TEXTS[n]) for n in (1, 2, 3)]
    merged = merge(
        source(report(rows), "report.pdf"), source(addendum([("117.2", "noted"), (None, "supported")]), "addendum.pdf")
    )
    positions = {key: len(record.positions) for key, record in merged.recommendations.items()}
    assert positions == {"PER-2-116.1": 1, "PER-2-117.1": 2, "PER-2-117.2": 2, "PER-2-117.3": 2}
    assert merged.recommendations["PER-2-117.2"].position == "noted"


@pytest.mark.parametrize(
    ("lists", "answered"),
    [
        ({"52": "pending"}, ["PER-2-52.1"]),
        ({"52": "supported", "53": "pending"}, ["PER-2-53.1"]),
        ({"52": "pending", "53": "pending"}, []),
    ],
)
def test_a_plain_number_is_of_the_one_list_that_it_can_mean(lists: dict[str, str], answered: list[str]) -> None:
    rows = [
        recommendation(f"{paragraph}.1", TEXTS[n], position=position)
        for n, (paragraph, position) in enumerate(lists.items())
    ]
    merged = merge(source(report(rows), "report.pdf"), source(addendum([("1", "noted")]), "addendum.pdf"))
    assert [key for key, record in merged.recommendations.items() if record.position == "noted"] == answered


def test_the_pledges_of_an_addendum() -> None:
    made = replace(addendum([("116.1", "noted")]), pledges=(ReadPledge("Peru will publish a report"),))
    merged = merge(source(report([recommendation("116.1", TEXTS[0])]), "report.pdf"), source(made, "addendum.pdf"))
    assert [record.text for record in merged.pledges.values()] == ["Peru will publish a report"]


_POSITIONS = st.sampled_from(["supported", "noted"])
_DAYS = st.sampled_from([None, "2013-02-20", "2013-04-01"])
_STATES = st.lists(st.sampled_from(["ESP", "CHL", "SVK", "MEX"]), min_size=1, max_size=3, unique=True)


@st.composite
def _sources(draw: st.DrawFn) -> list[SourceReading]:
    """A report, perhaps its draft, a revision, its Spanish text and its addendum, and up to two matrices, all a
    little different."""
    texts = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6, unique=True))
    rows = [
        recommendation(f"116.{n}", text, draw(_STATES), draw(st.sampled_from(["pending", "supported"])))
        for n, text in enumerate(texts, 1)
    ]
    found = [source(report(rows), "report.pdf")]
    if draw(st.booleans()):
        found.append(source(report(rows[::-1], symbol="A/HRC/WG.6/14/L.5", kind="working_group_draft"), "draft.docx"))
    if draw(st.booleans()):
        shuffled = draw(st.permutations(rows))
        renumbered = [
            recommendation(f"116.{n}", row.text, row.recommending_states) for n, row in enumerate(shuffled, 1)
        ]
        found.append(source(report(renumbered, symbol="A/HRC/22/15/Rev.1"), "revision.pdf"))
    if draw(st.booleans()):
        spanish = [recommendation(row.number, f"Texto {row.number}", row.recommending_states) for row in rows]
        found.append(source(report(spanish, language="es"), "spanish.pdf"))
    if draw(st.booleans()):
        numbers = st.sampled_from([*(row.number for row in rows), "1", "2", "120.1", None])
        answers = draw(st.dictionaries(numbers, _POSITIONS, max_size=6))
        found.append(source(addendum(list(answers.items()), published_on=draw(_DAYS)), "addendum.pdf"))
    for name in draw(st.lists(st.sampled_from(["a.docx", "b.docx"]), unique=True)):
        held = draw(st.lists(st.sampled_from(rows), unique_by=lambda row: row.number, max_size=6))
        cited = draw(st.sampled_from([None, "A/HRC/22/15/Add.1"]))
        told = [
            recommendation(row.number, row.text, row.recommending_states, draw(_POSITIONS), position_symbol=cited)
            for row in held
        ]
        labels = [ReadLabel(row.number or "", "sdg", "Peace", code="16") for row in held]
        found.append(
            source(matrix(told, labels=labels, published_on=draw(st.sampled_from([None, "2013-03-01"]))), name)
        )
    return found


@settings(max_examples=150, deadline=None)
@given(sources=_sources(), seed=st.integers())
def test_the_order_of_the_sources_never_matters(sources: list[SourceReading], seed: int) -> None:
    shuffled = list(sources)
    random.Random(seed).shuffle(shuffled)
    assert merge(*shuffled) == merge(*sources)


@settings(max_examples=60, deadline=None)
@given(sources=_sources())
def test_the_same_source_twice_says_nothing_more(sources: list[SourceReading]) -> None:
    assert merge(*sources).recommendations.keys() == merge(*sources, sources[0]).recommendations.keys()


@pytest.mark.parametrize("position", ["supported", "noted"])
def test_the_matrix_weighs_more_than_the_report(position: str) -> None:
    merged = merge(
        source(report([recommendation("116.1", TEXTS[0], position="supported")]), "report.pdf"),
        source(matrix([recommendation("116.1", TEXTS[0], position=position)]), "matrix.docx"),
    )
    assert merged.recommendations["PER-2-116.1"].position == position


def test_an_answer_with_the_words_of_a_recommendation_is_to_these_words() -> None:
    told = report([recommendation(number, TEXTS[at]) for at, number in enumerate(("117.1", "117.2", "118.1"))])
    answers = (
        ReadPosition("117.9", "supported", text=f"{TEXTS[0]}."),  # a misprinted number
        ReadPosition(None, "noted", text=TEXTS[1].upper()),
        ReadPosition("118.1", "supported", text="Other words that no report prints"),
    )
    merged = merge(source(told, "report"), source(replace(addendum([]), positions=answers), "addendum"))
    positions = {key: record.position for key, record in merged.recommendations.items()}
    assert positions == {"PER-2-117.1": "supported", "PER-2-117.2": "noted", "PER-2-118.1": "supported"}


def test_the_rest_of_a_paragraph_is_answered_but_for_its_exceptions() -> None:
    told = report([recommendation(number, TEXTS[at]) for at, number in enumerate(("117.1", "117.2", "117.3", "118.1"))])
    rest = ReadPosition(None, "supported", of_paragraph="117", except_numbers=("117.2",))
    merged = merge(source(told, "report"), source(replace(addendum([]), positions=(rest,)), "addendum"))
    supported = [key for key, record in merged.recommendations.items() if record.position == "supported"]
    assert supported == ["PER-2-117.1", "PER-2-117.3"]
