"""The kind of action that a recommendation asks for, from 1 (minimal) to 5 (specific), as UPR Info's database codes it.

English is judged by evidence: how the recommendation starts (after preambles and adverbs; of two starting verbs both
are seen), the words near the start, and what follows "by", "including", "through" (a general action with specific
examples is specific). `lookups/action_evidence.csv` says what each speaks for; where it knows nothing of the start, and
in Spanish and French, the manual's verbs and principles decide alone (`lookups/action_verbs.toml`).
"""

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from services.core.query.phrases import folded

CATEGORIES = (1, 2, 3, 4, 5)
ALWAYS = "*"
"""The evidence that every recommendation has: how common each category is."""

_SUBORDINATE = (
    "that to in with as at on for following regarding concerning given bearing taking while despite based pursuant "
    "recalling noting after since when if by under within considering through before until without against from"
)
_PREAMBLE = re.compile(rf"(?:{_SUBORDINATE.replace(' ', '|')})\b[^,;]{{3,160}}[,;]\s*", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:that\s+)?(?:the\s+)?(?:[\w'-]+\s+){1,6}?(?:should|must|shall)\s+", re.IGNORECASE)
_SUBJECT_REACH = 110
_SHORTEST_REST = 15
_WORD_OR_MARK = re.compile(r"[a-z0-9][a-z0-9']*|[,;:.]")
_JOINED_PREFIX = re.compile(r"\b(re|de)-(?=[a-z])")
_IZE = re.compile(r"is(e|es|ed|ing|ation|ations)$")
_MEANS = frozenset({"by", "including", "through", "notably", "namely"})
_BETWEEN = frozenset({"by", "through", "the", "a", "alia", ",", "an", "its", "inter", "in", "particular"})
_LEAD_WORDS, _NEAR_WORDS = 4, 9
_START_REACH = 40
"""Words and marks in which the start of an order lies, adverbs before its verb included."""
_AND = {"en": ("and",), "es": ("y", "e"), "fr": ("et",)}
_GENERAL, _SPECIFIC = 4, 5
_MEANS_REACH = 5
_BEFORE_E = re.compile(r"[cgz]$")


def action_category(text: str, language: str = "en") -> int | None:
    """The category, 1 to 5; None where nothing in the text speaks for any.

    Agrees with UPR Info's own coding as `benchmarks/labelling.py` measures. `language` is `en`, `es` or `fr`; other
    languages give None.
    """
    if language != "en":
        return _by_verbs(text, language)
    evidence = _evidence()
    known = [feature for feature in features(text) if feature in evidence]
    if not any(feature.startswith("start ") for feature in known):
        by_verb = _by_verbs(text, language)
        if by_verb or not known:
            return by_verb
    scores = list(map(sum, zip(*[evidence[feature] for feature in (ALWAYS, *known)], strict=True)))
    return CATEGORIES[scores.index(max(scores))]


def features(text: str) -> set[str]:
    """What an English recommendation shows of its action: names of evidence, as the table of evidence lists them."""
    words = _words(_without_preamble(folded(text)))
    lead = _from_the_verb([_spelled(word) for word in words[:_START_REACH] if word[0].isalnum()], "en")
    found = {"start " + " ".join(lead[:length]) for length in range(1, min(_LEAD_WORDS, len(lead)) + 1)}
    found.update(["near " + word for word in lead[1:_NEAR_WORDS]])
    if _MEANS.isdisjoint(words):
        return found
    for order, (link, verb) in enumerate(_means([_spelled(word) for word in words])):
        found.add(f"by {verb}")
        how = f"{link} -ing" if verb.endswith("ing") else link
        found.add(f"start {lead[0]} … {how}")
        if order == 0:
            found.add(f"… {how}")
    return found


def _without_preamble(text: str) -> str:
    """The text from its order on: without "In line with …," and without "that the Government should"."""
    for _ in range(2):
        preamble = _PREAMBLE.match(text)
        if not preamble or len(text) - preamble.end() < _SHORTEST_REST:
            break
        text = text[preamble.end() :]
    subject = _SUBJECT.match(text, 0, _SUBJECT_REACH)
    return text[subject.end() :] if subject and len(text) - subject.end() >= _SHORTEST_REST else text


def _words(text: str) -> list[str]:
    """Words and marks; "re-double" is one word, "step-up" two."""
    if "e-" in text:
        text = _JOINED_PREFIX.sub(r"\1", text)
    return _WORD_OR_MARK.findall(text)


@lru_cache(maxsize=16_384)
def _spelled(word: str) -> str:
    """One spelling of British and American endings, without the genitive."""
    word = word.removesuffix("'s").strip("'")
    return _IZE.sub(r"iz\1", word) if "is" in word else word


def _from_the_verb(words: list[str], language: str) -> list[str]:
    verbs = _verbs()
    at = 0
    while at < len(words) - 1 and (words[at] in verbs.before or _is_adverb(words[at])):
        at += 1
    rest = words[at:] or [""]
    return [verbs.forms[language].get(rest[0], rest[0]), *rest[1:]]


def _is_adverb(word: str) -> bool:
    return word.endswith(("ly", "mente", "ement", "amment", "emment")) and word not in _verbs().not_adverbs


def _means(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word like "by" with the verb or thing that it introduces."""
    for at in range(2, len(words) - 1):
        if words[at] in _MEANS:
            verb = at + 1
            while verb < len(words) - 1 and (words[verb] in _BETWEEN or words[verb].endswith("ly")):
                verb += 1
            yield words[at], words[verb]


def _by_verbs(text: str, language: str) -> int | None:
    """The manual's principles alone: the first verb; of two verbs at the start the second.

    In Spanish and French, a general action with a specific example is specific, too; English has evidence for that.
    """
    known = _verbs().categories.get(language)
    if known is None:
        return None
    plain = _without_preamble(folded(text)) if language == "en" else _without_opening(folded(text), language)
    words = [word for word in _words(plain) if word[0].isalnum()]
    lead = _from_the_verb(words, language)
    category, used = _verb_at(lead, 0, known)
    if category is not None and used < len(lead) and lead[used] in _AND[language]:
        category = _verb_at(_from_the_verb(lead[used + 1 :], language), 0, known)[0] or category
    return _SPECIFIC if category == _GENERAL and _has_specific_means(lead[used:], language) else category


def _without_opening(text: str, language: str) -> str:
    opening = _verbs().openings[language].match(text)
    return text[opening.end() :] if opening and len(text) - opening.end() >= _SHORTEST_REST else text


def _has_specific_means(words: list[str], language: str) -> bool:
    means = _verbs().means.get(language)
    return means is not None and any(
        word in means.by and not means.specific.isdisjoint(words[at : at + _MEANS_REACH])
        for at, word in enumerate(words)
    )


def _verb_at(words: list[str], at: int, known: Mapping[str, int]) -> tuple[int | None, int]:
    for length in range(_LEAD_WORDS, 0, -1):
        category = known.get(" ".join(words[at : at + length]))
        if category is not None:
            return category, at + length
    return None, at


@dataclass(frozen=True, slots=True)
class _SpecificMeans:
    by: frozenset[str]
    specific: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Verbs:
    categories: Mapping[str, Mapping[str, int]]
    forms: Mapping[str, Mapping[str, str]]
    before: frozenset[str]
    not_adverbs: frozenset[str]
    openings: Mapping[str, re.Pattern[str]]
    means: Mapping[str, _SpecificMeans]


@cache
def _verbs() -> _Verbs:
    table = tomllib.loads(_lookup("action_verbs.toml"))
    categories = {
        language: {verb: int(category) for category, verbs in each.items() for verb in verbs}
        for language, each in table["verbs"].items()
    }
    return _Verbs(
        categories,
        {language: _forms(language, table["forms"][language], known) for language, known in categories.items()},
        frozenset(table["before"]["words"]),
        frozenset(table["before"]["not_adverbs"]),
        {
            language: re.compile(rf"(?:{'|'.join(openings)})\b[^,;]{{3,160}}[,;]\s*")
            for language, openings in table["openings"].items()
        },
        {
            language: _SpecificMeans(frozenset(each["by"]), frozenset(each["specific"]))
            for language, each in table["means"].items()
        },
    )


def _forms(language: str, irregular: Mapping[str, list[str]], known: Iterable[str]) -> dict[str, str]:
    """The verbs by the forms under which they lead a sentence; the table's irregular ones go before regular ones."""
    forms: dict[str, str] = {}
    if language == "en":
        forms.update((verb + "s", verb) for verb in irregular)
    else:
        first_words = {verb.split()[0] for verb in known}
        forms.update((form, verb) for verb in sorted(first_words) for form in _that_it_does(verb, language))
    forms.update((form, verb) for verb, each in irregular.items() for form in each)
    return forms


def _that_it_does(verb: str, language: str) -> Iterator[str]:
    """The regular third persons of the subjunctive, without accents: "que ratifique", "que ratifiquen"."""
    stem, ending = verb.removesuffix("se")[:-2], verb.removesuffix("se")[-2:]
    if language == "fr":
        yield from (stem + "e", stem + "ent") if ending == "er" else ()
    elif ending == "ar":
        stem = _BEFORE_E.sub(lambda end: {"c": "qu", "g": "gu", "z": "c"}[end[0]], stem)
        yield from (stem + "e", stem + "en")
    elif ending in ("er", "ir"):
        yield from (stem + "a", stem + "an")


@cache
def _evidence() -> dict[str, tuple[int, ...]]:
    rows = csv.reader(_lookup("action_evidence.csv").splitlines())
    next(rows)
    return {name: tuple(int(weight) for weight in weights) for name, *weights in rows}


def _lookup(name: str) -> str:
    return (files("services.ingest.normalise.lookups") / name).read_text(encoding="utf-8")
