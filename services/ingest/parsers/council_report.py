"""The Human Rights Council's report on a session: its chapter on the universal periodic review.

The chapter has the adoption of each outcome (what the State, its institution, other States and organisations said, and
what the President counted), the general debate on the agenda item, and the decisions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.core.domain.documents import SYMBOL_IN_TEXT, DocumentKind, read_symbol
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import adoption_hearing_id, debate_hearing_id
from services.core.domain.organisations import organisation_id
from services.ingest.normalise.states import known_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_report_counts import (
    announced_speakers,
    counts_recommendations,
    supported_in_part,
    totals_said,
)
from services.ingest.parsers.council_report_names import names_a_body
from services.ingest.parsers.council_report_speakers import (
    Speaker,
    institution_of,
    is_institution,
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
_OPENS_REVIEW = re.compile(r"^\d{1,4}\.\s+The (?:universal periodic )?review of [A-Z]")
_AT_THE_SAME = re.compile(
    r"^At the same meeting,?.{0,80}?\badopted,? (?:by consensus,? )?the (?:final )?outcome", re.DOTALL
)
_ADOPTED = re.compile(
    r"^At (?:its|the) (?P<meeting>\d{1,2}(?:st|nd|rd|th))(?: (?:and|to) \d{1,2}\w\w)?\s+meetings?,?\s+(?:held )?on "
    r"(?P<when>.{8,25}?),.{0,80}?\badopted,? (?:by consensus,? )?the (?:final )?outcome",
    re.DOTALL,
)
_DEBATE = re.compile(r"\bgeneral debate on (?:agenda )?item (?P<item>\d{1,2})", re.IGNORECASE)
_AT = re.compile(r"\bAt (?:its|the) (?P<meeting>\d{1,2}(?:st|nd|rd|th)).{0,60}?\bon (?P<when>\d.{8,22}?),")
_NAMES_FOLLOW = re.compile(r"\b(?:made|delivered) (?:the )?statements?[^.:]{0,80}:\s*(?=\S)|\bmade statements:\s*")
_PRESIDENT = re.compile(
    r"^The (?:Acting |Vice-)?President(?: of the (?:Human Rights )?Council)?,? "
    r"(?:\w+ )?(?:stated|said|noted|informed|announced|indicated|recalled|concluded)\b(?=.*\brecommendations?\b)",
    re.DOTALL,
)
_LISTED = re.compile(r"\([a-h]\)\s+")
_STATES_LISTED = re.compile(
    r"^(?:(?:Representatives? of|Observers? for) )?(?:\w+ )*"
    r"(?:States?|Observers?|Members of the (?:Human Rights )?Council)\b",
    re.IGNORECASE,
)
_ONE_OBSERVER = re.compile(r"^Observers? (?:for|of) (?:the )?(?P<name>[A-Z].+?)\W*$")
_KINDS = (
    ("nhri", re.compile(r"national (?:human rights )?institutions?", re.IGNORECASE)),
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
    version = "3"

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
        hearings.append(_hearing(adoption, council, hearings[-1] if hearings else None, issues))
        statements += _statements(adoption, hearings[-1].id, issues)
    debates, spoken = _debates(debate, council, issues)
    hearings += debates
    statements += spoken
    return Reading(
        parser=CouncilReport.name,
        parser_version=CouncilReport.version,
        document=_document(title, text, chapter),
        hearings=tuple(hearings),
        statements=tuple(statements),
        issues=tuple(issues),
    )


def _document(title: TitlePage, text: DocumentText, chapter: Sequence[Block]) -> ReadDocument:
    """The report, with the documents of the reviews that its chapter cites: reports, addenda, decisions."""
    cited = SYMBOL_IN_TEXT.findall(" ".join(line.text for line in chapter))
    return ReadDocument(
        kind=DocumentKind.COUNCIL_REPORT.value,
        symbol=title.symbol,
        title=f"Report of the Human Rights Council on its session {title.council_session}",
        published_on=title.published_on,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
        cites=tuple(sorted({read_symbol(symbol).symbol for symbol in cited} - {title.symbol})),
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
    if _OPENS_REVIEW.match(following) and len(name) < _SHORT_LINE:
        return True
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


def _hearing(adoption: _Adoption, council: int, before: ReadHearing | None, issues: list[ReadIssue]) -> ReadHearing:
    day, meeting = _when(adoption, before)
    said = (each.text for each in adoption.paragraphs if _PRESIDENT.match(each.text))
    president = next((words for words in said if counts_recommendations(words)), "")
    if day is None:
        issues.append(ReadIssue("warning", "no_date", f"{adoption.state}: the day of the adoption was not found"))
    received, supported, noted = totals_said(president)
    if received is None:
        issues.append(ReadIssue("info", "no_totals", f"{adoption.state}: no totals of the President were found"))
    elif None not in (supported, noted) and received != (supported or 0) + (noted or 0):
        detail = f"{adoption.state}: of {received} recommendations, {supported} supported and {noted} noted"
        part = supported_in_part(president, received)
        detail += f"; {part} supported in part" if part else ""
        issues.append(ReadIssue("info", "totals_leave_some", detail))
    announced = [
        announced_speakers(each.text) for each in adoption.paragraphs if each.part in ("states", "stakeholders")
    ]
    return ReadHearing(
        id=adoption_hearing_id(council, adoption.state),
        kind="council_adoption",
        date=day,
        announced_speakers=sum(filter(None, announced)) or None,
        title="Adoption of the outcome of the universal periodic review",
        council_session=council,
        meeting=meeting,
        states=(adoption.state,),
        recommendations_said=received,
        supported_said=supported,
        noted_said=noted,
    )


def _when(adoption: _Adoption, before: ReadHearing | None) -> tuple[str | None, str | None]:
    """The day and the meeting of an adoption; "at the same meeting" is that of the one before."""
    for paragraph in adoption.paragraphs:
        if adopted := _ADOPTED.match(paragraph.text):
            return first_date(adopted["when"]), adopted["meeting"]
        if before and _AT_THE_SAME.match(paragraph.text):
            return before.date, before.meeting
    return None, None


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
        announced = next((count for each in said if (count := announced_speakers(each.text))), None)
        if announced is not None and announced != len(spoken):
            detail = f"{adoption.state}, {part}: {announced} speakers are announced; {len(spoken)} were found"
            issues.append(ReadIssue("info", "announced_speakers_differ", detail, said[0].page))


def _comments(said: Sequence[_Paragraph], state: str, hearing: str, issues: list[ReadIssue]) -> Iterator[ReadStatement]:
    for paragraph in said:
        named = _names_listed(paragraph.text)
        if named is not None:
            yield from _listed(paragraph, "comment", named, hearing, issues)
            continue
        if announced_speakers(paragraph.text) is not None or paragraph.text.startswith("The statements of the"):
            continue
        speaker = speaker_of_paragraph(paragraph.text, state)
        if speaker is None or (paragraph.part == "states" and not _speaks_among_states(speaker)):
            detail = f"{state}, paragraph {paragraph.number}: {paragraph.text[:80]}"
            issues.append(ReadIssue("warning", "unknown_speaker", detail, paragraph.page))
            continue
        said_by = _kind(paragraph.part, speaker, state)
        if said_by == "nhri" and speaker.name:
            speaker = replace(speaker, code=organisation_id(speaker.name, institution_of(speaker.name, state) or state))
        yield replace(_spoken(speaker, "comment", hearing, paragraph, said_by), text=paragraph.text)


def _speaks_among_states(speaker: Speaker) -> bool:
    """Whether a speaker is a State, or a body by its name: any other name there is a State's that we do not know."""
    return speaker.is_state or names_a_body(speaker.name or "")


def _names_listed(text: str) -> str | None:
    """The names of a paragraph that tells who spoke and not what: "13 delegations made statements: A, B and C"."""
    found = _NAMES_FOLLOW.search(text[:400])
    return text[found.end() :] if found else None


def _kind(part: str, speaker: Speaker, state: str) -> str | None:
    if speaker.is_state:
        return None
    if is_institution(speaker.name or "", state):
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


def _debates(
    paragraphs: Sequence[_Paragraph], council: int, issues: list[ReadIssue]
) -> tuple[list[ReadHearing], list[ReadStatement]]:
    """The general debate: names of speakers in lettered lists, without their words. It may take several meetings."""
    hearings: dict[str, ReadHearing] = {}
    statements: list[ReadStatement] = []
    for paragraph in paragraphs:
        lists = _LISTED.split(paragraph.text)
        if len(lists) < 2:
            continue
        hearing = _debate_hearing(lists[0], council)
        hearings.setdefault(hearing.id, hearing)
        statements += _listed(paragraph, "debate", paragraph.text[len(lists[0]) :], hearing.id, issues)
    return list(hearings.values()), statements


def _debate_hearing(words: str, council: int) -> ReadHearing:
    found, held = _DEBATE.search(words), _AT.search(words)
    item = int(found["item"]) if found else _ITEM
    return ReadHearing(
        id=debate_hearing_id(council, item),
        kind="general_debate",
        date=first_date(held["when"]) if held else None,
        title=f"General debate on agenda item {item}",
        council_session=council,
        meeting=held["meeting"] if held else None,
    )


def _listed(
    paragraph: _Paragraph, kind: str, text: str, hearing: str, issues: list[ReadIssue]
) -> Iterator[ReadStatement]:
    """The speakers of lettered lists, or of a list without letters in a part of the chapter that tells who they are."""
    lists = [words for words in _LISTED.split(text) if words.strip()]
    for listed in lists:
        heading, colon, names = listed.partition(":")
        one = _ONE_OBSERVER.match(listed.strip(" ;.")) if not colon else None
        if not colon:
            heading, names = "", one["name"] if one else listed
        of_kind, states = _kind_listed(heading, paragraph.part, observer=one is not None)
        read = read_speaker_list(names, states=states)
        for speaker in read.speakers:
            said_by = None if speaker.is_state else of_kind
            yield _spoken(speaker, kind, hearing, paragraph, said_by)
        told = f"{heading}: " if heading else ""
        issues += [ReadIssue("warning", "unknown_state", f"{told}{name}", paragraph.page) for name in read.unknown]
        issues += [ReadIssue("warning", "unclear_names", f"{told}{name}", paragraph.page) for name in read.unclear]


def _kind_listed(heading: str, part: str, *, observer: bool) -> tuple[str, bool]:
    """What kind of body is in a list, by its heading or its place; and whether these are States."""
    if not heading:
        states = observer or part == "states"
        return ("intergovernmental" if states else {"institution": "nhri"}.get(part, "organisation")), states
    states = bool(_STATES_LISTED.match(heading)) and not any(pattern.search(heading) for _, pattern in _KINDS[:2])
    kind = next((kind for kind, pattern in _KINDS if pattern.search(heading)), "organisation")
    return ("intergovernmental" if states else kind), states
