"""Replies of an addendum: what stands under, or beside, the recommendation that it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.core.domain.positions import Position
from services.ingest.normalise.attributions import Attribution, find_attributions
from services.ingest.parsers.addendum_answers import (
    Answer,
    cell_answer,
    opening_answer,
    read_answer,
    sentence_answer,
    speaks_of_several,
    speaks_of_this,
    whole_answer,
)
from services.ingest.parsers.addendum_numbers import Numbering, find_runs
from services.ingest.parsers.addendum_sentences import sentences_of

_LOOKED_AT = 3
_SHORT = 60
_LEAST_WORDS = 2
_BETWEEN = " \t\n;,.*:–—-"
_LABELS = ("response", "position", "reply", "answer", "respuesta", "posición", "réponse")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a passage that opens with numbers holds: the recommendation as printed, by whom, and the answer.

    `of_several`: the answer is to the recommendations before it too ("These recommendations are accepted").
    """

    answer: Answer | None
    of_several: bool = False
    text: str | None = None
    recommending_states: tuple[str, ...] = ()


def read_reply(words: str, codes: Mapping[str, Answer], numbering: Numbering) -> Reply:
    """Read what stands after the numbers that open a passage; its lines are apart."""
    flat = " ".join(words.split())
    attributions = find_attributions(flat)
    text, states, end = _printed(flat, attributions)
    after = flat[end:]
    answer = _answer(words, flat, end, codes, numbering)
    return Reply(answer, _is_of_several(after), text, states)


def answer_to_what_stands_above(words: str, numbering: Numbering) -> Reply:
    """The answer of a paragraph that follows a recommendation: its first sentences, if they name no other."""
    flat = " ".join(words.split())
    return Reply(_opening(flat) or _first_sentence_answer(flat, numbering), _is_of_several(flat))


def _is_of_several(words: str) -> bool:
    return speaks_of_several(words) or words.strip(_BETWEEN).casefold().startswith(_LABELS)


def _printed(flat: str, attributions: list[Attribution]) -> tuple[str | None, tuple[str, ...], int]:
    """The recommendation that opens the words, who made it, and where its attribution ends."""
    if not attributions:
        return None, (), 0
    last = attributions[0]
    for following in attributions[1:]:
        if flat[last.end : following.start].strip(_BETWEEN):
            break
        last = following
    end = max(each.end for each in attributions)
    text = flat[: attributions[0].start].strip(' “”"«»:;,.–—-)')
    several = last is not attributions[-1]
    if several or len(text.split()) < _LEAST_WORDS:
        return None, (), end
    joined = [state for each in attributions for state in each.states]
    return text, tuple(dict.fromkeys(joined)), end


def _answer(words: str, flat: str, end: int, codes: Mapping[str, Answer], numbering: Numbering) -> Answer | None:
    """The answer in a reply: what opens it, what follows the recommendation's own words, or a line of its own."""
    after = flat[end:]
    coded = _coded(words, after, codes)
    if coded:
        return coded
    if end:
        following = _opening(after) or _first_sentence_answer(after, numbering)
        if following:
            return following
    opened = _opening(flat)
    if opened and opened.position:
        return opened
    for line in words.split("\n"):
        alone = whole_answer(line.strip())
        if alone and alone.position:
            return alone
    return cell_answer(after) or _first_sentence_answer(after, numbering) or opened


def _coded(words: str, after: str, codes: Mapping[str, Answer]) -> Answer | None:
    """The answer by a code: first after the attribution, or alone in its line."""
    first = after.strip(_BETWEEN).split(" ")[0].strip(_BETWEEN)
    if first in codes:
        return codes[first]
    return next((codes[line.strip()] for line in words.split("\n") if line.strip() in codes), None)


def _opening(words: str) -> Answer | None:
    """The answer that opens a reply, with what a short sentence after it adds: "Supported. Already implemented."."""
    opened = opening_answer(words)
    if opened is None or opened.position is not Position.SUPPORTED or opened.detail:
        return opened
    added = next((read_answer(sentence) for sentence in list(sentences_of(words))[1:2] if len(sentence) < _SHORT), None)
    return replace(opened, detail=added.detail) if added and added.position is None else opened


def _first_sentence_answer(words: str, numbering: Numbering) -> Answer | None:
    """The answer of one of the first sentences, or the last; of one that cites others the words before them."""
    sentences = list(sentences_of(words))
    for sentence in [*sentences[:_LOOKED_AT], *sentences[-1:]]:
        runs = find_runs(sentence, numbering)
        about = sentence[: runs[0].start] if runs else sentence
        answer = sentence_answer(about) if not runs or speaks_of_this(about) else None
        if answer:
            return answer
    return None
