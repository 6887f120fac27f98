"""The answers of searches over a store by brute force."""

import random
from collections import Counter
from collections.abc import Set
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from services.core.domain.errors import InvalidQueryError
from services.core.query.filters import FILTERS, FilterSet, parse_filters
from services.core.query.matcher import AnalysedRecord, Matcher
from services.core.query.parser import parse_query
from services.core.query.tree import Query
from services.core.schemas.terms import filter_terms
from services.core.store.engine import make_engine, snapshot
from services.core.store.filtering import CLAUSES, conditions
from services.core.store.reference import read_reference
from services.core.store.tables import AGGREGATES
from services.search.documents import SEARCHED_NOUNS, Projection, all_documents
from tests.search.engines.corpus import units, without_own

FACETS_COUNTED = (
    "state_under_review", "recommending_state", "region", "recommending_region", "bloc", "position", "session",
    "cycle", "theme", "sdg", "speaker", "kind", "review", "document",
)  # fmt: skip


FIELDS = (
    "from:Spain", "(from:Spain,France)", "from:EU", "from:France OR from:Brazil", "from:Spain AND from:Mexico",
    "-from:Mexico", "to:Slovenia", "to:GRULAC", "cycle:2..", "cycle:..1", "cycle:1,4..", "session:14..", "session:..12",
    "-cycle:2..", "date:2012,2014", "date:2010..2013", "since:2012", "until:2013-06", "position:noted",
)  # fmt: skip
_NONE: frozenset[str] = frozenset()


class Truth:
    """The truth: filters and facets by SQL over the store, words by the matcher over each record.

    The store must not change: the facets of one search ask the same again and again, and are told what was found.
    """

    def __init__(self, url: str) -> None:
        self._matched = lru_cache(maxsize=32)(self._look_at_each)
        self._met = lru_cache(maxsize=64)(self._ask_for)
        self.engine = make_engine(url, pool_size=1)
        self.reference = read_reference(self.engine)
        with snapshot(self.engine) as connection:
            documents = list(all_documents(connection, Projection(self.reference)))
            self.texts: dict[tuple[str, str], list[AnalysedRecord]] = {
                document.key: list(units(document)) for document in documents
            }
            self.terms = {
                document.key: frozenset(filter_terms(document.type, dict(document.record), self.reference))
                for document in documents
            }
            self.passages = sum(len(document.passages) for document in documents)
            self.words = sorted(
                {word for document in documents[::7] for word in document.record.get("text", "").split()}
                | {word for document in documents for each in document.passages for word in each.texts["text"].split()}
            )
            self.held = {name: self._held(connection, name) for name in FACETS_COUNTED}
        days = {str(year): (f"{year}-01-01", f"{year}-12-31") for year in range(2000, 2030)}
        years = {year: self.meeting(None, [("date_from", a), ("date_to", b)]) for year, (a, b) in days.items()}
        self.held["year"] = {year: found for year, found in years.items() if found}

    def _held(self, connection: Connection, name: str) -> dict[str, set[tuple[str, str]]]:
        """For each value of a filter the records that answer to it, by the filter's own SQL."""
        found: dict[str, set[tuple[str, str]]] = {}
        for noun in SEARCHED_NOUNS:
            table = AGGREGATES[noun].table
            for value in self._candidates(connection, noun, name) if name in CLAUSES[noun] else ():
                ids = connection.scalars(select(table.c.id).where(CLAUSES[noun][name]((value,))))
                if of_noun := {(noun, id_) for id_ in ids}:
                    found.setdefault(value, set()).update(of_noun)
        return found

    def _candidates(self, connection: Connection, noun: str, name: str) -> list[str]:
        if scheme := FILTERS[name].scheme:
            return sorted(self.reference.vocabulary.labels.get(scheme, ()))
        columns = AGGREGATES[noun].table.c
        match name:
            case "state_under_review" | "recommending_state" | "speaker":
                return sorted(self.reference.states)
            case "region" | "recommending_region" | "bloc":
                return sorted(self.reference.groups)
            case "document":
                return list(connection.scalars(select(AGGREGATES["documents"].table.c.id)))
            case _:
                return [
                    str(value) for value in connection.scalars(select(columns[name]).distinct()) if value is not None
                ]

    def matching(
        self, q: str, noun: str | None, *, strict: bool = False, without: str | None = None, filtered: Set[str] = _NONE
    ) -> Set[tuple[str, str]]:
        """The records that match a query, or would `without` its own filter of a facet. Beside a parameter of the
        same name (`filtered`) a field is a condition like any other."""
        query = parse_query(q, self.reference.vocabulary, noun)
        if without is not None:
            query = without_own(query, without, filtered)
        return self._matched(query, strict)

    def _look_at_each(self, query: Query, strict: bool) -> frozenset[tuple[str, str]]:
        matcher = Matcher(query, strict=strict)
        return frozenset(
            key
            for key, analysed in self.texts.items()
            if any(matcher.matches_analysed(each, self.terms[key]) for each in analysed)
        )

    def meeting(self, noun: str | None, filters: list[tuple[str, str]]) -> Set[tuple[str, str]]:
        """The records that meet the filters, by the SQL that the API's lists use."""
        return self._met(noun, tuple(filters))

    def _ask_for(self, noun: str | None, filters: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        with self.engine.connect() as connection:
            for each in SEARCHED_NOUNS if noun is None else (noun,):
                if all(each in FILTERS[name].nouns for name, _ in filters):
                    values = parse_filters(None, filters, self.reference.vocabulary).values
                    meets = conditions(FilterSet(each, values))
                    ids = connection.scalars(select(AGGREGATES[each].table.c.id).where(*meets))
                    found |= {(each, id_) for id_ in ids}
        return frozenset(found)

    def counted(
        self, name: str, q: str, noun: str | None, filters: list[tuple[str, str]], *, strict: bool = False
    ) -> dict[str, Any]:
        """The counts of a facet, which ignore its own filter."""
        own = ("date_from", "date_to") if name == "year" else (name,)
        others = [pair for pair in filters if pair[0] not in own]
        meeting = self.meeting(None if name == "type" else noun, others)
        filtered = {key for key, _ in filters} | ({"type"} if noun else set())
        return self.facet(name, self.matching(q, noun, strict=strict, without=name, filtered=filtered) & meeting)

    def facet(self, name: str, among: Set[tuple[str, str]]) -> dict[str, Any]:
        if name == "type":
            return {"counts": dict(Counter(noun for noun, _ in among)), "unlabelled": 0}
        counts = {value: len(held & among) for value, held in self.held[name].items() if held & among}
        labelled: set[tuple[str, str]] = set().union(*self.held[name].values())
        return {"counts": counts, "unlabelled": len(among - labelled)}


def random_query(chance: random.Random, truth: Truth) -> str:
    """Words of the texts, some misspelt, in some of the forms that a query can have."""

    def word() -> str:
        chosen = chance.choice(truth.words).strip(".,;:()“”\"'-")
        if len(chosen) > 5 and chance.random() < 0.3:
            at = chance.randrange(1, len(chosen) - 2)
            chosen = chosen[:at] + chosen[at + 1] + chosen[at] + chosen[at + 2 :]
        return chosen

    match chance.randrange(8):
        case 0 | 1:
            return ""
        case 2:
            return word()
        case 3:
            return f"{word()} OR {word()}"
        case 4:
            return f"human rights -{word()} "
        case 5 | 6:
            fields = chance.sample(FIELDS, chance.choice([1, 1, 2]))
            return " ".join([*fields, *chance.choice([[], [], [word()]])])
        case _:
            return chance.choice(['"human rights"', "torture", "women childern", '"death penalty" OR women', "116.1"])


def query_of_type(chance: random.Random, truth: Truth, noun: str | None) -> str:
    """A random query whose fields apply to records of this type."""
    while True:
        q = random_query(chance, truth)
        try:
            parse_query(q, truth.reference.vocabulary, noun)
        except InvalidQueryError:
            continue
        return q


def random_filters(chance: random.Random, truth: Truth, noun: str | None) -> list[tuple[str, str]]:
    """Up to three filters with values that some records have, and dates."""
    known = [name for name in FACETS_COUNTED if truth.held[name] and (noun is None or noun in FILTERS[name].nouns)]
    chosen = chance.sample(known, chance.choice([0, 1, 1, 2, 3]))
    values = {
        name: sorted(
            value for value, of in truth.held[name].items() if noun is None or any(noun == key[0] for key in of)
        )
        for name in chosen
    }
    pairs = [
        (name, chance.choice(values[name])) for name in chosen if values[name] for _ in range(chance.choice([1, 1, 3]))
    ]
    if chance.random() < 0.3:
        pairs.append(("date_from", f"{chance.randrange(2008, 2015)}-05-01"))
    if chance.random() < 0.2:
        pairs.append(("date_to", f"{chance.randrange(2010, 2016)}-11-30"))
    return pairs
