"""Addenda that print recommendations without numbers: each text ends with who made it, and is known by its words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers.addendum_answers import Answer, is_ambiguous, read_answer, speaks_of_recommendations
from services.ingest.parsers.addendum_numbers import Numbering
from services.ingest.parsers.addendum_passages import Passage
from services.ingest.parsers.addendum_replies import answer_to_what_stands_above
from services.ingest.reading import ReadPosition

_NO_NUMBERS = Numbering(frozenset())
_LISTED = re.compile(r"^(?:[•●▪·o]\s+|[-–—]\s+|\(?(?:[a-z]|[ivx]{1,4}|\d{1,3})[.)]\s+)")
_ENDED = re.compile(r"[.;:]\s*$")
_LEAST_WORDS = 3


@dataclass
class _Waiting:
    """A recommendation that has no answer yet."""

    text: str
    states: tuple[str, ...]
    page: int | None


@dataclass
class _Reader:
    """What has been read so far. `context`: what the heading or the lead-in above says."""

    positions: list[ReadPosition] = field(default_factory=list)
    _waiting: list[_Waiting] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _context: Answer | None = None
    _paragraph: str | None = None

    def take(self, passage: Passage) -> None:
        self._paragraph = passage.number or self._paragraph
        if passage.is_heading:
            self._waiting, self._lines = [], []
            words = " ".join(passage.lines)
            self._context = None if is_ambiguous(words) else _position(read_answer(words))
            return
        self._lines = []
        for line in passage.lines:
            self._take_line(line, passage.page)

    def _take_line(self, line: str, page: int | None) -> None:
        if self._waiting and self._is_answer(line):
            return
        if self._lines and _ENDED.search(self._lines[-1]) and (line[:1].isupper() or _LISTED.match(line)):
            self._lines = []
        self._lines.append(line if self._lines else _LISTED.sub("", line))
        flat = " ".join(self._lines)
        if flat.endswith(":") and speaks_of_recommendations(flat) and (answer := _position(read_answer(flat))):
            self._context, self._lines = answer, []
            return
        self._take_recommendation(flat, page)

    def _is_answer(self, line: str) -> bool:
        reply = answer_to_what_stands_above(line, _NO_NUMBERS)
        if reply.answer is None or reply.answer.position is None or find_attributions(line):
            return False
        answered = self._waiting if reply.of_several else self._waiting[-1:]
        self.positions += [self._told(each, reply.answer) for each in answered]
        self._waiting, self._lines = [], []
        return True

    def _take_recommendation(self, flat: str, page: int | None) -> None:
        attributions = find_attributions(flat)
        if not attributions or flat[attributions[-1].end :].strip(" .;,*"):
            return
        text = flat[: attributions[0].start].strip(' “”"«»:;,.')
        self._lines = []
        if len(text.split()) < _LEAST_WORDS:
            return
        states = tuple(dict.fromkeys(state for each in attributions for state in each.states))
        waiting = _Waiting(text, states, page)
        if self._context:
            self.positions.append(self._told(waiting, self._context))
        else:
            self._waiting.append(waiting)

    def _told(self, each: _Waiting, answer: Answer) -> ReadPosition:
        assert answer.position is not None
        return ReadPosition(
            number=None,
            position=answer.position.value,
            position_detail=answer.detail.value if answer.detail else None,
            position_phrase=answer.phrase,
            position_paragraph=self._paragraph,
            page=each.page,
            text=each.text,
            recommending_states=each.states,
        )


def read_unnumbered(passages: Iterable[Passage]) -> Sequence[ReadPosition]:
    """The answers to recommendations that are printed in full and without numbers."""
    reader = _Reader()
    for passage in passages:
        reader.take(passage)
    once = {(each.text, each.recommending_states): each for each in reversed(reader.positions)}
    return tuple(reversed(once.values()))


def _position(answer: Answer | None) -> Answer | None:
    return answer if answer and answer.position else None
