"""Addenda: layouts written here, and real ones compared with report and matrix."""

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.merge import merge_review
from services.ingest.parsers import read_document
from services.ingest.parsers.addendum import Addendum, read_addendum
from services.ingest.parsers.addendum_answers import read_answer
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.reading import Reading, ReadPosition
from tests.readings import source

TITLE = """United Nations A/HRC/²⁸/⁹⁰¹/Add.¹
General Assembly Distr.: General
4 March 2015
Original: English
Human Rights Council
Universal periodic review
Report of the Working Group on the Universal Periodic Review*
Costamar
Addendum
Views on conclusions and/or recommendations, voluntary commitments
and replies presented by the State under review"""


def document(body: str, tables: tuple[Table, ...] = ()) -> DocumentText:
    """A title page and a body: `# ` and `## ` open headings, every other line is a printed line."""
    blocks = [Block(line, 1, size=10.0) for line in TITLE.split("\n")]
    for line in filter(None, map(str.strip, body.split("\n"))):
        marks = len(line) - len(line.lstrip("#"))
        size = {0: 10.0, 1: 14.0, 2: 12.0}[marks]
        blocks.append(Block(line.lstrip("# "), 2, bold=bool(marks), size=size))
    return DocumentText(tuple(blocks), tables, pages=2)


def answers(reading: Reading) -> dict[str, str]:
    """Number to answer: `supported`, `noted/partial`."""
    return {
        str(each.number): each.position + (f"/{each.position_detail}" if each.position_detail else "")
        for each in reading.positions
    }


def wanted(table: dict[str, str]) -> dict[str, str]:
    """The numbers of each answer, turned around; `110.1-4` is four numbers."""
    found = {}
    for answer, numbers in table.items():
        for number in numbers.split():
            paragraph, _, item = number.rpartition(".")
            first, _, last = item.partition("-")
            items = range(int(first), int(last or first) + 1) if item.replace("-", "").isdecimal() else [item]
            found |= {f"{paragraph}.{n}" if paragraph else str(n): answer for n in items}
    return found


LAYOUTS = {
    "lists enjoy": (
        """
        1. Costamar welcomes the recommendations made during its review and has examined all of them.
        2. The following recommendations enjoy the support of Costamar: 110.1, 110.2, 110.3-110.7,
        110.9–12, 110.15 and 110.20.
        3. The following recommendations do not enjoy the support of Costamar and would thus be noted:
        110.8, 110.13, 110.14.
        4. The following recommendations are partially supported: 110.16-17.
        """,
        {
            "supported": "110.1-7 110.9-12 110.15 110.20",
            "noted/not_supported": "110.8 110.13-14",
            "noted/partial": "110.16-17",
        },
    ),
    "subject lists": (
        """
        1. Recommendations 110.1, 110.2 and 110.5 enjoy the support of Costamar.
        2. Recommendations 110.3 and 110.4 are noted.
        3. Costamar accepts recommendations 110.6 and 110.7 and takes note of recommendations 110.8, 110.9.
        4. Recommendations Nos. 110.10, 110.11 do not enjoy our support.
        5. With regard to recommendation 110.12 (Alderia), the Government accepts it in part.
        """,
        {
            "supported": "110.1-2 110.5-7",
            "noted": "110.3-4 110.8-9",
            "noted/not_supported": "110.10-11",
            "noted/partial": "110.12",
        },
    ),
    "reply each": (
        """
        1. The Government has considered the 8 recommendations.
        Recommendation 110.1
        Supported. Costamar will accede to the Convention.
        Recommendation 110.2
        Noted. Costamar supports the aims of the Convention but is not in a position to ratify.
        Recommendation 110.3: Partially accepted
        The Government considers the law sufficient.
        110.4 Accepted.
        110.5 Not accepted.
        110.6 Costamar does not accept this recommendation. It will study it.
        110.7 Costamar accepts this recommendation.
        110.8 This recommendation enjoys the support of Costamar.
        """,
        {
            "supported": "110.1 110.4 110.7-8",
            "noted": "110.2",
            "noted/partial": "110.3",
            "noted/not_supported": "110.5-6",
        },
    ),
    "full text + verdict": (
        """
        110.1 Ratify the Optional Protocol to the Convention against Torture (Alderia, Orvania);
        Accepted
        110.2 Support the efforts of the national institution (Nambeya) - Noted
        110.3 Accept the individual complaints procedure (Senlara)
        Position: Supported. Already implemented.
        110.4 Take note of the recommendations of the Committee on the Rights of the Child and
        abolish the death penalty (Lanthara);
        The Government rejects this recommendation.
        """,
        {"supported": "110.1", "noted": "110.2", "supported/implemented": "110.3", "noted/not_supported": "110.4"},
    ),
    "headings full text": (
        """
        # A. Recommendations that enjoy the support of Costamar
        110.1 Ratify the Optional Protocol (Alderia);
        110.2 Support the national institution (Nambeya);
        110.5 Accept the complaints procedure (Senlara);
        # B. Recommendations that do not enjoy the support of Costamar
        110.3 Abolish the death penalty (Lanthara);
        Costamar maintains the death penalty in its law.
        110.4 Accept visits (Orvania).
        # C. Recommendations supported in part
        110.6 Visit (Orvania).
        """,
        {"supported": "110.1-2 110.5", "noted/not_supported": "110.3-4", "noted/partial": "110.6"},
    ),
    "table columns": (
        """
        Recommendation Response
        110.1 Ratify the Optional Protocol to the Convention
        against Torture
        Accepted
        110.2 Abolish the death penalty
        Noted
        The death penalty is not applied.
        110.3, 110.4, 110.7 Enact a law
        Supported
        """,
        {"supported": "110.1 110.3-4 110.7", "noted": "110.2"},
    ),
    "c1 table plain": (
        """
        Recommendations Response of Costamar
        1. Ratify the Convention
        Accepted
        2., 3., 4. Improve the prisons
        Accepted
        5., 6., 7., 8., 9.
        Rejected
        10 Abolish the death penalty
        Under consideration
        """,
        {"supported": "1-4", "noted/not_supported": "5-9", "pending": "10"},
    ),
    "rest": (
        """
        1. Costamar received 120 recommendations.
        2. Costamar does not accept recommendations 110.3, 110.9 and 110.11.
        3. All other recommendations enjoy the support of Costamar.
        """,
        {"noted/not_supported": "110.3 110.9 110.11", "supported": "None"},
    ),
    "thematic groups": (
        """
        # I. Supported recommendations
        ## Torture
        110.1, 110.5, 110.8
        Costamar has set up a national preventive mechanism, and notes that work goes on.
        ## Women
        110.2, 110.6–110.7
        Costamar supports the equality of women and men.
        # II. Noted recommendations
        ## Death penalty
        110.3, 110.4
        The Government supports the abolition in the long run.
        """,
        {"supported": "110.1 110.5 110.8 110.2 110.6-7", "noted": "110.3-4"},
    ),
    "bold lead ins without heading": (
        """
        The following recommendations are supported:
        110.1 Ratify (Alderia)
        110.2 Accede (Alderia)
        The following recommendations are noted:
        110.3 Abolish (Alderia)
        """,
        {"supported": "110.1-2", "noted": "110.3"},
    ),
    "wrapped": (
        """
        1. The Government supports the following recommendations: 110.1, 110.2, 110.3,
        110.4, 110.5, 110.6. 110.7, 110.8, 110.9, 110.10, 110.11, 110.12, 110.13.
        110.14, 110.15, 110.16-
        18, 110.19 and
        110.20.
        """,
        {"supported": "110.1-20"},
    ),
    "decimals": (
        """
        1. Growth was 3.5 per cent and 110.7 million was spent. Article 12.3 of the law holds.
        2. Costamar supports recommendations 110.1 and 110.2. Unemployment is 12.5 % in 2014.
        """,
        {"supported": "110.1-2"},
    ),
    "states in list": (
        """
        2. Costamar accepts: 110.1 (Alderia); 110.2 (Bellmare (Federal Republic of)); 110.3 (Alderia) and 110.4.
        3. Costamar notes: 110.5 (Alderia); 110.6 (Orvania).
        """,
        {"supported": "110.1-4", "noted": "110.5-6"},
    ),
    "two groups": (
        """
        1. Recommendations 89.1, 89.2, 90.1 to 90.4 and 91.3 are accepted by Costamar.
        2. Recommendations 90.5, 6 and 91.1, 91.2 cannot be accepted.
        """,
        {"supported": "89.1-2 90.1-4 91.3", "noted/not_supported": "90.5-6 91.1-2"},
    ),
    "status column first": (
        """
        No. Recommendation Position Comment
        110.1 Accepted Ratify the Convention (Alderia)
        110.2 Noted Abolish the death penalty (Alderia)
        110.3 Accepted / already implemented Train the police (Alderia)
        """,
        {"supported": "110.1", "noted": "110.2", "supported/implemented": "110.3"},
    ),
    "explained noted": (
        """
        # Recommendations not accepted
        110.1: The accession to the Convention is not planned.
        110.2–110.4: Costamar accepts the spirit of these recommendations but cannot accept them.
        # Recommendations accepted
        110.5: The Government agrees with this recommendation.
        """,
        {"noted/not_supported": "110.1-4", "supported": "110.5"},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    body, expected = LAYOUTS[layout]
    reading = read_addendum(document(body))
    assert answers(reading) == wanted(expected)
    assert [issue.code for issue in reading.issues if issue.code != "paragraph_not_told"] == []


WRITTEN = {
    layout["name"]: layout
    for layout in tomllib.loads(Path(__file__).with_name("addendum_layouts.toml").read_text(encoding="utf-8"))["layout"]
}


def named(answer: ReadPosition) -> str:
    """What an answer is to, as `addendum_layouts.toml` writes it."""
    if not answer.answers_the_rest:
        return answer.number or f"«{answer.text}»"
    of = f"of-{answer.of_paragraph}" if answer.of_paragraph else "rest"
    return of + "".join(f"-{word}" for word in (("except", *answer.except_numbers) if answer.except_numbers else ()))


def expected_answers(layout: dict[str, Any]) -> dict[str, str]:
    """What each answer of a layout is to, turned around."""
    found = {}
    for answer, told in layout["answers"].items():
        for name in re.findall(r"«[^»]*»|\S+", told):
            plain = name.startswith("«") or not re.fullmatch(r"(?:\d+\.)?\d+-\d+", name)
            found |= {name: answer} if plain else wanted({answer: name})
    return found


@pytest.mark.parametrize("name", WRITTEN)
def test_layouts_of_all_years_and_languages(name):
    layout = WRITTEN[name]
    reading = read_addendum(document(layout["body"]))
    read = {
        named(each): each.position + (f"/{each.position_detail}" if each.position_detail else "")
        for each in reading.positions
    }
    assert read == expected_answers(layout)
    codes = [issue.code for issue in reading.issues if issue.code != "paragraph_not_told"]
    assert codes == layout.get("issues", [])


def test_the_rows_of_a_word_table_are_read():
    rows = (("No.", "Recommendation", "Position"), ("110.1", "Ratify the Convention (Alderia)", "Supported"),
            ("110.2", "Abolish the death penalty (Alderia)", "Noted"))  # fmt: skip
    blocks = [Block(block.text) for block in document("1. The position of Costamar is set out below.").blocks]
    reading = read_addendum(DocumentText(tuple(blocks), (Table(rows, len(blocks)),)))
    assert answers(reading) == {"110.1": "supported", "110.2": "noted"}


def of_table(*rows: tuple[str, ...]) -> Reading:
    """An addendum in Word that holds one table."""
    blocks = [
        Block(block.text) for block in document("1. On the recommendations in paragraph 77 of the report.").blocks
    ]
    return read_addendum(DocumentText(tuple(blocks), (Table(rows, len(blocks)),)))


TABLES = {
    "ticks": (
        (("No.", "Recommendation", "Accepted", "Noted"), ("110.1", "Ratify now (Alderia)", "✓", ""),
         ("110.2", "Abolish it (Alderia)", "", "X")),
        {"supported": "110.1", "noted": "110.2"},
    ),
    "codes": (
        (("Recommendation", "Response (A/N)", "Comments"), ("110.1 Ratify now (Alderia);", "A", "Under way"),
         ("110.2 Abolish it (Orvania);", "N", "It is accepted in practice")),
        {"supported": "110.1", "noted": "110.2"},
    ),
    "plain numbers, sections and groups": (
        (("No.", "Recommendation", "State", "Position"), ("Women",) * 4,
         ("1", "Ratify it now", "Alderia", "Full support"),
         ("2, 3", "Abolish it", "Orvania", "Under consideration"), ("4.", "Train them", "Nambeya", "We accept it")),
        {"supported": "77.1 77.4", "pending": "77.2-3"},
    ),
    "sections answer": (
        (("Recommendation", "Comments"), ("Recommendations that enjoy the support of Costamar",) * 2,
         ("110.1 Ratify now (Alderia);", "As said on 110.2"), ("Recommendations noted",) * 2,
         ("110.2 Abolish it (Orvania);", "Not now")),
        {"supported": "110.1", "noted": "110.2"},
    ),
    "answers head the rows": (
        (("Position", "Recommendations"), ("Accepted", "110.1, 110.2, 110.5-7"), ("Noted", "110.3, 110.4")),
        {"supported": "110.1-2 110.5-7", "noted": "110.3-4"},
    ),
    "Spanish": (
        (("Recomendación", "Posición", "Observaciones"), ("110.1 Ratificar (Alderia);", "Se acepta", "En proceso"),
         ("110.2 Abolir (Orvania);", "Se toma nota", "")),
        {"supported": "110.1", "noted": "110.2"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_word(name):
    rows, expected = TABLES[name]
    reading = of_table(*rows)
    assert answers(reading) == wanted(expected)
    assert reading.issues == ()


def test_two_ticks_answer_nothing():
    reading = of_table(("No.", "Recommendation", "Accepted", "Noted"), ("110.1", "Ratify (Alderia)", "x", ""),
                       ("110.2", "Abolish (Alderia)", "x", "x"))  # fmt: skip
    assert answers(reading) == {"110.1": "supported"}
    assert [issue.code for issue in reading.issues] == ["answer_not_found"]


def test_the_text_and_the_states_of_a_recommendation_stay_beside_its_answer():
    [first, second] = read_addendum(
        document("110.1 Ratify the Convention (Alderia, Orvania);\nAccepted.\n110.2 Noted.")
    ).positions
    assert (first.text, first.recommending_states) == ("Ratify the Convention", ("XAL", "XOR"))
    assert (second.text, second.recommending_states) == (None, ())


def test_what_the_title_page_says():
    said = read_addendum(document("1. Costamar accepts recommendation 110.1 and recommendation 110.2.")).document
    assert (said.kind, said.symbol, said.published_on) == ("addendum", "A/HRC/28/901/Add.1", "2015-03-04")
    assert (said.state_under_review, said.session, said.cycle) == ("XCM", 20, 2)


def test_paragraphs_and_pages_of_answers():
    [one, _] = read_addendum(document("1. Hello.\n2. Costamar accepts recommendations 110.1 and 110.2.")).positions
    assert (one.position_paragraph, one.page, one.position_phrase) == ("2", 2, "Costamar accepts")


@pytest.mark.parametrize(
    ("said", "differs"),
    [
        ("Costamar received 5 recommendations, of which 3 are supported and 2 noted.", []),
        ("Costamar accepts 3 recommendations and notes 2 recommendations.", []),
        ("Of the 5 recommendations, three enjoy the support of Costamar and two were noted.", []),
        ("Of the 5 recommendations received, Costamar supports 3 and takes note of 2.", []),
        ("A total of 3 recommendations (60 per cent) were accepted, 2 recommendations have been noted.", []),
        ("Costamar received one hundred and five recommendations.", ["info"]),
        ("Costamar accepts 4 of the 5 recommendations, of which one partially.", []),
        ("Costamar recibió 5 recomendaciones, de las cuales acepta 3 y toma nota de 2.", []),
        ("La Costamar a reçu 5 recommandations, en a accepté 3 et a pris note des 2 autres.", []),
        ("De las 6 recomendaciones, 4 fueron aceptadas y 2 anotadas.", ["warning"]),
        ("Costamar received 6 recommendations, of which 4 are supported and 2 noted.", ["warning"]),
        ("Costamar accepts 4 recommendations and notes 3 recommendations.", ["warning", "warning"]),
    ],
)
def test_its_own_total_is_checked(said, differs):
    body = f"""
        1. {said}
        2. Costamar accepts recommendations 110.1, 110.2 and 110.3.
        3. Costamar takes note of recommendations 110.4 and 110.5.
        """
    issues = read_addendum(document(body)).issues
    assert [issue.severity for issue in issues if issue.code == "totals_differ"] == differs


def test_two_answers_to_one_number_are_an_issue():
    reading = read_addendum(
        document("1. Costamar accepts recommendations 110.1, 110.2.\n2. It notes recommendations 110.2.")
    )
    assert answers(reading) == {"110.1": "supported", "110.2": "supported"}
    assert [issue.code for issue in reading.issues] == ["conflicting_positions"]


def test_a_number_without_an_answer_is_an_issue():
    reading = read_addendum(document("1. Costamar accepts recommendation 110.1.\n110.2 Ratify the Convention."))
    assert [issue.code for issue in reading.issues] == ["answer_not_found"]


def test_an_addendum_that_answers_nothing_is_refused():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_addendum(document("1. Costamar thanks all delegations for their recommendations."))
    assert refusal.value.code == "no_positions"


def test_pledges_of_an_addendum():
    reading = read_addendum(
        document(
            "1. Costamar accepts recommendations 110.1, 110.2.\n# Voluntary pledges\n2. Costamar will publish a report."
        )
    )
    assert [pledge.text for pledge in reading.pledges] == ["Costamar will publish a report"]


def test_answers_after_the_pledges_are_answers():
    pledges, replies = "1. Costamar will publish a report.", "2. Costamar accepts recommendations 110.1 and 110.2."
    reading = read_addendum(document(f"# Voluntary pledges\n{pledges}\n# Replies\n{replies}"))
    assert [pledge.text for pledge in reading.pledges] == ["Costamar will publish a report"]
    assert answers(reading) == {"110.1": "supported", "110.2": "supported"}


def test_it_bids_for_addenda_alone(samples, real_documents):
    reports = [samples / "costamar-report.pdf", *sorted((real_documents / "wg_reports").glob("s*.pdf"))]
    assert {Addendum().bid(Content(path.name, path.read_bytes())) for path in reports} == {0.0}
    addendum = real_documents / "slovenia" / "cycle2" / "g1504261.pdf"
    assert Addendum().bid(Content("x", addendum.read_bytes())) > 0.95


REAL = {
    2: ("cycle2/g1423930.pdf", "cycle2/g1504261.pdf", "cycle2/UPR20__Slovenia_ThematicListRecommendations_E.docx",
        "slovenia_c2_matrix_A_HRC_28_15.csv"),
    4: ("cycle4/g2502644.pdf", "cycle4/g2505828.pdf", "cycle4/upr48-slovenia-thematic-list-of-recommendatio.docx",
        "slovenia_c4_matrix_A_HRC_59_15.csv"),
}  # fmt: skip


def read(path: Path) -> Reading:
    return read_document(Content(path.name, path.read_bytes()))


@pytest.mark.parametrize(
    ("cycle", "counts", "by_paragraph"),
    [
        (2, {"supported": 70, "supported/in_process": 69, "supported/implemented": 3, "noted": 21}, [70, 72, 21]),
        (4, {"supported": 178, "supported/in_process": 39, "noted": 37}, [178, 39, 37]),
    ],
)
def test_slovenia_agrees_with_the_matrix_to_the_last_number(real_documents, cycle, counts, by_paragraph):
    reading = read(real_documents / "slovenia" / REAL[cycle][1])
    with (real_documents / "golden" / REAL[cycle][3]).open(encoding="utf-8") as table:
        matrix = {row["number"]: row["position"].casefold() for row in csv.DictReader(table)}
    assert {each.number: each.position for each in reading.positions} == matrix
    assert Counter(answers(reading).values()) == counts
    assert list(Counter(each.position_paragraph for each in reading.positions).values()) == by_paragraph
    assert reading.issues == ()


@pytest.mark.parametrize(("cycle", "numbers", "supported", "noted"), [(2, 163, 142, 21), (4, 254, 217, 37)])
def test_slovenia_s_report_addendum_and_matrix_are_one_list(real_documents, cycle, numbers, supported, noted):
    readings = [source(read(real_documents / "slovenia" / name), name) for name in REAL[cycle][:3]]
    merged = merge_review("SVN", cycle, readings)
    positions = {record.number: record.position for record in merged.recommendations.values()}
    assert Counter(positions.values()) == {"supported": supported, "noted": noted}
    assert len(positions) == numbers
    for record in merged.recommendations.values():
        assert [entry["position"] for entry in record.positions] == ["pending", record.position]
        assert [entry["kind"] for entry in record.sources] == ["working_group_report", "matrix", "addendum"]


PHRASES = [
    (sentence, answer)
    for answer, sentences in tomllib.loads(
        Path(__file__).with_name("addendum_phrases.toml").read_text(encoding="utf-8")
    )["sentences"].items()
    for sentence in sentences
]


@pytest.mark.parametrize(("sentence", "expected"), PHRASES)
def test_what_sentences_answer(sentence, expected):
    answer = read_answer(sentence)
    read = "none"
    if answer and answer.position:
        read = answer.position + (f"/{answer.detail}" if answer.detail else "")
    assert read == expected


def test_the_state_s_own_words_are_paragraphs_that_cite_what_they_answer(real_documents):
    name = "slovenia/cycle4/g2505828.pdf"
    paragraphs = read_document(Content(name, (real_documents / name).read_bytes())).paragraphs
    trafficking = next(each for each in paragraphs if "anti-trafficking measures" in each.text)
    assert trafficking.heading is not None
    assert trafficking.heading.startswith("II. Accepted recommendations that Slovenia considers already implemented")
    assert [each.number for each in trafficking.recommendations] == ["140.82", "140.83", "140.84", "140.85", "140.87"]
    assert trafficking.text.endswith("Activities are also tailored to unaccompanied minors.")
    assert not any(each.text.endswith(("Notes", "Add.1")) for each in paragraphs)
