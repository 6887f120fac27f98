"""Numbers of recommendations as addenda cite them: `140.82-85, 87`, `Nos. 1–5, 14–16`, `24 (b) and 37 (a)–(c)`.

Four spellings occur: dotted (`140.7`), plain under a cue (`recommendations 1–5`, `Rec. 18`, `the following: 1, 2`),
plain in the first column of a table (`5., 6., 7.`), and letters of a paragraph (`24 (b)`, `60 (d) (ii)`). In a list, a
number without a paragraph takes that of the number before it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.ingest.parsers.addendum_answers import read_answer
from services.ingest.parsers.addendum_words import compiled

_DOTTED = compiled(r"(?<![\d./,])(\d{1,3})\.(?:[ ](?=\d{1,3}[.,;)–-]))?(\d{1,3})(?![\d/]|\.\d|,\d|\s*<measure>\b|%)")
_NOT_A_CITATION = compiled(r"<not_a_citation>\s*$")
_CUE = compiled(
    r"\b<recommendation>\.?\s*(?:<placed> )?(?:<in_the>\s+)*?"
    r"(?:(?:the |los |las |el |les |le )?(?:<number_sign>|<paragraph>)\s*)*:?\s*(?=\(?\d)"
)
_PARAGRAPH_CUE = compiled(r"\b<paragraph>\s*(?:<number_sign>\s*)*:?\s*(?=\d)")
_LIST_CUE = compiled(r":\s*(?:(?:nos?\b|numbers?)\.?\s*)?(?=\d)")
_INTRODUCED = compiled(r"\b(?:<recommendation>|<introduces>)[^:]{0,160}$")
_LETTERS_OF = compiled(
    r"\b<recommendation>\.?\s*(?P<letters>\([a-z]\)(?:\s*(?:,|and|y|et|[–-])\s*\([a-z]\))*)\s*<in_the>\s+"
    r"<paragraph>\s*(?P<paragraph>\d{1,3})\b"
)
_GLUE = compiled(
    r"(?:[\s,;:/&+•·]|\.(?=\s*(?:,|\d{1,3}(?!\d|\.\s+[A-ZÀ-Þ“«])))"
    r"|\((?![a-z]\))(?:[^()\d]|\([^()]*\)){0,160}\)|\[[^\[\]\d]{0,80}\]"
    r"|\b<joint>\b|\b<recommendation>\.?|\b<number_sign>|\b<paragraph>(?=\s*\d{1,3}(?:\.\d|\s*\([a-z]\))))*"
)
_RANGE = compiled(
    r"\.?\s*(?:[-–—‑−]|\b<until>\b(?: la| las)?)\s*"
    r"(?:(?:the )?(?:<recommendation>\.?|<number_sign>|<paragraph>)\s*)?"
)
_PLAIN = re.compile(r"(\d{1,3})(?![\d%]|\.\d|,\d{3}|/\d)")
_NOT_PLAIN = compiled(r"\s*<measure>\b")
_ENDS_LIST_ITEM = compiled(r"\.?\s*(?:$|[,;.()\[\]&–—-]|(?:and|or|y|et|<until>)\s+\d)")
_LETTER = re.compile(r"(?:\s*\(|\s+)([a-z])\)(?:\s*\(?([ivx]{1,4})\))?")
_LETTER_RANGE = re.compile(r"\s*(?:[-–—]|\b(?:to|a|à)\b)\s*\(?([a-z])\)")
_LEAST_TIMES = 2
_LOOKED_BACK = 24
_LEAD_IN = 400
_LONGEST_RANGE = 400
_LINE_START = re.compile(r"^[\s•●▪·*\-–—(]*(?:n[°ºo]\.?\s*)?", re.IGNORECASE)
_TABLE_START = re.compile(r"^\(?(\d{1,3})(?:[.)]+(?=\s|$|,)|\s*(?=[,–-]\s*\d)|(?=\s+[A-ZÀ-Þ“\"])|$)")


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
        run = _collect(text, start, first, numbering) if start >= end else None
        if run:
            runs.append(run)
            end = run.end
    return sorted([*runs, *_letters_before_paragraph(text, runs)], key=lambda run: run.start)


def opening_run(line: str, numbering: Numbering) -> Run | None:
    """The citation that opens a line (`140.11-14`, `Rec. 18 We consider …`), if one does."""
    start = _LINE_START.match(line)
    at = start.end() if start else 0
    for run in find_runs(line, numbering)[:1]:
        if run.start <= at:
            return run
    table = _TABLE_START.match(line[at:]) if numbering.in_table else None
    return _collect(line, at, at, numbering) if table else None


def _letters_before_paragraph(text: str, runs: list[Run]) -> Iterator[Run]:
    """`recommendations (a) and (c) of paragraph 64`."""
    for found in _LETTERS_OF.finditer(text):
        if not any(run.start < found.end() and found.start() < run.end for run in runs):
            letters = _spread(re.findall(r"\(([a-z])\)|([–-])", found["letters"]))
            yield Run(*found.span(), tuple(f"{found['paragraph']}.{letter}" for letter in letters))


def _spread(tokens: list[tuple[str, str]]) -> list[str]:
    letters: list[str] = []
    for place, (letter, dash) in enumerate(tokens):
        if dash and letters and place + 1 < len(tokens) and tokens[place + 1][0]:
            letters += [chr(code) for code in range(ord(letters[-1]) + 1, ord(tokens[place + 1][0]))]
        elif letter:
            letters.append(letter)
    return letters


def _dotted(text: str) -> Iterator[re.Match[str]]:
    for found in _DOTTED.finditer(text):
        before = text[max(0, found.start() - _LOOKED_BACK) : found.start()]
        if not _NOT_A_CITATION.search(before) and int(found[2]):
            yield found


def _starts(text: str, numbering: Numbering) -> Iterator[tuple[int, int]]:
    """Where citations may begin, and where their first number does. Beside dotted numbers plain ones do not count."""
    for cue in _CUE.finditer(text):
        if _opens(text, cue.end(), numbering, of_paragraph=bool(_PARAGRAPH_CUE.search(cue[0] + "0"))):
            yield cue.start(), cue.end()
    for cue in _PARAGRAPH_CUE.finditer(text):
        if _LETTER.match(text, _end_of_number(text, cue.end())) and _PLAIN.match(text, cue.end()):
            yield cue.start(), cue.end()
    if not numbering.is_dotted:
        for cue in _LIST_CUE.finditer(text):
            if _is_list(text, cue):
                yield cue.end(), cue.end()
    for dotted in _dotted(text):
        if dotted[1] in numbering.prefixes:
            yield dotted.start(), dotted.start()


def _opens(text: str, at: int, numbering: Numbering, *, of_paragraph: bool) -> bool:
    """Whether a number that is cited as a recommendation stands here: "paragraph 87" alone is none."""
    if _DOTTED.match(text, at):
        return True
    if _LETTER.match(text, _end_of_number(text, at)):
        return True
    return not numbering.is_dotted and not of_paragraph and _plain_at(text, at) is not None


def _is_list(text: str, cue: re.Match[str]) -> bool:
    """Whether plain numbers after a colon are recommendations: "the following enjoy our support: 6, 7"."""
    before = text[max(0, cue.start() - _LEAD_IN) : cue.start()]
    found = _plain_at(text, cue.end())
    if found is None or not _ENDS_LIST_ITEM.match(text, found.end()):
        return False
    sentence = re.split(r"(?<=[\w)])\.\s+(?=[A-Z])", before)[-1]
    answer = read_answer(sentence)
    return bool(_INTRODUCED.search(sentence) and (answer or len(sentence) < 80)) or bool(
        answer and answer.position and len(sentence) < 60
    )


def _end_of_number(text: str, at: int) -> int:
    found = _PLAIN.match(text, at)
    return found.end() if found else at


def _collect(text: str, start: int, at: int, numbering: Numbering) -> Run | None:
    """The numbers from `at` on, as long as nothing but numbers and joints follows."""
    numbers: dict[str, None] = {}
    prefix, end = "", at
    while (step := _number_at(text, at, prefix, numbering)) is not None:
        found, prefix, end = step
        numbers.update(dict.fromkeys(found))
        glue = _GLUE.match(text, end)
        at = glue.end() if glue else end
    return Run(start, end, tuple(numbers)) if numbers else None


def _number_at(text: str, at: int, prefix: str, numbering: Numbering) -> tuple[list[str], str, int] | None:
    """The numbers of one place in a list, the paragraph that a bare number after them is of, and where they end."""
    lettered = _letters_at(text, at, prefix)
    if lettered:
        return lettered
    dotted = _DOTTED.match(text, at)
    if dotted and dotted[1] in numbering.prefixes:
        prefix, first, end = dotted[1], dotted[2], dotted.end()
    else:
        plain = None if dotted or prefix.startswith("§") else _plain_at(text, at)
        if plain is None or (numbering.is_dotted and not prefix):
            return None
        first, end = plain[1], plain.end()
    last, after = _range_end(text, end, prefix, first)
    spread = range(int(first), (last or int(first)) + 1)
    return [f"{prefix}.{n}" if prefix else str(n) for n in spread], prefix, after


def _letters_at(text: str, at: int, prefix: str) -> tuple[list[str], str, int] | None:
    """`24 (b)`, `60 (d) (ii)`, `41 (a)–(c)`, and a further letter `(e)` of the same paragraph.

    The paragraph is kept as `§24`, so that letters after it are of it, and plain numbers are not.
    """
    number = _PLAIN.match(text, at)
    if number is None and not prefix.startswith("§"):
        return None
    paragraph = number[1] if number else prefix[1:]
    letter = _LETTER.match(text, number.end() if number else at)
    if letter is None:
        return None
    numbers, end = [".".join(filter(None, (paragraph, letter[1], letter[2])))], letter.end()
    until = _LETTER_RANGE.match(text, end)
    if until and letter[2] is None and letter[1] < until[1]:
        numbers += [f"{paragraph}.{chr(code)}" for code in range(ord(letter[1]) + 1, ord(until[1]) + 1)]
        end = until.end()
    return numbers, f"§{paragraph}", end


def _plain_at(text: str, at: int) -> re.Match[str] | None:
    plain = _PLAIN.match(text, at)
    if plain is None or not int(plain[1]) or _NOT_PLAIN.match(text, plain.end()):
        return None
    return plain


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
