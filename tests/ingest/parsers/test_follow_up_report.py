"""Mid-term reports and implementation plans: how they are known, what titles tell, how they are taken apart."""

import pytest

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.follow_up_passages import read_passages
from services.ingest.parsers.follow_up_report import FollowUpReport
from services.ingest.parsers.follow_up_title import is_row_of_heading, kind_of, read_follow_up_title
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.reading import ReadParagraph

MID_TERM, PLAN = DocumentKind.MID_TERM_REPORT, DocumentKind.IMPLEMENTATION_PLAN


class Content:
    """A file whose text is known."""

    def __init__(self, text: DocumentText) -> None:
        self.text = text


def page(*lines: str) -> DocumentText:
    return DocumentText(tuple(Block(line, 1, bold=True) for line in lines), pages=1)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (("Universal Periodic Review", "Mid-term report of Peru", "Second cycle"), MID_TERM),
        (("UPR Midterm Review", "Peru"), MID_TERM),
        (("Voluntary Mid Term Progress Report", "on the UPR", "Peru"), MID_TERM),
        (("Peru: UPR mid-term assessment",), MID_TERM),
        (("Informe voluntario de medio término", "Examen Periódico Universal", "Perú"), MID_TERM),
        (("Informe de mitad de período del EPU", "Perú"), MID_TERM),
        (("Rapport à mi-parcours", "Examen périodique universel", "Pérou"), MID_TERM),
        (("Rapport national à mi-parcours de l’EPU",), MID_TERM),
        (("National action plan for the implementation of UPR recommendations",), PLAN),
        (("UPR implementation matrix", "Peru"), PLAN),
        (("Plan de acción para la implementación de las recomendaciones del EPU",), PLAN),
        (("Plan d’action pour la mise en œuvre des recommandations de l’EPU",), PLAN),
        # Others that speak of them.
        (("Universal Periodic Review", "National report submitted in accordance with …", "mid-term report"), None),
        (("ADVANCE QUESTIONS TO PERU", "UPR mid-term report"), None),
        (("Mid-term report on the budget", "Peru"), None),
        (("A/HRC/WG.6/28/PER/1", "Universal Periodic Review", "Mid-term report"), None),
        (("Madam,", "I welcome the mid-term report on the Universal Periodic Review."), None),
        (("Universal Periodic Review", "Introduction", "This follows the mid-term report of 2015."), None),
    ],
)
def test_they_are_known_by_their_titles(lines, kind):
    assert kind_of(page(*lines)) == kind
    assert FollowUpReport().bid(Content(page(*lines))) == (0.985 if kind else 0.0)


@pytest.mark.parametrize(
    ("lines", "state", "session", "cycle"),
    [
        (("UPR mid-term report", "Peru", "Second cycle"), "PER", None, 2),
        (("UPR mid-term report of the Republic of Korea", "3rd cycle"), "KOR", None, 3),
        (("UPR mid-term report", "Guinea-Bissau", "Geneva, Switzerland", "Cycle 2"), "GNB", None, 2),
        (("EPU: informe de medio término", "Costamar", "33º período de sesiones del Grupo de Trabajo"), "XCM", 33, 3),
        (
            ("EPU : rapport à mi-parcours", "Senlara", "31e session du Groupe de travail"),
            "XSN",
            31,
            3,
        ),
        (("UPR mid-term report", "Peru", "on the recommendations in A/HRC/22/15"), "PER", None, 2),
        (("UPR mid-term report", "Peru", "first and second cycles"), "PER", None, None),
        (("UPR mid-term report", "Peru and Chile", "second cycle"), None, None, 2),
    ],
)
def test_whose_review_it_is(lines, state, session, cycle):
    title = read_follow_up_title(page(*lines), MID_TERM)
    assert (title.state, title.session, title.cycle) == (state, session, cycle)


@pytest.mark.parametrize(
    ("line", "author", "kind"),
    [
        ("Submitted by the Government of Peru", "the Government of Peru", "state"),
        ("Prepared by: Peru", "Peru", "state"),
        ("Joint submission by the Coalition for Justice", "the Coalition for Justice", "organisation"),
        ("Presentado por la Defensoría del Pueblo", "la Defensoría del Pueblo", "nhri"),
        ("Soumis par le Défenseur des droits", "le Défenseur des droits", "nhri"),
        ("Submitted by Jane Doe", "Jane Doe", None),
        ("A shadow report", None, "organisation"),
        ("Ministry of Justice", None, "state"),
        ("2015", None, None),
    ],
)  # fmt: skip
def test_who_wrote_it(line, author, kind):
    title = read_follow_up_title(page("UPR mid-term report", "Peru", "Second cycle", line), MID_TERM)
    assert (title.author, title.author_kind) == (author, kind)


def test_what_the_title_page_does_not_tell_is_an_issue():
    text = page("UPR mid-term report", "Peru", "Second cycle", "Introduction", "1. We report.")
    reading = FollowUpReport().read(Content(text))
    assert [issue.code for issue in reading.issues] == ["no_date", "no_author"]
    assert (reading.document.published_on, reading.document.author_kind) == (None, None)


@pytest.mark.parametrize(
    ("lines", "code", "named"),
    [
        (("UPR mid-term report", "Second cycle", "Introduction", "1. We report."), "unknown_state", "one State"),
        (("UPR mid-term report", "Peru", "Introduction", "1. We report."), "unknown_review", "names no cycle"),
        (("UPR mid-term report", "Peru", "Second cycle"), "no_paragraphs", "no text"),
        (("Peru",), "unknown_kind", "title page"),
    ],
)
def test_what_is_missing_is_named(lines, code, named):
    with pytest.raises(UnreadableDocumentError) as refusal:
        FollowUpReport().read(Content(page(*lines)))
    assert refusal.value.code == code
    assert named in refusal.value.detail


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Recommendation Measures taken Status of implementation", True),
        ("No. Recommendation Response", True),
        ("Recomendación Medidas adoptadas Estado de cumplimiento", True),
        ("Recommandations Mesures prises État de mise en œuvre", True),
        ("Recommendation 5 was implemented", False),
        ("Measures were taken to follow the recommendation", False),
    ],
)
def test_heading_rows_of_tables(line, expected):
    assert is_row_of_heading(line) is expected


def passages(text: DocumentText) -> tuple[ReadParagraph, ...]:
    title = read_follow_up_title(page("UPR mid-term report", "Peru", "Second cycle"), MID_TERM)
    return read_passages(text, title)


def cited(paragraph: ReadParagraph) -> list[str]:
    return [each.number for each in paragraph.recommendations]


def test_plain_numbers_count_as_cited_only_where_the_column_says_so():
    rows = (("Recommendation No.", "Measures taken"), ("7", "A law."), ("8, 9", "A plan."))
    found = passages(DocumentText((), (Table(rows),)))
    assert [(each.number, cited(each)) for each in found] == [("7", ["7"]), (None, ["8", "9"])]
    rows = (("No.", "Theme"), ("7", "A law."))
    assert [(each.number, cited(each)) for each in passages(DocumentText((), (Table(rows),)))] == [("7", [])]


def test_tables_stand_where_they_stood_and_no_row_is_lost():
    blocks = (Block("Before", style="Heading 1"), Block(""), Block("Prose."), Block("After."))
    rows = (("116.1 Ratify", "Done"), ("", ""), ("116.2 Adopt", "Done"), ("Children", "Children"), ("116.3", "Open"))
    found = passages(DocumentText(blocks, (Table(rows, blocks_before=3),)))
    assert [(each.heading, each.text, cited(each)) for each in found] == [
        ("Before", "Prose.", []),
        ("Before", "116.1 Ratify\nDone", ["116.1"]),
        ("Before", "116.2 Adopt\nDone", ["116.2"]),
        ("Children", "116.3\nOpen", ["116.3"]),
        ("Children", "After.", []),
    ]


def test_page_furniture_is_no_text():
    lines = [
        block
        for number in range(1, 5)
        for block in (
            Block("UPR mid-term report of Peru", number),
            Block(f"{number}. A paragraph that is long enough to fill a whole line of the page", number),
            Block(f"and its second line, which is the {number}th.", number),
            Block(f"Page {number} of 4", number),
        )
    ]
    found = passages(DocumentText(tuple(lines), pages=4))
    assert [each.number for each in found] == ["1", "2", "3", "4"]
    assert found[3].text == (
        "A paragraph that is long enough to fill a whole line of the page and its second line, which is the 4th."
    )


def test_section_numbers_and_thousands_are_no_recommendations():
    blocks = (Block("2.1 Legal framework"), Block("2.2 Institutions"), Block("1.200 people and 1.350 homes."))
    assert [cited(each) for each in passages(DocumentText(blocks))] == [[], [], []]
