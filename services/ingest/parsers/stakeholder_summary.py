"""OHCHR's summary of stakeholders' submissions, with the organisations that its endnote lists."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.core.domain.documents import DocumentKind
from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.addendum_totals import whole_number
from services.ingest.parsers.base import Content
from services.ingest.parsers.plain_document import document_of, kind_by_symbol, read_paragraphs, title_issues
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import read_title_page
from services.ingest.reading import Reading, ReadIssue, ReadOrganisation

_BEGINS = re.compile(
    r"\b(?:stakeholders|organi[sz]ations) listed below\b|\bpartes interesadas (?:que se )?(?:enumera|cita|indica)"
    r"|\bparties prenantes (?:ci-après|dont la liste|énumérées|mentionnées|indiquées)",
    re.IGNORECASE,
)
_NEXT_NOTE = re.compile(r"^[⁰¹²³⁴⁵⁶⁷⁸⁹]+\s|^\d{1,2}$")
_MARK_AT_END = re.compile(r"\s[⁰¹²³⁴⁵⁶⁷⁸⁹]+$")
_FURNITURE = re.compile(r"^(?:A/HRC/WG\.6/\S+|\d{1,3}|(?:\d{1,3}\s+)?GE\.\d\d-\d+.*|Notes?|Notas?)$")
_SECTIONS = (
    (
        "organisation",
        re.compile(
            r"^(?:civil society(?: organi[sz]ations)?|individual submissions?|joint submissions?"
            r"|sociedad civil|comunicaci(?:ón|ones) (?:individual|conjunta)(?:es|s)?"
            r"|société civile|communications? (?:individuelle|conjointe)s?)\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        "nhri",
        re.compile(
            r"^(?:national human rights institutions?|instituci(?:ón|ones) nacional(?:es)? de derechos humanos"
            r"|institutions? nationales? des droits de l.homme)\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        "intergovernmental",
        re.compile(
            r"^(?:(?:regional |international )?inter-?governmental organi[sz]ations?(?:\(s\))?"
            r"|organizaci(?:ón|ones) (?:intergubernamental(?:es)?|regional(?:es)?)(?: intergubernamental(?:es)?)?"
            r"|organisations? (?:intergouvernementales?|régionales?)(?: intergouvernementales?)?)\W*$",
            re.IGNORECASE,
        ),
    ),
)
_ATTACHMENTS = re.compile(r"^attachments?\s*:?", re.IGNORECASE)
_JOINT = re.compile(
    r"^(?:Joint submission|Comunicación conjunta|Communication conjointe) (?P<n>\d{1,2})\s*"
    r"(?:,?\s*(?:submitted by|presentada por|soumise par))?\s*:?\s*",
    re.IGNORECASE,
)
_PLACE = re.compile(r"^(?P<name>.+?),\s+(?P<city>[^,()]{2,40}?),?\s*\((?P<state>.+)\)$", re.DOTALL)
_PLACE_ALONE = re.compile(r"^[^,()]{2,40}?\s*\((?P<state>[^()]+)\)$")
_COUNT = re.compile(r"\bsummary of (?P<n>\d{1,3}|[a-z]+(?:-[a-z]+)?) stakeholders?[’']? submissions?", re.IGNORECASE)
_SET_IN = 40.0
_MOST_WORDS_OF_ACRONYM = 3


class StakeholderSummary:
    """Reads summaries in English, Spanish and French, which are known by their symbols."""

    name = "stakeholder_summary"
    version = "2"

    def bid(self, content: Content) -> float:
        """Fair where the symbol is that of a summary."""
        return 0.9 if kind_by_symbol(content) is DocumentKind.STAKEHOLDER_SUMMARY else 0.0

    def read(self, content: Content) -> Reading:
        """Read paragraphs and organisations. Raises `UnreadableDocumentError` (`no_paragraphs`)."""
        title = read_title_page(content.text)
        organisations, submissions = read_organisations(content.text)
        return Reading(
            parser=self.name,
            parser_version=self.version,
            document=document_of(title, content.text),
            organisations=organisations,
            paragraphs=read_paragraphs(content.text, title),
            issues=(*title_issues(title), *_count_issues(content.text, organisations, submissions)),
        )


def read_organisations(text: DocumentText) -> tuple[tuple[ReadOrganisation, ...], int]:
    """The organisations of the endnote, in order, and how many submissions it lists."""
    entries = _entries(_endnote(text.blocks))
    return tuple(each for entry in entries for each in _read(entry)), len(entries)


def _count_issues(
    text: DocumentText, organisations: Sequence[ReadOrganisation], submissions: int
) -> Iterator[ReadIssue]:
    if not organisations:
        yield ReadIssue("warning", "no_organisations", "No endnote that lists the stakeholders was found")
        return
    found = _COUNT.search(" ".join(block.text for block in text.blocks[:60]))
    said = whole_number(found["n"]) if found else None
    if said is not None and said != submissions:
        detail = f"The summary speaks of {said} submissions; {submissions} are listed"
        yield ReadIssue("info", "submissions_differ", detail)


def _endnote(blocks: Sequence[Block]) -> list[Block]:
    """The lines of the endnote, without running heads; it ends where the next note begins."""
    start = next((at for at, block in enumerate(blocks) if _BEGINS.search(block.text)), None)
    if start is None:
        return []
    lines: list[Block] = []
    for block in blocks[start + 1 :]:
        text = block.text.strip()
        if lines and _NEXT_NOTE.match(block.text) and not _FURNITURE.match(text):
            break
        if text and not _FURNITURE.match(text):
            lines.append(block)
        if lines and _MARK_AT_END.search(text):
            break  # the mark of the next note, printed at the end of the line before it
    return lines


@dataclass
class _Entry:
    """One submission as printed: its lines, and the kind of those who made it."""

    kind: str
    page: int | None
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return _MARK_AT_END.sub("", " ".join(" ".join(self.lines).split()))

    @property
    def is_finished(self) -> bool:
        return self.lines[-1].rstrip().endswith((";", "."))


def _entries(lines: Sequence[Block]) -> list[_Entry]:
    """The submissions under their headings. Attachments are no submissions."""
    entries: list[_Entry] = []
    kind, edge, is_open = "", None, False
    for line in lines:
        heading = next((name for name, pattern in _SECTIONS if pattern.match(line.text.strip())), None)
        if heading or _ATTACHMENTS.match(line.text):
            kind, edge, is_open = heading or kind, None if heading else edge, False
            continue
        edge = line.x if edge is None else edge
        set_in = line.x is not None and edge is not None and line.x > edge + _SET_IN
        if set_in or (line.x is None and is_open and not entries[-1].is_finished):
            if is_open:
                entries[-1].lines.append(line.text)
        elif kind:
            is_open = not line.text.startswith("(")  # "(CoE-CPT) Report …" is an attachment
            if is_open:
                entries.append(_Entry(kind, line.page, [line.text]))
    return entries


def _read(entry: _Entry) -> Iterator[ReadOrganisation]:
    """The organisations of a submission: one, or the members of a joint one."""
    acronym, words = _without_acronym(entry.text.rstrip(" ;."))
    joint = _JOINT.match(words)
    if joint is None:
        yield _organisation(words, entry, acronym.rstrip("*") or None, None, accredited="*" in acronym)
        return
    for member in _members(words[joint.end() :]):
        yield _organisation(member, entry, None, f"JS{joint['n']}", accredited=False)


def _without_acronym(text: str) -> tuple[str, str]:
    """The acronym in the first column, and the rest. Where the name repeats its words, all of them are the acronym."""
    words = text.split()
    for count in range(_MOST_WORDS_OF_ACRONYM, 1, -1):
        first, rest = words[:count], words[count:]
        repeated = rest[1:] if rest[:1] == ["The"] else rest
        if [word.strip(",;") for word in repeated[:count]] == first:
            return " ".join(first), " ".join(words[count:])
    return (words[0], " ".join(words[1:])) if len(words) > 1 else ("", text)


def _members(text: str) -> list[str]:
    """The members of a joint submission. A piece that is but a place belongs to the member before it."""
    members: list[str] = []
    for piece in re.split(r"\s*;\s*(?:and\s+)?", re.sub(r"^.*?\bnamely\s+", "", text)):
        if members and (place := _PLACE_ALONE.match(piece)) and resolve_state(place["state"]):
            members[-1] += f", {piece}"
        elif piece.strip(" ,"):
            members.append(piece.strip(" ,"))
    cuts = list(re.finditer(r",?\s+and the (?=[A-Z])", members[-1])) if members else []
    if cuts and _outside_parentheses(members[-1], cuts[-1].start()):
        last = members.pop()
        members += [last[: cuts[-1].start()], last[cuts[-1].end() :]]
    return members


def _outside_parentheses(text: str, at: int) -> bool:
    return text[:at].count("(") == text[:at].count(")")


def _organisation(
    words: str, entry: _Entry, acronym: str | None, submission: str | None, *, accredited: bool
) -> ReadOrganisation:
    found = _PLACE.match(words)
    state = resolve_state(found["state"]) if found else None
    name, city = (found["name"], found["city"]) if found and state else (words, None)
    if state is None:
        before, _, last = words.rpartition(", ")
        if before and (state := resolve_state(last)):
            name, _, city = before.rpartition(", ")
            name, city = (name, city) if name else (before, None)
    plain = re.sub(r"^(?:and\s+)?[Tt]he\s+(?=[A-Z])", "", name.strip(" ,;"))
    return ReadOrganisation(
        name=plain,
        kind=entry.kind,
        acronym=acronym,
        city=city.strip() if city else None,
        state=state,
        submission=submission,
        status="A" if accredited else None,
        page=entry.page,
    )
