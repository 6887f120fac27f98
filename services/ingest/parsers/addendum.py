"""Addenda: "Views on conclusions and/or recommendations … presented by the State under review" (`A/HRC/28/15/Add.1`).

An addendum answers by number. Its layouts are many (lists, ranges, tables, a reply to each number), and it often says
how many recommendations it supports and notes: that count checks what was read.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.addendum_answers import Answer, codes_named_in, whole_answer
from services.ingest.parsers.addendum_numbers import Numbering, find_numbering
from services.ingest.parsers.addendum_passages import Passage, read_passages
from services.ingest.parsers.addendum_positions import read_positions
from services.ingest.parsers.addendum_tables import answers_in, table_passages
from services.ingest.parsers.addendum_totals import read_totals, total_issues
from services.ingest.parsers.addendum_unnumbered import read_unnumbered
from services.ingest.parsers.addendum_words import compiled
from services.ingest.parsers.base import Content
from services.ingest.parsers.cited_recommendations import cited_recommendations
from services.ingest.parsers.plain_document import is_heading_of_notes
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.parsers.title_page import TitlePage, plain_digits, read_title_page
from services.ingest.parsers.working_group_report.furniture import PrintedText, strip_furniture, without_footnote_marks
from services.ingest.parsers.working_group_report.pledges import read_pledges
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadParagraph, ReadPosition, ReadTotals

_VIEWS = {
    "en": re.compile(r"views on (?:the )?conclusions? (?:and|and/or|or)\b", re.IGNORECASE),
    "es": re.compile(r"(?:opiniones|observaciones) (?:sobre|acerca de) las conclusiones (?:y/o|y|o)\b", re.IGNORECASE),
    "fr": re.compile(
        r"(?:observations|opinions|vues) (?:sur|concernant) les conclusions (?:et/ou|et|ou)\b", re.IGNORECASE
    ),
}
_ADDENDUM = re.compile(r"^(?:addendum|adición|additif)\W*\d?$", re.IGNORECASE)
_SYMBOL = re.compile(r"A/HRC/\d{1,3}/\d+/Add\.\d+")
_REPORT = re.compile(
    r"report\s+of\s+the\s+working\s+group\s+on\s+the\s+universal\s+periodic|informe\s+del\s+grupo\s+de\s+trabajo\s+sobre"
    r"\s+el\s+examen\s+periódico|rapport\s+du\s+groupe\s+de\s+travail\s+sur\s+l[’']examen\s+périodique",
    re.IGNORECASE,
)
_TITLES = {
    "en": "Views on conclusions and/or recommendations, voluntary commitments and replies presented by the State under "
    "review",
    "es": "Opiniones sobre las conclusiones y/o recomendaciones, compromisos voluntarios y respuestas del Estado "
    "examinado",
    "fr": "Observations sur les conclusions et/ou recommandations, engagements et réponses de l’État examiné",
}
_TITLE_ENDS = re.compile(
    r"State under review|Estado (?:objeto de examen|examinado)|État (?:examiné|objet de l[’']examen)", re.IGNORECASE
)
_PLEDGES = re.compile(
    r"^(?:[IVXA-H]{1,5}\.?\s+)?(?:(?:new|additional|further|other|nuev[ao]s|nouveaux) )?"
    r"(?:voluntary (?:pledges|commitments)|(?:promesas y )?compromisos voluntarios|promesas voluntarias"
    r"|(?:promesses et )?engagements (?:exprimés volontairement|volontaires)|promesses et engagements)\b"
    r"(?!.*(?:recommendations|recomendaciones|recommandations))",
    re.IGNORECASE,
)
_TABLE_HEAD = compiled(
    r"^(?:n\w{0,5}[.°º]?\s+)?<recommendation>.{0,60}\b(?:response|position|comments?|status|reply|replies|answer|decision|"
    r"remarks|accepted|respuesta|posición|observaciones|comentarios|réponse|commentaires?|observations?)"
)
_OF_REPORT = r"<paragraph>\s+(\d{1,3})(?!\d|\.\d|\s*\(?[a-z]\))"
_LISTED_IN = compiled(
    rf"\b{_OF_REPORT}(?=[^.]{{0,80}}\b<report>\b)|\b<report>\b[^.]{{0,60}}\b{_OF_REPORT}"
    rf"|\b<recommendation>[^.]{{0,60}}? (?:in|of|under|en|del?|au|du) (?:the )?{_OF_REPORT}"
    rf"|\b{_OF_REPORT}(?= (?:contains|lists|sets out)[^.]{{0,30}}<recommendation>)"
)
_CUED = compiled(r"^\W*(?:\d{1,3}\.\s+)?<recommendation>\.?\s*(?:n\w{1,5}\.?\s*)?\d")
_ROWS_OF_ANSWERS = 3
_FIRST_LINES = 60
_LONGEST_HEADING = 90


class Addendum:
    """Reads addenda in English, Spanish and French: PDF, and Word where the State sent it so."""

    name = "addendum"
    version = "3"

    def bid(self, content: Content) -> float:
        """High where the title page has the title of addenda; a report of the Working Group has neither word."""
        try:
            lines = [plain_digits(block.text).strip() for block in content.text.blocks[:_FIRST_LINES]]
        except UnreadableDocumentError:
            return 0.0
        opening = " ".join(lines)
        named = any(_ADDENDUM.match(line) for line in lines) or bool(_SYMBOL.search(opening))
        if not named:
            return 0.0
        return 0.98 if _language(opening) else 0.7 if _REPORT.search(opening) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the addendum. Raises `UnreadableDocumentError` (`no_positions`) where it answers no recommendation."""
        return read_addendum(content.text)


def read_addendum(text: DocumentText) -> Reading:
    """Read an addendum's text. Raises `UnreadableDocumentError` (`no_positions`) where it answers nothing."""
    title = read_title_page(text)
    printed = strip_furniture(replace(text, blocks=tuple(_lines(text))))
    lines, pledge_lines = _without_pledges(_after_title(printed.lines))
    tables = {_marker(at): table for at, table in enumerate(text.tables) if answers_in(table)}
    words = [without_footnote_marks(line.text) for line in _with_cells(lines, tables)]
    numbering, codes = _numbering(words), codes_named_in("\n".join(words))
    passages = read_passages(_with_rows(lines, tables, numbering, codes), numbering)
    read = read_positions(passages, numbering, codes)
    issues: list[ReadIssue] = []
    pledges = tuple(read_pledges(pledge_lines, issues))
    answers = read.positions or tuple(read_unnumbered(passages))
    if not answers and not pledges:
        raise UnreadableDocumentError("no_positions", "The addendum answers no recommendation by its number")
    positions = _with_paragraph(answers, printed, issues)
    paragraphs = tuple(_paragraphs(passages, numbering, title.language))
    totals = read_totals((passage.text for passage in passages if not passage.run), numbering)
    issues += total_issues(totals, positions)
    return Reading(
        parser=Addendum.name,
        parser_version=Addendum.version,
        document=_document(title, text),
        positions=positions,
        pledges=pledges,
        issues=(*_title_issues(title), *read.issues, *issues),
        paragraphs=paragraphs,
        totals=None if totals == ReadTotals() else totals,
    )


def _lines(text: DocumentText) -> Iterable[Block]:
    """The blocks, with Word tables among them: a marker for one of answers, else the lines of its cells."""
    tables: dict[int, list[int]] = defaultdict(list)
    for number, table in enumerate(text.tables):
        tables[min(table.blocks_before, len(text.blocks))].append(number)
    for at, block in enumerate((*text.blocks, None)):
        for number in tables[at]:
            answers = answers_in(text.tables[number])
            yield from [Block(_marker(number))] if answers else _cells(text.tables[number])
        if block is not None:
            yield block


def _paragraphs(passages: Iterable[Passage], numbering: Numbering, language: str) -> Iterable[ReadParagraph]:
    """What the State says of the recommendations in its own words, with the numbers it says it of."""
    heading: str | None = None
    for passage in passages:
        lines = (line for line in passage.lines if not is_heading_of_notes(line))
        words = " ".join(without_footnote_marks(" ".join(lines)).split())
        if passage.is_heading:
            heading = words or None
        elif words:
            cited = cited_recommendations(f"{heading or ''}\n{words}", numbering, language=language)
            yield ReadParagraph(passage.number, words, passage.page, heading, cited)


def _marker(table: int) -> str:
    """What holds a table's place among the lines."""
    return f"\0table {table}"


def _cells(table: Table) -> Iterable[Block]:
    for cells in table.rows:
        yield from (Block(line) for cell in dict.fromkeys(cells) for line in cell.split("\n") if line.strip())


def _with_cells(lines: Iterable[Block], tables: Mapping[str, Table]) -> Iterable[Block]:
    for line in lines:
        yield from _cells(tables[line.text]) if line.text in tables else [line]


def _with_rows(
    lines: Iterable[Block], tables: Mapping[str, Table], numbering: Numbering, codes: Mapping[str, Answer]
) -> Iterable[Block | Passage]:
    for line in lines:
        if line.text in tables:
            yield from table_passages(tables[line.text], numbering, codes)
        else:
            yield replace(line, text=without_footnote_marks(line.text))


def _after_title(lines: Sequence[Block]) -> list[Block]:
    """The lines after the title page: those of later pages, or after the title where there are no pages."""
    later = [line for line in lines if line.page is not None and line.page > 1]
    if later:
        return later
    titles = [at for at, line in enumerate(lines[:_FIRST_LINES]) if _TITLE_ENDS.search(line.text)]
    return list(lines[titles[-1] + 1 if titles else 0 :])


def _without_pledges(lines: list[Block]) -> tuple[list[Block], list[Block]]:
    """The lines around a section of voluntary pledges, and those of it: up to the next heading that looks alike."""
    for place, line in enumerate(lines):
        if (
            len(line.text) < _LONGEST_HEADING
            and _PLEDGES.match(line.text)
            and not line.text.rstrip().endswith((".", ",", ";"))
        ):
            body = lines[place + 1 :]
            looks = _look(line)
            distinct = bool(body) and looks != _look(body[0])
            end = next((at for at, after in enumerate(body) if distinct and _look(after) == looks), len(body))
            return [*lines[:place], *body[end:]], body[:end]
    return lines, []


def _look(line: Block) -> tuple[str | None, bool, float | None]:
    return line.style, line.bold, line.size


def _numbering(lines: Sequence[str]) -> Numbering:
    """How the addendum numbers. Bare numbers open rows only where nothing else can be what is answered."""
    numbering = find_numbering(lines)
    if numbering.is_dotted:
        return numbering
    answers = sum(whole_answer(line) is not None for line in lines)
    cued = sum(bool(_CUED.match(line)) for line in lines)
    has_head = any(_TABLE_HEAD.match(line) for line in lines)
    grouped = any(re.match(r"^\d{1,3}\.?\s*,\s*\d{1,3}\b", line) for line in lines)
    in_table = cued < _ROWS_OF_ANSWERS and (has_head or answers >= _ROWS_OF_ANSWERS or grouped)
    return replace(numbering, in_table=in_table)


def _with_paragraph(
    positions: tuple[ReadPosition, ...], printed: PrintedText, issues: list[ReadIssue]
) -> tuple[ReadPosition, ...]:
    """Plain numbers with the paragraph of the report that they belong to, where the addendum says which one it is."""
    plain = [each for each in positions if each.number and each.number.isdecimal()]
    if not plain:
        return positions
    words = [*(note.text for note in printed.footnotes), " ".join(line.text for line in printed.lines)]
    named = {next(filter(None, found.groups())) for text in words for found in _LISTED_IN.finditer(text)}
    if len(named) != 1:
        detail = "Recommendations are cited by plain numbers, and the addendum does not say of which paragraph"
        issues.append(ReadIssue("info", "paragraph_not_told", detail))
        return positions
    paragraph = named.pop()
    return tuple(
        replace(each, number=f"{paragraph}.{each.number}") if each.number and each.number.isdecimal() else each
        for each in positions
    )


def _document(title: TitlePage, text: DocumentText) -> ReadDocument:
    language = _language(" ".join(title.lines)) or "en"
    return ReadDocument(
        kind=DocumentKind.ADDENDUM.value,
        symbol=title.symbol,
        language=language,
        title=_TITLES[language],
        published_on=title.published_on,
        state_under_review=title.state,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
    )


def _language(opening: str) -> str | None:
    """The language in which the title page bears the title of addenda; None where it does not."""
    return next((language for language, title in _VIEWS.items() if title.search(opening)), None)


def _title_issues(title: TitlePage) -> list[ReadIssue]:
    issues = []
    if title.state is None:
        issues.append(ReadIssue("error", "unknown_state", "The title page names no State that we know"))
    if title.cycle is None:
        issues.append(ReadIssue("error", "unknown_cycle", "The symbol does not tell which cycle this is of"))
    return issues
