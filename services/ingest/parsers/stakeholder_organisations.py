"""The organisations that the endnote of a summary of stakeholders' submissions lists.

Cycles and languages differ in the columns (an acronym before the name, or none), in what ends an entry (a semicolon,
or the column), in how places are written, and in what asterisks mean: consultative status in the first cycle.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.council_report_names import is_cause, names_a_body, read_name_list
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import ReadIssue, ReadOrganisation

_BEGINS = re.compile(
    r"\b(?:stakeholders|organi[sz]ations) listed below\b"
    r"|\b(?:partes interesadas|interesados)\b.{0,30}?\b(?:enumera|cita|indica|menciona)\w*|\binteresados siguientes\b"
    r"|\bparties (?:prenantes|intéressées) "
    r"(?:ci-après|dont (?:la liste|le nom)|énumérées|mentionnées|indiquées|suivantes)",
    re.IGNORECASE,
)
_NEXT_NOTE = re.compile(
    r"^[⁰¹²³⁴⁵⁶⁷⁸⁹]+\s|^\d{1,2}$|^\d{1,3}\s+(?:See|Ibid|Voir|Véase|.{1,60}?\b(?:paras?|párrs?|pp?)\.\s?\d)",
    re.IGNORECASE,
)
_MARK_AT_END = re.compile(r"\s[⁰¹²³⁴⁵⁶⁷⁸⁹]+$")
_MARK_AT_START = re.compile(r"^[⁰¹²³⁴⁵⁶⁷⁸⁹]+\s+")
_FURNITURE = re.compile(r"^(?:A/HRC/WG\.6/\S+|[Pp]age \d{1,3}|\d{1,3}|(?:\d{1,3}\s+)?GE\.\d\d-\d+.*|Notes?|Notas?)$")
_INTRODUCTION_ENDS = re.compile(r"(?:[.:)”]|ohchr\.org)$")
_SECTIONS = (
    (
        "organisation",
        re.compile(
            r"^(?:civil society(?: organi[sz]ations?)?|(?:non-?governmental|other) organi[sz]ations?|ngos|academi\w+"
            r"|other stakeholders|individual submissions?|joint submissions?"
            r"|(?:organizaciones de la )?sociedad civil|comunicaci(?:ón|ones) (?:individual|conjunta)(?:es|s)?"
            r"|(?:organisations de la )?société civile|communications? (?:individuelle|conjointe)s?)\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        "nhri",
        re.compile(
            r"^(?:national (?:human rights )?institutions?(?:\(s\))?"
            r"|instituci(?:ón|ones) nacional(?:es)? de (?:los )?derechos humanos"
            r"|institutions? nationales? (?:des|de défense des) droits de l.homme)\W*$",
            re.IGNORECASE,
        ),
    ),
    (
        "intergovernmental",
        re.compile(
            r"^(?:(?:(?:regional|international) )?inter-?governmental organi[sz]ations?(?:\(s\))?"
            r"|(?:regional|international) organi[sz]ations?(?:\(s\))?"
            r"|organizaci(?:ón|ones) (?:intergubernamental|regional)(?:es)?(?: (?:intergubernamental|regional)(?:es)?)?"
            r"|organisations? (?:intergouvernementales?|régionales?)(?: (?:intergouvernementale|régionale)s?)?)\W*$",
            re.IGNORECASE,
        ),
    ),
)
_ATTACHMENTS = re.compile(
    r"^(?:attachments?|anexos?|documentos adjuntos|annexes?|pièces jointes)\s*:?\s*$|^attachments?\b", re.IGNORECASE
)
_JOINT = re.compile(
    r"^(?:Joint submission|Comunicación conjunta|Communication conjointe)\s*(?:No?[.°º]*\s*)?(?P<n>\d{1,3})\s*"
    r"(?:\(JS\s?\d+\)\s*)?(?:[,–-]?\s*(?:submitted by|made by|by|presentada por|soumise par))?\s*[:–-]?\s*",
    re.IGNORECASE,
)
_PLACES = (
    re.compile(r"^(?P<name>.+?),\s+(?P<city>[^,()]{2,40}?),?\s*\((?P<state>.+)\)$", re.DOTALL),
    re.compile(r"^(?P<name>.+?),?\s*\((?P<city>[^,()]{2,40}),\s*(?P<state>[^()]+)\)$", re.DOTALL),
    re.compile(r"^(?P<name>.+),\s+(?P<city>[^,()]{2,40}?)\s*[–/-]\s*(?P<state>[^,()–/-]+)$", re.DOTALL),
    re.compile(r"^(?P<name>.+),\s+(?P<city>[^,()]{2,40}?),\s*(?P<state>[^,]+)$", re.DOTALL),
    re.compile(r"^(?P<name>.+?),?\s*\((?P<state>[^()]+(?:\([^()]*\))?)\)$", re.DOTALL),
    re.compile(r"^(?P<name>.+),\s*(?P<state>[^,]+)$", re.DOTALL),
)
"""How a seat is written after a name, the commonest first; only where the State in it is one that we know."""

_PLACE_ALONE = re.compile(r"^[^,()]{2,40}?\s*\((?P<state>[^()]+)\)$")
_PROVINCE = re.compile(r"^(?:[A-Z]{2}|D\.?\s?C\.?|[A-Z]\.\s?[A-Z]\.)$")
_ACRONYM = re.compile(r"^\W*[\w&./’'-]*(?:[A-Z][\w&./’'-]*[A-Z]|[A-Z]+\d|\d)[\w&./’'()*-]*$")
_ACRONYM_AT_END = re.compile(r"\((?P<acronym>[A-Z][\w&./-]{0,20}[A-Z][\w&./-]{0,10})\)$")
_SET_IN = 40.0
_SMALL = 0.75
_MOST_WORDS_OF_ACRONYM = 3
_LONGEST_PLACE_WORDS = 3
_MOST_ENTRIES = 2000
_LONGEST_INTRODUCTION = 4000


@dataclass(frozen=True, slots=True)
class Endnote:
    """What an endnote lists: organisations in order, how many submissions, and what of it is not clear."""

    organisations: tuple[ReadOrganisation, ...] = ()
    submissions: int = 0
    issues: tuple[ReadIssue, ...] = ()


def read_endnote(text: DocumentText) -> Endnote:
    """The organisations of the endnote of a summary."""
    entries = _entries(_endnote(text.blocks))[:_MOST_ENTRIES]
    with_acronyms = _have_acronyms(entries)
    issues: list[ReadIssue] = []
    organisations = [each for entry in entries for each in _read(entry, issues, with_acronyms=with_acronyms)]
    return Endnote(tuple(organisations), len(entries), tuple(issues))


def _endnote(blocks: Sequence[Block]) -> list[Block]:
    """The lines of the endnote after its first sentence, without running heads; it ends where the next note begins."""
    lines: list[Block] = []
    introduction: str | None = ""
    printed = _without_furniture(blocks[_start(blocks) :])
    for block, after in zip(printed, [*printed[1:], None], strict=False):
        text = block.text.strip()
        if introduction is not None:
            introduction = f"{introduction} {text}"
            if _is_heading(text):
                lines.append(block)
                introduction = None
            elif _INTRODUCTION_ENDS.search(text) and not _goes_on(introduction, after):
                introduction = None
            elif len(introduction) > _LONGEST_INTRODUCTION:
                break
            continue
        if lines and (_NEXT_NOTE.match(block.text) or _is_mark(block, after)):
            break
        lines.append(block)
        if _MARK_AT_END.search(text):
            break  # the mark of the next note, printed at the end of the line before it
    return lines


def _without_furniture(blocks: Sequence[Block]) -> list[Block]:
    following = [*blocks[1:], None][: len(blocks)]
    return [
        block
        for block, after in zip(blocks, following, strict=True)
        if _is_mark(block, after) or (block.text.strip() and not _FURNITURE.match(block.text.strip()))
    ]


def _is_mark(block: Block, after: Block | None) -> bool:
    """Whether a number alone is the mark of a note, printed small before its words, and no page's number."""
    if after is None or not block.size or not after.size or block.page != after.page:
        return False
    return block.text.strip().isdecimal() and block.size < _SMALL * after.size


def _goes_on(introduction: str, after: Block | None) -> bool:
    """Whether the first sentences of the endnote go on in the next line: an address, a remark in parentheses."""
    follows = after is not None and re.match(r"(?:www\.|http|\(|[a-zà-ÿ])", after.text.strip()) is not None
    return follows or introduction.count("(") > introduction.count(")")


def _start(blocks: Sequence[Block]) -> int:
    """Where the endnote begins; its first words may be on two lines."""
    for at, block in enumerate(blocks):
        following = blocks[at + 1].text if at + 1 < len(blocks) else ""
        here = _BEGINS.search(block.text)
        if here or ((both := _BEGINS.search(f"{block.text} {following}")) and both.start() < len(block.text)):
            return at
    return len(blocks)


def _is_heading(text: str) -> bool:
    return any(pattern.match(text) for _, pattern in _SECTIONS)


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
    """The submissions under their headings. Attachments are no submissions. Without any heading all are of civil
    society."""
    entries: list[_Entry] = []
    kind, edge, is_open = "organisation", None, False
    hanging = _hang(lines)
    for line in lines:
        heading = next((name for name, pattern in _SECTIONS if pattern.match(line.text.strip())), None)
        if heading or _ATTACHMENTS.match(line.text.strip()):
            kind, edge, is_open = heading or kind, None if heading else edge, False
            continue
        edge = line.x if edge is None else edge
        set_in = line.x is not None and edge is not None and line.x > edge + _SET_IN
        if set_in or (not hanging and is_open and not entries[-1].is_finished):
            if is_open:
                entries[-1].lines.append(line.text)
        else:
            is_open = not line.text.startswith("(")  # "(CoE-CPT) Report …" is an attachment
            if is_open:
                entries.append(_Entry(kind, line.page, [line.text]))
    return entries


def _hang(lines: Sequence[Block]) -> bool:
    """Whether the lines of an entry after its first are set in, so that columns tell entries apart."""
    edges = [line.x for line in lines if line.x is not None and not _is_heading(line.text.strip())]
    return bool(edges) and max(edges) > min(edges) + _SET_IN


def _have_acronyms(entries: Sequence[_Entry]) -> bool:
    """Whether the list has a first column of acronyms: most of its entries begin with one, or with the name twice."""
    begun = [
        bool(_ACRONYM.match(entry.text.split()[0])) or _repeated(entry.text) > 0 for entry in entries if entry.text
    ]
    return sum(begun) * 2 >= len(begun)


def _read(entry: _Entry, issues: list[ReadIssue], *, with_acronyms: bool) -> Iterator[ReadOrganisation]:
    """The organisations of a submission: one, or the members of a joint one."""
    text = _MARK_AT_START.sub("", entry.text).strip(" ;.•-")
    acronym, words = _without_acronym(text) if with_acronyms else ("", text)
    joint = _JOINT.match(words) or _JOINT.match(text)
    if joint is None:
        yield _organisation(words, entry, acronym.strip("*") or None, None, starred="*" in text)
        return
    members, unclear = _members(joint.string[joint.end() :])
    for member in members:
        yield _organisation(member, entry, None, f"JS{joint['n']}", starred="*" in member)
    issues += [ReadIssue("warning", "unclear_names", f"JS{joint['n']}: {words}", entry.page) for words in unclear]


def _without_acronym(text: str) -> tuple[str, str]:
    """The acronym in the first column, and the rest. Where the name repeats its words, all of them are the acronym."""
    words = text.split()
    count = _repeated(text) or 1
    return (" ".join(words[:count]), " ".join(words[count:])) if len(words) > 1 else ("", text)


def _repeated(text: str) -> int:
    """How many of the first words the name after them repeats: 2 of "Open Doors Open Doors, Lima (Peru)"."""
    words = text.split()
    for count in range(_MOST_WORDS_OF_ACRONYM, 0, -1):
        first, rest = words[:count], words[count:]
        repeated = rest[1:] if rest[:1] in (["The"], ["La"], ["El"], ["Le"]) else rest
        if len(first) == count and [word.strip(",;*") for word in repeated[:count]] == [
            word.strip("*") for word in first
        ]:
            return count
    return 0


def _members(text: str) -> tuple[list[str], list[str]]:
    """The members of a joint submission, and what of its list is not clear.

    A piece that is but a place belongs to the member before it. Commas separate members only where no semicolon does.
    """
    listed = re.sub(r"^.*?\b(?:namely|a saber|à savoir)[:,]?\s+", "", text).strip(" ;.")
    pieces = [piece.strip(" ,") for piece in re.split(r"\s*[;•]\s*(?:(?:and|y|et)\s+)?", listed) if piece.strip(" ,")]
    if len(pieces) == 1:
        apart = _apart_by_places(pieces[0])
        if len(apart) == 1 and "," in apart[0]:
            return _apart_by_commas(apart[0])
        pieces = apart
    members: list[str] = []
    for piece in pieces:
        if members and (place := _PLACE_ALONE.match(piece)) and resolve_state(place["state"]):
            members[-1] += f", {piece}"
        else:
            members.append(piece)
    return [*members[:-1], *_last_members(members[-1])] if members else [], []


def _last_members(last: str) -> list[str]:
    cuts = list(re.finditer(r",?\s+(?:and the|y la|y el|et la|et le) (?=[A-Z])", last))
    if cuts and _outside_parentheses(last, cuts[-1].start()):
        return [last[: cuts[-1].start()], last[cuts[-1].end() :]]
    return [last]


def _apart_by_places(text: str) -> list[str]:
    """Members that each end with their seat: "A, Lima (Peru), B, Quito (Ecuador) and C, Rome (Italy)"."""
    pieces, start = [], 0
    for found in re.finditer(
        r"\((?P<state>[^()]+(?:\([^()]*\))?)\)(?:,?\s+(?:and|y|et)\s+(?:the\s+)?|,\s+)(?=[A-ZÀ-Ý])", text
    ):
        if resolve_state(found["state"]):
            pieces.append(text[start : found.end("state") + 1].strip(" ,"))
            start = found.end()
    return [*pieces, text[start:].strip(" ,")]


def _apart_by_commas(text: str) -> tuple[list[str], list[str]]:
    """Members with commas and an "and" between them, and one seat at the end, which is that of the last."""
    place = _seat(text)
    names = place[0] if place else text
    seat = text[len(names) :]
    if "," not in names:
        return _last_members(text), []
    read = read_name_list(names, closed_by_and=True)
    if len(read.names) + len(read.unclear) < 2:
        return ([text], []) if not read.unclear else ([], list(read.unclear))
    *first, last = read.names or ("",)
    return [*first, *([f"{last}{seat}"] if last else [])], list(read.unclear)


def _outside_parentheses(text: str, at: int) -> bool:
    return text[:at].count("(") == text[:at].count(")")


def _organisation(
    words: str, entry: _Entry, acronym: str | None, submission: str | None, *, starred: bool
) -> ReadOrganisation:
    bare = re.sub(r"[*∗]+", "", words).strip(" ,;.")
    name, city, state = _seat(bare) or (bare, None, None)
    plain = re.sub(r"^(?:and\s+)?[Tt]he\s+(?=[A-Z])", "", name.strip(" ,;"))
    at_end = _ACRONYM_AT_END.search(plain)
    return ReadOrganisation(
        name=plain,
        kind=entry.kind,
        acronym=acronym or (at_end["acronym"] if at_end else None),
        city=city,
        state=state,
        submission=submission,
        status="A" if starred and entry.kind == "nhri" else None,
        page=entry.page,
    )


def _seat(words: str) -> tuple[str, str | None, str] | None:
    """Name, city and State, where the words end with a State that we know."""
    for pattern in _PLACES:
        found = pattern.match(words)
        state = resolve_state(found["state"].strip(" .")) if found else None
        if found is None or state is None:
            continue
        name, city = found["name"], found.groupdict().get("city")
        before, comma, last = name.rpartition(", ")
        if city and comma and (_PROVINCE.match(city) or _is_place(last)):
            name, city = before, f"{last}, {city}"
        return name, city.strip() if city else None, state
    return None


def _is_place(words: str) -> bool:
    """Whether words before a city read like a place too: "New Malden" in "New Malden, Surrey (United Kingdom)"."""
    told = words.split()
    capital = all(word[:1].isupper() and word.isalpha() for word in told)
    return (
        capital
        and len(told) <= _LONGEST_PLACE_WORDS
        and not is_cause(words)
        and not names_a_body(words)
        and len(words) > 3
    )
