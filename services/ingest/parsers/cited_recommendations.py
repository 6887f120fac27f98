"""The recommendations that running text cites by number (English, Spanish, French), and of which cycle they are."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from services.core.domain.documents import SYMBOL_IN_TEXT, read_symbol
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.ingest.parsers.addendum_numbers import Numbering, Run, find_numbering, find_runs, opening_run
from services.ingest.parsers.council_sessions import cycle_adopted_at
from services.ingest.reading import ReadCitation

_LEAST_PARAGRAPH = 20
"""Recommendations stand at the end of a report: none of 60 lists them before paragraph 24. Lower numbers before a dot
are those of sections (`2.1`), and in Spanish thousands (`1.200`)."""

_IN_ENGLISH = (
    (re.compile(r"\brecomendaci(?:ón|ones)\b|\brecommandations?\b", re.IGNORECASE), "recommendation"),
    (re.compile(r"\b(?:n[úu]m(?:ero)?s?|num[ée]ros?|nros?)\b\.?|\bn[ºo°]s?\b\.?", re.IGNORECASE), "No."),
    (re.compile(r"\bp[áa]rr(?:afo)?s?\b\.?|\bparagraphes?\b", re.IGNORECASE), "paragraph"),
    (re.compile(r"(?<=\d)\s*,?\s+(?:y|e|et|o|ou|así como|ainsi que)\s+(?:(?:a\s+)?las?\s+|les?\s+)?(?=\d)"), " and "),
    (re.compile(r"(?<=\d)\s+(?:a|al|à|au|hasta)\s+(?:la\s+)?(?=\d)"), " to "),
)
"""What citations are joined and led by in Spanish and French, as they are read in English."""

_SYMBOL_OF_LIST = re.compile(
    rf"\brecom\w+(?:[^.;]|\.(?=\d)){{0,80}}?({SYMBOL_IN_TEXT.pattern})|({SYMBOL_IN_TEXT.pattern})(?:[^.;]|\.(?=\d)){{0,60}}?\brecom",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(?:[^.;]|[.;](?!\s)){1,1000}(?:[.;]|\s|\Z)|.", re.DOTALL)
"""A sentence, or as much of one as can be looked at in one go."""

_LONGEST_SENTENCE = 2000
_SENTENCE_ENDS = re.compile(r"(?<=[a-z0-9)”\"à-ÿ])[.;]\s+(?=[A-ZÀ-Þ¿“\"])|\n+")
_ORDINALS = (
    ("first", "1st", "primer", "primero", "1er", "1º", "premier", "i"),
    ("second", "2nd", "segundo", "2º", "2do", "deuxième", "second", "2e", "2ème", "ii"),
    ("third", "3rd", "tercer", "tercero", "3º", "3er", "troisième", "3e", "3ème", "iii"),
    ("fourth", "4th", "cuarto", "4º", "4to", "quatrième", "4e", "4ème", "iv"),
)
_ORDINAL = "|".join(word for words in _ORDINALS for word in words)
_CYCLE = re.compile(
    rf"(?:\b(?P<also>{_ORDINAL})\W{{1,2}}(?:and|or|y|o|et|ou)\s(?:the\s|el\s|le\s|du\s)?)?"
    rf"\b(?P<before>{_ORDINAL})\W{{1,2}}(?:UPR\s|EPU\s)?(?:cycles?|ciclos?)\b"
    r"|\b(?:cycle|ciclo)\s(?P<after>[1-4]|I{1,3}|IV)\b",
    re.IGNORECASE,
)


def numbering_of(texts: Iterable[str], language: str = "en") -> Numbering:
    """How a document numbers the recommendations that it cites."""
    pieces = (found[0] for text in texts for found in _PIECE.finditer(_in_english(text, language)))
    found = find_numbering(pieces)
    return Numbering(frozenset(each for each in found.prefixes if int(each) >= _LEAST_PARAGRAPH))


def cited_recommendations(
    text: str, numbering: Numbering, *, language: str = "en", latest: int | None = None
) -> tuple[ReadCitation, ...]:
    """The recommendations that `text` cites, each once; `latest` is the last cycle that they can be of.

    Which cycle they are of is what their own sentence says, if it does.
    """
    words = _in_english(text, language)
    found: dict[ReadCitation, None] = {}
    ends = [0, *(each.end() for each in _SENTENCE_ENDS.finditer(words)), len(words)]
    for run in find_runs(words, numbering):
        start, end = bisect_right(ends, run.start) - 1, bisect_left(ends, run.end)
        cycle = _cycle_told(words[ends[start] : ends[end]][:_LONGEST_SENTENCE], latest) if latest else None
        found.update(dict.fromkeys(ReadCitation(number, cycle) for number in run.numbers))
    return tuple(found)


def opening_citation(line: str, numbering: Numbering, language: str = "en") -> Run | None:
    """The citation that opens a line (`140.7 Ratify …`, `Recommendation 5:`), if one does."""
    return opening_run(_in_english(line, language), numbering)


def cycles_named(text: str) -> set[int]:
    """The cycles that `text` names in words ("second cycle", "tercer ciclo")."""
    return {_cycle_of(word) for found in _CYCLE.finditer(text) for word in found.groups() if word}


def cycle_of_symbol(symbol: str) -> int | None:
    """The cycle of the review that a document of this symbol belongs to."""
    facts = read_symbol(symbol)
    if facts.session is not None:
        return cycle_of_session(facts.session) if 1 <= facts.session <= LAST_KNOWN_SESSION else None
    return cycle_adopted_at(facts.council_session) if facts.council_session is not None else None


def _cycle_told(sentence: str, latest: int) -> int | None:
    """The cycle whose recommendations a sentence cites: by the symbol of their report, else in words.

    None where it says nothing, several, or one that cannot be.
    """
    symbols = {found[1] or found[2] for found in _SYMBOL_OF_LIST.finditer(sentence)}
    told = {cycle for symbol in symbols if (cycle := cycle_of_symbol(symbol))} or cycles_named(sentence)
    return told.pop() if len(told) == 1 and max(told) <= latest else None


def _cycle_of(word: str) -> int:
    if word.isdecimal():
        return int(word)
    return next(number for number, words in enumerate(_ORDINALS, 1) if word.lower() in words)


def _in_english(text: str, language: str) -> str:
    if language == "en":
        return text
    for pattern, english in _IN_ENGLISH:
        text = pattern.sub(english, text)
    return text
