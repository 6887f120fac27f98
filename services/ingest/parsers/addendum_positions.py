"""From the passages of an addendum to one answer for each recommendation it names.

An answer stands, from the strongest evidence to the weakest: in the reply to the recommendation itself, in a sentence
that lists numbers ("accepts the recommendations 1–5"), or in the heading or lead-in that a number stands under.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.core.domain.positions import Position
from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers.addendum_answers import (
    Answer,
    cell_answer,
    is_ambiguous,
    opening_answer,
    read_answer,
    sentence_answer,
    speaks_of_recommendations,
    whole_answer,
)
from services.ingest.parsers.addendum_numbers import Numbering, Run, find_runs
from services.ingest.parsers.addendum_passages import Passage
from services.ingest.reading import ReadIssue, ReadPosition

_SENTENCE = re.compile(r"(?<=[\w)\]”\"’][.;])\s+(?=[A-Z“\"])|(?<=:)\s*\n|\n(?=[•●▪]|[-–—] )")
_ABBREVIATION = re.compile(r"\b(?:Recs?|Nos?|paras?|arts?|Mr|Mrs|Ms|Dr|St|No)\.$", re.IGNORECASE)
_INTRODUCES = re.compile(r":\s*$|\b(?:following|below|listed here|set out hereunder)\b", re.IGNORECASE)
_REST = re.compile(
    r"\b(?:all (?:of )?(?:the )?(?:other|remaining)|the (?:other|remaining)|the rest of (?:the|its)|remaining)"
    r" (?:\w+ )?recommendations\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"\b(?:previous|earlier|last|(?:first|second|third) (?:cycle|review)|20\d\d)\b", re.IGNORECASE)
_MENTION = re.compile(
    r"\b(?:see|refer(?:red|s)?(?: to)?|as (?:stated|mentioned|explained|indicated) (?:in|under)|cf\.?)\b", re.IGNORECASE
)
_BARE = re.compile(
    r"^[\W\d]*(?:(?:the|following|recommendations?|recs?|nos?|and|paragraphs?)\b[\W\d]*)*$", re.IGNORECASE
)
_IS_SUBJECT = re.compile(
    r"^[\s,:;.–—-]*(?:(?:of the report|above|below)\s+)?"
    r"(?:are|is|were|have|has|enjoys?|do|does|did|cannot|will)\b"
)
_REPLY, _LIST, _CONTEXT = 3, 2, 1
_LOOKED_AT = 3
_SHORT = 60


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer to one number, how strong the evidence is, and where it stands.

    `own_detail`: the detail was said of this recommendation, and not of all under a heading.
    """

    answer: Answer
    strength: int
    page: int | None
    paragraph: str | None
    own_detail: bool = False


@dataclass(frozen=True, slots=True)
class Positions:
    """The answers in the order of their first mention, and what was odd."""

    positions: tuple[ReadPosition, ...]
    issues: tuple[ReadIssue, ...]


def read_positions(passages: Sequence[Passage], numbering: Numbering) -> Positions:
    """Read every answer. A number that is mentioned without an answer is an Issue, `answer_not_found`."""
    reader = _Reader(numbering)
    for passage in passages:
        reader.take(passage)
    return reader.result()


class _Reader:
    """What has been read so far, and what the heading and the lead-in above say."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self._told: dict[str | None, _Told] = {}
        self._mentioned: dict[str, int | None] = {}
        self._issues: list[ReadIssue] = []
        self._headings: list[tuple[float, Answer | None]] = []
        self._lead_in: tuple[Answer, str | None] | None = None
        self._paragraph: str | None = None

    def take(self, passage: Passage) -> None:
        """Read one passage."""
        if passage.is_heading:
            self._take_heading(passage)
        elif passage.run is not None:
            self._take_reply(passage, passage.run)
        else:
            self._take_paragraph(passage)

    def result(self) -> Positions:
        """All answers."""
        for number, page in self._mentioned.items():
            if number not in self._told:
                detail = f"{number} is named, but what is answered to it was not understood"
                self._issues.append(ReadIssue("warning", "answer_not_found", detail, page))
        positions = tuple(_position(number, told) for number, told in self._told.items())
        return Positions(positions, tuple(self._issues))

    @property
    def _context(self) -> tuple[Answer | None, str | None]:
        if self._lead_in:
            return self._lead_in
        answers = [answer for _, answer in self._headings]
        return (answers[-1] if answers else None), self._paragraph

    def _take_heading(self, passage: Passage) -> None:
        level = passage.level or 0.0
        words = " ".join(passage.lines)
        answer = None if is_ambiguous(words) else read_answer(words)
        if answer and answer.position is None:
            answer = None
        above = [held for held in self._headings if held[0] > level]
        inherited = above[-1][1] if above else None
        self._headings = [*above, (level, answer or inherited)]
        self._lead_in = None
        self._cite_in(passage, words)

    def _take_reply(self, passage: Passage, run: Run) -> None:
        words = passage.text[run.end :]
        first = " ".join(words.split("\n\n")[0].split())
        listed = self._listed(first, run, passage)
        if listed:
            return
        answer, paragraph = _reply_answer(words), self._paragraph
        if answer and answer.position:
            self._tell(run.numbers, _Told(answer, _REPLY, passage.page, paragraph))
            return
        context, paragraph = self._context
        if context is None and answer and answer.detail:
            self._tell(
                run.numbers, _Told(replace(answer, position=Position.SUPPORTED), _REPLY, passage.page, paragraph)
            )
        elif context is None:
            self._mention(run, passage.page)
        else:
            refines = bool(answer and answer.detail and context.position is Position.SUPPORTED)
            refined = replace(context, detail=answer.detail) if answer and refines else context
            self._tell(run.numbers, _Told(refined, _CONTEXT, passage.page, paragraph, own_detail=refines))
        self._take_lead_ins(passage, words, of_a_reply=True)

    def _listed(self, words: str, run: Run, passage: Passage) -> bool:
        """A sentence whose subject is the numbers: "110.1, 110.2 and 110.5 enjoy the support of Kenya"."""
        sentence = next(iter(_sentences(words)), "")
        answer = read_answer(sentence) if _IS_SUBJECT.match(sentence) else None
        if answer is None or answer.position is None:
            return False
        self._tell(run.numbers, _Told(self._detailed(answer), _LIST, passage.page, self._paragraph))
        return True

    def _detailed(self, answer: Answer) -> Answer:
        """An answer to a list, with the detail of the heading above it where the two agree."""
        heading = self._headings[-1][1] if self._headings else None
        if heading is None or answer.detail or heading.position != answer.position:
            return answer
        return replace(answer, detail=heading.detail)

    def _take_paragraph(self, passage: Passage) -> None:
        if passage.number:
            self._paragraph = passage.number
            self._lead_in = None
        self._take_lead_ins(passage, passage.text)

    def _take_lead_ins(self, passage: Passage, words: str, *, of_a_reply: bool = False) -> None:
        """Sentences that list numbers or introduce a list; inside a reply only what ends in a colon introduces one."""
        for sentence in _sentences(words):
            plain = " ".join(sentence.split())
            if find_runs(plain, self._numbering):
                self._cite_in(passage, plain)
                continue
            answer = read_answer(plain)
            if answer is None or answer.position is None or not speaks_of_recommendations(plain):
                continue
            if of_a_reply and not plain.endswith(":"):
                continue
            if _REST.search(plain) and not _EARLIER.search(plain) and not is_ambiguous(plain):
                self._tell((None,), _Told(answer, _LIST, passage.page, self._paragraph))
            elif _INTRODUCES.search(plain) and not is_ambiguous(plain):
                self._lead_in = (self._detailed(answer), self._paragraph)

    def _cite_in(self, passage: Passage, sentence: str) -> None:
        """A sentence with numbers: each list is governed by the words before it, or all of them by those after."""
        runs = find_runs(sentence, self._numbering)
        if not runs or _MENTION.search(sentence[: runs[0].start]):
            return
        answers = _governed(sentence, runs)
        for run, answer in zip(runs, answers, strict=True):
            if answer is not None and answer.position is not None:
                self._tell(run.numbers, _Told(self._detailed(answer), _LIST, passage.page, self._paragraph))
            elif _BARE.match(sentence[: run.start]):
                context, paragraph = self._context
                if context is not None:
                    self._tell(run.numbers, _Told(context, _CONTEXT, passage.page, paragraph))
                else:
                    self._mention(run, passage.page)

    def _mention(self, run: Run, page: int | None) -> None:
        for number in run.numbers:
            self._mentioned.setdefault(number, page)

    def _tell(self, numbers: Sequence[str | None], told: _Told) -> None:
        for number in numbers:
            before = self._told.get(number)
            if before is None or told.strength > before.strength:
                self._told[number] = told if before is None else _joined(told, before)
            elif told.strength == before.strength and told.answer.position != before.answer.position:
                detail = f"{number}: “{before.answer.phrase}”, elsewhere “{told.answer.phrase}”"
                self._issues.append(ReadIssue("warning", "conflicting_positions", detail, told.page))
            else:
                self._told[number] = _joined(before, told)


def _joined(strong: _Told, weak: _Told) -> _Told:
    """The stronger answer, with the detail of the weaker where that was said of this recommendation itself."""
    if strong.answer.position != weak.answer.position or strong.own_detail or not weak.own_detail:
        return strong
    return replace(strong, answer=replace(strong.answer, detail=weak.answer.detail), own_detail=True)


def _position(number: str | None, told: _Told) -> ReadPosition:
    assert told.answer.position is not None
    return ReadPosition(
        number=number,
        position=told.answer.position.value,
        position_detail=told.answer.detail.value if told.answer.detail else None,
        position_phrase=told.answer.phrase,
        position_paragraph=told.paragraph,
        page=told.page,
    )


def _governed(sentence: str, runs: Sequence[Run]) -> list[Answer | None]:
    """The answer to each list of numbers in a sentence."""
    ends = [0, *(run.end for run in runs)]
    before = [read_answer(sentence[end : run.start]) for end, run in zip(ends, runs, strict=False)]
    after = [
        read_answer(sentence[run.end : following])
        for run, following in zip(runs, [*(run.start for run in runs[1:]), len(sentence)], strict=True)
    ]
    if before[0] is not None and before[0].position is not None:
        held: Answer | None = None
        governed: list[Answer | None] = []
        for each in before:
            held = each if each and each.position else held
            governed.append(held)
        return governed
    if not speaks_of_recommendations(sentence[: runs[-1].end]) and not _BARE.match(sentence[: runs[0].start]):
        return [None] * len(runs)
    held = None
    backwards: list[Answer | None] = []
    for each in reversed(after):
        held = each if each and each.position else held
        backwards.append(held)
    return backwards[::-1]


def _reply_answer(words: str) -> Answer | None:
    """The answer in a reply: what opens it, what follows the recommendation's own words, or a line of its own."""
    plain = " ".join(words.split())
    attributions = find_attributions(plain)
    last = attributions[-1].end if attributions else 0
    if attributions:
        after = _opening(plain[last:]) or _first_sentence_answer(plain[last:])
        if after:
            return after
    opened = _opening(plain)
    if opened and opened.position:
        return opened
    for line in words.split("\n"):
        alone = whole_answer(line.strip())
        if alone and alone.position:
            return alone
    return cell_answer(plain[last:]) or _first_sentence_answer(plain[last:]) or opened


def _opening(words: str) -> Answer | None:
    """The answer that opens a reply, with what a short sentence after it adds: "Supported. Already implemented."."""
    opened = opening_answer(words)
    if opened is None or opened.position is not Position.SUPPORTED or opened.detail:
        return opened
    added = next((read_answer(sentence) for sentence in list(_sentences(words))[1:2] if len(sentence) < _SHORT), None)
    return replace(opened, detail=added.detail) if added and added.position is None else opened


def _first_sentence_answer(words: str) -> Answer | None:
    sentences = list(_sentences(words))
    answers = (sentence_answer(sentence) for sentence in [*sentences[:_LOOKED_AT], *sentences[-1:]])
    return next((answer for answer in answers if answer), None)


def _sentences(words: str) -> Iterator[str]:
    start = 0
    for found in _SENTENCE.finditer(words):
        if _ABBREVIATION.search(words[start : found.start()]):
            continue
        yield words[start : found.start()]
        start = found.end()
    if words[start:].strip():
        yield words[start:]
