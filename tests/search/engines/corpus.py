"""Documents to search in tests and benchmarks: generated ones, real ones, and the truth by brute force."""

import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from services.core.domain.identifiers import slug
from services.core.query.matcher import AnalysedRecord, Matcher, analyse_texts
from services.core.query.tree import Dates, Either, Query
from services.search.engines.base import (
    TYPE,
    YEAR,
    FacetCounts,
    IndexDocument,
    IndexLayout,
    Passage,
    SearchRequest,
    date_number,
)

LAYOUT = IndexLayout(
    texts=("text", "names", "labels"),
    filters=(
        "state_under_review",
        "region",
        "recommending_state",
        "recommending_region",
        "position",
        "issue",
        "session",
        "cycle",
        "speaker",
    ),
    dates=("date",),
    numbers=("session", "number"),
    sorts=("name",),
    parted=("documents",),
)

UPR_INFO = Path(__file__).resolve().parents[4] / "shared" / "data" / "upr_info"
"""UPR Info's database of recommendations: Mac Roman, CR line ends. Beside the repository, not part of it."""


def upr_info(folder: Path = UPR_INFO) -> Iterator[IndexDocument]:
    """Each row of the six files as a document. The dates are derived from the session: the files have none."""
    at = 0
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="mac_roman", newline="") as lines:
            for row in csv.DictReader(lines):
                at += 1
                yield upr_info_document(row, at)


def upr_info_document(row: dict[str, str], at: int) -> IndexDocument:
    issues = [issue.strip() for issue in row["Issue"].split(",") if issue.strip()]
    session = int(row["Session"])
    year, month = 2008 + (session - 1) * 4 // 12, (4, 5, 12)[(session - 1) % 3]
    text = row["Text"].strip()
    return IndexDocument(
        type="recommendations",
        id=f"{slug(row['To'])}-{session}~{at}",
        record={"text": text, "from": row["From"], "to": row["To"], "number": at},
        texts={"text": text, "names": f"{row['From']}\n{row['To']}", "labels": "\n".join(issues)},
        languages={"text": "en", "names": "en", "labels": "en"},
        filters={
            "state_under_review": (row["To"],),
            "region": (row["To-Rgrp"],),
            "recommending_state": (row["From"],),
            "recommending_region": (row["From-Rgrp"],),
            "position": ("supported" if row["Response"] == "Accepted" else "noted",),
            "issue": tuple(issues),
            "session": (str(session),),
            "cycle": ("1" if session <= 12 else "2",),
        },
        dates={"date": f"{year}-{month:02d}-01"},
        numbers={"session": session, "number": at},
        sorts={"name": row["To"]},
    )


_SENTENCES = {
    "en": "torture tortured women woman children child death penalty moratorium rights right human freedom expression "
    "police training discrimination indigenous peoples persons policies policy ratify ratified ratification protocol "
    "convention violence domestic victims education health prison detention detentions migrants justice media Peru",
    "es": "las mujeres la tortura los derechos del niño y prevención contra discriminación de los pueblos indígenas",
    "fr": "les droits des femmes et la torture dans les prisons pour l'éducation aux enfants égalité",
}
_VALUES = {
    "state_under_review": ["PER", "CHL", "SVN", "EGY", "URY"],
    "region": ["GRULAC", "Africa", "Asia"],
    "recommending_state": ["ESP", "FRA", "MEX", "BRA", "GBR", "CHE"],
    "recommending_region": ["WEOG", "GRULAC"],
    "position": ["supported", "noted", "pending"],
    "issue": ["torture", "women's rights", "Right to education", 'a "quoted" \\ value', "ñandú", "detention"],
    "session": [str(n) for n in range(1, 21)],
    "cycle": ["1", "2"],
    "speaker": ["ESP", "PER", "amnesty-international"],
}


def generated(count: int, seed: int = 1) -> list[IndexDocument]:
    """Documents of invented sentences, with no, one or several values a filter."""
    chance = random.Random(seed)
    return [_generated(chance, at) for at in range(count)]


def _generated(chance: random.Random, at: int) -> IndexDocument:
    text, language = _sentence(chance)
    type_ = chance.choice(["recommendations", "recommendations", "statements", "documents"])
    filters = {
        name: tuple(chance.sample(values, chance.choice([0, 1, 1, 1, 2] if name == "issue" else [0, 1, 1, 1])))
        for name, values in _VALUES.items()
    }
    date = f"{chance.randrange(2008, 2024)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    has_date = chance.random() < 0.9
    return IndexDocument(
        type=type_,
        id=f"GEN-2-116.{at}~x",
        record={"text": text, "n": at, "nested": {"values": [1, None, "é"]}},
        texts={"text": text, "names": f"PER-2-116.{at}", "labels": "\n".join(filters["issue"])},
        languages={"text": language},
        filters=filters,
        dates={"date": date} if has_date else {},
        numbers={"number": at},
        sorts={"name": chance.choice(["Écuador", "egypt", "Peru", "Ñandú", "Zambia"])} if has_date else {},
        revision=str(at),
        passages=_passages(chance) if type_ == "documents" else (),
    )


def _passages(chance: random.Random) -> tuple[Passage, ...]:
    return tuple(_passage(chance, number) for number in range(chance.choice([0, 1, 3, 12])))


def _passage(chance: random.Random, number: int) -> Passage:
    text, language = _sentence(chance)
    return Passage({"n": number, "text": text}, {"text": text}, {"text": language})


def _sentence(chance: random.Random) -> tuple[str, str]:
    """A text and its language."""
    language = chance.choice(["en"] * 4 + ["es", "fr"])
    words = _SENTENCES[language].split()
    body = [chance.choice(words) for _ in range(chance.randrange(3, 14))]
    if chance.random() < 0.2:
        body.append(chance.choice(["A/HRC/22/15", "A/HRC/22/15/Add.1", "116.17", "116.18", "COVID-19", "2030"]))
    return " ".join(body), language


class Truth:
    """The answers by brute force, by the meaning that the query language has without any index."""

    def __init__(self, documents: Iterable[IndexDocument]) -> None:
        self._matched = lru_cache(maxsize=32)(self._look_at_each)
        self.documents = list({document.key: document for document in documents}.values())
        self._analysed: dict[object, list[AnalysedRecord]] = {
            document.key: list(units(document)) for document in self.documents
        }

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of all texts."""
        return frozenset().union(*(unit.words for several in self._analysed.values() for unit in several))

    def found(self, request: SearchRequest, ignored: str | None = None) -> list[IndexDocument]:
        matched = self._matched(_without(request, ignored), request.strict, request.date_name)
        return [each for each in self.documents if each.key in matched and _passes(each, request, ignored)]

    def _look_at_each(self, query: Query, strict: bool, date_name: str) -> frozenset[object]:
        """What matches the words; the facets of one search, and its searches with other filters, ask for the same."""
        matcher = Matcher(query, strict=strict)
        return frozenset(
            document.key
            for document in self.documents
            if any(matcher.matches_analysed(unit, _terms(document, date_name)) for unit in self._analysed[document.key])
        )

    def facet(self, request: SearchRequest, name: str) -> FacetCounts:
        counts: Counter[str] = Counter()
        for document in self.found(request, ignored=name):
            years = (document.dates[request.date_name][:4],) if request.date_name in document.dates else ()
            counts.update((years if name == YEAR else _values(document, name)) or ("",))
        unlabelled = counts.pop("", 0)
        return FacetCounts.of(counts.items(), unlabelled)


def units(document: IndexDocument) -> Iterator[AnalysedRecord]:
    """What all words of a query must stand in: the document's own texts, or those and a passage."""
    own = analyse_texts(document.texts, document.languages)
    yield own
    for passage in document.passages:
        part = analyse_texts(passage.texts, passage.languages)
        yield AnalysedRecord(own.words | part.words, own.passages + part.passages, own.stems | part.stems)


def without_own(query: Query, facet: str, filtered: Set[str]) -> Query:
    """The query as a facet counts by it: without its own fields. Beside a filter of the request (`filtered`) that has
    its name a field is a condition like any other."""
    filters = tuple(each for each in query.filters if each.name != facet or facet in filtered)
    either = tuple(each for each in query.either if not _asks_for(each, facet) or filtered & set(each.names))
    return replace(query, filters=filters, either=either, dates=() if facet == YEAR else query.dates)


def _asks_for(either: Either, facet: str) -> bool:
    return facet in either.names or (facet == YEAR and any(isinstance(node, Dates) for node in either.nodes))


def _values(document: IndexDocument, name: str) -> tuple[str, ...]:
    return (document.type,) if name == TYPE else document.values(name)


def _terms(document: IndexDocument, date_name: str) -> frozenset[str]:
    """What the document answers to under each filter."""
    terms = {f"{name}:{value}" for name in (*LAYOUT.filters, TYPE) for value in _values(document, name)}
    day = document.dates.get(date_name)
    return frozenset({*terms, f"date:{day}"} if day else terms)


def _own_filters(request: SearchRequest) -> dict[str, tuple[str, ...]]:
    """The filters of the request itself, not those that stand in its query."""
    filters = {name: values for name, values in request.filters.items() if values}
    return filters | ({TYPE: (request.type,)} if request.type else {})


def _without(request: SearchRequest, ignored: str | None) -> Query:
    return request.query if ignored is None else without_own(request.query, ignored, _own_filters(request).keys())


def _passes(document: IndexDocument, request: SearchRequest, ignored: str | None) -> bool:
    for name, values in _own_filters(request).items():
        if name != ignored and not set(values) & set(_values(document, name)):
            return False
    if ignored == YEAR or not (request.date_from or request.date_to):
        return True
    date = document.dates.get(request.date_name)
    if date is None or (request.date_from and date_number(date) < date_number(request.date_from)):
        return False
    return not request.date_to or date_number(date) <= date_number(request.date_to, end=True)
