"""Recommendations like one: found by the rarest stems of its text, compared word by word, and explained.

The engine proposes the records that share most of the stems that tell most. How like two texts are is worked out here,
alike for all engines: Sørensen and Dice's coefficient of their stems, rare ones counting more. Texts are compared in a
language that both are held in.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from services.core.domain.identifiers import normalised_text, sort_key
from services.core.query.analysis import LANGUAGES, composed, stems_of, tokenise
from services.core.query.parser import parse_query
from services.core.schemas.shapes import Shape
from services.search.engines.base import Engine as SearchEngine
from services.search.engines.base import Hit, SearchRequest

NOUN: Final = "recommendations"
NEARLY_THE_SAME: Final = 0.75
"""Likeness from which on texts are nearly the same, as in the API's `related`."""
LEAST_LIKENESS: Final = 0.2
"""Below it texts have no more in common than words that most recommendations have."""
CANDIDATES: Final = 100
"""How many the engine proposes, of the same State's and of all."""
MOST_SHARED: Final = 5
SCOPES: Final = ("all", "same_state", "earlier", "later", "other_states")
_BEYOND_THE_STATE: Final = ("all", "other_states")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one language: its words in order, their stems, and what it says without case and marks."""

    words: tuple[str, ...]
    printed: tuple[str, ...]
    stems: tuple[str, ...]
    normalised: str

    @classmethod
    def of(cls, text: str, language: str) -> "Text":
        """Stems are of the language; of one that is not stemmed they are the words."""
        text = composed(text)
        tokens = list(tokenise(text))
        words = tuple(token.word for token in tokens)
        spoken = (language,) if language in LANGUAGES else LANGUAGES
        stems = tuple(stems_of(word, spoken)[0] for word in words)
        return cls(words, tuple(text[token.start : token.end] for token in tokens), stems, normalised_text(text))


@dataclass(frozen=True)
class Similar:
    """A recommendation that is like another: how much, and in which words."""

    record: Shape
    likeness: float
    same_text: bool
    same_state: bool
    cycles_later: int
    shared: tuple[str, ...]
    marked: frozenset[str]

    @property
    def says_the_same(self) -> bool:
        """Whether it is the same text, or nearly."""
        return self.same_text or self.likeness >= NEARLY_THE_SAME

    @property
    def why(self) -> list[str]:
        """What makes it like the other, in codes."""
        kind = "same_text" if self.same_text else "nearly_same_text" if self.says_the_same else "shared_words"
        return [kind, *(["same_state"] if self.same_state else [])]

    @property
    def place(self) -> tuple[object, ...]:
        """What says the same comes first, to the same State before others; then what is most like it."""
        of_other = not self.same_state if self.says_the_same else False
        return not self.says_the_same, of_other, -self.likeness, sort_key(self.record["id"])


class Likeness:
    """One recommendation, to be compared with others."""

    def __init__(self, engine: SearchEngine, record: Shape) -> None:
        self.record = record
        self._engine = engine
        self._texts = {language: Text.of(text, language) for language, text in _texts(record).items()}

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """How much each stem tells: what many texts hold tells little."""
        stems = {stem for text in self._texts.values() for stem in text.stems}
        held = self._engine.frequencies(stems)
        everything = sum(self._engine.counts().values())
        return {stem: _weight(held.get(stem, 0), everything) for stem in stems}

    def find(self, scope: str, filters: SearchRequest) -> list[Similar]:
        """The recommendations of a scope that are like it, the likest first, under the request's filters."""
        proposed: dict[str, Hit] = {}
        # The State's own are asked for apart: what many States were told must not crowd them out.
        for request in (self._narrowed(filters), filters if scope in _BEYOND_THE_STATE else None):
            if request is not None:
                proposed |= {hit.id: hit for hit in self._engine.like(self.weights, request, CANDIDATES)}
        compared = (self._compared(hit.record) for id_, hit in proposed.items() if id_ != self.record["id"])
        found = [each for each in compared if each is not None and _in_scope(each, scope)]
        return sorted(found, key=lambda each: each.place)

    def repetitions(self) -> list[Similar]:
        """What the same State was told in the same words, or nearly, the earliest first."""
        everything = SearchRequest(parse_query(""), NOUN)
        found = [each for each in self.find("same_state", everything) if each.says_the_same]
        return sorted(
            found, key=lambda each: (each.record["cycle"], each.record["date"] or "", sort_key(each.record["id"]))
        )

    def _narrowed(self, request: SearchRequest) -> SearchRequest | None:
        """The request, of recommendations to the same State. None where its filters leave these out."""
        state = self.record["state_under_review"]["code"]
        chosen = request.filters.get("state_under_review", (state,))
        return (
            replace(request, filters={**request.filters, "state_under_review": (state,)}) if state in chosen else None
        )

    def _compared(self, record: Shape) -> Similar | None:
        """How like another recommendation is; None where no text of it is in a language of this one."""
        best: tuple[float, str, Text] | None = None
        for language, text in _texts(record).items():
            if own := self._texts.get(language):
                other = Text.of(text, language)
                likeness = self._likeness(own, other)
                if best is None or likeness > best[0]:
                    best = likeness, language, other
        if best is None:
            return None
        likeness, language, other = best
        own = self._texts[language]
        same_text = own.normalised == other.normalised
        if likeness < LEAST_LIKENESS and not same_text:
            return None
        return Similar(
            record=record,
            likeness=1.0 if same_text else min(likeness, 0.999),
            same_text=same_text,
            same_state=record["state_under_review"]["code"] == self.record["state_under_review"]["code"],
            cycles_later=record["cycle"] - self.record["cycle"],
            shared=tuple(self._shared(own, other)),
            marked=self._telling(set(own.stems) & set(other.stems)),
        )

    def _likeness(self, some: Text, other: Text) -> float:
        """Sørensen and Dice's coefficient of the stems, by weight. Stems of the other alone are as rare as they come
        on average: the engine is not asked for them."""
        stems, others = set(some.stems), set(other.stems)
        common = self._sum(stems & others)
        usual = self._sum(stems) / len(stems) if stems else 0.0
        everything = self._sum(stems) + common + usual * len(others - stems)
        return round(2 * common / everything, 3) if everything else 0.0

    def _sum(self, stems: Iterable[str]) -> float:
        return sum(self.weights.get(stem, 0.0) for stem in stems)

    def _telling(self, stems: set[str]) -> frozenset[str]:
        """Those of the stems that tell something: the rarer half of the text's."""
        known = sorted(self.weights.values())
        middle = known[len(known) // 2] if known else 0.0
        return frozenset(stem for stem in stems if self.weights.get(stem, 0.0) >= middle)

    def _shared(self, own: Text, other: Text) -> Iterator[str]:
        """The rarest words and phrases that both have, as the other prints them, the most telling first."""
        telling = self._telling(set(own.stems) & set(other.stems))
        blocks = SequenceMatcher(None, own.stems, other.stems, autojunk=False).get_matching_blocks()
        found: dict[str, float] = {}
        for _, start, length in blocks:
            at, end = start, start + length
            while at < end and other.stems[at] not in telling:
                at += 1
            while end > at and other.stems[end - 1] not in telling:
                end -= 1
            if at < end:
                found.setdefault(" ".join(other.printed[at:end]), self._sum(other.stems[at:end]))
        yield from sorted(found, key=lambda phrase: (-found[phrase], phrase))[:MOST_SHARED]


def _weight(held: int, everything: int) -> float:
    """A stem that no text holds, since it is new, tells as much as one of a single text."""
    return math.log(1 + everything / max(held, 1))


def _texts(record: Shape) -> dict[str, str]:
    """The text in its languages."""
    return {**record["translations"], record["text_language"]: record["text"]}


def _in_scope(each: Similar, scope: str) -> bool:
    match scope:
        case "same_state":
            return each.same_state
        case "earlier":
            return each.same_state and each.cycles_later < 0
        case "later":
            return each.same_state and each.cycles_later > 0
        case "other_states":
            return not each.same_state
        case _:
            return True


def first_made(record: Shape, repetitions: Sequence[Similar]) -> Shape:
    """The record that said it first: this one or a repetition of it."""
    every = [record, *(each.record for each in repetitions)]
    return min(every, key=_moment)


def _moment(record: Shape) -> tuple[int, str, str]:
    """In the order in which they were made."""
    return record["cycle"], record["date"] or "", sort_key(record["id"])
