"""OHCHR matrices: the real ones against values taken from them by other means, and layouts made up here."""

import csv
import io
import re

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.normalise.labels import canonical_label
from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.ohchr_matrix import OhchrMatrix
from services.ingest.reading import Reading, ReadLabel

REAL = {
    "slovenia_c4_matrix_A_HRC_59_15.csv": (
        "slovenia/cycle4/upr48-slovenia-thematic-list-of-recommendatio.docx", ("SVN", 48, 4), 254
    ),
    "slovenia_c2_matrix_A_HRC_28_15.csv": (
        "slovenia/cycle2/UPR20__Slovenia_ThematicListRecommendations_E.docx", ("SVN", 20, 2), 163
    ),
    "egypt_c2_matrix_A_HRC_28_16.csv": ("matrices/EgyptMatriceRecommendations.docx", ("EGY", 20, 2), 300),
}  # fmt: skip
POSITIONS = {"Supported": ("supported", None), "Noted": ("noted", None), "Supported/Noted": ("noted", "partial")}


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(params=REAL)
def real(request, real_documents) -> tuple[Reading, list[dict[str, str]], str]:
    file, *_ = REAL[request.param]
    with (real_documents / "golden" / request.param).open(encoding="utf-8", newline="") as table:
        expected = list(csv.DictReader(table))
    return OhchrMatrix().read(Content(file, (real_documents / file).read_bytes())), expected, request.param


def test_whose_review_it_is(real):
    reading, _, golden = real
    document = reading.document
    assert (document.state_under_review, document.session, document.cycle) == REAL[golden][1]
    assert (document.kind, document.title) == ("matrix", "Thematic list of recommendations")


def test_numbers_and_positions(real):
    reading, expected, golden = real
    assert len(expected) == REAL[golden][2]
    assert [row["number"] for row in expected] == list(dict.fromkeys(r.number for r in reading.recommendations))
    positions = {row["number"]: (*POSITIONS[row["position"]], row["position"]) for row in expected}
    for r in reading.recommendations:
        assert (r.position, r.position_detail, r.position_phrase) == positions[r.number], r.number


def test_sources_of_positions(real):
    reading, expected, _ = real
    sources = {row["number"]: row["source_of_position"] for row in expected}
    for r in reading.recommendations:
        source = re.fullmatch(
            r"(A/HRC/\d+/\d+(?:/Add\.\d)?)?(?:, para. \d)?(?: - Para\. ?(\d+)\D*)?", sources[r.number]
        )
        assert (r.position_symbol, r.position_paragraph) == source.groups(), r.number


def test_texts_and_states(real):
    """Each State in brackets is found, and the words outside the brackets are the texts of the parts."""
    reading, expected, _ = real
    for row in expected:
        parts = [r for r in reading.recommendations if r.number == row["number"]]
        printed = squeezed(row["text_with_attribution"].split("\nComments")[0])
        words, states = outside_and_inside(printed)
        assert [state for part in parts for state in part.recommending_states] == states, row["number"]
        assert letters("".join(part.text for part in parts)) == letters(re.sub(r"\0; and\b", "", words)), row["number"]
        assert all(part.text[0].isalpha() and part.text[-1] not in ";:, " for part in parts)


def outside_and_inside(text: str) -> tuple[str, list[str]]:
    """The words outside brackets that hold nothing but States, and the States inside them."""
    states: list[str] = []

    def keep(bracket: re.Match[str]) -> str:
        inside = bracket[1]
        names = [inside] if resolve_state(inside) else re.split(r",\s*(?![^(]*\))", inside)
        found = [resolve_state(name) for name in names]
        states.extend(state for state in found if state)
        return "\0" if all(found) else bracket[0]

    return re.sub(r"\(((?:[^()]|\([^()]*\))*)\)", keep, text), states


def letters(text: str) -> str:
    return re.sub(r"\W", "", text)


def test_labels(real):
    reading, expected, _ = real
    for row in expected:
        parts = {r.part for r in reading.recommendations if r.number == row["number"]}
        for part in parts:
            labels = [label for label in reading.labels if (label.recommendation, label.part) == (row["number"], part)]
            assert sorted(map(as_printed, labels)) == sorted(printed_labels(row)), row["number"]


def as_printed(label: ReadLabel) -> tuple[str, str]:
    code = label.code and (f"{label.code}." if label.code[0].isdigit() and label.scheme != "sdg" else label.code)
    separator = " - " if label.scheme == "sdg" else " "
    return label.scheme, f"{code}{separator}{label.label}" if code else label.label


def printed_labels(row: dict[str, str]) -> set[tuple[str, str]]:
    themes, _, groups = re.split(r"((?:Groups of Persons|Affected persons):)", row["themes_cell"])
    cells = {"ohchr-theme": themes, "group": groups, "sdg": row["col4"]}
    return {
        (scheme, squeezed(line).removeprefix("- "))
        for scheme, cell in cells.items()
        for line in cell.split("\n")
        if line.strip()
    }


def test_numbers_with_several_recommendations(real_documents):
    file = REAL["egypt_c2_matrix_A_HRC_28_16.csv"][0]
    reading = OhchrMatrix().read(Content(file, (real_documents / file).read_bytes()))
    parts = [(r.part, r.recommending_states) for r in reading.recommendations if r.number == "166.104"]
    assert parts == [("a", ("TUR",)), ("b", ("TGO",)), ("c", ("FRA",)), ("d", ("DEU",)), ("e", ("HUN",))]


def test_nothing_in_the_real_ones_is_left_open(real):
    """One row of Egypt's has a comment in place of the source of its position."""
    reading, _, golden = real
    expected = ["comment_in_row"] if golden.startswith("egypt") else []
    assert [issue.code for issue in reading.issues] == expected


# Layouts made up here

HEADING = ("Recommendation", "Position", "Full list of themes", "Assessment/comments on level of implementation")
SOURCE = "Source of Position: A/HRC/43/15/Add.1 - Para.3"
ROW = (f"122.1 Ratify it (Senegal) (Togo);\n{SOURCE}", "Supported", "- Right to health", "")


def matrix(
    *rows: tuple[str, ...], head: str = "UPR of Costamar (3rd Cycle – 34th session)", above: str = ""
) -> Content:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = head
    if above:
        document.add_paragraph(above)
    table = document.add_table(0, max(map(len, rows)))
    for row in rows:
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=False):
            cell.text = text
        if len(row) == 1:
            cells[0].merge(cells[-1])
    written = io.BytesIO()
    document.save(written)
    return Content("matrix.docx", written.getvalue())


def read(*rows: tuple[str, ...], **around: str) -> Reading:
    content = matrix(*rows, **around)
    assert OhchrMatrix().bid(content) > 0.9
    return OhchrMatrix().read(content)


def codes(reading: Reading) -> list[str]:
    return [issue.code for issue in reading.issues]


def test_the_layout_of_the_third_cycle():
    cell = (
        "- Right to health\n- Right to education\nSDGs: \n- 3 - GOOD HEALTH\n- 4 - QUALITY EDUCATION\n"
        "Affected persons: \n- Children"
    )
    reading = read(HEADING, ("Theme: Right to health",), (ROW[0], "Supported", cell, ""))
    [r] = reading.recommendations
    assert (r.number, r.text, r.recommending_states) == ("122.1", "Ratify it", ("SEN", "TGO"))
    assert (r.position, r.position_symbol, r.position_paragraph) == ("supported", "A/HRC/43/15/Add.1", "3")
    assert [(label.scheme, label.code, label.label) for label in reading.labels] == [
        ("ohchr-theme", None, "Right to health"), ("ohchr-theme", None, "Right to education"),
        ("sdg", "3", "GOOD HEALTH"), ("sdg", "4", "QUALITY EDUCATION"), ("group", None, "Children"),
    ]  # fmt: skip
    assert not reading.issues


def test_columns_in_another_order():
    heading = ("Relevant SDGs", "Position of the State under review", "Human rights themes", "Recommendation and State")
    reading = read(heading, ("- 16 - PEACE", "Noted", "- Right to life", "12.1 Do it (Chad);"))
    assert reading.recommendations[0].recommending_states == ("TCD",)
    assert {label.scheme for label in reading.labels} == {"sdg", "ohchr-theme"}


def test_a_row_under_two_themes_is_one_recommendation_with_both():
    again = (ROW[0], "Supported", "- Right to education\n- Right to health", "")
    reading = read(HEADING, ("Theme: Right to life",), ROW, ("Theme: Right to education",), again)
    assert len(reading.recommendations) == 1
    assert [label.label for label in reading.labels] == ["Right to life", "Right to health", "Right to education"]
    assert not reading.issues


def test_rows_that_have_no_theme_have_none_of_those_before():
    bare = ("12.2 Stop it (Chad);", "Noted", "", "")
    reading = read(HEADING, ("Theme: Right to life",), ROW, ("Theme: Not labelled",), bare)
    assert [r.number for r in reading.recommendations] == ["122.1", "12.2"]
    assert {label.recommendation for label in reading.labels} == {"122.1"}
    assert not reading.issues


def test_repetitions_that_contradict():
    other_position = (ROW[0], "Noted", "", "")
    other_text = (ROW[0].replace("Ratify", "Repeal"), "Supported", "", "")
    reading = read(HEADING, ROW, other_position, other_text)
    assert codes(reading) == ["conflicting_positions", "duplicate_number"]
    assert [(r.text, r.position) for r in reading.recommendations] == [
        ("Ratify it", "supported"), ("Repeal it", "supported")
    ]  # fmt: skip


def test_plain_numbers():
    reading = read(HEADING, ("7. Do it (Chad);", "Noted", "", ""))
    assert [(r.number, r.text) for r in reading.recommendations] == [("7", "Do it")]


def test_text_that_begins_with_a_year():
    reading = read(HEADING, ("140.7 1961 Convention: ratify it (Chad);", "Noted", "", ""))
    assert [(r.number, r.text) for r in reading.recommendations] == [("140.7", "1961 Convention: ratify it")]


def test_a_number_that_touches_the_text():
    reading = read(
        HEADING, ("115.2.Expedite it (Chad);", "Noted", "", ""), ("26 .1 Do&nbsp;it (Chad);", "Noted", "", "")
    )
    assert [(r.number, r.text) for r in reading.recommendations] == [("115.2", "Expedite it"), ("26.1", "Do it")]


def test_headings_repeat_on_every_page():
    reading = read(HEADING, ROW, HEADING, ("122.2 Do it (Chad);", "Noted", "", ""))
    assert [r.number for r in reading.recommendations] == ["122.1", "122.2"]
    assert not reading.issues


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("Do it (Chad);", "Noted", "", ""), "no_number"),
        (("Do it.", "Noted", "", ""), "row_not_understood"),
        (("A remark across the table",), "row_not_understood"),
        (("122.2 Do it (Chad);", "Considered", "", ""), "unknown_position"),
        (("122.2 Do it (Chad);", "", "", ""), "unknown_position"),
        (("122.2 Do it (Atlantis);", "Noted", "", ""), "unknown_state"),
        (("122.2 Do it.", "Noted", "", ""), "no_recommending_state"),
        (("122.2 Do it (Chad);\nSource of position: the delegation", "Noted", "", ""), "unknown_source_of_position"),
        (("122.2 Do it (Chad);", "Noted", "SDGs:\n- 18 - MORE", ""), "unknown_label"),
    ],
)
def test_what_is_not_understood_becomes_an_issue(row, code):
    reading = read(HEADING, ROW, row)
    assert codes(reading) == [code]
    assert reading.recommendations[0].number == "122.1"


def test_an_unknown_state_does_not_hide_the_others():
    reading = read(HEADING, ("122.2 Do it (Chad) (Atlantis);", "Noted", "", ""))
    assert codes(reading) == ["unknown_state"]
    assert [r.recommending_states for r in reading.recommendations] == [("TCD",)]
    assert reading.recommendations[0].text == "Do it"


def test_a_column_of_states_fills_in_and_is_compared():
    heading = ("Recommendation", "Recommending state/s", "Position", "Full list of rights/affected persons")
    reading = read(
        heading,
        ("12.1. Do it;", "Chad\nBosnia and Herzegovina\n", "Noted", ""),
        ("12.2. Do it (Chad);", "Chad\nTogo", "Noted", ""),
        ("12.3. Do it (Chad); (Togo);", "Togo\nChad", "Noted", ""),
    )
    assert [r.recommending_states for r in reading.recommendations] == [("TCD", "BIH"), ("TCD",), ("TCD", "TGO")]
    assert codes(reading) == ["states_differ"]


@pytest.mark.parametrize(
    ("printed", "numbers"),
    [
        ("140.7, 140.8 and 140.9", ["140.7", "140.8", "140.9"]),
        ("140.7-140.9", ["140.7", "140.8", "140.9"]),
        ("140.7–9.", ["140.7", "140.8", "140.9"]),
        ("140.7 a 140.8", ["140.7", "140.8"]),
        ("Recommendation 140.7:", ["140.7"]),
        ("140.7-140.700", ["140.7", "140.700"]),
    ],
)
def test_several_numbers_for_one_text(printed, numbers):
    reading = read(HEADING, (f"{printed} Ratify it (Chad);", "Supported", "- Right to health", ""))
    assert [(r.number, r.text) for r in reading.recommendations] == [(number, "Ratify it") for number in numbers]
    assert [label.recommendation for label in reading.labels] == numbers


def test_several_recommendations_in_one_cell():
    cell = f"140.7 Ratify A, as in paragraph\n140.9 of the report (Chad);\n140.8 Ratify B (Togo);\n{SOURCE}"
    reading = read(HEADING, (cell, "Supported\nNoted", "", ""))
    assert [(r.number, r.text, r.position) for r in reading.recommendations] == [
        ("140.7", "Ratify A, as in paragraph 140.9 of the report", "supported"), ("140.8", "Ratify B", "noted"),
    ]  # fmt: skip


@pytest.mark.parametrize("printed", ["140.7(b)", "140.7 (b)", "140.7.b", "140.7-b", "140.7b."])
def test_numbers_with_the_letter_of_a_part(printed):
    [r] = read(HEADING, (f"{printed} Ratify it (Chad);", "Supported", "- Right to health", "")).recommendations
    assert (r.number, r.part, r.text) == ("140.7", "b", "Ratify it")


def test_a_number_is_no_part_before_a_word():
    [r] = read(HEADING, ("140.7 A law is needed (Chad);", "Supported", "", "")).recommendations
    assert (r.number, r.part, r.text) == ("140.7", None, "A law is needed")


def test_labels_of_a_repeated_number_and_of_none_stand_on_their_rows():
    reading = read(
        HEADING,
        (ROW[0], "Supported", "- Right to health", ""),
        ("122.1 Repeal it (Togo);", "Noted", "- Right to education", ""),
        ("Do it (Togo);", "Noted", "- Cultural rights", ""),
    )
    assert codes(reading) == ["duplicate_number", "no_number"]
    assert [(label.recommendation, label.row) for label in reading.labels] == [("122.1", None), (None, 2), (None, 3)]


def test_a_column_of_numbers_of_its_own():
    heading = ("No.", "Recommendation", "Recommending State", "Position", "Theme")
    reading = read(
        heading,
        ("7.1", "Do it", "Chad", "Accepted", "Right to work"),
        ("7.2", "Ratify the Convention (CRPD)", "Chad, Togo", "Rejected", "Right to life"),
    )
    assert [(r.number, r.text, r.recommending_states) for r in reading.recommendations] == [
        ("7.1", "Do it", ("TCD",)), ("7.2", "Ratify the Convention (CRPD)", ("TCD", "TGO")),
    ]  # fmt: skip
    assert not reading.issues


def test_a_grid_that_is_drawn_askew():
    content = matrix(HEADING, ROW)
    document = docx.Document(io.BytesIO(content.data))
    for row, wide in zip(document.tables[0].rows, (1, 0), strict=True):
        row.cells[wide]._tc.grid_span = 2
    written = io.BytesIO()
    document.save(written)
    [r] = OhchrMatrix().read(Content("askew.docx", written.getvalue())).recommendations
    assert (r.text, r.position) == ("Ratify it", "supported")


def test_rows_cut_in_two_are_one():
    reading = read(
        HEADING,
        ("140.7 Ratify the", "Supported", "- Economic, social & cultural rights - general", ""),
        (f"Convention (Chad);\n{SOURCE}", "", "measures of implementation\n- Right to health", ""),
        ("140.8 Do it (Togo);", "", "", ""),
        (SOURCE, "Noted", "", ""),
    )
    first, second = reading.recommendations
    assert (first.text, first.position, first.position_paragraph) == ("Ratify the Convention", "supported", "3")
    assert (second.number, second.position, second.position_symbol) == ("140.8", "noted", "A/HRC/43/15/Add.1")
    assert [label.label for label in reading.labels] == [
        "Economic, social & cultural rights - general measures of implementation", "Right to health"
    ]  # fmt: skip
    assert not reading.issues


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("Supported\u00a0/ Noted", ("noted", "partial")),
        ("Supported/Not ed", ("noted", "partial")),
        ("Partially supported.", ("noted", "partial")),
        ("NOTED*", ("noted", None)),
        ("Supported (already implemented)", ("supported", "implemented")),
        ("Supported – in the process of implementation", ("supported", "in_process")),
        ("Pending", ("pending", None)),
        ("Se tomó nota", ("noted", None)),
        ("Acceptée", ("supported", None)),
        ("Supported, but only in part", (None, None)),
        ("Supportednot", (None, None)),
    ],
)
def test_positions(phrase, expected):
    reading = read(HEADING, (ROW[0], phrase, "", ""))
    [r] = reading.recommendations
    assert (r.position, r.position_detail) == expected
    assert r.position_phrase == squeezed(phrase)
    assert codes(reading) == ([] if r.position else ["unknown_position"])


def test_what_is_written_into_the_columns_for_comments_is_no_text():
    source = f"{SOURCE} Comments: the State says that a law is being drafted."
    reading = read(HEADING, (f"122.1 Do it (Chad);\n{source}", "Noted", "", "A law was adopted in 2021."))
    assert codes(reading) == ["comment_in_row", "comment_in_row"]
    assert [issue.detail for issue in reading.issues] == [
        "122.1: Comments: the State says that a law is being drafted", "122.1: A law was adopted in 2021.",
    ]  # fmt: skip
    assert reading.recommendations[0].text == "Do it"


def test_labels_in_one_line_are_told_apart_where_each_is_known():
    cell = "Right to health; Right to work\nNot, a theme\nSDGs: 3, 4 and 16.3\nAffected persons: - women - children"
    reading = read(HEADING, (ROW[0], "Noted", cell, ""))
    assert [(label.scheme, label.code or label.label) for label in reading.labels] == [
        ("ohchr-theme", "Right to health"), ("ohchr-theme", "Right to work"), ("ohchr-theme", "Not, a theme"),
        ("sdg", "3"), ("sdg", "4"), ("sdg", "16.3"), ("group", "women"), ("group", "children"),
    ]  # fmt: skip
    assert codes(reading) == ["unknown_label"]


@pytest.mark.parametrize(
    ("line", "code"), [("Goal 16: Peace", "16"), ("SDG 5", "5"), ("No poverty", "1"), ("16.b - Promote", "16.b")]
)
def test_goals_by_number_and_by_name(line, code):
    reading = read(HEADING, (ROW[0], "Noted", f"SDGs:\n- {line}", ""))
    assert [(label.scheme, label.code) for label in reading.labels] == [("sdg", code)]


@pytest.mark.parametrize("heading", [("A12 Acceptance of international norms",), ("Theme:", "Right to health", "", "")])
def test_themes_that_are_announced_without_their_word(heading):
    reading = read(HEADING, heading, (ROW[0], "Supported", "", ""))
    assert len(reading.labels) == 1
    assert not reading.issues


SPANISH = (
    "Recomendación y Estado que la formula", "Posición del Estado examinado",
    "Temas de derechos humanos y grupos de personas", "ODS pertinentes",
)  # fmt: skip
FRENCH = (
    "Recommandation et État auteur", "Position de l’État examiné",
    "Thèmes des droits de l’homme et groupes de personnes", "ODD pertinents",
)  # fmt: skip


def test_a_matrix_in_spanish():
    reading = read(
        SPANISH,
        ("Tema: Derecho a la salud",),
        (
            "140.7 Ratificar el Pacto (España) (Perú);\nFuente de la posición: A/HRC/59/15/Add.1 - Párr. 3",
            "Aceptada", "- Derecho a la salud\nGrupos de personas: \n- Mujeres y niñas", "- 3 - SALUD\n- ODS 16",
        ),
        head="EPU de Costamar (4º ciclo – 48º período de sesiones)\tLista temática de recomendaciones\tPágina 1 de 20",
    )  # fmt: skip
    assert (reading.document.language, reading.document.session) == ("es", 48)
    [r] = reading.recommendations
    assert (r.text, r.recommending_states, r.position) == ("Ratificar el Pacto", ("ESP", "PER"), "supported")
    assert (r.position_symbol, r.position_paragraph) == ("A/HRC/59/15/Add.1", "3")
    assert [canonical_label(label.scheme, label.label, label.code) for label in reading.labels] == [
        "ohchr-theme:right-to-health", "group:women-and-girls", "sdg:3", "sdg:16",
    ]  # fmt: skip
    assert not reading.issues


def test_a_matrix_in_french():
    reading = read(
        FRENCH,
        (
            "140.7 Ratifier le Pacte (Espagne) (Pérou) ;\nSource de la position : A/HRC/59/15/Add.1 - par. 3",
            "Notée", "Groupes de personnes : \n- Femmes et filles", "- 3 - BONNE SANTÉ",
        ),
        head="EPU de Costamar (4e cycle - 48e session)\tListe thématique des recommandations",
    )  # fmt: skip
    assert (reading.document.language, reading.document.cycle) == ("fr", 4)
    [r] = reading.recommendations
    assert (r.text, r.recommending_states, r.position) == ("Ratifier le Pacte", ("ESP", "PER"), "noted")
    assert (r.position_symbol, r.position_paragraph) == ("A/HRC/59/15/Add.1", "3")
    assert [canonical_label(label.scheme, label.label, label.code) for label in reading.labels] == [
        "group:women-and-girls", "sdg:3"
    ]  # fmt: skip
    assert not reading.issues


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("UPR of Guinea-Bissau (4th Cycle - 48th Session)\t\tThematic list of recommendations*", ("GNB", 48, 4)),
        ("UPR of Egypt - Second Cycle\tThematic list of recommendations\tPage 2 of 39", ("EGY", 34, 3)),
        ("UPR of the United Kingdom of Great Britain & Northern Ireland (third cycle)", ("GBR", 34, 3)),
        ("Universal Periodic Review of Costamar, 48th session", ("XCM", 48, 4)),
        ("Grand Alba and Saint Ivo\tMatrix of recommendations\tUPR 20", ("XGI", 20, 2)),
        ("Costamar - 59th session of the Human Rights Council", ("XCM", 34, 3)),
        ("A/HRC/WG.6/48/SVN/1", ("SVN", 34, 3)),
    ],
)
def test_state_and_session_from_headings_and_cited_documents(head, expected):
    document = read(HEADING, ROW, head=head).document
    assert (document.state_under_review, document.session, document.cycle) == expected


def test_a_title_above_the_table_will_do():
    document = read(HEADING, ROW, head="", above="UPR of Tierralta (3rd cycle - 34th session)").document
    assert (document.state_under_review, document.session) == ("XTL", 34)


def test_a_printed_cycle_that_is_not_the_session_s():
    assert codes(read(HEADING, ROW, head="UPR of Costamar (2nd Cycle - 34th Session)")) == ["cycle_differs"]


@pytest.mark.parametrize("head", ["", "UPR of Atlantis (4th Cycle)", "Thematic list of recommendations"])
def test_a_matrix_of_an_unknown_state_is_refused(head):
    with pytest.raises(UnreadableDocumentError) as refusal:
        OhchrMatrix().read(matrix(HEADING, ROW, head=head))
    assert refusal.value.code == "unknown_state"


def test_a_matrix_without_rows_is_refused():
    with pytest.raises(UnreadableDocumentError) as refusal:
        OhchrMatrix().read(matrix(HEADING, ("Theme: Right to life",)))
    assert refusal.value.code == "no_recommendations"


def test_no_bid_for_other_documents(samples):
    document = docx.Document()
    document.add_table(1, 2).rows[0].cells[0].text = "Recommendation"
    written = io.BytesIO()
    document.save(written)
    assert OhchrMatrix().bid(Content("other.docx", written.getvalue())) == 0
    assert OhchrMatrix().bid(Content("report.pdf", (samples / "costamar-report.pdf").read_bytes())) == 0


# Matrices that are traps


def test_a_heading_of_ten_thousand_columns():
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    wide = "".join(cell.format(name) for name in HEADING) + cell.format("Position") * 10_000
    row = "".join(cell.format(text) for text in ("122.1 Ratify it (Senegal);", "Noted", "Right to health", ""))
    [r] = OhchrMatrix().read(with_table(f"<w:tr>{wide}</w:tr><w:tr>{row}</w:tr>")).recommendations
    assert (r.number, r.position) == ("122.1", "noted")


def test_spans_that_lie_give_no_record_from_nothing():
    cell = "<w:tc><w:tcPr><w:gridSpan w:val='{}'/></w:tcPr><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    head = "".join(cell.format(1, name) for name in HEADING)
    remark = cell.format(999_999, "Supported") + cell.format(999_999, "Noted") * 50
    with pytest.raises(UnreadableDocumentError) as refusal:
        OhchrMatrix().read(with_table(f"<w:tr>{head}</w:tr>" + f"<w:tr>{remark}</w:tr>" * 20))
    assert refusal.value.code == "no_recommendations"


def test_a_matrix_in_frames_in_controls_with_changes():
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    head = "".join(cell.format(name) for name in HEADING)
    changed = (
        "<w:tc><w:p><w:r><w:t>122.1 </w:t></w:r><w:del><w:r><w:delText>Consider </w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>Rat\u00adify\u00a0it</w:t></w:r></w:ins><w:hyperlink><w:r><w:t> (Senegal)</w:t></w:r>"
        "</w:hyperlink><w:r><w:footnoteReference w:id='1'/></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p></w:tc>"
    )
    row = (
        f"<w:sdt><w:sdtContent><w:tr>{changed}{cell.format('Noted') * 2}{cell.format('')}</w:tr></w:sdtContent></w:sdt>"
    )
    legend = f"<w:tr>{cell.format('Supported')}{cell.format('The State supports it')}</w:tr>"
    inner = f"<w:tbl>{legend}</w:tbl><w:p/><w:tbl><w:tr>{head}</w:tr>{row}</w:tbl>"
    framed = f"<w:tr><w:tc>{inner}<w:p/></w:tc></w:tr>"
    [r] = OhchrMatrix().read(with_table(framed)).recommendations
    assert (r.text, r.recommending_states, r.position) == ("Ratify it", ("SEN",), "noted")


@pytest.mark.parametrize(
    "words", ["(" * 3000, "140.1-140." + "9" * 400, "140.1, " * 3000, "- " * 5000, "1.1 (a) " * 900]
)
def test_cells_that_are_noise(words):
    reading = read(HEADING, ROW, (words, words, words, words))
    assert reading.recommendations[0].number == "122.1"


def with_table(rows: str) -> Content:
    document = docx.Document(io.BytesIO(matrix(("a", "b")).data))
    table = document.tables[0]._tbl
    table.addprevious(parse_xml(f"<w:tbl {nsdecls('w')}>{rows}</w:tbl>"))
    table.getparent().remove(table)
    written = io.BytesIO()
    document.save(written)
    return Content("trap.docx", written.getvalue())
