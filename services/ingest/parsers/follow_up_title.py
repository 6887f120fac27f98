"""What the title page of a mid-term report or an implementation plan says: kind, State, cycle, date, author."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from services.core.domain.documents import FOLLOW_UP, SYMBOL_IN_TEXT, DocumentKind, read_symbol
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.core.query.analysis import languages_of, words_of
from services.ingest.normalise.states import known_state, leading_state
from services.ingest.parsers.cited_recommendations import cycle_of_symbol, cycles_named
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import first_date, plain_digits
from services.ingest.parsers.working_group_report.number_words import ordinal

_TITLE_LINES = 30
_LONGEST_TITLE_LINE = 200
_LEAST_WORDS_OF_PROSE = 8
_LARGER = 1.08
_LONGEST_TITLE = 240
_OPENING_LINES = 150
_LANGUAGE_LINES = 400
_WORD = re.compile(r"(?:(?<=[\s(’'/,])|^)(?=[A-ZÀ-Þ])")
_LONGEST_AUTHOR = 200
_LONGEST_ROW_OF_HEADING = 14
_ARTICLES = re.compile(r"^(?:the|el|la|los|las|le|les)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FollowUpTitle:
    """A title page. `title` is what names the document on it; whatever it does not say is None.

    `lines` are the lines of the page up to the last that says any of it.
    """

    kind: DocumentKind
    title: str
    language: str
    state: str | None
    cycle: int | None
    session: int | None
    published_on: str | None
    author: str | None
    author_kind: str | None
    lines: tuple[str, ...] = ()


def kind_of(text: DocumentText) -> DocumentKind | None:
    """Which kind of follow-up document the title page says this is; None where it does not say it is one."""
    lines = title_lines(text)
    joined = " ".join(lines)
    if not _any("about", "review", joined) or _any("ends", "other_document", joined):
        return None
    if any(read_symbol(line).kind for line in lines if SYMBOL_IN_TEXT.fullmatch(line)):
        return None  # a document that the United Nations issued as something else
    return next((kind for kind in sorted(FOLLOW_UP, reverse=True) if _any("kind", kind.value, joined)), None)


def read_follow_up_title(text: DocumentText, kind: DocumentKind) -> FollowUpTitle:
    """Read the title page, and where it is silent the document's opening pages."""
    lines = title_lines(text)
    opening = " ".join(_lines(text, _OPENING_LINES))
    session, cycle = _review(lines, opening, text)
    state = _state(lines) or _state_by_symbol(opening)
    author = _author(lines)
    return FollowUpTitle(
        kind=kind,
        title=_title(lines, kind),
        language=_language(text),
        state=state,
        cycle=cycle,
        session=session,
        published_on=next((day for line in lines if (day := first_date(line))), None),
        author=author,
        author_kind=_author_kind(author, lines, state),
        lines=tuple(lines[: _last_telling(lines, kind) + 1]),
    )


def title_lines(text: DocumentText) -> list[str]:
    """The lines of the title page, up to where the text begins: a contents, an introduction, or running prose."""
    found: list[str] = []
    body = _body_size(text)
    for line, following in pairwise([*_blocks(text, _TITLE_LINES), Block("")]):
        plain = not line.bold and (line.size or 0.0) <= _LARGER * body
        if (
            len(line.text) > _LONGEST_TITLE_LINE
            or _any("ends", "line", line.text)
            or (plain and _is_prose(line, following))
        ):
            break
        found.append(line.text)
    return found


def _is_prose(line: Block, following: Block) -> bool:
    """Whether a line is a sentence, or in print the beginning of one that goes on in the next."""
    goes_on = line.page is not None and following.text[:1].islower()
    return len(line.text.split()) >= _LEAST_WORDS_OF_PROSE and (line.text.endswith(".") or goes_on)


def _body_size(text: DocumentText) -> float:
    sizes: Counter[float] = Counter()
    for block in text.blocks:
        sizes[block.size or 0.0] += len(block.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _lines(text: DocumentText, count: int) -> list[str]:
    return [block.text for block in _blocks(text, count)]


def _blocks(text: DocumentText, count: int) -> list[Block]:
    """The first lines that hold anything; those of a table that stands before all else come first."""
    cells = [cell for table in text.tables if not table.blocks_before for row in table.rows[:4] for cell in row]
    printed = [*(Block(cell, bold=True) for cell in dict.fromkeys(cells)), *text.blocks[: 3 * count]]
    tidy = (
        replace(block, text=" ".join(plain_digits(line).split()))
        for block in printed
        for line in block.text.split("\n")
    )
    return [block for block in tidy if block.text][:count]


def _last_telling(lines: Sequence[str], kind: DocumentKind) -> int:
    """The last line of a title page that says something of the document."""
    telling = [
        place
        for place, line in enumerate(lines)
        if _any("kind", kind.value, line)
        or _any("about", "review", line)
        or _any("author", "led_by", line)
        or first_date(line)
        or cycles_named(line)
        or known_state(line)
    ]
    return max(telling, default=-1)


def _title(lines: Sequence[str], kind: DocumentKind) -> str:
    """The lines from the first to the last that say what the document is."""
    naming = [
        place
        for place, line in enumerate(lines)
        if _any("kind", kind.value, " ".join(lines[place : place + 2])) or _any("about", "review", line)
    ]
    return " ".join(lines[naming[0] : naming[-1] + 1] if naming else lines)[:_LONGEST_TITLE].strip()


def _language(text: DocumentText) -> str:
    """The language that most lines are in, by their commonest words."""
    counted = dict.fromkeys(("en", "es", "fr"), 0)
    for line in _lines(text, _LANGUAGE_LINES):
        guessed = languages_of(words_of(line)[0])
        if len(guessed) == 1:
            counted[guessed[0]] += 1
    return max(counted, key=lambda language: counted[language])


# Whose review


def _state(lines: Sequence[str]) -> str | None:
    """The one State that stands on a line of its own, else the one State that the title page names."""
    alone = {code for line in lines if (code := known_state(_ARTICLES.sub("", line.strip("()*[] "))))}
    if len(alone) == 1:
        return alone.pop()
    naming = [line for line in lines if not _is_place(line)]
    named = {code for line in naming for code in _states_in(line)}
    return named.pop() if len(named) == 1 else None


def _is_place(line: str) -> bool:
    """ "Geneva, Switzerland": where it was written, or where its author sits."""
    before, comma, after = line.rpartition(",")
    return bool(comma) and known_state(after.strip(" .)")) is not None and len(before.split()) <= 3


def _states_in(line: str) -> Iterator[str]:
    """The States named in a line, each by its longest name. Names that are printed inside longer ones do not count."""
    end = 0
    for found in _WORD.finditer(line):
        if found.start() < end:
            continue
        named = leading_state(line[found.start() :])
        if named:
            end = found.start() + named[1]
            yield named[0]


def _state_by_symbol(opening: str) -> str | None:
    """The State in symbols such as `A/HRC/WG.6/20/SVN/1`, if they all name one."""
    states = {read_symbol(found[0]).state for found in SYMBOL_IN_TEXT.finditer(opening)} - {None}
    return states.pop() if len(states) == 1 else None


def _review(lines: Sequence[str], opening: str, text: DocumentText) -> tuple[int | None, int | None]:
    """Session and cycle: as the title page says, else the opening pages, else the symbols of documents cited."""
    title = " ".join(lines)
    for words in (title, opening):
        session, cycles = _session(words), cycles_named(words)
        cycle = cycle_of_session(session) if session else cycles.pop() if len(cycles) == 1 else None
        if cycle:
            return session or _session_in(opening, cycle), cycle
    whole = " ".join(block.text for block in text.blocks)
    told = {cycle for found in SYMBOL_IN_TEXT.finditer(whole) if (cycle := _cycle_of_review(found[0]))}
    return (None, told.pop()) if len(told) == 1 else (None, None)


def _cycle_of_review(symbol: str) -> int | None:
    """The cycle that a symbol tells; reports of other bodies to the Council are numbered alike, resolutions apart."""
    return cycle_of_symbol(symbol)


def _session(words: str) -> int | None:
    numbers = {number for found in _found("session", "words", words) if (number := ordinal_or_digits(found["session"]))}
    known = {number for number in numbers if 1 <= number <= LAST_KNOWN_SESSION}
    return known.pop() if len(known) == 1 else None


def _session_in(words: str, cycle: int) -> int | None:
    session = _session(words)
    return session if session and cycle_of_session(session) == cycle else None


def ordinal_or_digits(words: str) -> int | None:
    """`20`, `20th`, `twentieth`, `vingtième` as a number."""
    return int(words) if words.isdecimal() else ordinal(words)


# Who wrote it


def _author(lines: Sequence[str]) -> str | None:
    """The name after "submitted by" and the like: to the end of the line, or on the next one where it is broken off."""
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        goes_on = line.endswith((":", " by", " por", " par", ",", " and", " y", " et", " the", " la", " de", " of"))
        found = next(_found("author", "led_by", f"{line} {following}" if goes_on else line), None)
        if found:
            return found["name"].strip(" .,;:*")[:_LONGEST_AUTHOR] or None
    return None


def _author_kind(author: str | None, lines: Sequence[str], state: str | None) -> str | None:
    """What the author is, by the name where there is one, else by the whole title page; None where neither tells."""
    told = author or " ".join(lines)
    kind = next((kind for kind in _words()["author_kind"] if _any("author_kind", kind, told)), None)
    if kind is None and author and state and state in set(_states_in(author)):
        return "state"
    return kind


# Words


def _found(section: str, name: str, text: str) -> Iterator[re.Match[str]]:
    for pattern in _patterns(section, name):
        yield from pattern.finditer(text)


def _any(section: str, name: str, text: str) -> bool:
    return any(pattern.search(text) for pattern in _patterns(section, name))


def is_row_of_heading(line: str) -> bool:
    """Whether a printed line is the heading row of a table: cells of it side by side and nothing else."""
    words = line.split()
    reached = {0}
    for start in range(len(words)):
        if start in reached and len(words) <= _LONGEST_ROW_OF_HEADING:
            ends = range(start + 1, len(words) + 1)
            reached |= {end for end in ends if is_cell_of_heading(" ".join(words[start:end]))}
    return bool(words) and len(words) in reached


def is_cell_of_heading(cell: str, *, of: Iterable[str] = ("cited", "other")) -> bool:
    """Whether a cell is one of the heading row of a table."""
    words = " ".join(cell.split()).strip(" :*")
    return any(pattern.fullmatch(words) for name in of for pattern in _patterns("columns", name))


@cache
def _patterns(section: str, name: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(words, re.IGNORECASE) for words in _words()[section][name])


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((files("services.ingest.parsers") / "follow_up.toml").read_text(encoding="utf-8"))
