"""The Human Rights Council's report on a session: its chapter on the universal periodic review.

The chapter has the adoption of each outcome (what the State, its institution, other States and organisations said, and
what the President counted), the general debate on the agenda item, and the decisions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import adoption_hearing_id, debate_hearing_id
from services.ingest.normalise.states import known_state
from services.ingest.parsers.addendum_totals import whole_number
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_report_speakers import (
    INSTITUTION,
    Speaker,
    read_speaker_list,
    speaker_of_paragraph,
)
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import TitlePage, first_date, read_title_page
from services.ingest.parsers.working_group_report.furniture import strip_furniture, without_footnote_marks
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue, ReadStatement

_TITLE = re.compile(r"report of the human rights council on its .{3,40} session", re.IGNORECASE)
_CHAPTER = re.compile(r"^([IVX]{1,5})\.\s*universal periodic review\W*$", re.IGNORECASE)
_NEXT_CHAPTER = re.compile(r"^([IVX]{1,5})\.\s+[A-Z]")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_NUMBERED = re.compile(r"^(\d{1,4})\.\s+(?=\S)")
_PARTS = (
    ("own", re.compile(r"^\d\.\s*views expressed by the state under review", re.IGNORECASE)),
    ("institution", re.compile(r"^\d\.\s*general comments made by (?:the )?(?:national|a national)", re.IGNORECASE)),
    ("states", re.compile(r"^\d\.\s*views expressed by (?:member|states|other)", re.IGNORECASE)),
    ("stakeholders", re.compile(r"^\d\.\s*general comments made by other", re.IGNORECASE)),
    ("closing", re.compile(r"^\d\.\s*concluding remarks", re.IGNORECASE)),
    ("debate", re.compile(r"^[B-D]\.\s*general debate on agenda item", re.IGNORECASE)),
    ("decisions", re.compile(r"^[B-D]\.\s*consideration (?:of and action on|and adoption)", re.IGNORECASE)),
)
_REVIEW_OF = re.compile(r"^The (?:universal periodic )?review of (?P<state>.{3,80}?) was (?:held|conducted)")
_ADOPTED = re.compile(
    r"^At (?:its|the) (?P<meeting>\d{1,2}(?:st|nd|rd|th))\s+meeting,?\s+on (?P<when>.{8,25}?),"
    r".{0,80}?\badopted the outcome",
    re.DOTALL,
)
_DEBATE = re.compile(r"\bgeneral debate on (?:agenda )?item (?P<item>\d{1,2})", re.IGNORECASE)
_AT = re.compile(r"\bAt (?:its|the) (?P<meeting>\d{1,2}(?:st|nd|rd|th)).{0,60}?\bon (?P<when>\d.{8,22}?),")
_ANNOUNCED = re.compile(
    r"(?P<n>\d{1,3}|[a-z]+(?:-[a-z]+)?) (?:(?:other )?(?:delegations?|stakeholders?|States)|"
    r"national human rights institutions?)"
    r"(?: and \w+ \w+)? (?:made|delivered)",
    re.IGNORECASE,
)
_PRESIDENT = re.compile(r"^The (?:Acting |Vice-)?President\b.{0,60}?\bstated that,? based on the information")
_COUNTED = r"(\d{1,3}|all|one|two|three|four|five|six|seven|eight|nine|ten|none)"
_RECEIVED = re.compile(
    r"\b(\d{1,3}) recommendations? (?:received|had been received)|all of the (\d{1,3}) recommendations"
)
_SUPPORTED = re.compile(
    rf"(?:supported|accepted)\s+{_COUNTED}\b|\b{_COUNTED} (?:had )?(?:enjoyed|received) (?:the|its) support"
)
_NOTED = re.compile(rf"\bnoted\s+{_COUNTED}\b|\b{_COUNTED} (?:had been|were) noted")
_LISTED = re.compile(r"\([a-h]\)\s+")
_STATES_LISTED = re.compile(r"^(?:Representatives? of|Observers? for) (?:\w+ )*(?:States?|Observers?)\b", re.IGNORECASE)
_KINDS = (
    ("nhri", re.compile(r"national human rights institutions?", re.IGNORECASE)),
    ("organisation", re.compile(r"non-?governmental|stakeholders?", re.IGNORECASE)),
    ("intergovernmental", re.compile(r"intergovernmental|United Nations|entit|agenc|programme", re.IGNORECASE)),
)
_ITEM = 6
_BRIDGED = 3
_FIRST_LINES = 60
_SHORT_LINE = 60


class CouncilReport:
    """Reads reports of sessions in English, from the eighth on."""

    name = "council_report"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the title is that of a session's report and the chapter is there."""
        try:
            opening = " ".join(block.text for block in content.text.blocks[:_FIRST_LINES])
        except UnreadableDocumentError:
            return 0.0
        if not _TITLE.search(" ".join(opening.split())):
            return 0.0
        return 0.97 if any(_CHAPTER.match(block.text.strip()) for block in content.text.blocks) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the chapter. Raises `UnreadableDocumentError` (`no_adoptions`) where it tells of none."""
        return read_council_report(content.text)


def read_council_report(text: DocumentText) -> Reading:
    """Read a report's text. Raises `UnreadableDocumentError` (`no_adoptions`) where it tells of none."""
    title = read_title_page(text)
    issues: list[ReadIssue] = []
    chapter = _chapter(strip_furniture(text).lines)
    adoptions, debate = _sorted_out(_paragraphs(chapter), issues)
    council = title.council_session
    if not adoptions or council is None:
        raise UnreadableDocumentError("no_adoptions", "The report tells of no adoption of a review's outcome")
    hearings: list[ReadHearing] = []
    statements: list[ReadStatement] = []
    for adoption in adoptions:
        hearings.append(_hearing(adoption, council, issues))
        statements += _statements(adoption, hearings[-1].id, issues)
    for paragraph in debate:
        hearing, spoken = _debate(paragraph, council, issues)
        if hearing:
            hearings.append(hearing)
            statements += spoken
    return Reading(
        parser=CouncilReport.name,
        parser_version=CouncilReport.version,
        document=_document(title, text),
        hearings=tuple(hearings),
        statements=tuple(statements),
        issues=tuple(issues),
    )


def _document(title: TitlePage, text: DocumentText) -> ReadDocument:
    return ReadDocument(
        kind=DocumentKind.COUNCIL_REPORT.value,
        symbol=title.symbol,
        title=f"Report of the Human Rights Council on its session {title.council_session}",
        published_on=title.published_on,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
    )


def _chapter(lines: Sequence[Block]) -> list[Block]:
    """The lines of the chapter. The table of contents prints its heading too: the last one counts."""
    starts = [at for at, line in enumerate(lines) if _CHAPTER.match(line.text)]
    if not starts:
        return []
    start = starts[-1]
    heading = _CHAPTER.match(lines[start].text)
    assert heading is not None
    number = _ROMAN.index(heading[1].upper()) if heading[1].upper() in _ROMAN[:-1] else -1
    following = _ROMAN[number + 1] if number >= 0 else ""
    for at in range(start + 1, len(lines)):
        found = _NEXT_CHAPTER.match(lines[at].text)
        if found and found[1] == following and _is_larger(lines[at], lines[start]):
            return list(lines[start + 1 : at])
    return list(lines[start + 1 :])


def _is_larger(line: Block, heading: Block) -> bool:
    """Whether a line is set like the chapter's own heading, as far as sizes are known."""
    return line.size is None or heading.size is None or line.size >= heading.size - 0.5


@dataclass
class _Paragraph:
    """A numbered paragraph and the part of the chapter it stands in."""

    number: str
    page: int | None
    part: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return without_footnote_marks(" ".join(self.lines))


def _paragraphs(lines: Sequence[Block]) -> Iterator[_Paragraph]:
    """The paragraphs in order. What follows a heading belongs to it until the next number."""
    current: _Paragraph | None = None
    last, part = 0, ""
    for at, line in enumerate(lines):
        named = next((name for name, pattern in _PARTS if pattern.match(line.text)), None)
        found = _NUMBERED.match(line.text)
        if named or _is_state_heading(lines, at):
            if current:
                yield current
            current, part = None, named or ""
        elif found and (not last or last < int(found[1]) <= last + _BRIDGED):
            if current:
                yield current
            last = int(found[1])
            current = _Paragraph(found[1], line.page, part, [line.text[found.end() :]])
        elif current:
            current.lines.append(line.text)
    if current:
        yield current


def _is_state_heading(lines: Sequence[Block], at: int) -> bool:
    """Whether a line is a State's name over the paragraphs on it."""
    name = lines[at].text.strip(" *")
    following = lines[at + 1].text if at + 1 < len(lines) else ""
    before = lines[at - 1].text.rstrip() if at else ""
    if name.endswith((".", ",", ";")) or not _NUMBERED.match(following):
        return False
    return known_state(name) is not None and (len(before) < _SHORT_LINE or before.endswith((".", ";", ":", ")")))


@dataclass
class _Adoption:
    """The paragraphs on the adoption of one State's outcome."""

    state: str
    paragraphs: list[_Paragraph] = field(default_factory=list)


def _sorted_out(paragraphs: Iterator[_Paragraph], issues: list[ReadIssue]) -> tuple[list[_Adoption], list[_Paragraph]]:
    """The adoptions, and the paragraphs of the general debate."""
    adoptions: list[_Adoption] = []
    debate: list[_Paragraph] = []
    unknown = False
    for paragraph in paragraphs:
        opened = _REVIEW_OF.match(paragraph.text)
        if opened:
            state = known_state(opened["state"])
            unknown = state is None
            if state is None:
                issues.append(ReadIssue("warning", "unknown_state", opened["state"], paragraph.page))
            else:
                adoptions.append(_Adoption(state))
        if paragraph.part == "debate":
            debate.append(paragraph)
        elif paragraph.part != "decisions" and adoptions and not unknown:
            adoptions[-1].paragraphs.append(paragraph)
    return adoptions, debate


def _hearing(adoption: _Adoption, council: int, issues: list[ReadIssue]) -> ReadHearing:
    adopted = next((found for each in adoption.paragraphs if (found := _ADOPTED.match(each.text))), None)
    president = next((each.text for each in adoption.paragraphs if _PRESIDENT.match(each.text)), "")
    day = first_date(adopted["when"]) if adopted else None
    if day is None:
        issues.append(ReadIssue("warning", "no_date", f"{adoption.state}: the day of the adoption was not found"))
    received, supported, noted = _totals(president)
    if received is None:
        issues.append(ReadIssue("info", "no_totals", f"{adoption.state}: no totals of the President were found"))
    elif None not in (supported, noted) and received != (supported or 0) + (noted or 0):
        detail = f"{adoption.state}: of {received} recommendations, {supported} supported and {noted} noted"
        issues.append(ReadIssue("info", "totals_leave_some", detail))
    announced = [_announced(each.text) for each in adoption.paragraphs if each.part in ("states", "stakeholders")]
    return ReadHearing(
        id=adoption_hearing_id(council, adoption.state),
        kind="council_adoption",
        date=day,
        announced_speakers=sum(filter(None, announced)) or None,
        title="Adoption of the outcome of the universal periodic review",
        council_session=council,
        meeting=adopted["meeting"] if adopted else None,
        states=(adoption.state,),
        recommendations_said=received,
        supported_said=supported,
        noted_said=noted,
    )


def _totals(president: str) -> tuple[int | None, int | None, int | None]:
    """Received, supported, noted, as the President counted them."""
    found = _RECEIVED.search(president)
    received = int(found[1] or found[2]) if found else None
    supported, noted = (_count(pattern.search(president), received) for pattern in (_SUPPORTED, _NOTED))
    if received is not None and noted == received and supported is None:
        supported = 0
    if received is not None and supported == received and noted is None:
        noted = 0
    return received, supported, noted


def _count(found: re.Match[str] | None, received: int | None) -> int | None:
    words = next((group for group in found.groups() if group), None) if found else None
    if words is None:
        return None
    return received if words == "all" else 0 if words == "none" else whole_number(words)


def _announced(text: str) -> int | None:
    found = _ANNOUNCED.search(text[:400])
    if found is None:
        return None
    return 0 if found["n"].casefold() == "no" else whole_number(found["n"])


def _statements(adoption: _Adoption, hearing: str, issues: list[ReadIssue]) -> Iterator[ReadStatement]:
    """What was said: the State's own presentation and closing in one statement each, others paragraph by paragraph."""
    for part, kind in (("own", "presentation"), ("closing", "closing")):
        said = [each for each in adoption.paragraphs if each.part == part and not _PRESIDENT.match(each.text)]
        if said:
            yield ReadStatement(
                adoption.state,
                kind,
                "\n".join(each.text for each in said),
                paragraph=said[0].number,
                page=said[0].page,
                hearing=hearing,
            )
    for part in ("institution", "states", "stakeholders"):
        said = [each for each in adoption.paragraphs if each.part == part]
        spoken = list(_comments(said, adoption.state, hearing, issues))
        yield from spoken
        announced = next((count for each in said if (count := _announced(each.text))), None)
        if announced is not None and announced != len(spoken):
            detail = f"{adoption.state}, {part}: {announced} speakers are announced; {len(spoken)} were found"
            issues.append(ReadIssue("info", "announced_speakers_differ", detail, said[0].page))


def _comments(said: Sequence[_Paragraph], state: str, hearing: str, issues: list[ReadIssue]) -> Iterator[ReadStatement]:
    for paragraph in said:
        if _announced(paragraph.text) is not None or paragraph.text.startswith("The statements of the"):
            continue
        speaker = speaker_of_paragraph(paragraph.text, state)
        if speaker is None:
            detail = f"{state}, paragraph {paragraph.number}: {paragraph.text[:80]}"
            issues.append(ReadIssue("warning", "unknown_speaker", detail, paragraph.page))
            continue
        said_by = _kind(paragraph.part, speaker)
        yield replace(_spoken(speaker, "comment", hearing, paragraph, said_by), text=paragraph.text)


def _kind(part: str, speaker: Speaker) -> str | None:
    if speaker.is_state:
        return None
    if INSTITUTION.search(speaker.name or ""):
        return "nhri"
    return {"institution": "nhri", "states": "intergovernmental"}.get(part, "organisation")


def _spoken(
    speaker: Speaker, kind: str, hearing: str, paragraph: _Paragraph, speaker_kind: str | None
) -> ReadStatement:
    """A speaker's place on a list; the words are added where they are told."""
    return ReadStatement(
        speaker.code,
        kind,
        None,
        paragraph=paragraph.number,
        page=paragraph.page,
        on_behalf_of=speaker.on_behalf_of,
        hearing=hearing,
        speaker_kind=speaker_kind,
        speaker_name=speaker.name,
    )


def _debate(
    paragraph: _Paragraph, council: int, issues: list[ReadIssue]
) -> tuple[ReadHearing | None, list[ReadStatement]]:
    """The general debate: names of speakers in lettered lists, without their words."""
    text = paragraph.text
    lists = _LISTED.split(text)
    if len(lists) < 2:
        return None, []
    item, held = _DEBATE.search(lists[0]), _AT.search(lists[0])
    hearing = ReadHearing(
        id=debate_hearing_id(council, int(item["item"]) if item else _ITEM),
        kind="general_debate",
        date=first_date(held["when"]) if held else None,
        title=f"General debate on agenda item {item['item'] if item else _ITEM}",
        council_session=council,
        meeting=held["meeting"] if held else None,
    )
    statements: list[ReadStatement] = []
    for listed in lists[1:]:
        heading, _, names = listed.partition(":")
        states = bool(_STATES_LISTED.match(heading)) and not any(pattern.search(heading) for _, pattern in _KINDS[:2])
        kind = None if states else next((kind for kind, pattern in _KINDS if pattern.search(heading)), "organisation")
        speakers, unknown = read_speaker_list(names, states=states)
        for speaker in speakers:
            of_kind = None if speaker.is_state else kind or "intergovernmental"
            statements.append(_spoken(speaker, "debate", hearing.id, paragraph, of_kind))
        issues += [ReadIssue("warning", "unknown_state", f"{heading}: {name}", paragraph.page) for name in unknown]
    return hearing, statements
