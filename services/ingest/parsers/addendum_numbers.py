"""Numbers of recommendations as addenda cite them: `140.82-85, 87`, `Nos. 1–5, 14–16`, `140.35. 140.36`.

Three spellings occur: dotted (`140.7`), plain under a cue (`recommendations 1–5`, `Rec. 18`), and plain in the first
column of a table (`5., 6., 7.`). In a list, a number without a paragraph takes that of the number before it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MEASURES = r"(?:%|per ?cent|million|billion|thousand|years?|months?|km|euros?|kg|hectares|metres|times|points)"
_DOTTED = re.compile(rf"(?<![\d./,])(\d{{1,3}})\.(\d{{1,3}})(?![\d/]|\.\d|,\d|\s*{_MEASURES}\b|%)")
_NOT_A_CITATION = re.compile(
    r"(?:\barticles?|\barts?\.|\bsections?|\btargets?|\bSDGs?|\bgoals?|\bversion|\bchapters?|[$€£]|\b(?:EUR|USD|US))\s*$",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\brec(?:ommendation)?s?\b\.?\s*(?:listed |contained |set out |made |given )?(?:(?:in|under|at|with)\s+)?"
    r"(?:(?:the )?(?:serial )?(?:nos?\b\.?|numbers?|numbered|#|№|n[°º])\s*)*:?\s*(?=\(?\d)",
    re.IGNORECASE,
)
_GLUE = re.compile(
    r"(?:[\s,;:/&+•·]|\.(?=\s*(?:\d|,))|\((?:[^()\d]|\([^()]*\)){0,160}\)|\[[^\[\]\d]{0,80}\]"
    r"|\b(?:and|or|as well as|also|plus|recommendations?|recs?|nos?|numbers?|paragraphs?|paras?|inclusive)\b\.?)*",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"\.?\s*(?:[-–—‑−]|\b(?:to|through|until)\b)\s*(?:(?:recommendation|rec|no)\b\.?\s*)?", re.IGNORECASE
)
_PLAIN = re.compile(r"(\d{1,3})(?![\d%]|\.\d|,\d{3}|/\d)")
_AFTER_PLAIN = re.compile(
    r"\.?(?:\s*$|\s*[,;:.()\[\]&/–—-]|\s+(?:and|or|to|as|are|is|was|were|have|has|had|enjoys?|enjoyed|do|does|did|which|that|"
    rf"in|of|by|from|cannot|can|will|accepted|supported|noted|accept|support|note|[A-Z•“\"(])(?!{_MEASURES}))"
)
_LEAST_TIMES = 2
_LOOKED_BACK = 24
_LONGEST_RANGE = 400
_LINE_START = re.compile(r"^[\s•●▪·*\-–—(]*")
_TABLE_START = re.compile(r"^\(?(\d{1,3})(?:[.)]+(?=\s|$|,)|\s*(?=[,–-]\s*\d)|(?=\s+[A-Z“\"])|$)")


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers cited one after another, and where in the text. Plain ones have no paragraph before a dot."""

    start: int
    end: int
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a document numbers: the paragraphs before the dots, and whether bare numbers open the rows of a table."""

    prefixes: frozenset[str]
    in_table: bool = False

    @property
    def is_dotted(self) -> bool:
        """Whether recommendations bear the number of a paragraph."""
        return bool(self.prefixes)


def find_numbering(lines: Iterable[str]) -> Numbering:
    """The paragraphs that stand before dots at least twice, or after the word "recommendation"."""
    counted: Counter[str] = Counter()
    for line in lines:
        for found in _dotted(line):
            cued = _CUE.search(line[: found.start()] + "0")
            counted[found[1]] += _LEAST_TIMES if cued and cued.end() == found.start() else 1
    return Numbering(frozenset(prefix for prefix, count in counted.items() if count >= _LEAST_TIMES))


def find_runs(text: str, numbering: Numbering) -> list[Run]:
    """All citations in `text`, in order."""
    runs: list[Run] = []
    end = 0
    for start, first in sorted(_starts(text, numbering)):
        run = _collect(text, start, first, "", numbering) if start >= end else None
        if run:
            runs.append(run)
            end = run.end
    return runs


def opening_run(line: str, numbering: Numbering) -> Run | None:
    """The citation that opens a line (`140.11-14`, `Rec. 18 We consider …`), if one does."""
    start = _LINE_START.match(line)
    at = start.end() if start else 0
    for run in find_runs(line, numbering)[:1]:
        if run.start == at:
            return run
    table = _TABLE_START.match(line[at:]) if numbering.in_table else None
    return _collect(line, at, at, "", numbering) if table else None


def _dotted(text: str) -> Iterator[re.Match[str]]:
    for found in _DOTTED.finditer(text):
        before = text[max(0, found.start() - _LOOKED_BACK) : found.start()]
        if not _NOT_A_CITATION.search(before) and int(found[2]):
            yield found


def _starts(text: str, numbering: Numbering) -> Iterator[tuple[int, int]]:
    """Where citations may begin, and where their first number does. Beside dotted numbers plain ones do not count."""
    for cue in _CUE.finditer(text):
        if _DOTTED.match(text, cue.end()) or (not numbering.is_dotted and _plain_at(text, cue.end())):
            yield cue.start(), cue.end()
    for dotted in _dotted(text):
        if dotted[1] in numbering.prefixes:
            yield dotted.start(), dotted.start()


def _collect(text: str, start: int, at: int, prefix: str, numbering: Numbering) -> Run | None:
    """The numbers from `at` on, as long as nothing but numbers and joints follows."""
    numbers: dict[str, None] = {}
    end = at
    while (step := _number_at(text, at, prefix, numbering)) is not None:
        found, prefix, end = step
        numbers.update(dict.fromkeys(found))
        glue = _GLUE.match(text, end)
        at = glue.end() if glue else end
    return Run(start, end, tuple(numbers)) if numbers else None


def _number_at(text: str, at: int, prefix: str, numbering: Numbering) -> tuple[list[str], str, int] | None:
    dotted = _DOTTED.match(text, at)
    if dotted and dotted[1] in numbering.prefixes:
        prefix, first, end = dotted[1], dotted[2], dotted.end()
    else:
        plain = None if dotted else _plain_at(text, at)
        if plain is None or (numbering.is_dotted and not prefix):
            return None
        first, end = plain[1], plain.end()
    last, after = _range_end(text, end, prefix, first)
    spread = range(int(first), (last or int(first)) + 1)
    return [f"{prefix}.{n}" if prefix else str(n) for n in spread], prefix, after


def _plain_at(text: str, at: int) -> re.Match[str] | None:
    plain = _PLAIN.match(text, at)
    if plain is None or not int(plain[1]):
        return None
    return plain if _AFTER_PLAIN.match(text, plain.end()) else None


def _range_end(text: str, at: int, prefix: str, first: str) -> tuple[int | None, int]:
    """The last number of a range that goes on at `at`, and where it ends. `118-19` is 118 to 119."""
    joint = _RANGE.match(text, at)
    if joint is None:
        return None, at
    dotted = _DOTTED.match(text, joint.end())
    if dotted:
        last, end = int(dotted[2]), dotted.end()
        if dotted[1] != prefix:
            return None, at
    else:
        plain = _PLAIN.match(text, joint.end())
        if plain is None:
            return None, at
        completed = plain[1] if int(plain[1]) > int(first) else first[: -len(plain[1])] + plain[1]
        last, end = int(completed), plain.end()
    return (last, end) if int(first) < last <= int(first) + _LONGEST_RANGE else (None, at)
