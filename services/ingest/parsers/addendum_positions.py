"""From the passages of an addendum to one answer for each recommendation it names.

An answer stands, from the strongest evidence to the weakest: in the reply to the recommendation itself, in a sentence
that lists numbers ("accepts the recommendations 1–5"), or in the heading or lead-in that a number stands under.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.core.domain.positions import Position, PositionDetail
from services.ingest.parsers.addendum_answers import (
    Answer,
    is_ambiguous,
    read_answer,
    speaks_of_recommendations,
    speaks_of_this,
)
from services.ingest.parsers.addendum_numbers import Numbering, Run, find_runs
from services.ingest.parsers.addendum_passages import Passage
from services.ingest.parsers.addendum_replies import Reply, answer_to_what_stands_above, read_reply
from services.ingest.parsers.addendum_sentences import (
    Cited,
    Rest,
    is_about_earlier_reviews,
    read_cited,
    scope_of,
    sentences_of,
    starts_with_subject,
)
from services.ingest.parsers.addendum_words import compiled
from services.ingest.reading import ReadIssue, ReadPosition

_INTRODUCES = compiled(r":\s*$|\b<introduces>\b")
_REPLY, _LIST, _CONTEXT = 3, 2, 1
_AFTER_CUE = 30


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer, how strong the evidence is, and where it stands; the recommendation where it is printed.

    `own_detail`: the detail was said of this recommendation, and not of all under a heading.
    """

    answer: Answer
    strength: int
    page: int | None
    paragraph: str | None
    own_detail: bool = False
    text: str | None = None
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Context:
    """What a heading or a lead-in says of all that stands under it. `scope`: the paragraph of the report."""

    answer: Answer | None
    paragraph: str | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class Positions:
    """The answers in the order of their first mention, and what was odd."""

    positions: tuple[ReadPosition, ...]
    issues: tuple[ReadIssue, ...]


def read_positions(passages: Sequence[Passage], numbering: Numbering, codes: Mapping[str, Answer]) -> Positions:
    """Read every answer. A number that is mentioned without an answer is an Issue, `answer_not_found`."""
    reader = _Reader(numbering, codes)
    for passage in passages:
        reader.take(passage)
    return reader.result()


class _Reader:
    """What has been read so far, and what the heading and the lead-in above say."""

    def __init__(self, numbering: Numbering, codes: Mapping[str, Answer]) -> None:
        self._numbering = numbering
        self._codes = codes
        self._told: dict[str, _Told] = {}
        self._rests: list[tuple[Rest, tuple[str, ...], _Told]] = []
        self._mentioned: dict[str, int | None] = {}
        self._unanswered: list[tuple[tuple[str, ...], Reply, int | None]] = []
        self._issues: list[ReadIssue] = []
        self._headings: list[tuple[float, _Context]] = []
        self._lead_in: _Context | None = None
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
        told = [_position(number, told) for number, told in self._told.items()]
        return Positions((*told, *self._rest_positions()), tuple(self._issues))

    @property
    def _context(self) -> _Context:
        if self._lead_in:
            return self._lead_in
        if not self._headings:
            return _Context(None, self._paragraph, None)
        return replace(self._headings[-1][1], paragraph=self._paragraph)

    def _take_heading(self, passage: Passage) -> None:
        self._unanswered.clear()
        level = passage.level or 0.0
        words = " ".join(passage.lines)
        above = [held for held in self._headings if held[0] > level]
        inherited = above[-1][1] if above else _Context(None, None, None)
        answer = _of_heading(words, inherited.answer)
        context = _Context(answer or inherited.answer, None, scope_of(words) or inherited.scope)
        self._headings = [*above, (level, context)]
        self._lead_in = None
        if not any(each.answer for each in read_cited(words, self._numbering)):
            self._take_numbers_of_heading(passage, words)
        self._cite_in(passage, words)

    def _take_numbers_of_heading(self, passage: Passage, words: str) -> None:
        """Numbers in a heading without an answer of its own: what stands above it, or below, answers them."""
        context = self._context
        for run in find_runs(words, self._numbering):
            numbers = self._scoped(run.numbers, words)
            if context.answer:
                self._tell(numbers, _Told(context.answer, _CONTEXT, passage.page, context.paragraph))
            else:
                self._unanswered.append((numbers, Reply(None), passage.page))
                self._mention(numbers, passage.page)

    def _take_reply(self, passage: Passage, run: Run) -> None:
        if passage.reply:
            self._take_row(run, passage.reply, passage)
            return
        words = passage.text[run.end :]
        if self._is_subject(passage, words):
            return
        numbers = self._scoped(run.numbers, _cue_of(passage, run))
        reply = read_reply(words, self._codes, self._numbering)
        if reply.answer and reply.answer.position:
            if reply.of_several:
                self._answer_what_stands_above(reply.answer, passage)
            self._unanswered.clear()
            self._tell_reply(numbers, reply, reply.answer, passage.page)
            return
        self._take_unanswered_reply(numbers, reply, passage)
        self._take_lead_ins(passage, words, of_a_reply=True)

    def _take_row(self, run: Run, reply: Reply, passage: Passage) -> None:
        numbers = self._scoped(run.numbers, "")
        if reply.answer and reply.answer.position:
            self._tell_reply(numbers, reply, reply.answer, passage.page)
        else:
            self._take_unanswered_reply(numbers, reply, passage)

    def _take_unanswered_reply(self, numbers: tuple[str, ...], reply: Reply, passage: Passage) -> None:
        """A passage that itself says no more than that it is implemented, if that: what stands above it governs."""
        context = self._context
        detail = reply.answer.detail if reply.answer else None
        if context.answer is None and detail and reply.answer:
            supported = replace(reply.answer, position=Position.SUPPORTED)
            self._tell_reply(numbers, reply, supported, passage.page)
        elif context.answer is None:
            self._unanswered.append((numbers, reply, passage.page))
            self._mention(numbers, passage.page)
        else:
            refines = bool(detail and context.answer.position is Position.SUPPORTED)
            refined = replace(context.answer, detail=detail) if refines else context.answer
            told = _Told(refined, _CONTEXT, passage.page, context.paragraph, refines, *_told_text(numbers, reply))
            self._tell(numbers, told)

    def _tell_reply(self, numbers: tuple[str, ...], reply: Reply, answer: Answer, page: int | None) -> None:
        told = _Told(answer, _REPLY, page, self._paragraph, False, *_told_text(numbers, reply))
        self._tell(numbers, told)

    def _answer_what_stands_above(self, answer: Answer, passage: Passage) -> None:
        for numbers, reply, page in self._unanswered:
            self._tell_reply(numbers, reply, answer, page or passage.page)
        self._unanswered.clear()

    def _is_subject(self, passage: Passage, words: str) -> bool:
        """Whether the numbers that open a passage are a sentence's subject: "110.1 and 110.5 enjoy the support …"."""
        first = next(iter(sentences_of(" ".join(passage.text.split("\n\n")[0].split()))), "")
        if not starts_with_subject(words) or not any(each.answer for each in read_cited(first, self._numbering)):
            return False
        self._take_lead_ins(passage, passage.text)
        return True

    def _take_paragraph(self, passage: Passage) -> None:
        if passage.number:
            self._paragraph = passage.number
            self._lead_in = None
        first = next(sentences_of(passage.text), "")
        runs = find_runs(first, self._numbering)
        if self._unanswered and (not runs or speaks_of_this(first[: runs[0].start])):
            found = answer_to_what_stands_above(passage.text, self._numbering)
            if found.answer and found.answer.position:
                if not found.of_several:
                    self._unanswered = self._unanswered[-1:]
                self._answer_what_stands_above(found.answer, passage)
                return
        self._take_lead_ins(passage, passage.text)

    def _take_lead_ins(self, passage: Passage, words: str, *, of_a_reply: bool = False) -> None:
        """Sentences that list numbers or introduce a list; inside a reply only what ends in a colon introduces one."""
        for sentence in sentences_of(words):
            flat = " ".join(sentence.split())
            if is_about_earlier_reviews(flat) and (of_a_reply or not find_runs(flat, self._numbering)):
                continue
            if self._cite_in(passage, flat):
                continue
            answer = read_answer(flat)
            if answer is None or answer.position is None or not speaks_of_recommendations(flat):
                continue
            if (flat.endswith(":") if of_a_reply else _INTRODUCES.search(flat)) and not is_ambiguous(flat):
                scope = scope_of(flat) or self._context.scope
                self._lead_in = _Context(self._detailed(answer), self._paragraph, scope)

    def _cite_in(self, passage: Passage, sentence: str) -> bool:
        """Take the answers of a sentence that names recommendations; whether it names any."""
        cited = read_cited(sentence, self._numbering)
        excepted = tuple(number for each in cited if each.excepted for number in self._scoped(each.numbers, sentence))
        for each in cited:
            if each.rest:
                self._tell_rest(each, excepted, passage)
            else:
                self._tell_cited(each, self._scoped(each.numbers, sentence), passage)
        return bool(cited) or bool(find_runs(sentence, self._numbering))

    def _tell_cited(self, cited: Cited, numbers: tuple[str, ...], passage: Passage) -> None:
        context = self._context
        if cited.answer:
            self._tell(numbers, _Told(self._detailed(cited.answer), _LIST, passage.page, self._paragraph))
        elif cited.excepted:
            self._mention(numbers, passage.page)
        elif cited.bare and context.answer:
            self._tell(numbers, _Told(context.answer, _CONTEXT, passage.page, context.paragraph))
        elif cited.implementation and context.answer is None:
            answer = Answer(Position.SUPPORTED, cited.implementation, _implemented(cited.implementation))
            self._tell(numbers, _Told(answer, _CONTEXT, passage.page, self._paragraph))
        elif cited.bare:
            self._mention(numbers, passage.page)

    def _tell_rest(self, cited: Cited, excepted: tuple[str, ...], passage: Passage) -> None:
        if cited.rest and cited.answer:
            told = _Told(self._detailed(cited.answer), _LIST, passage.page, self._paragraph)
            self._rests.append((cited.rest, excepted, told))

    def _rest_positions(self) -> list[ReadPosition]:
        """The answers to all others, but for those that a total speaks of and that are listed elsewhere."""
        listed = {told.answer.position for told in self._told.values()}
        positions: dict[tuple[str | None, tuple[str, ...]], ReadPosition] = {}
        for rest, excepted, told in self._rests:
            if rest.has_count and told.answer.position in listed:
                continue
            answer = replace(_position(None, told), of_paragraph=rest.paragraph, except_numbers=excepted)
            positions.setdefault((rest.paragraph, excepted), answer)
        return list(positions.values())

    def _detailed(self, answer: Answer) -> Answer:
        """An answer to a list, with the detail of the heading above it where the two agree."""
        heading = self._headings[-1][1].answer if self._headings else None
        if heading is None or answer.detail or heading.position != answer.position:
            return answer
        return replace(answer, detail=heading.detail)

    def _scoped(self, numbers: tuple[str, ...], sentence: str) -> tuple[str, ...]:
        """Plain numbers with the paragraph of the report that the sentence, or what stands above it, names."""
        if not any(number.isdecimal() for number in numbers):
            return numbers
        scope = scope_of(sentence) or self._context.scope
        return tuple(f"{scope}.{number}" if scope and number.isdecimal() else number for number in numbers)

    def _mention(self, numbers: Sequence[str], page: int | None) -> None:
        for number in numbers:
            self._mentioned.setdefault(number, page)

    def _tell(self, numbers: Sequence[str], told: _Told) -> None:
        for number in numbers:
            before = self._told.get(number)
            if before is None or _outweighs(told, before):
                self._told[number] = told if before is None else _joined(told, before)
            elif told.strength == before.strength and told.answer.position is Position.PENDING:
                continue
            elif told.strength == before.strength and told.answer.position != before.answer.position:
                detail = f"{number}: “{before.answer.phrase}”, elsewhere “{told.answer.phrase}”"
                self._issues.append(ReadIssue("warning", "conflicting_positions", detail, told.page))
            else:
                self._told[number] = _joined(before, told)


def _of_heading(words: str, inherited: Answer | None) -> Answer | None:
    """The answer of a heading; one that says "already implemented" alone refines the heading above it."""
    answer = None if is_ambiguous(words) else read_answer(words)
    if answer is None or answer.position or not speaks_of_recommendations(words):
        return answer if answer and answer.position else None
    if inherited is None:
        return replace(answer, position=Position.SUPPORTED)
    return replace(inherited, detail=answer.detail) if inherited.position is Position.SUPPORTED else inherited


def _cue_of(passage: Passage, run: Run) -> str:
    """What names the numbers of a reply: "Recommendations 5 and 6 of paragraph 92:". Nothing for those of a table."""
    cue = passage.text[: run.end + _AFTER_CUE].split("\n")[0]
    return cue if speaks_of_recommendations(passage.text[: run.end]) else ""


def _outweighs(told: _Told, before: _Told) -> bool:
    """Whether an answer takes the place of another: it is better founded, or the other was that one will come."""
    if told.strength == before.strength:
        return before.answer.position is Position.PENDING and told.answer.position is not Position.PENDING
    return told.strength > before.strength


def _told_text(numbers: tuple[str, ...], reply: Reply) -> tuple[str | None, tuple[str, ...]]:
    return (reply.text, reply.recommending_states) if len(numbers) == 1 else (None, ())


def _implemented(detail: PositionDetail) -> str:
    return detail.value.replace("_", " ")


def _joined(strong: _Told, weak: _Told) -> _Told:
    """The stronger answer, with the detail of the weaker where that was said of this recommendation itself."""
    strong = strong if strong.text else replace(strong, text=weak.text, states=weak.states)
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
        text=told.text,
        recommending_states=told.states,
    )
