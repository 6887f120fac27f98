"""An addendum cut into passages: headings, paragraphs, and replies that open with the numbers they answer."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from services.ingest.parsers.addendum_answers import speaks_of_recommendations
from services.ingest.parsers.addendum_numbers import Numbering, Run, find_runs, opening_run
from services.ingest.parsers.addendum_replies import Reply
from services.ingest.parsers.addendum_words import compiled
from services.ingest.parsers.text.blocks import Block

_ROMAN = re.compile(r"^(?:[IVX]{1,5}|[A-H])\.?\s+(?=[A-ZÀ-Þ])|^(?:[IVX]{1,5}|[A-H])\.\s*(?=[A-ZÀ-Þ])")
_PARAGRAPH = re.compile(r"^(\d{1,3})\.\s*(?=[A-ZÀ-Þ“\"(\[‘«¿])")
_OPEN_CUE = compiled(r"\b(?:<recommendation>|no\.|nos\b\.?|<paragraph>)\s*$")
_OPEN_END = compiled(r"(?:[,;–—-]|\b(?:and|or|y|e|et|<until>|<recommendation>|no\.|nos\b\.?|<paragraph>))\s*$")
_BULLET = re.compile(r"^[•●▪·]\s*|^[-–—]\s+|^\([a-z]{1,4}\)\s+")
_SENTENCE_END = re.compile(r"[.;:)”\"*]\s*$")
_INTRODUCES = compiled(r"\b(?:<introduces>|<rest_words>)\b|:$")
_LONGEST_HEADING = 150
_LARGER = 1.08
_BRIDGED = 3
_DOMINATED = 0.7


@dataclass
class Passage:
    """A run of printed lines. `run`: the numbers that open it; `number`: that of a numbered paragraph; `level`: a
    heading's rank, the larger the higher, None for text; `reply`: that of a table's row."""

    page: int | None
    lines: list[str] = field(default_factory=list)
    run: Run | None = None
    number: str | None = None
    level: float | None = None
    reply: Reply | None = None

    @property
    def text(self) -> str:
        """The passage, its lines apart: a line of its own can be a cell of a table."""
        return "\n".join(self.lines)

    @property
    def is_heading(self) -> bool:
        """Whether this is a heading."""
        return self.level is not None


def read_passages(lines: Iterable[Block | Passage], numbering: Numbering) -> list[Passage]:
    """Cut the text after the title page. Passages among the lines, of tables, stay what they are."""
    return list(_Cutter(list(lines), numbering).passages())


class _Cutter:
    """Goes through the lines once; `_current` is the passage that is growing."""

    def __init__(self, lines: list[Block | Passage], numbering: Numbering) -> None:
        self._lines = lines
        self._numbering = numbering
        blocks = [line for line in lines if isinstance(line, Block)]
        sizes = [line.size for line in blocks if line.size]
        self._body = median(sizes) if sizes else 0.0
        self._bold_is_rare = sum(line.bold for line in blocks) * 3 < len(blocks)
        self._last_paragraph = 0
        self._current: Passage | None = None
        self._before = ""

    def passages(self) -> Iterator[Passage]:
        for line in self._lines:
            if isinstance(line, Passage):
                yield from filter(None, (self._current, line))
                self._current, self._before = None, ""
                continue
            text = line.text.strip()
            if not text:
                continue
            opened = self._opened(line, text)
            if opened is None and self._current is not None:
                self._current.lines.append(text)
            else:
                if self._current is not None:
                    yield self._current
                self._current = opened or Passage(line.page, [text])
            self._before = text
        if self._current is not None:
            yield self._current

    def _opened(self, line: Block, text: str) -> Passage | None:
        """The passage that this line opens; None where it goes on with the one before."""
        if self._continues_list(text):
            return None
        run = None if text[:1].islower() else opening_run(text, self._numbering)
        level = None if run else self._heading_level(line, text)
        if level is not None:
            current = self._current
            if current and current.is_heading and current.level == level and not _ROMAN.match(text):
                return None
            return Passage(line.page, [text], level=level)
        if run:
            return Passage(line.page, [text], run=run)
        return self._paragraph(line, text) or (Passage(line.page, [text]) if self._is_new_text(text) else None)

    def _paragraph(self, line: Block, text: str) -> Passage | None:
        found = _PARAGRAPH.match(text)
        if not found or not self._opens_paragraph(text):
            return None
        self._last_paragraph = int(found[1])
        return Passage(line.page, [text[found.end() :]], number=found[1])

    def _opens_paragraph(self, text: str) -> bool:
        found = _PARAGRAPH.match(text)
        return bool(found and self._last_paragraph < int(found[1]) <= self._last_paragraph + _BRIDGED)

    def _is_new_text(self, text: str) -> bool:
        """Whether text begins after a heading, as a bullet, or as a new sentence that introduces recommendations."""
        if self._current is None or self._current.is_heading:
            return True
        if not _SENTENCE_END.search(self._before):
            return False
        introduces = text[:1].isupper() and speaks_of_recommendations(text) and _INTRODUCES.search(text)
        return bool(_BULLET.match(text) or introduces)

    def _continues_list(self, text: str) -> bool:
        """Whether a line goes on with a list of numbers, though a number opens it."""
        if self._current is None or self._current.is_heading or not re.match(r"[\s(•-]*\d", text):
            return False
        if self._opens_paragraph(text) and _SENTENCE_END.search(self._before):
            return False
        cited = find_runs(self._before, self._numbering)
        if not cited or _OPEN_CUE.search(self._before):
            return bool(_OPEN_CUE.search(self._before))
        ends_in_number = cited[-1].end >= len(self._before.rstrip(" .,;–—-")) - len(" and")
        if ends_in_number and _OPEN_END.search(self._before):
            return True
        covered = sum(run.end - run.start for run in cited)
        return len(self._before) > 60 and covered > _DOMINATED * len(self._before)

    def _heading_level(self, line: Block, text: str) -> float | None:
        if len(text) > _LONGEST_HEADING or _PARAGRAPH.match(text):
            return None
        style = (line.style or "").casefold()
        if style.startswith(("heading", "_ h")):
            return self._body + 1 or 1.0
        size = line.size or 0.0
        if self._body and size > _LARGER * self._body:
            return size
        if _ROMAN.match(text) and len(text) < _LONGEST_HEADING and not text.endswith((".", ";", ",")):
            return max(size, self._body) or 1.0
        bold = line.bold and self._bold_is_rare and not _BULLET.match(text)
        return max(size, 0.5) if bold and not text.endswith((",", ";")) else None
