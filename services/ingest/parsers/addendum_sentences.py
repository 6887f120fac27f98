"""Sentences of an addendum that name recommendations, and what each answers to which of them.

"Costamar accepts recommendations 1 and 2, in part recommendation 3, rejects 4, and notes all others in paragraph 92
(except 92.7)": the words before a list govern it, else those after it; an exception is governed by neither.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.core.domain.positions import Position, PositionDetail
from services.ingest.parsers.addendum_answers import (
    Answer,
    is_ambiguous,
    read_answer,
    speaks_of_recommendations,
)
from services.ingest.parsers.addendum_numbers import Numbering, Run, find_runs
from services.ingest.parsers.addendum_words import compiled

_SENTENCE = re.compile(r"(?<=[\w)\]”\"’»][.;])\s+(?=[A-ZÀ-Þ“\"«])|(?<=:)\s*\n|\n(?=[•●▪]|[-–—] )")
_ABBREVIATION = re.compile(r"\b(?:Recs?|Nos?|paras?|arts?|Mr|Mrs|Ms|Dr|St|No|párrs?|núms?|Sr|Sra|M)\.$", re.IGNORECASE)
_MENTION = compiled(r"\b<mention>\b")
_EARLIER = compiled(r"\b<earlier_review>\b")
_BARE = compiled(r"^[\W\d]*(?:<bare_word>\b[\W\d]*)*$")
_LABEL = re.compile(r"^[^.;]{0,80}[:–—-]\s*(?:the |las? |les? )?$", re.IGNORECASE)
_IS_SUBJECT = compiled(
    r"^[\s,:;.)–—-]*(?:\([^()]{0,80}\)\s*)?(?:<before_verb>[,\s]+)*(?:(?:which|that|que|qui) )?<verb>\b"
)
_RELATIVE = compiled(r"^[\s,)]*<relative>\b")
_CONCESSION = compiled(r"^\W*<concession>\b")
_TURN = compiled(r"[,;]\s*<turn>\b|\b<strong_turn>\b")
_JOINT = compiled(r"[,;]|\b(?:and|but|y|pero|et|mais)\b")
_ACCEPTS = compiled(r"\b<accepts>\b")
_QUALIFIED_NUMBER = compiled(r"(?<!\d)(?:(\d{1,3})\.)?(\d{1,3})\s*\(<in_part>[^()]{0,40}\)")
_QUALIFIED = compiled(r"^[\s,(]*(?:but |only |albeit )*<in_part>\b")
_QUALIFIES_NEXT = compiled(r"(?:\b(?:and|y|et)\b|[,;])[^.]{0,40}\b<in_part>\b")
_EXCEPT = compiled(
    r"\b<except>\W*(?:(?:the|of|las?|los|les?|des?|following|siguientes|suivantes)\W+)*(?:numbers?\W+)?$"
)
_REST = compiled(
    r"\b(?P<others><others>)\s+(?:[\w-]+ ){0,4}?<recommendations>(?: restantes)?\b(?! <some_of_them>\b)"
    r"|\b(?P<left><left_over>)\b|\b(?P<all><every>(?: [\w-]+){0,2}? <recommendations>)\b"
    r"|\b<recommendations> (?:<placed> )?(?=(?:<in_the>\s+)+<paragraph>\s*\d)"
)
_OF_PARAGRAPHS = compiled(
    r"\s*(?:<placed>\s+)?(?:<in_the>\s+)*<paragraph>\s*"
    r"(?P<list>\d{1,3}(?!\.\d|\d|\s*\(?[a-z]\))(?:\s*(?:,|and|y|et)\s*\d{1,3}(?!\.\d|\d))*)"
    r"(?:\s+(?:of the (?:\w+ ){0,3}report|above|del informe|du rapport)(?: of the Working Group)?)?"
)
_COUNT = compiled(r"\b\d{1,3}\b|\b<number_word>\b")
_SCOPE = compiled(r"\b<paragraph>\s*(?:\w+\s+)?(\d{1,3})(?!\.\d|\d|\s*\(?[a-z]\)|\s+<elsewhere>)")
_LOOKED_AT = 6
_LONGEST_QUALIFIER = 60
_FOLLOWING = compiled(r"\b<introduces>\b")


@dataclass(frozen=True, slots=True)
class Rest:
    """All (other) recommendations, of the report or of `paragraph`; `has_count`: the sentence says how many."""

    paragraph: str | None
    has_count: bool


@dataclass(frozen=True, slots=True)
class Cited:
    """Recommendations that a sentence names, by their numbers or as the rest, and its answer to them.

    `bare`: nothing but the numbers (and a label) stands before them, so that what stands above may govern them.
    `implementation`: all that the sentence says is that they are implemented, or are being implemented.
    """

    numbers: tuple[str, ...]
    rest: Rest | None
    answer: Answer | None
    excepted: bool
    bare: bool
    implementation: PositionDetail | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    numbers: tuple[str, ...]
    rests: tuple[Rest, ...] = ()


def sentences_of(words: str) -> Iterator[str]:
    """The sentences of a passage; a line that opens with a bullet begins one."""
    start = 0
    for found in _SENTENCE.finditer(words):
        before = words[start : found.start()]
        if _ABBREVIATION.search(before) or before.count("(") + before.count("[") > before.count(")") + before.count(
            "]"
        ):
            continue
        yield words[start : found.start()]
        start = found.end()
    if words[start:].strip():
        yield words[start:]


def scope_of(sentence: str) -> str | None:
    """The one paragraph of the report that a sentence names as the place of recommendations."""
    named = {found[1] for found in _SCOPE.finditer(sentence)} if speaks_of_recommendations(sentence) else set()
    return named.pop() if len(named) == 1 else None


def is_about_earlier_reviews(sentence: str) -> bool:
    """Whether a sentence tells of another review than this one."""
    return bool(_EARLIER.search(sentence))


def starts_with_subject(words: str) -> bool:
    """Whether words go on as after their subject: "are accepted", "do not enjoy the support"."""
    return bool(_IS_SUBJECT.match(words))


def read_cited(sentence: str, numbering: Numbering) -> list[Cited]:
    """What a sentence answers to the recommendations that it names. Empty where it only mentions them."""
    runs = find_runs(sentence, numbering)
    places = _places(sentence, runs)
    if not places or _MENTION.search(sentence[: places[0].start]):
        return []
    answers = _governing(sentence, places)
    whole = read_answer(sentence)
    implementation = whole.detail if whole and whole.position is None else None
    cited: list[Cited] = []
    excepted = False
    for at, (place, answer) in enumerate(zip(places, answers, strict=True)):
        between = sentence[places[at - 1].end if at else 0 : place.start]
        excepted = bool(_EXCEPT.search(between)) or (excepted and bool(_BARE.match(between)))
        bare = at == 0 and bool(_BARE.match(between) or _LABEL.match(between))
        cited += [Cited((), rest, answer, excepted=False, bare=False) for rest in place.rests]
        partly = _qualified(sentence, place) if answer and answer.position is Position.SUPPORTED else ()
        if answer and partly:
            cited.append(Cited(partly, None, _in_part(answer), excepted, bare))
        if wholly := tuple(number for number in place.numbers if number not in partly):
            cited.append(Cited(wholly, None, answer, excepted, bare, implementation))
    return cited


def _qualified(sentence: str, place: _Place) -> tuple[str, ...]:
    """The numbers of a list that a parenthesis qualifies: "129.1, 129.5 (partially), 129.6"."""
    qualified = _QUALIFIED_NUMBER.finditer(sentence, place.start, place.end + _LONGEST_QUALIFIER)
    printed = [(found[1], found[2]) for found in qualified]
    ends = {f"{paragraph}.{item}" if paragraph else item for paragraph, item in printed}
    return tuple(number for number in place.numbers if number in ends or number.rpartition(".")[2] in ends)


def _places(sentence: str, runs: Sequence[Run]) -> list[_Place]:
    places = [_Place(run.start, run.end, run.numbers) for run in runs]
    for found in _REST.finditer(sentence):
        if any(run.start < found.end() and found.start() < run.end for run in runs):
            continue
        tail = _OF_PARAGRAPHS.match(sentence, found.end())
        end = tail.end() if tail else found.end()
        if any(run.start < end and found.start() < run.end for run in runs):
            continue
        if not _means_rest(sentence, found, tail, runs, end):
            continue
        has_count = bool(_COUNT.search(found[0]))
        of = re.findall(r"\d+", tail["list"]) if tail else [None]
        places.append(_Place(found.start(), end, (), tuple(Rest(paragraph, has_count) for paragraph in of)))
    return sorted(places, key=lambda place: place.start)


def _means_rest(sentence: str, found: re.Match[str], tail: re.Match[str] | None, runs: Sequence[Run], end: int) -> bool:
    """Whether words mean all recommendations but for exceptions, and not those that a list after them names."""
    if found["others"] or found["left"]:
        return not sentence.rstrip().endswith(":")
    excepting = bool(runs) and all(_EXCEPT.search(sentence[: run.start]) for run in runs[:1] if run.start > end)
    if runs and not excepting:
        return False
    if sentence.rstrip().endswith(":") or _FOLLOWING.search(found[0]):
        return False
    if found["all"]:
        return bool(tail or excepting or _is_answered(sentence, found.start(), end))
    return tail is not None and _is_answered(sentence, found.start(), end)


def _is_answered(sentence: str, start: int, end: int) -> bool:
    """Whether the verb next to "all recommendations" is an answer: "Costamar accepts all …", "… are accepted"."""
    if _IS_SUBJECT.match(sentence[end:]) and read_answer(_first_clause(sentence[end:])):
        return True
    before = " ".join(sentence[:start].split()[-3:])
    return read_answer(f"{before} recommendations") is not None and not is_ambiguous(sentence)


def _governing(sentence: str, places: Sequence[_Place]) -> list[Answer | None]:
    """The answer to each place."""
    starts = [place.start for place in places]
    ends = [place.end for place in places]
    before = [sentence[end:start] for end, start in zip([0, *ends], starts, strict=False)]
    after = [sentence[end:start] for end, start in zip(ends, [*starts[1:], len(sentence)], strict=True)]
    own = [_own(words, following) for words, following in zip(before, after, strict=True)]
    backwards = _backwards(after) if _may_follow(sentence, places) else [None] * len(places)
    first = _nearest(before[0])
    if first is None or (_CONCESSION.match(before[0]) and backwards[-1]):
        return [mine or theirs for mine, theirs in zip(_forwards(before, after, own, None), backwards, strict=True)]
    return _forwards(before, after, own, first)


def _may_follow(sentence: str, places: Sequence[_Place]) -> bool:
    """Whether the words after the numbers can be about them."""
    return speaks_of_recommendations(sentence[: places[-1].end]) or bool(_BARE.match(sentence[: places[0].start]))


def _forwards(
    before: Sequence[str], after: Sequence[str], own: Sequence[Answer | None], first: Answer | None
) -> list[Answer | None]:
    held = first
    governed: list[Answer | None] = []
    for at, words in enumerate(before):
        mine = _nearest(words) if at else first
        if mine is None and at and held and held.position is Position.SUPPORTED and _QUALIFIES_NEXT.search(words):
            mine = _in_part(held)
        if _EXCEPT.search(words):
            governed.append(own[at])
            continue
        held = own[at] if own[at] and not mine else mine or held
        qualified = held and held.position is Position.SUPPORTED and _QUALIFIED.match(after[at])
        governed.append(_in_part(held) if held and qualified else held)
    return governed


def _nearest(before: str) -> Answer | None:
    """The answer of the words before a list; of two, the one next to it: "It accepted 7 and undertook to examine …"."""
    whole = _position(read_answer(before))
    for cut in reversed(list(_JOINT.finditer(before))[-_LOOKED_AT:]):
        last = _position(read_answer(before[cut.start() :]))
        if last is None:
            continue
        refused = whole is not None and whole.detail is PositionDetail.NOT_SUPPORTED
        carried = refused and last.position is Position.SUPPORTED and not _ACCEPTS.search(before[cut.start() :])
        same = whole is not None and whole.position == last.position
        return whole if same or carried else last
    return whole


def _backwards(after: Sequence[str]) -> list[Answer | None]:
    held: Answer | None = None
    governed: list[Answer | None] = []
    for words in reversed(after):
        held = _position(read_answer(_first_clause(words))) or held
        governed.append(held)
    return governed[::-1]


def _own(before: str, after: str) -> Answer | None:
    """The answer of which the numbers are the subject: "…, and recommendation 15 does not enjoy our support"."""
    if not (_IS_SUBJECT.match(after) or _RELATIVE.match(after)) or _position(read_answer(before)):
        return None
    return _position(read_answer(_first_clause(after)))


def _first_clause(words: str) -> str:
    """Words up to the turn ("…, but it cannot be implemented now"), if there is an answer before it."""
    for turn in islice(_TURN.finditer(words), _LOOKED_AT):
        clause = words[: turn.start()]
        if _position(read_answer(clause)):
            return clause
    return words


def _position(answer: Answer | None) -> Answer | None:
    return answer if answer and answer.position else None


def _in_part(answer: Answer) -> Answer:
    return replace(answer, position=Position.NOTED, detail=PositionDetail.PARTIAL)
