"""What matched, marked in the stored text. Ours, so that every engine's hits look alike."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import accumulate, compress

from services.core.query.analysis import (
    LANGUAGES,
    Token,
    composed,
    concepts_in,
    languages_of,
    may_begin,
    runs_of,
    stems_of,
    tokenise,
    tokens_of_run,
    words_of_runs,
)
from services.core.query.matcher import find_phrase
from services.core.query.parser import forms_among
from services.core.query.readings import Reading
from services.core.query.tree import Query, Word

OPEN, CLOSE = "<mark>", "</mark>"


@dataclass(frozen=True, slots=True)
class Marks:
    """What to mark: folded words (as an engine found them: exact, misspelt, begun), stems, phrases, and concepts."""

    words: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, ...], ...] = ()
    concepts: frozenset[str] = frozenset()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.words, self.stems, self.phrases, self.concepts)))

    def __hash__(self) -> int:
        """Worked out once: what is to be marked in a text is looked up by it, for every line of every hit."""
        return self._hash


_same = lru_cache(maxsize=256)(lambda marks: marks)
"""The first of those that are equal, so that to compare them is to see that they are one."""

_TRIED = 3
"""Of the words that a misspelt one was read as, so many are tried whether they name something."""

NOTHING = Marks()
"""Of a query without words."""


def marks_of(
    query: Query, found_words: frozenset[str] = frozenset(), readings: Mapping[Word, Reading] | None = None
) -> Marks:
    """What a query asks for, and the words of the index that an engine took for it, which read some as others."""
    words = frozenset(word.text for word in query.words)
    stems = frozenset(stem for word in words for stem in stems_of(word))
    concepts = frozenset(code for synonym in query.synonyms for code in synonym.concepts)
    concepts |= _concepts_meant(query, readings) if readings else frozenset()
    same: Marks = _same(Marks(words | found_words, stems, tuple(phrase.words for phrase in query.phrases), concepts))
    return same


def _concepts_meant(query: Query, readings: Mapping[Word, Reading]) -> frozenset[str]:
    """What words name once they are spelt as they were read: where names of one language are found by them
    ("indigneas"), a text says the same in another ("indigenous").
    """
    nearest = {word.text: reading.nearest for word, reading in readings.items() if reading.nearest}
    typed = tuple(token.word for token in tokenise(composed(query.text))) if nearest else ()
    meant: set[str] = set()
    for place in range(min(_TRIED, max(map(len, nearest.values()), default=0))):
        read = [(nearest.get(word, (word,)) * _TRIED)[place] for word in typed]
        for first, beyond, codes in forms_among(read, query.text):
            if not nearest.keys().isdisjoint(typed[first:beyond]):
                meant.update(codes)
    return frozenset(meant)


def highlight(text: str, marks: Marks) -> str | None:
    """The text as HTML, escaped, what matched between `<mark>` and `</mark>`. None where nothing matched."""
    if marks == NOTHING:
        return None
    text = composed(text)
    pieces: list[str] = []
    at = 0
    for start, end in _spans(text, marks):
        pieces += (escape(text[at:start]), OPEN, escape(text[start:end]), CLOSE)
        at = end
    return "".join((*pieces, escape(text[at:]))) if pieces else None


def _spans(text: str, marks: Marks) -> list[tuple[int, int]]:
    """Where to mark, in order and without overlaps."""
    spans: list[tuple[int, int]] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        spans.extend((begin + start, begin + end) for start, end in _spans_of_line(line, marks))
        begin += len(line)
    return spans


def _spans_of_line(line: str, marks: Marks) -> Iterator[tuple[int, int]]:
    """Long texts are walked by built-ins alone: only what is marked is looked at one by one."""
    runs, places = runs_of(line)
    if not any(map(_touched(marks).__getitem__, runs)):
        return
    words = tuple(words_of_runs(runs))
    languages = languages_of(words)
    marked = list(map(_marked(marks, languages).__getitem__, runs))
    stretches = list(_stretches(words, line, marks, languages))
    if not stretches and not any(marked):
        return
    found = [
        (place + start, place + end)
        for place, spans in compress(zip(places, marked, strict=True), marked)
        for start, end in spans
    ]
    if stretches:
        ends = list(accumulate(map(len, map(tokens_of_run, runs))))
        for first, beyond in stretches:
            found.append((_token_at(first, runs, places, ends)[0], _token_at(beyond - 1, runs, places, ends)[1]))
    last = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if end > last:
            yield max(start, last), end
            last = end


def _token_at(word: int, runs: Sequence[str], places: Sequence[int], ends: Sequence[int]) -> tuple[int, int]:
    """Where the word with this number begins and ends. `ends`: the words up to the end of each run."""
    run = bisect_right(ends, word)
    token = tokens_of_run(runs[run])[word - (ends[run - 1] if run else 0)]
    return places[run] + token.start, places[run] + token.end


def _stretches(
    words: tuple[str, ...], line: str, marks: Marks, languages: tuple[str, ...]
) -> Iterator[tuple[int, int]]:
    """Phrases and concepts, by the numbers of their first word and of the one after the last."""
    for phrase in marks.phrases:
        yield from ((at, at + len(phrase)) for at in find_phrase(phrase, words))
    if marks.concepts:
        named = concepts_in(words, line, languages, marks.concepts)
        yield from ((each.start, each.end) for each in named)


class _Marked(dict[str, tuple[tuple[int, int], ...]]):
    """What to mark in each run of letters. Worked out once: the texts of an answer have most runs in common."""

    def __init__(self, marks: Marks, languages: tuple[str, ...]) -> None:
        super().__init__()
        self._marks = marks
        self._languages = languages

    def __missing__(self, run: str) -> tuple[tuple[int, int], ...]:
        spans = tuple(span for token in tokens_of_run(run) for span in self._of_token(token))
        if len(self) < _MOST_RUNS:
            self[run] = spans
        return spans

    def _of_token(self, token: Token) -> Iterator[tuple[int, int]]:
        if self._is_marked(token.word, self._languages):
            yield token.start, token.end
            return
        for part in token.parts:
            if self._is_marked(part.word, LANGUAGES) or (part.word,) in self._marks.phrases:
                yield part.start, part.end

    def _is_marked(self, word: str, languages: tuple[str, ...]) -> bool:
        return word in self._marks.words or not self._marks.stems.isdisjoint(stems_of(word, languages))


class _Touched(dict[str, bool]):
    """Whether a line with this run may hold anything to mark, in any language: most lines of long texts do not."""

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._marks = marks
        self._marked = _marked(marks, LANGUAGES)
        self._first_words = {phrase[0] for phrase in marks.phrases}

    def __missing__(self, run: str) -> bool:
        words = [token.word for token in tokens_of_run(run)]
        opens = any(word in self._first_words or may_begin(word, self._marks.concepts) for word in words)
        found = opens or bool(self._marked[run])
        if len(self) < _MOST_RUNS:
            self[run] = found
        return found


_MOST_RUNS = 20_000
_touched = lru_cache(maxsize=32)(_Touched)
_marked = lru_cache(maxsize=128)(_Marked)
"""Of the last queries, by the languages of lines."""
