"""What stands where in a matrix."""

import pytest

from services.api.matrix.content import Matrix, grouping_of, main_label
from services.api.printable import printable
from services.core.store.documents import DocumentRecord
from services.core.store.labels import LabelRecord
from tests.api.matrix.samples import ORIGIN, REVIEW, answer, matrix, recommendation

LIFE, DETENTION, MIGRANTS = (f"ohchr-theme:{code}" for code in ("right-to-life", "conditions-of-detention", "migrants"))
TORTURE, GENERAL = "upr-info-issue:torture-and-other-cid-treatment", "upr-info-issue:general"


def layout(made: Matrix) -> list[tuple[str, list[str]]]:
    return [(group.heading, [row.number for row in group.rows]) for group in made.groups]


def facts(made: Matrix) -> dict[str, str]:
    return {fact.name: fact.value for fact in made.facts}


def test_themes_in_their_order_and_supported_before_pending_before_noted() -> None:
    made = matrix(
        recommendation("140.1", MIGRANTS),
        recommendation("140.2", DETENTION, position="noted"),
        recommendation("140.10", DETENTION),
        recommendation("140.9", DETENTION),
        recommendation("140.3", DETENTION, position="pending"),
        recommendation("140.4"),
    )
    assert layout(made) == [
        ("Theme: Conditions of detention", ["140.9", "140.10", "140.3", "140.2"]),
        ("Theme: Migrants", ["140.1"]),
        ("Theme: Not labelled", ["140.4"]),
    ]
    assert "Without such a label: 1." in facts(made)["Grouped by"]
    assert facts(made)["Recommendations"] == "6 (Supported: 4; Pending: 1; Noted: 1)"


def test_the_main_theme_is_the_one_that_the_list_prints_first() -> None:
    printed = recommendation("140.1", MIGRANTS, LIFE)
    indexed = recommendation("140.1", MIGRANTS, LIFE, by="uhri")
    assert (main_label(printed, "ohchr-theme"), main_label(indexed, "ohchr-theme")) == (MIGRANTS, LIFE)
    assert main_label(printed, "upr-info-issue") is None
    [group] = matrix(printed).groups
    assert group.rows[0].themes == ("Migrants", "Right to life")


def test_a_theme_that_no_vocabulary_has_stands_behind_those_we_know() -> None:
    new = LabelRecord(
        id="ohchr-theme:outer-space", scheme="ohchr-theme", code="outer-space", names={"en": "Outer space"}
    )
    made = matrix(recommendation("1.1", new.id), recommendation("1.2", MIGRANTS), extra={new.id: new})
    assert [heading for heading, _ in layout(made)] == ["Theme: Migrants", "Theme: Outer space"]


def test_without_themes_it_groups_by_issue_and_says_so() -> None:
    made = matrix(
        recommendation("1.1", GENERAL, TORTURE, by="upr-info"), recommendation("1.2"), recommendation("1.3", GENERAL)
    )
    assert layout(made) == [
        ("Issue: Torture and other CID treatment", ["1.1"]),
        ("Issue: General", ["1.3"]),
        ("Issue: Not labelled", ["1.2"]),
    ]
    assert facts(made)["Grouped by"].startswith("UPR Info’s issues, because OHCHR’s themes are not held")
    assert made.columns[2] == "UPR Info issues and groups of persons"


def test_without_any_labels() -> None:
    made = matrix(recommendation("1.2", position="noted"), recommendation("1.10"))
    assert layout(made) == [("Theme: Not labelled", ["1.10", "1.2"])]
    assert facts(made)["Grouped by"].startswith("nothing:")
    assert "Labels from" not in facts(made)


@pytest.mark.parametrize(
    ("themes", "issues", "neither", "expected"),
    [(0, 0, 3, None), (0, 1, 3, "upr-info-issue"), (1, 0, 9, "ohchr-theme"), (5, 5, 0, "ohchr-theme"),
     (1, 9, 0, "upr-info-issue"), (2, 2, 8, "ohchr-theme"), (0, 0, 0, None)],
)  # fmt: skip
def test_few_themes_give_way_to_many_issues(themes: int, issues: int, neither: int, expected: str | None) -> None:
    records = [recommendation("1.1", LIFE)] * themes + [recommendation("1.1", TORTURE)] * issues
    assert grouping_of([*records, *[recommendation("1.1")] * neither]) == expected


def test_a_row_has_its_words_answer_source_labels_and_link() -> None:
    labels = (LIFE, "sdg:16", "sdg:3", "group:children")
    [group] = matrix(recommendation("140.7", *labels, part="b", text="Ratify it", detail="implemented")).groups
    [row] = group.rows
    assert row.number == "140.7 (b)"
    assert row.words == f"Ratify it ({row.states[0]}) ({row.states[1]});"
    assert row.states[0] == "Peru"
    assert row.source == "Source of Position: A/HRC/59/15/Add.1 - Para.3"
    assert (row.position, row.note) == ("Supported (implemented)", None)
    assert row.goals == ("3 - Good health and well-being", "16 - Peace, justice and strong institutions")
    assert row.groups == ("Children",)
    assert row.url == "https://upr.example.org/data/recommendations/XCM-4-140.7-b"


@pytest.mark.parametrize(
    ("position", "detail", "expected"),
    [("noted", "partial", "Supported/Noted"), ("noted", "not_supported", "Noted (not supported)"),
     ("supported", "in_process", "Supported (in process of implementation)"), ("pending", None, "Pending"),
     ("supported", "partial", "Supported (in part)")],
)  # fmt: skip
def test_positions_in_words(position: str, detail: str | None, expected: str) -> None:
    [group] = matrix(recommendation("1.1", position=position, detail=detail)).groups
    assert group.rows[0].position == expected


def test_sources_that_are_no_documents_and_none_at_all() -> None:
    database = recommendation("1.1", positions=[answer("noted", symbol=None, paragraph=None, source_kind="upr_info")])
    newer = recommendation("1.2", positions=[answer("noted", symbol=None, paragraph=None, source_kind="new_kind")])
    rows = [row for group in matrix(database, newer, recommendation("1.3", positions=[])).groups for row in group.rows]
    assert [row.source for row in rows] == [
        "Source of Position: UPR Info’s database", "Source of Position: new_kind", None,
    ]  # fmt: skip


def test_the_text_in_the_language_or_a_word_that_it_is_not() -> None:
    both = recommendation("1.1", text="Ratify it", translations={"es": "Ratificarlo", "fr": "Le ratifier"})
    made = matrix(both, recommendation("1.2", text="Stop it"), language="es")
    rows = [row for group in made.groups for row in group.rows]
    assert [(row.text, row.text_language, row.note) for row in rows] == [
        ("Ratificarlo", None, None),
        ("Stop it", "en", "Texto en inglés; no se dispone de uno en español."),
    ]
    assert facts(made)["Idioma de los textos"].startswith("1 de 2 recomendaciones no tienen aquí un texto oficial")
    assert "Language of texts" not in facts(matrix(both))


def test_one_without_a_number_says_so() -> None:
    [group] = matrix(recommendation(None)).groups
    assert group.rows[0].number == "[no number]"


def test_the_head_says_what_it_is_and_how_to_have_it_again() -> None:
    document = DocumentRecord(id="A-HRC-59-15", symbol="A/HRC/59/15", kind="working_group_report", files=[])
    told = facts(matrix(recommendation("1.1", LIFE), documents=[document]))
    assert told["State under review"] == "Costamar"
    assert told["Review"] == "cycle 4, session 48 of the Working Group, 28 January 2025"
    assert told["Documents read"] == "A/HRC/59/15 (report of the Working Group)"
    assert told["Labels from"] == "OHCHR’s thematic list of recommendations"
    assert told["Dataset"] == "OpenUPR, version 4711-9f86d081 of 21 November 2026"
    assert told["How to cite"] == (
        "OpenUPR, “Thematic list of recommendations: UPR of Costamar (cycle 4, session 48)”, dataset version "
        "4711-9f86d081, 21 November 2026, https://upr.example.org/data/reviews/XCM-4"
    )
    assert (told["This document"], told["The same records"]) == (ORIGIN.address, ORIGIN.records)


def test_a_review_of_which_nothing_was_read_is_no_zero() -> None:
    made = matrix(review=REVIEW.__class__(id="XCM-1", state_under_review="XCM", cycle=1))
    assert (made.groups, made.review) == ((), "UPR of Costamar (cycle 1)")
    assert facts(made)["Recommendations"].startswith("none has been read")
    assert (facts(made)["Documents read"], facts(made)["Review"]) == ("none", "cycle 1")


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
def test_every_language_has_all_its_lines(language: str) -> None:
    made = matrix(recommendation("1.1", LIFE), recommendation("1.2", translations={"pt": "…"}), language=language)
    assert len({fact.name for fact in made.facts}) == len(made.facts) >= 11
    assert len(made.columns) == 5
    assert made.columns[4] == {
        "en": "Level of implementation", "es": "Nivel de aplicación", "fr": "Niveau de mise en œuvre",
        "pt": "Nível de implementação",
    }[language]  # fmt: skip


def test_what_no_document_can_hold_is_left_out() -> None:
    assert (
        printable("a\x00\x01\x0b\x1f\ud800\ufffe\u202e\u2066b\tc\nd é 人 \U0001f600 عربي")
        == "ab\tc\nd é 人 \U0001f600 عربي"
    )
