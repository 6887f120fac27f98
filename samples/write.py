"""Writes the sample documents from `reviews/*.toml`: `python -m samples.write [FOLDER]`.

The same bytes come out every time: no dates of today, nothing compressed, members of the archive in a fixed order.
"""

import io
import sys
import tomllib
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.shared import Pt
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

TEXTS = Path(__file__).parent / "reviews"
DOCUMENTS = Path(__file__).parent / "documents"
NOTICE = "Sample document written by the OpenUPR project. Every State in it is invented."
WRITTEN_ON = datetime(2025, 7, 3, tzinfo=UTC)
GOALS = {
    1: "NO POVERTY", 2: "ZERO HUNGER", 3: "GOOD HEALTH AND WELL-BEING", 4: "QUALITY EDUCATION", 5: "GENDER EQUALITY",
    6: "CLEAN WATER AND SANITATION", 8: "DECENT WORK AND ECONOMIC GROWTH", 10: "REDUCED INEQUALITIES",
    11: "SUSTAINABLE CITIES AND COMMUNITIES", 12: "RESPONSIBLE CONSUMPTION AND PRODUCTION", 13: "CLIMATE ACTION",
    14: "LIFE BELOW WATER", 15: "LIFE ON LAND", 16: "PEACE, JUSTICE AND STRONG INSTITUTIONS",
    17: "PARTNERSHIPS FOR THE GOALS",
}  # fmt: skip


def main(folder: Path = DOCUMENTS) -> None:
    """Write every sample into `folder`."""
    for source in sorted(TEXTS.glob("*.toml")):
        review = tomllib.loads(source.read_text(encoding="utf-8"))
        (folder / f"{source.stem}-report.pdf").write_bytes(report_pdf(review))
        if "matrix" in review:
            (folder / f"{source.stem}-matrix.docx").write_bytes(matrix_docx(review))


# The report's paragraphs


@dataclass
class Paragraph:
    """One paragraph of a report. A digit printed as a superscript (`¹`) refers to the footnote of that number."""

    text: str
    left: float = 113.4
    first: float = 113.4
    size: float = 10
    bold: bool = False
    space: float = 6
    number: str = ""
    leader: str = ""
    footnotes: dict[str, str] = field(default_factory=dict)


def report_paragraphs(review: dict[str, Any]) -> list[Paragraph]:
    """Everything from the introduction to the annex."""
    report = review["report"]
    count = _Counter()
    return [
        _heading("Introduction"),
        *_introduction(review, count),
        _heading("I.\tSummary of the proceedings of the review process"),
        _heading("A.\tPresentation by the State under review", 12),
        *[count.paragraph(text) for text in report["presentation"]],
        _heading("B.\tInteractive dialogue and responses by the State under review", 12),
        *_dialogue(review, count),
        _heading("II.\tConclusions and/or recommendations"),
        *_conclusions(review, count),
        _heading("Annex"),
        _heading(report["closing_section"], 12),
        Paragraph(f"The delegation of {review['state']} was headed by {report['head']}."),
        *[Paragraph(f"•\t{member}.", left=142, first=127) for member in report["delegation"]],
    ]


class _Counter:
    def __init__(self) -> None:
        self.last = 0

    def paragraph(self, text: str, **layout: Any) -> Paragraph:
        self.last += 1
        return Paragraph(text, number=f"{self.last}.", **layout)


def _heading(text: str, size: float = 14) -> Paragraph:
    return Paragraph(text.replace("\t", " "), left=90, first=90, size=size, bold=True, space=10)


def _introduction(review: dict[str, Any], count: _Counter) -> list[Paragraph]:
    state, report = review["state"], review["report"]
    symbols = [f"A/HRC/WG.6/{report['session_number']}/{review['iso3']}/{n}" for n in (1, 2, 3)]
    if report["footnote_to_documents"]:
        marks, notes = "¹²³", {str(n): f"{symbol}." for n, symbol in enumerate(symbols, start=1)}
        cited = [";" + marks[0], ";" + marks[1], "." + marks[2]]
    else:
        notes = {}
        cited = [f" ({symbol}){end}" for symbol, end in zip(symbols, (";", ";", "."), strict=True)]
    documents = [
        "(a)\tA national report submitted/written presentation made in accordance with paragraph 15 (a)",
        "(b)\tA compilation by the Office of the High Commissioner (OHCHR) in accordance with paragraph 15 (b)",
        "(c)\tA summary prepared by OHCHR in accordance with paragraph 15 (c)",
    ]
    return [
        count.paragraph(
            "The Working Group on the Universal Periodic Review, established in accordance with Human Rights Council "
            f"resolution 5/1, held its {report['session']} session from {report['session_dates']}. The review of "
            f"{state} was held at the {report['review']}. The delegation of {state} was headed by {report['head']}. "
            f"At its {report['adoption']}, the Working Group adopted the report on {state}."
        ),
        count.paragraph(
            f"{report['troika_selected']}, the Human Rights Council selected the following group of rapporteurs "
            f"(troika) to facilitate the review of {state}: {_listed(report['troika'])}."
        ),
        count.paragraph(
            "In accordance with paragraph 15 of the annex to Human Rights Council resolution 5/1 and paragraph 5 of "
            "the annex to Council resolution 16/21, the following documents were issued for the review of "
            f"{state}:"
        ),
        *[
            Paragraph(text.replace("\t", " ") + end, first=141.7, footnotes={str(n): notes[str(n)]} if notes else {})
            for n, (text, end) in enumerate(zip(documents, cited, strict=True), start=1)
        ],
        count.paragraph(
            f"A list of questions prepared in advance by {_listed(report['advance_questions'])} was transmitted to "
            f"{state} through the troika."
        ),
    ]


def _dialogue(review: dict[str, Any], count: _Counter) -> list[Paragraph]:
    report, statements = review["report"], list(review["statements"].items())
    middle = len(statements) // 2
    answers = list(report["responses"])
    paragraphs = [
        count.paragraph(
            f"During the interactive dialogue, {len(statements)} delegations made statements. Recommendations made "
            "during the dialogue are to be found in section II of the present report."
        )
    ]
    for place, (state, words) in enumerate(statements):
        if place == middle:
            paragraphs.append(count.paragraph(answers.pop(0)))
        paragraphs.append(count.paragraph(f"{state} {words}"))
    return paragraphs + [count.paragraph(answer) for answer in answers]


def _conclusions(review: dict[str, Any], count: _Counter) -> list[Paragraph]:
    paragraphs: list[Paragraph] = []
    for group in review["report"]["groups"]:
        paragraphs.append(count.paragraph(group["lead_in"], bold=True))
        listed = [entry for entry in review["recommendations"] if entry["in"] == group["answer"]]
        for place, entry in enumerate(listed, start=1):
            entry["number"] = f"{count.last}.{place}"
            words = _entry(entry, review["report"]["attributions"], last=place == len(listed))
            paragraphs.append(Paragraph(f"{entry['number']} {words}", left=141.7, first=141.7, bold=True))
    paragraphs.append(
        count.paragraph(
            "All conclusions and/or recommendations contained in the present report reflect the position of the "
            "submitting State(s) and/or the State under review. They should not be construed as endorsed by the "
            "Working Group as a whole.",
            bold=True,
        )
    )
    return paragraphs


def _entry(entry: dict[str, Any], attributions: str, *, last: bool) -> str:
    """A recommendation's words with its States: `Text (Alderia) (Orvania);`."""
    parts = entry.get("parts") or [entry]
    return "; ".join(f"{part['text']} {_attribution(part['by'], attributions)}" for part in parts) + (
        "." if last else ";"
    )


def _attribution(states: list[str], style: str) -> str:
    return f"({', '.join(states)})" if style == "list" else " ".join(f"({state})" for state in states)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1]


# The report's pages


class Pages:
    """Sets paragraphs in lines and lines in pages, with running heads, feet and footnotes."""

    top, bottom, right = 770.0, 70.0, 487.0

    def __init__(self, symbol: str, job_number: str, title: str) -> None:
        self._bytes = io.BytesIO()
        self._canvas = Canvas(self._bytes, pagesize=A4, invariant=True, pageCompression=0)
        self._canvas.setTitle(title)
        self._canvas.setAuthor("OpenUPR")
        self._canvas.setSubject(NOTICE)
        self._symbol, self._job_number = symbol, job_number
        self._page = 1
        self._y = self.top
        self._notes: list[str] = []

    @property
    def page(self) -> int:
        return self._page

    def line(self, x: float, y: float, text: str, size: float = 10, *, bold: bool = False) -> None:
        """Print one line at a place; superscript digits small and raised."""
        font = "Times-Bold" if bold else "Times-Roman"
        for piece in _by_height(text):
            raised = piece[0] in _SUPERSCRIPTS
            printed = piece.translate(_PLAIN_DIGITS)
            at = size * 0.62 if raised else size
            self._canvas.setFont(font, at)
            self._canvas.drawString(x, y + (size * 0.36 if raised else 0), printed)
            x += stringWidth(printed, font, at)

    def rule(self, x: float, y: float, width: float) -> None:
        self._canvas.line(x, y, x + width, y)

    def paragraph(self, paragraph: Paragraph) -> None:
        """Set a paragraph, turning pages as needed."""
        lines = list(_wrapped(paragraph, self.right))
        if paragraph.size > 10 and self._y < self.bottom + 80:
            self.turn()
        for place, text in enumerate(lines):
            marks = {mark: _SUPERSCRIPTS[int(mark)] for mark in paragraph.footnotes}
            notes = [f"{sign} {paragraph.footnotes[mark]}" for mark, sign in marks.items() if sign in text]
            floor = self.bottom + 11 * (len(self._notes) + len(notes)) + (12 if self._notes or notes else 0)
            if self._y < floor:
                self.turn()
            self._notes += notes
            x = paragraph.first if place == 0 else paragraph.left
            led = paragraph.leader and place == len(lines) - 1
            printed = _with_leader(text, paragraph, self.right - x) if led else text
            self.line(x, self._y, printed, paragraph.size, bold=paragraph.bold)
            self._y -= paragraph.size + 2
        self._y -= paragraph.space

    def turn(self) -> None:
        """Finish the page and begin the next."""
        self._finish_page()
        self._canvas.showPage()
        self._page += 1
        self._y = self.top

    def done(self) -> bytes:
        """The finished PDF."""
        self._finish_page()
        self._canvas.save()
        return self._bytes.getvalue()

    def _finish_page(self) -> None:
        if self._notes:
            self.rule(113.4, self.bottom + 11 * len(self._notes), 60)
        for place, note in enumerate(reversed(self._notes)):
            self.line(105, self.bottom + 11 * place, note, 9)
        self._notes = []
        if self._page == 1:
            return
        left = self._page % 2 == 0
        self.line(56.7 if left else 486.8, 800, self._symbol, 9, bold=True)
        foot = self._job_number.removesuffix(" (E)")
        self.line(56.7, 40, f"{self._page} {foot}" if left else f"{foot} {self._page}", 9)


_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN_DIGITS = str.maketrans(_SUPERSCRIPTS, "0123456789")


def _by_height(text: str) -> list[str]:
    """Runs of raised and of plain characters."""
    runs: list[str] = []
    for character in text:
        if runs and (runs[-1][-1] in _SUPERSCRIPTS) == (character in _SUPERSCRIPTS):
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _wrapped(paragraph: Paragraph, right: float) -> list[str]:
    font = "Times-Bold" if paragraph.bold else "Times-Roman"
    text = f"{paragraph.number} {paragraph.text}".strip().replace("\t", " ")
    lines = [""]
    for word in text.split(" "):
        left = paragraph.first if len(lines) == 1 else paragraph.left
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and stringWidth(longer, font, paragraph.size) > right - left:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _with_leader(text: str, paragraph: Paragraph, width: float) -> str:
    font = "Times-Bold" if paragraph.bold else "Times-Roman"
    dots = 4
    while stringWidth(f"{text} {'.' * (dots + 1)} {paragraph.leader}", font, paragraph.size) < width:
        dots += 1
    return f"{text} {'.' * dots} {paragraph.leader}"


def report_pdf(review: dict[str, Any]) -> bytes:
    """The report of the Working Group as a PDF."""
    report = review["report"]
    paragraphs = report_paragraphs(review)
    headings = [paragraph for paragraph in paragraphs if paragraph.bold and paragraph.size > 10]
    starts = _set(review, paragraphs, contents=[(heading, 1) for heading in headings])[1]
    contents = [(heading, starts[id(heading)]) for heading in headings]
    return _set(review, paragraphs, contents if report["contents"] else [])[0]


def _set(
    review: dict[str, Any], paragraphs: list[Paragraph], contents: list[tuple[Paragraph, int]]
) -> tuple[bytes, dict[int, int]]:
    """The pages, and on which page each paragraph begins."""
    report = review["report"]
    title = f"Report of the Working Group on the Universal Periodic Review: {review['state']}"
    pages = Pages(report["symbol"], report["job_number"], title)
    _title_page(pages, review)
    pages.turn()
    if contents and report["contents"]:
        pages.paragraph(Paragraph("Contents", left=90, first=90, size=14, bold=True))
        for heading, page in contents:
            pages.paragraph(Paragraph(heading.text, space=2, leader=str(page)))
        pages.turn()
    starts = {}
    for paragraph in paragraphs:
        if paragraph.text == "Annex":
            pages.turn()
        starts[id(paragraph)] = pages.page
        pages.paragraph(paragraph)
    return pages.done(), starts


def _title_page(pages: Pages, review: dict[str, Any]) -> None:
    report = review["report"]
    pages.line(113.4, 785, "Sample, not a United Nations document", 12)
    pages.line(430, 785, report["symbol"], 12)
    pages.rule(56.7, 778, 481)
    pages.line(113.4, 745, "General Assembly", 20, bold=True)
    pages.line(392.4, 755, "Distr.: General")
    pages.line(392.4, 743, report["published"])
    pages.line(392.4, 722, "Original: English")
    pages.rule(56.7, 700, 481)
    pages.line(56.7, 683, "Human Rights Council", 12, bold=True)
    y = 669.0
    for line in [*report["council"], *([] if "Agenda item 6" in report["council"] else ["Agenda item 6"])]:
        pages.line(56.7, y, line, bold=line.endswith("session"))
        y -= 12
    pages.line(56.7, y, "Universal periodic review", bold=True)
    pages.line(113.4, 560, "Report of the Working Group on the Universal Periodic", 14, bold=True)
    pages.line(113.4, 544, "Review*", 14, bold=True)
    pages.line(113.4, 516, review["state"], 14, bold=True)
    pages.line(113.4, 480, NOTICE)
    pages.line(
        105, 92, "* The annex is being circulated without formal editing, in the language of submission only.", 9
    )
    pages.line(56.7, 56, report["job_number"])


# The matrix


def matrix_docx(review: dict[str, Any]) -> bytes:
    """OHCHR's thematic list of recommendations, in the layout of the fourth cycle. Numbers come from the report."""
    _conclusions(review, _numbered_up_to(review))
    document = docx.Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    section.header.paragraphs[0].text = f"{review['matrix']['title']}\t\tThematic list of recommendations*"
    section.footer.paragraphs[0].text = review["matrix"]["footer"]
    document.add_paragraph(NOTICE)
    table = document.add_table(rows=1, cols=4)
    table.style = "Table Grid"
    headings = (
        "Recommendation and recommending State", "Position of the State under review",
        "Human rights themes and groups of persons", "Relevant SDGs",
    )  # fmt: skip
    for cell, heading in zip(table.rows[0].cells, headings, strict=True):
        cell.text = heading
    theme = None
    for entry in sorted(review["recommendations"], key=lambda entry: entry["themes"][0]):
        if entry["themes"][0] != theme:
            theme = entry["themes"][0]
            row = table.add_row().cells
            row[0].merge(row[3]).text = f"Theme: {theme}"
        for cell, lines in zip(table.add_row().cells, _matrix_row(review, entry), strict=True):
            cell.text = lines[0]
            for line in lines[1:]:
                cell.add_paragraph(line)
    for paragraph in table._element.iter("{*}p"):
        paragraph.get_or_add_pPr().get_or_add_spacing().set(docx.oxml.ns.qn("w:after"), str(Pt(0)))
    _date(document, review)
    _slim(document)
    return _archived(document)


def _numbered_up_to(review: dict[str, Any]) -> _Counter:
    """A counter that stands where the report's first group of recommendations begins."""
    count = _Counter()
    _introduction(review, count)
    count.last += len(review["report"]["presentation"])
    _dialogue(review, count)
    return count


def _matrix_row(review: dict[str, Any], entry: dict[str, Any]) -> list[list[str]]:
    answer = entry.get("answer") or {"supported": "Supported", "noted": "Noted"}[entry["in"]]
    paragraph = {"Supported": 3, "Supported/Noted": 4, "Noted": 5}[answer]
    return [
        [
            f"{entry['number']} {_entry(entry, 'each', last=False)}",
            f"Source of Position: {review['matrix']['addendum']} - Para.{paragraph}",
        ],
        [answer],
        [
            *(f"- {theme}" for theme in entry["themes"]),
            "Groups of Persons: ",
            *(f"- {who}" for who in entry["persons"]),
        ],
        [f"- {goal} - {GOALS[goal]}" for goal in entry["sdgs"]],
    ]


def _date(document: Any, review: dict[str, Any]) -> None:
    core = document.core_properties
    core.title = f"Thematic list of recommendations: {review['state']}"
    core.subject = NOTICE
    core.author = core.last_modified_by = "OpenUPR"
    core.comments = ""
    core.created = core.modified = WRITTEN_ON
    core.revision = 1


def _slim(document: Any) -> None:
    """Take out what the library's template holds and the matrix does not use."""
    for part in (document.part, document.part.package):
        for name in [n for n, rel in part.rels.items() if rel.reltype.endswith(("/stylesWithEffects", "/thumbnail"))]:
            part.rels.pop(name)
    used = {"Normal", "DefaultParagraphFont", "TableNormal", "NoList", "Header", "Footer", "TableGrid"}
    for style in list(document.styles.element.iter(docx.oxml.ns.qn("w:style"))):
        if style.get(docx.oxml.ns.qn("w:styleId")) not in used:
            style.getparent().remove(style)


def _archived(document: Any) -> bytes:
    """The document's archive, stored and dated so that its bytes depend on its contents alone."""
    written, stored = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as target:
        for member in source.infolist():
            target.writestr(zipfile.ZipInfo(member.filename, WRITTEN_ON.timetuple()[:6]), source.read(member))
    return stored.getvalue()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
