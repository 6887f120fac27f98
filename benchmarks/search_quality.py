"""Whether searches find what they should: known items, themes, and totals and counts against brute force.

Everything is drawn with a fixed seed and asked over HTTP, beside Datasette where it can be asked the same.
"""

import json
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.serving import answered
from services.core.query.analysis import fold, words_of
from services.core.query.filters import Vocabulary
from services.core.query.parser import parse_query
from services.core.store.vocabularies import vocabulary
from services.search.documents import LAYOUT
from services.search.engines.base import Engine, IndexDocument, SearchRequest
from services.search.engines.embedded import EmbeddedEngine
from services.search.parameters import read_search_query
from tests.search.engines.corpus import Truth

KNOWN_ITEMS = 500
KNOWN_ITEMS_OURS = 4_000
"""A larger draw, asked of our service alone: which 500 are drawn moves the share by a point."""
FIRST = 10
PRECISE = 20
COUNTED = 300
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ISSUE = "upr-info-issue"
_FACETS = ("state_under_review", "recommending_state", "region", "position", "issue", "cycle", "session", "sdg", "type")


@dataclass(frozen=True)
class KnownItem:
    """A recommendation to be found again by some of its words."""

    text: str
    words: tuple[str, ...]
    misspelt: bool


# Known items


def known_items(documents: Sequence[IndexDocument], count: int = KNOWN_ITEMS, seed: int = 5) -> list[KnownItem]:
    """`count` recommendations drawn at random, each by three to five of its rarer words, misspelt in every other."""
    chance = random.Random(seed)
    of_document = [(each, _words(each)) for each in documents if each.type == "recommendations"]
    frequency = Counter(word for _, words in of_document for word in set(words))
    eligible = [(document, words) for document, words in of_document if len(set(words)) >= 3]
    return [
        _known_item(document.record["text"], words, frequency, chance, misspelt=at % 2 == 1)
        for at, (document, words) in enumerate(chance.sample(eligible, min(count, len(eligible))))
    ]


def _words(document: IndexDocument) -> list[str]:
    words, _ = words_of(document.record["text"].replace("\n", " "))
    return [word for word in dict.fromkeys(words) if word.isalpha() and len(word) > 2]


def _known_item(
    text: str, words: Sequence[str], frequency: Mapping[str, int], chance: random.Random, *, misspelt: bool
) -> KnownItem:
    rarer = set(sorted(words, key=lambda word: (frequency[word], word))[: chance.randint(3, 5)])
    asked = [word for word in words if word in rarer]
    # Errors are forgiven from 5 letters: a word of 6 has as many where one is left out.
    long = [at for at, word in enumerate(asked) if len(word) >= 6]
    if misspelt and long:
        at = chance.choice(long)
        asked[at] = _misspelt(asked[at], chance)
    return KnownItem(text, tuple(asked), misspelt and bool(long))


def _misspelt(word: str, chance: random.Random) -> str:
    """One letter left out, doubled, changed or changed over with its neighbour; the first letter stays."""
    at = chance.randrange(1, len(word) - 1)
    slips: list[Callable[[], str]] = [
        lambda: word[:at] + word[at + 1 :],
        lambda: word[:at] + word[at] + word[at:],
        lambda: word[:at] + chance.choice(_LETTERS.replace(word[at], "")) + word[at + 1 :],
        lambda: word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ]
    return next(slip for slip in (chance.choice(slips)() for _ in range(100)) if slip != word)


def report_known_items(
    items: Sequence[KnownItem], more: Sequence[KnownItem], ours: HTTPConnection, theirs: HTTPConnection | None
) -> None:
    """How many are in the first ten, with the margin of error. Where several States were told the same words, any of
    them will do. `more` is asked of our service alone.
    """
    print(f"known items: recommendations by 3 to 5 of their rarer words, in the first {FIRST}")
    print(f"  {'':10} {'drawn':>6} {'all':>17} {'as written':>17} {'misspelt':>17}   (margins of 95 %)")
    _report_known("OpenUPR", items, lambda item: _our_texts(ours, item))
    if theirs is not None:
        _report_known("Datasette", items, lambda item: _their_texts(theirs, item))
    _report_known("OpenUPR", more, lambda item: _our_texts(ours, item))


def _report_known(name: str, items: Sequence[KnownItem], texts: Callable[[KnownItem], list[str]]) -> None:
    found = [(item, fold(item.text) in map(fold, texts(item))) for item in items]
    shares = [
        _share([is_found for item, is_found in found if item.misspelt in which])
        for which in ((False, True), (False,), (True,))
    ]
    print(f"  {name:10} {len(items):6,} {shares[0]:>17} {shares[1]:>17} {shares[2]:>17}", flush=True)


def _share(found: Sequence[bool]) -> str:
    """The share of what was found, and how far a draw of so many may be from it (normal approximation)."""
    share = statistics.mean(found)
    return f"{share:.1%} ± {1.96 * math.sqrt(share * (1 - share) / len(found)):.1%}"


def _our_texts(connection: HTTPConnection, item: KnownItem) -> list[str]:
    asked = {"q": " ".join(item.words), "type": "recommendations", "per_page": FIRST}
    hits = json.loads(answered(connection, f"/v1/search?{urlencode(asked)}"))["hits"]
    return [hit["record"]["text"] for hit in hits]


def _their_texts(connection: HTTPConnection, item: KnownItem) -> list[str]:
    asked = {"_search": " ".join(item.words), "_size": FIRST, "_shape": "objects"}
    rows = json.loads(answered(connection, f"/search/recommendations.json?{urlencode(asked)}"))["rows"]
    return [row["text"] for row in rows]


# Themes


def report_themes(documents: Sequence[IndexDocument], engine: Engine, folder: Path) -> None:
    """The names of UPR Info's issues as queries, against its labels: with labels indexed, and without."""
    judged = [each for each in documents if each.type == "recommendations" and each.filters.get("issue")]
    bearing = Counter(code for each in judged for code in each.filters["issue"])
    bare = EmbeddedEngine(folder, LAYOUT, "without-labels")
    bare.rebuild((replace(each, texts={**each.texts, "labels": ""}) for each in judged), 1)
    print(f"themes: precision at {PRECISE} of the names of UPR Info's issues, against its labels")
    print(f"  {'':45} {'labelled':>8}   {'en':>5} {'es':>5}   without labels: {'en':>5} {'es':>5}")
    rows = []
    for entry in sorted(vocabulary().values(), key=lambda each: each.code):
        if entry.scheme != _ISSUE or not bearing[entry.code]:
            continue
        least = min(PRECISE, bearing[entry.code])
        row = [
            _precision(each, entry.names[language], entry.code, least)
            for each in (engine, bare)
            for language in ("en", "es")
        ]
        rows.append(row)
        told = "{:5.2f} {:5.2f}                   {:5.2f} {:5.2f}".format(*row)
        print(f"  {entry.names['en']:45} {bearing[entry.code]:8,}   {told}")
    means = [statistics.mean(column) for column in zip(*rows, strict=True)]
    told = "{:5.3f} {:5.3f}                   {:5.3f} {:5.3f}".format(*means)
    print(f"  {f'mean of {len(rows)} issues':45} {'':8}   {told}", flush=True)
    bare.close()


def _precision(engine: Engine, name: str, code: str, least: int) -> float:
    """Relevant ones among the first 20 that UPR Info judged; out of as many as there are where there are fewer."""
    hits = engine.search(SearchRequest(parse_query(name), type="recommendations", per_page=100)).hits
    issues = [[label["code"] for label in hit.record["labels"] if label["scheme"] == _ISSUE] for hit in hits]
    judged = [codes for codes in issues if codes][:PRECISE]
    return sum(code in codes for codes in judged) / least


# Totals and counts


def report_counts(
    documents: Sequence[IndexDocument], ours: HTTPConnection, known: Vocabulary, *, queries: int = COUNTED
) -> bool:
    """Totals and counts of facets of random queries with filters, against the matcher on every record."""
    chance = random.Random(11)
    truth = Truth(documents)
    words = sorted({word for each in documents[::9] for word in _words_of_any(each)})
    wrong: list[str] = []
    found = 0
    for _ in range(queries):
        parameters = _random_search(documents, words, chance)
        request = read_search_query(parameters, known).request
        answer = json.loads(answered(ours, f"/v1/search?{urlencode(parameters)}"))
        hits = truth.found(request)
        found += bool(hits)
        if answer["total"] != len(hits):
            wrong.append(f"{parameters}: {answer['total']} found, {len(hits)} in truth")
        for name, facet in answer["facets"].items():
            told = {each["value"]: each["count"] for each in facet["values"]}
            counts = truth.facet(request, name)
            if (told, facet["unlabelled"]) != (dict(counts.values), counts.unlabelled):
                wrong.append(f"{parameters}: facet {name}")
    print(f"counts: {queries} random queries with filters, {found} of them find something, {len(wrong)} differ")
    for each in wrong[:10]:
        print(f"  {each}")
    return not wrong


def _words_of_any(document: IndexDocument) -> Iterable[str]:
    return words_of(str(document.record.get("text") or document.record.get("title")).replace("\n", " "))[0]


def _random_search(
    documents: Sequence[IndexDocument], words: Sequence[str], chance: random.Random
) -> list[tuple[str, str]]:
    """Words of a record, some misspelt, unfinished, excluded or alternatives; filters by values that occur."""
    like = chance.choice(documents)
    asked = [("q", _random_query(list(_words_of_any(like)), words, chance))]
    names = [name for name in _FACETS if name in like.filters]
    for name in chance.sample(names, min(len(names), chance.choice([1, 1, 2]))):
        asked.append((name, chance.choice(like.filters[name])))
        if chance.random() < 0.3:
            other = chance.choice(documents).filters.get(name)
            asked += [(name, other[0])] if other else []
    asked.append(("facets", ",".join(chance.sample(_FACETS, 2))))
    return [*asked, ("per_page", "0")]


def _random_query(own: list[str], words: Sequence[str], chance: random.Random) -> str:
    chosen = [chance.choice(own or list(words)) for _ in range(chance.choice([1, 1, 2, 2, 3]))]
    match chance.randrange(6):
        case 0 if len(chosen[0]) > 4:
            return _misspelt(chosen[0], chance)
        case 1:
            return f"{' '.join(chosen)[: -chance.choice([1, 2])] or 'a'}"
        case 2:
            return f"{chosen[0]} -{chance.choice(words)}"
        case 3:
            return f"{chosen[0]} OR {chance.choice(words)}"
        case 4 if len(own) > 2:
            at = chance.randrange(len(own) - 1)
            return f'"{own[at]} {own[at + 1]}"'
    return " ".join(chosen) + " "
