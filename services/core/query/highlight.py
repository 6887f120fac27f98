"""What matched, marked in the stored text. Ours, so that every engine's hits look alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from services.core.query.analysis import LANGUAGES, Token, composed, concepts_in, languages_of, stems_of, tokenise
from services.core.query.matcher import find_phrase
from services.core.query.tree import Query

OPEN, CLOSE = "<mark>", "</mark>"


@dataclass(frozen=True, slots=True)
class Marks:
    """What to mark: folded words (as an engine found them: exact, misspelt, begun), stems, phrases, and concepts."""

    words: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    phrases: tuple[tuple[str, ...], ...] = ()
    concepts: frozenset[str] = frozenset()


def marks_of(query: Query, found_words: frozenset[str] = frozenset()) -> Marks:
    """What a query asks for, and the words of the index that an engine took for it."""
    words = frozenset(word.text for word in query.words)
    stems = frozenset(stem for word in words for stem in stems_of(word))
    concepts = frozenset(code for synonym in query.synonyms for code in synonym.concepts)
    return Marks(words | found_words, stems, tuple(phrase.words for phrase in query.phrases), concepts)


def highlight(text: str, marks: Marks) -> str | None:
    """The text as HTML, escaped, what matched between `<mark>` and `</mark>`. None where nothing matched."""
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
    tokens = tuple(tokenise(line))
    words = tuple(token.word for token in tokens)
    languages = languages_of(words)
    found = [span for token in tokens for span in _token_spans(token, marks, languages)]
    for phrase in marks.phrases:
        found.extend((tokens[at].start, tokens[at + len(phrase) - 1].end) for at in find_phrase(phrase, words))
        found.extend((part.start, part.end) for token in tokens for part in token.parts if (part.word,) == phrase)
    if marks.concepts:
        named = (each for each in concepts_in(words, line, languages) if not marks.concepts.isdisjoint(each.codes))
        found.extend((tokens[each.start].start, tokens[each.end - 1].end) for each in named)
    last = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if end > last:
            yield max(start, last), end
            last = end


def _token_spans(token: Token, marks: Marks, languages: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    if _is_marked(token.word, marks, languages):
        yield token.start, token.end
        return
    for part in token.parts:
        if _is_marked(part.word, marks, LANGUAGES):
            yield part.start, part.end


@lru_cache(maxsize=4_096)
def _is_marked(word: str, marks: Marks, languages: tuple[str, ...]) -> bool:
    """Remembered, because the texts of one answer have most of their words in common."""
    return word in marks.words or not marks.stems.isdisjoint(stems_of(word, languages))
