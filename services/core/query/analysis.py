"""How text becomes words: one tokenizer, one folding and one stemming for indexing, queries, highlights and matching.

- A *word* is a run of letters and digits, folded: lower case, no accents, compatibility forms resolved (NFKD).
- Elided articles (`l'`, `d'`, `qu'` …) and the possessive `'s` are dropped, other apostrophes close up (`O'Brien`).
- A *symbol* is a run that holds a digit and inner `/`, `.`, `-` or `~` (`A/HRC/22/15`, `116.17`, `PER-2-116.17`,
  `COVID-19`). It is one exact word. Its parts (`hrc`, `116.17`, `covid`) can be found on their own as well.
- Other hyphens and slashes part words (`non-discrimination` is two words side by side).
- A *stem* is marked with its language (`en:tortur`), so that words of different languages never meet by accident.
  The language is that of the line of text: as told, or by its function words, or all three where nothing tells.
- Beside the stems stand the tokens of the concepts that a line names, in whatever words (`concepts`).
"""

import hashlib
import re
import threading
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, chain, compress
from pathlib import Path
from typing import Any, NamedTuple

import Stemmer

from services.core.query.concepts import Finder, Found, concepts

LANGUAGES = ("en", "es", "fr")
MAX_WORD_LETTERS = 60
"""Longer words are cut, in texts and queries alike (Meilisearch does not index words beyond 250 bytes)."""

_SNOWBALL_NAMES = {"en": "english", "es": "spanish", "fr": "french"}
_ELIDED = frozenset({"l", "d", "qu", "n", "s", "j", "c", "m", "t", "jusqu", "lorsqu", "puisqu", "quelqu"})
_APOSTROPHES = "'’ʼ`´＇"
_IGNORABLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Soft hyphens, zero-width characters and directional marks: inside a word they are not there."""


def _combining_marks() -> str:
    """All marks of the Basic Multilingual Plane as ranges of a character class (`re` knows no `\\p{M}`)."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0xFFFF):
        if unicodedata.category(chr(code))[0] != "M":
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_LETTERS = rf"(?:[^\W_]++|[{_IGNORABLE}{_combining_marks()}]++)++"
_RUN = re.compile(rf"{_LETTERS}(?:[{_APOSTROPHES}./~-]{_LETTERS})*")
_ASCII_RUN = re.compile(r"[A-Za-z0-9]++(?:['`./~-][A-Za-z0-9]++)*+")
_JOINED = re.compile(r"[0-9'`]")
"""Without these, marks join no ASCII letters: all of them part words."""
_PRINTED = re.compile(r"[“”‟„«»–—…•]")
"""Marks in print that part words as blanks do: most texts without other letters than ASCII hold some, or a `’`."""
_PARTING = {code: " " for code in range(128) if not chr(code).isalnum()}
_CODE = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9]++(?:[/~-][A-Za-z0-9]++)++")
"""The plainest of symbols, such as ids: nothing in it needs a second look."""
_RUN_APART, _ASCII_RUN_APART = re.compile(f"({_RUN.pattern})"), re.compile(f"({_ASCII_RUN.pattern})")
_APOSTROPHE = re.compile(f"[{_APOSTROPHES}]")
_DROPPED = re.compile(f"[{_IGNORABLE}]")
_PLAIN = re.compile(rf"{_LETTERS}(?:[{_APOSTROPHES}]{_LETTERS})*")
_SYMBOL = re.compile(
    # Slashes, hyphens and tildes join whatever a digit is near to; a full stop joins digits, or a short prefix
    # and a digit ("Add.1", "WG.6"), or a digit and one letter ("24.b"): "rights.12" is a word and a footnote.
    rf"{_LETTERS}(?:[/~-]{_LETTERS}|(?:(?<=\d)\.(?=\d)|(?<![^\W\d_]{{5}})(?<=[^\W\d_])\.(?=\d)|(?<=\d)\.(?=[^\W\d_](?![^\W_]))){_LETTERS})+"
)
_DIGIT = re.compile(r"[0-9]")
_PART = re.compile(r"\d+(?:\.\d+)*(?![^\W\d_])|[^\W_]+")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text: folded, and where it stands in the composed (NFC) text. Only symbols have `parts`."""

    word: str
    start: int
    end: int
    parts: tuple["Token", ...] = ()


class AnalysedText(NamedTuple):
    """A field's words in passages that phrases do not cross (lines; a symbol's parts), its stems and concepts."""

    passages: tuple[tuple[str, ...], ...]
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Lexicon:
    languages_of: Mapping[str, str]
    irregular: Mapping[str, Mapping[str, str]]
    endings: Mapping[str, Mapping[str, str]]
    kept_apart: Mapping[str, Mapping[str, str]]
    little_words: frozenset[str]


def _read_lexicon() -> _Lexicon:
    facts: dict[str, Any] = tomllib.loads((Path(__file__).parent / "lexicon.toml").read_text("utf-8"))
    languages_of = {word: language for language, words in facts["function_words"].items() for word in words}
    kept_apart = {
        language: {word: f"{words[0]}=" for words in several for word in words}
        for language, several in facts["kept_apart"].items()
    }
    irregular, endings = facts["irregular_forms"], facts["endings"]
    return _Lexicon(languages_of, irregular, endings, kept_apart, frozenset(facts["little_words"]))


_LEXICON = _read_lexicon()
_STEMMERS = {language: Stemmer.Stemmer(name, 0) for language, name in _SNOWBALL_NAMES.items()}
_STEMMING = threading.Lock()


@cache
def words_edition() -> str:
    """Eight hex digits that change with the words that this analysis knows by name: lexicon, concepts, States."""
    tables = ("lexicon.toml", "concepts.toml", "state_names.csv", "spoken_state_names.csv")
    return hashlib.sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in tables)).hexdigest()[:8]


def composed(text: str) -> str:
    """The text in NFC: the form that token positions refer to."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """Lower case without accents or invisible characters: what is equal in two spellings of one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", _DROPPED.sub("", text))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFKD", bare.casefold()).translate(_LIGATURES)


def is_exact(word: str) -> bool:
    """True for symbols and numbers: words that are never corrected, completed or stemmed."""
    if word.isalpha():
        return False
    return _DIGIT.search(word) is not None or (not word.isascii() and any(map(str.isdigit, word)))


def is_little(word: str) -> bool:
    """True for a folded article, preposition or conjunction: what a query need not find."""
    return word in _LEXICON.little_words


def runs_of(text: str) -> tuple[list[str], list[int]]:
    """The runs of letters, digits and inner marks of a composed text, which words are cut from, and their places."""
    parts = (_ASCII_RUN_APART if text.isascii() else _RUN_APART).split(text)
    return parts[1::2], list(accumulate(map(len, parts)))[:-1:2]


def tokenise(text: str) -> Iterator[Token]:
    """The words of a composed text, in order. See `composed`."""
    for run in (_ASCII_RUN if text.isascii() else _RUN).finditer(text):
        for token in tokens_of_run(run.group()):
            yield _moved(token, run.start()) if run.start() else token


def words_of(line: str) -> tuple[list[str], list[str]]:
    """The words of one line in order, and the parts of its symbols. The fast way, without positions."""
    if not line.isascii():
        line = _PRINTED.sub(" ", composed(line).replace("’", "'"))
    if line.isascii():
        if not _JOINED.search(line):
            words = line.lower().translate(_PARTING).split()
            return words if max(map(len, words), default=0) <= MAX_WORD_LETTERS else _cut(words), []
        if _CODE.fullmatch(line):
            (whole,) = _cut([line.lower()])
            return [whole], [part for part in _cut(_PART.findall(line.lower())) if part != whole]
        runs: list[str] = _ASCII_RUN.findall(line)
    else:
        runs = _RUN.findall(line)
    return words_of_runs(runs), list(chain.from_iterable(map(_PARTS.__getitem__, runs)))


def _cut(words: Iterable[str]) -> list[str]:
    return [word[:MAX_WORD_LETTERS] for word in words]


def words_of_runs(runs: Iterable[str]) -> list[str]:
    """The words of runs, in order."""
    return list(chain.from_iterable(map(_WORDS.__getitem__, runs)))


def languages_of(words: Iterable[str]) -> tuple[str, ...]:
    """The language that the function words among `words` speak for; all of them where they do not tell."""
    lookup = _LEXICON.languages_of
    votes = list(filter(None, map(lookup.get, words)))
    if not votes:
        return LANGUAGES
    counts = list(map(votes.count, LANGUAGES))
    most = max(counts)
    return tuple(compress(LANGUAGES, map(most.__eq__, counts)))


def stems_of(word: str, languages: tuple[str, ...] = LANGUAGES) -> tuple[str, ...]:
    """The marked stems of a folded word in these languages; the word itself where it is exact."""
    if is_exact(word):
        return (word,)
    return tuple(_STEMS[language][word] for language in languages)


def concepts_in(
    words: Sequence[str], line: str, languages: Iterable[str] = LANGUAGES, only: frozenset[str] | None = None
) -> tuple[Found, ...]:
    """Where the words of a line name concepts, in any of these languages. `only` these, where given."""
    return tuple(found for language in languages for found in _concepts_in(words, line, language, only))


def may_begin(word: str, only: frozenset[str]) -> bool:
    """Whether a form of these concepts may begin with this word, in any language."""
    return bool(only) and any(_finder(language, only).opens(word) for language in LANGUAGES)


def _concepts_in(words: Sequence[str], line: str, language: str, only: frozenset[str] | None) -> list[Found]:
    stems = list(map(_STEMS[language].__getitem__, words))
    found = _finder(language, only).find(words, stems, line)
    if only is None or not any(concepts()[code].is_name for each in found for code in each.codes):
        return found
    everything = _finder(language).find(words, stems, line)  # a name may stand inside a longer one
    return [each for each in everything if not only.isdisjoint(each.codes)]


@lru_cache(maxsize=512)
def _finder(language: str, only: frozenset[str] | None = None) -> Finder:
    return Finder(language, lambda form: words_of(form)[0], _STEMS[language].__getitem__, only)


def analyse(text: str, language: str | None = None) -> AnalysedText:
    """Words and stems of one field. `language` is `en`, `es` or `fr` where known; others are guessed line by line."""
    lines = [analyse_line(line, language) for line in text.splitlines()]
    if len(lines) == 1:
        return lines[0]
    passages = tuple(passage for line in lines for passage in line.passages)
    return AnalysedText(passages, frozenset().union(*[line.stems for line in lines]))


def analyse_line(line: str, language: str | None = None) -> AnalysedText:
    """`analyse` for a text without line ends."""
    words, parts = words_of(line)
    if not words:
        return _NOTHING
    if len(words) == 1 and parts and words[0] not in _codes_of_concepts():  # an id, mostly
        return AnalysedText((tuple(words), *zip(parts)), frozenset(chain(words, *map(stems_of, parts))))
    stems: list[str] = []
    for spoken in (language,) if language in _STEMS else languages_of(words):
        stemmed = list(map(_STEMS[spoken].__getitem__, words))
        stems += stemmed
        stems += _finder(spoken).tokens(words, stemmed, line)
    if not parts:
        return AnalysedText((tuple(words),), frozenset(stems))
    return AnalysedText((tuple(words), *zip(parts)), frozenset(chain(stems, *map(stems_of, parts))))


_NOTHING = AnalysedText((), frozenset())


@cache
def _codes_of_concepts() -> frozenset[str]:
    """The symbols that are forms of concepts, such as `covid-19`."""
    forms = (words_of(form)[0] for concept in concepts().values() for form in concept.all_forms)
    return frozenset(words[0] for words in forms if len(words) == 1 and is_exact(words[0]))


class _Stems(dict[str, str]):
    """A language's stems by word, worked out when first asked for. Forgets all when it grows too large."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> str:
        if is_exact(word):  # numbers and ids, each of which stands in few texts
            return word
        if len(self) > 300_000:
            self.clear()
        stem = self[word] = f"{self._language}:{_stem(word, self._language)}"
        return stem


_STEMS = {language: _Stems(language) for language in LANGUAGES}


def _stem(word: str, language: str) -> str:
    if own := _LEXICON.kept_apart[language].get(word):
        return own
    base = _LEXICON.irregular[language].get(word)
    if base is None:
        base = word
        for ending, other in _LEXICON.endings[language].items():
            if base.endswith(ending) and len(base) > len(ending) + 1:
                base = base.removesuffix(ending) + other
    with _STEMMING:  # a stemmer keeps the word that it works on in itself
        return str(_STEMMERS[language].stemWord(base))


class _Remembered(dict[str, tuple[str, ...]]):
    """Something of runs, worked out when first asked for. Forgets all when it grows too large."""

    def __init__(self, of_token: Callable[[Token], Iterable[str]]) -> None:
        super().__init__()
        self._of_token = of_token

    def __missing__(self, run: str) -> tuple[str, ...]:
        if len(self) > _MOST_RUNS:
            self.clear()
        found = self[run] = tuple(each for token in tokens_of_run(run) for each in self._of_token(token))
        return found


_MOST_RUNS = 200_000
_WORDS = _Remembered(lambda token: (token.word,))
_PARTS = _Remembered(lambda token: (part.word for part in token.parts))


@lru_cache(maxsize=50_000)
def tokens_of_run(run: str) -> tuple[Token, ...]:
    """The tokens of one run of letters, digits and inner marks; positions count from its beginning."""
    if run.isascii() and run.isalnum():
        return (Token(run.lower()[:MAX_WORD_LETTERS], 0, len(run)),)
    tokens: list[Token | None] = []
    at = 0
    while found := _PLAIN.search(run, at):
        joined = _SYMBOL.match(run, found.start())
        if joined and is_exact(joined.group()):
            tokens.append(_symbol(joined))
            at = joined.end()
        else:  # whatever is joined here holds no digit: none of it need be tried again
            at = joined.end() if joined else found.end()
            tokens.extend(map(_plain, _PLAIN.finditer(run, found.start(), at)))
    return tuple(token for token in tokens if token)


def _symbol(found: re.Match[str]) -> Token:
    parts = (_part(part.group(), found.start() + part.start()) for part in _PART.finditer(found.group()))
    whole = fold(found.group())[:MAX_WORD_LETTERS]
    return Token(whole, found.start(), found.end(), tuple(part for part in parts if part.word != whole))


def _plain(found: re.Match[str]) -> Token | None:
    start, end = found.span()
    pieces = _APOSTROPHE.split(found.group())
    if len(pieces) > 1 and fold(pieces[0]) in _ELIDED:
        start += len(pieces[0]) + 1
        pieces = pieces[1:]
    if len(pieces) > 1 and fold(pieces[-1]) == "s":
        end -= 2
        pieces = pieces[:-1]
    word = fold("".join(pieces))[:MAX_WORD_LETTERS]
    return Token(word, start, end) if word else None


def _part(text: str, start: int) -> Token:
    return Token(fold(text)[:MAX_WORD_LETTERS], start, start + len(text))


def _moved(token: Token, by: int) -> Token:
    parts = tuple(_moved(part, by) for part in token.parts) if token.parts else ()
    return Token(token.word, token.start + by, token.end + by, parts)
