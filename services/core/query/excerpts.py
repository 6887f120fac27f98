"""Where a long text says what was asked for: the sentences that say most of it, marked.

Nobody reads a statement of five pages among twenty hits to find a word in it, nor waits for all of it twice.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Final

from services.core.query.analysis import composed
from services.core.query.concepts import concepts
from services.core.query.highlight import Marks, highlight

SHOWN_WHOLE: Final = 1_200
"""Letters up to which a text is shown whole."""
SENTENCES: Final = 3
"""How many are shown at most."""
LONGEST: Final = 600
"""Letters of a sentence, about: longer ones are cut around what was found."""
ELLIPSIS: Final = "…"

_ENDS: Final = (". ", "; ", "? ", "! ", "\n")
_END: Final = re.compile("|".join(map(re.escape, _ENDS)))
_PLACES_OF_ONE: Final = 24
"""Places looked at of one word: it may stand in every line."""
_TOLD_BY: Final = 6
"""Letters by which a word is looked for: inflections differ after them."""

_Stretch = tuple[int, int]


def shown(text: str, marks: Marks) -> str | None:
    """The text with what matched marked (`highlight`); of a long one the sentences that hold most of what was asked
    for, an ellipsis where something is left out. None where nothing matched.
    """
    if len(text) <= SHOWN_WHOLE:
        return highlight(text, marks)
    text = composed(text)
    chosen = _chosen(text, marks)
    marked = [highlight(text[start:end], marks) for start, end in chosen]
    if not any(marked):  # it matches by other letters than we looked for
        return highlight(text, marks)
    parts: list[str] = []
    at = 0
    for (start, end), part in zip(chosen, marked, strict=True):
        parts += ([ELLIPSIS] if start > at else []) + [part or escape(text[start:end])]
        at = end
    return " ".join([*parts, ELLIPSIS] if at < len(text) else parts)


def _chosen(text: str, marks: Marks) -> list[_Stretch]:
    """The sentences that hold most of the words, in the order of the text; of equals the first."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is longer: places would not be the text's
        return []
    held: dict[_Stretch, set[str]] = {}
    sentence = (0, 0)
    places = sorted((place, word) for word in _looked_for(marks) for place in _places(lower, word))
    for place, word in places:
        if place >= sentence[1]:
            sentence = _sentence_around(text, place)
        held.setdefault(sentence, set()).add(word)
    best = sorted(held, key=lambda stretch: (-len(held[stretch]), stretch))[:SENTENCES]
    return _joined(sorted(best))


@lru_cache(maxsize=64)
def _looked_for(marks: Marks) -> tuple[str, ...]:
    """Beginnings of what is marked, without those that another begins with."""
    forms = (form.lower() for code in marks.concepts for form in concepts()[code].all_forms)
    phrases = (" ".join(phrase) for phrase in marks.phrases)
    words = (word[:_TOLD_BY] for word in (*marks.words, *(stem.partition(":")[2] for stem in marks.stems)))
    found: list[str] = []
    for beginning in sorted({*forms, *phrases, *words} - {""}):
        if not found or not beginning.startswith(found[-1]):
            found.append(beginning)
    return tuple(found)


def _places(text: str, word: str) -> Iterator[int]:
    """Where words begin with these letters: the first of these places."""
    place = text.find(word)
    for _ in range(_PLACES_OF_ONE):
        if place < 0:
            return
        if place == 0 or not text[place - 1].isalnum():
            yield place
        place = text.find(word, place + len(word))


def _sentence_around(text: str, place: int) -> _Stretch:
    """The sentence of a place; of one that is long, what stands near."""
    first, last = max(place - LONGEST // 2, 0), min(place + LONGEST // 2, len(text))
    starts = [found + len(mark) for mark in _ENDS if (found := text.rfind(mark, first, place)) >= 0]
    end = _END.search(text, place, last)
    return (
        max(starts) if starts else _after_blank(text, first),
        end.end() - 1 if end else _before_blank(text, last, place),
    )


def _after_blank(text: str, place: int) -> int:
    return place if place == 0 or text[place - 1].isspace() else text.find(" ", place) + 1


def _before_blank(text: str, end: int, place: int) -> int:
    return end if end == len(text) or text[end].isspace() else max(text.rfind(" ", place, end), place + 1)


def _joined(stretches: list[_Stretch]) -> list[_Stretch]:
    """The same with neighbours as one, and nothing twice."""
    joined: list[_Stretch] = []
    for start, end in stretches:
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
