"""Advance questions: what States ask in writing before a review. Word (both formats) and PDF.

A file gives States in capitals, each with its questions; some ask on behalf of groups. It rarely says which session it
is of: the day it was made tells.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import review_hearing_id
from services.core.domain.reviews import cycle_of_session
from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import known_state, leading_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.review_calendar import session_about
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import first_date
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue, ReadStatement

_BATCH = (
    r"(?:add(?:endum)?\b\.?\s*\d*(?:\.\d)?|rev(?:ision|ised)?\b\.?\s*\d*"
    r"|(?:first|second|third|fourth|fifth|final|last|\d(?:st|nd|rd|th)) (?:batch|part)|(?:batch|part) (?:\d|[IVX]+))"
)
_TITLE = re.compile(
    r"^\W*(?:UPR\W{1,3})?(?:list of )?advanced? (?:written )?questions? (?:to|for) (?:the )?(?P<state>.{3,80}?)\s*"
    rf"(?P<batch>(?:[-–—,:]?\s*\(?{_BATCH}\)?\s*){{1,2}})?$",
    re.IGNORECASE,
)
_GENERATED = re.compile(r"generated on (\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PDF_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_BULLET = re.compile(r"^(?:[•●▪·o*►➢✓-]|[–—]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+")
_ASKS = re.compile(
    r"[?¿]|^(?:what|which|how|why|when|where|who|whether|is|are|does|do|did|has|have|can|could|would|will|please|"
    r"we would|in what|to what)\b|\b(?:would (?:like|appreciate|be grateful)|wish(?:es)? to (?:ask|know)|please|"
    r"desear[ií]a|interesar[ií]a|could you|asks?|inquires?|souhaite)\b",
    re.IGNORECASE,
)
_ON_BEHALF = re.compile(
    r"^(?P<before>.{0,60}?)\bon behalf (?:of|on)\s+(?:the )?(?P<whom>.+?)"
    r"(?:\s*:\s*|\s*$|(?<=[a-z]),\s+as\b[^:]*:\s*)",
    re.IGNORECASE | re.DOTALL,
)
_SUBMISSION = re.compile(r"joint|submission|question|behalf", re.IGNORECASE)
_TRANSLATION = re.compile(
    r"\b(?:informal|unofficial|courtesy|non-official) (?:english )?translation\b"
    r"|\btraducción (?:no oficial|oficiosa|informal|de cortesía)\b"
    r"|\btraduction (?:non officielle|informelle|de courtoisie)\b",
    re.IGNORECASE,
)
_OF_WHOM = re.compile(
    r"^(?:joint )?(?:advance[d]? )?(?:written )?questions? (?:from|by|of|submitted by|posed by|asked by)\s+(?:the )?",
    re.IGNORECASE,
)
_END_MARK = re.compile(r"^[-–—_*\s]+$")
_FIRST_LINES = 12
_SHORT_LINE = 0.8
_LONGEST_SUBTITLE = 90
_LONGEST_SPEAKER = 200


class AdvanceQuestions:
    """Reads advance questions, whatever Word or PDF wrote them."""

    name = "advance_questions"
    version = "2"

    def bid(self, content: Content) -> float:
        """High where one of the first lines is the title."""
        try:
            return 0.97 if _find_title(content.text) else 0.0
        except UnreadableDocumentError:
            return 0.0

    def read(self, content: Content) -> Reading:
        """Read the questions. Raises `UnreadableDocumentError`: `unknown_state`, `no_questions`."""
        return read_questions(content.text)


def read_questions(text: DocumentText) -> Reading:
    """Read a file's text. Raises `UnreadableDocumentError`: `unknown_state` (asked of whom?), `no_questions`."""
    title = _find_title(text)
    state = known_state(title["state"]) if title else None
    if title is None or state is None:
        raise UnreadableDocumentError("unknown_state", "The title names no State that we know")
    issues: list[ReadIssue] = []
    statements = tuple(_statements(_paragraphs(text), issues))
    if not statements:
        raise UnreadableDocumentError("no_questions", "The document holds no question that a State asks")
    day, printed = _day(text)
    session = session_about(day) if day else None
    if session is None:
        issues.append(ReadIssue("error", "unknown_session", "Nothing tells which session the questions are for"))
    elif not printed:
        issues.append(ReadIssue("info", "session_by_file_date", f"Session {session}: the file was made on {day}"))
    hearings = (ReadHearing(review_hearing_id(session, state), "working_group_review"),) if session else ()
    return Reading(
        parser=AdvanceQuestions.name,
        parser_version=AdvanceQuestions.version,
        document=ReadDocument(
            kind=DocumentKind.ADVANCE_QUESTIONS.value,
            title=_title_words(title),
            published_on=day if printed else None,
            state_under_review=state,
            session=session,
            cycle=cycle_of_session(session) if session else None,
            pages=text.pages,
        ),
        hearings=hearings,
        statements=statements,
        issues=tuple(issues),
    )


def _find_title(text: DocumentText) -> re.Match[str] | None:
    first = [block.text.strip() for block in text.blocks[:_FIRST_LINES] if block.text.strip()]
    lines = [part.strip() for line in first for part in line.split("\n")]
    for place, line in enumerate(lines):
        for words in (line, " ".join(lines[place : place + 2])):
            if (found := _TITLE.match(words)) and known_state(found["state"]):
                return found
    return next((found for line in lines if (found := _TITLE.match(line))), None)


def _title_words(title: re.Match[str]) -> str:
    """`Advance questions to Slovenia, Add.1`: as it sorts, the first batch before the others."""
    name = " ".join(title["state"].split())
    name = name.title() if name.isupper() else name
    batches = [" ".join(each.split()).casefold() for each in re.findall(_BATCH, title["batch"] or "", re.IGNORECASE)]
    told = [each if each.endswith(("batch", "part")) else each.replace(" ", "").capitalize() for each in batches]
    return ", ".join([f"Advance questions to {name}", *told])


def _day(text: DocumentText) -> tuple[str | None, bool]:
    """The day the questions were put together, and whether it is printed; else the file tells when it was made."""
    for block in text.blocks[:_FIRST_LINES]:
        if (found := _GENERATED.search(block.text)) and found[2].title() in _MONTHS:
            return f"{found[3]}-{_MONTHS.index(found[2].title()) + 1:02}-{int(found[1]):02}", True
        if len(block.text) < 40 and (day := first_date(block.text)):
            return day, True
    told = [text.properties.get(name, "") for name in ("modified", "CreationDate", "created", "ModDate")]
    days = ["-".join(found.groups()) if (found := _PDF_DATE.match(value)) else value for value in told]
    near = [day for day in days if _is_day(day) and session_about(day)]
    return (near[0], False) if near else (None, False)


def _is_day(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


@dataclass
class _Paragraph:
    """A paragraph of the document, with what tells headings and list items. `printed`: it was made of lines."""

    text: str
    page: int | None
    bold: bool
    listed: bool
    printed: bool


def _paragraphs(text: DocumentText) -> list[_Paragraph]:
    """Paragraphs: as Word has them, or printed lines joined."""
    printed = [block for block in text.blocks if block.text.strip() and not _END_MARK.match(block.text)]
    if text.pages is None:
        return [_of_block(part) for block in printed for part in _heading_apart(block)]
    longest = max((len(block.text) for block in printed), default=0)
    paragraphs: list[_Paragraph] = []
    for before, block in zip([None, *printed], printed, strict=False):
        if re.fullmatch(r"(?:page\s*)?\d{1,3}", block.text.strip(), re.IGNORECASE):
            continue
        if before is None or _begins(before, block, longest):
            paragraphs.append(_of_block(block))
        else:
            paragraphs[-1].text += " " + block.text.strip()
    return paragraphs


def _heading_apart(block: Block) -> Iterator[Block]:
    """A State and its question in one paragraph with a line break between them are two; so are "BELGIUM: What …"."""
    first, line_break, rest = block.text.strip().partition("\n")
    if not line_break:
        first, line_break, rest = block.text.strip().partition(": ")
        if not first.isupper():
            line_break = ""
    if line_break and rest.strip() and _speaker(_of_block(replace(block, text=first))):
        yield replace(block, text=first)
        yield replace(block, text=rest.strip(), bold=False)
    else:
        yield block


def _of_block(block: Block) -> _Paragraph:
    listed = bool(_BULLET.match(block.text.strip())) or "list" in (block.style or "").casefold()
    return _Paragraph(block.text.strip(), block.page, block.bold, listed, printed=block.page is not None)


def _begins(before: Block, line: Block, longest: int) -> bool:
    """Whether a printed line begins a paragraph."""
    if _BULLET.match(line.text) or line.bold != before.bold or line.text.startswith("["):
        return True
    if _speaker(_of_block(line)) or _speaker(_of_block(before)):
        return True
    ended = before.text.rstrip().endswith(("?", ".", ":", "]"))
    return ended and len(before.text) < _SHORT_LINE * longest and line.text[:1].isupper()


@dataclass
class _Asked:
    """What one State asks, while it is collected. `originals` counts the questions before their translation."""

    speaker: str
    group: tuple[str, ...]
    questions: list[ReadStatement] = field(default_factory=list)
    preface: str = ""
    originals: int | None = None


def _statements(paragraphs: Iterable[_Paragraph], issues: list[ReadIssue]) -> Iterator[ReadStatement]:
    asked: _Asked | None = None
    titled = False
    for paragraph in paragraphs:
        if not titled and _TITLE.match(paragraph.text.split("\n")[0].strip()):
            titled = True
            continue
        speaker = _speaker(paragraph)
        if speaker:
            if asked:
                yield from _finished(asked, issues)
            asked = _Asked(*speaker)
        elif asked is None or _is_unknown_speaker(paragraph):
            if _is_unknown_speaker(paragraph):
                issues.append(ReadIssue("warning", "unknown_state", paragraph.text[:100], paragraph.page))
                if asked:
                    yield from _finished(asked, issues)
                asked = None
        else:
            _take(asked, paragraph)
    if asked:
        yield from _finished(asked, issues)


def _take(asked: _Asked, paragraph: _Paragraph) -> None:
    """A paragraph under a State: a question, a sub-title, the mark of a translation, or words before a question."""
    text = _BULLET.sub("", paragraph.text)
    if _TRANSLATION.search(text) and len(text) < _LONGEST_SUBTITLE:
        asked.originals = len(asked.questions)
    elif len(text) < _LONGEST_SUBTITLE and "?" not in text and (paragraph.bold or _is_subtitle(paragraph)):
        return
    elif not paragraph.listed and not _ASKS.search(text):
        asked.preface = f"{asked.preface}\n{text}".strip()
    else:
        said = _on_behalf(text)
        group, text = said or (asked.group, text)
        words = f"{asked.preface}\n{text}".strip()
        others = tuple(who for who in group or asked.group if who != asked.speaker)
        asked.questions.append(
            ReadStatement(asked.speaker, "question", words, page=paragraph.page, on_behalf_of=others)
        )
        asked.preface = ""


def _is_subtitle(paragraph: _Paragraph) -> bool:
    return not paragraph.listed and not paragraph.text.endswith((".", ":", ";", ",", "”", '"'))


def _finished(asked: _Asked, issues: list[ReadIssue]) -> Iterator[ReadStatement]:
    """The questions of one State; those it translated itself in its translation, with the original beside it."""
    questions = asked.questions
    if asked.preface and questions:
        questions[-1] = replace(questions[-1], text=f"{questions[-1].text}\n{asked.preface}")
    if asked.originals is not None:
        originals, translated = questions[: asked.originals], questions[asked.originals :]
        if len(originals) == len(translated):
            questions = [
                replace(question, original_text=original.text)
                for original, question in zip(originals, translated, strict=True)
            ]
        else:
            detail = f"{asked.speaker}: {len(originals)} questions, {len(translated)} translated"
            issues.append(ReadIssue("warning", "translation_differs", detail))
    if not questions:
        issues.append(ReadIssue("warning", "no_questions", f"{asked.speaker} is named, but asks nothing"))
    yield from questions


def _speaker(paragraph: _Paragraph) -> tuple[str, tuple[str, ...]] | None:
    """The State whose questions follow, and on whose behalf it asks, where a paragraph is such a heading.

    A printed line that is all a State's name can be the end of a sentence, unless it is bold or in capitals.
    """
    words = _OF_WHOM.sub("", " ".join(paragraph.text.split()).strip(" :*"))
    if len(words) > _LONGEST_SPEAKER or words.endswith((".", "?", ",", ";")):
        return None
    code = known_state(words)
    if code:
        return (code, ()) if paragraph.bold or words.isupper() or not paragraph.printed else None
    behalf, named = _ON_BEHALF.match(words), leading_state(words)
    if named and behalf and not words[behalf.end() :] and not behalf["before"][named[1] :].strip(" ,(–-"):
        group, _ = _on_behalf(words) or ((), "")
        return named[0], tuple(who for who in group if who != named[0])
    return _together(words) if paragraph.bold or words.isupper() else None


def _together(words: str) -> tuple[str, tuple[str, ...]] | None:
    """Several States in one heading ask together: the first speaks, on behalf of the others as well."""
    listed = read_state_list(words)
    return (listed.states[0], listed.states[1:]) if len(listed.states) > 1 and not listed.unknown else None


def _is_unknown_speaker(paragraph: _Paragraph) -> bool:
    text = paragraph.text.strip(" :")
    letters = Counter(character.isupper() for character in text if character.isalpha())
    return 3 < len(text) < 60 and not letters[False] and letters[True] > 3 and not re.search(r"[?.;]|\d", text)


def _on_behalf(text: str) -> tuple[tuple[str, ...], str] | None:
    """For whom a question is asked: codes of States, or the printed name of a group; and the words after it."""
    found = _ON_BEHALF.match(text)
    if not found or not (_SUBMISSION.search(found["before"]) or leading_state(text) or not found["before"].strip()):
        return None
    whom = re.split(r",\s+(?:as|in (?:its|their) capacity)\b", found["whom"])[0].strip(" ,.)")
    listed = read_state_list(whom)
    group = listed.states if listed.states and not listed.unknown else (whom.removesuffix("’s").removesuffix("'s"),)
    return group, text[found.end() :].strip()
