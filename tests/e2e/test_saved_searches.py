"""A search means the same wherever it is asked: strict in the search service, in the feed and in webhooks."""

import os
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import meilisearch
import pytest
from sqlalchemy import Engine

from services.api.feed import changes_after
from services.api.parameters import read_interest
from services.core.domain.changes import Cause, Match
from services.core.domain.errors import InvalidQueryError
from services.core.query.filters import FILTERS
from services.core.runtime.parameters import Parameters
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_terms
from services.core.schemas.texts import SEARCHED_NOUNS, SearchedTexts
from services.core.store.bulk import copy_rows
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine, snapshot
from services.core.store.paragraphs import (
    Citation,
    ParagraphRecord,
    paragraph_id,
    paragraph_sort_key,
    paragraphs_table,
)
from services.core.store.reference import Reference, read_reference
from services.core.store.tables import AGGREGATES
from services.search.documents import INDEX_VERSION, LAYOUT, Projection, all_documents
from services.search.engines.base import DocumentKey
from services.search.engines.base import Engine as SearchEngine
from services.search.engines.embedded import EmbeddedEngine
from services.search.engines.meilisearch import MeilisearchEngine
from services.search.parameters import read_search_query
from tests.effort import examples
from tests.readings import TEXTS
from tests.records import fill

FIELDS = ("cycle:2", "to:Peru", "from:AFG", "position:noted", "kind:dialogue", "topic:torture-prevention")
EACH = 30
"""Records of each noun."""


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    """Records of every noun, paragraphs of documents, and in the feed that each record was made."""
    engine = make_engine(database_url, pool_size=2)
    chance = random.Random(20)
    with engine.begin() as connection:
        fill(connection, seed=20, each=EACH)
        paragraphs = [
            _paragraph(document.id, number, chance)  # type: ignore[attr-defined]
            for document in AGGREGATES["documents"].where(connection)
            for number in range(1, chance.choice((1, 1, 4)))
        ]
        copy_rows(connection, paragraphs_table, [{**asdict(each), "recommendations": []} for each in paragraphs])
    reference = read_reference(engine)
    names = Names(reference)
    with engine.begin() as connection:
        drafts = [
            draft_change(
                noun,
                None,
                shape_of(noun, record, names),
                cause=Cause.PUBLICATION,
                effective_on=None,
                reference=reference,
            )
            for noun, aggregate in AGGREGATES.items()
            for record in aggregate.where(connection)
        ]
        append_changes(connection, [draft for draft in drafts if draft])
    yield engine
    engine.dispose()


def _paragraph(document: str, number: int, chance: random.Random) -> ParagraphRecord:
    return ParagraphRecord(
        id=paragraph_id(document, "en", str(number)),
        document=document,
        sort_key=paragraph_sort_key(document, "en", number),
        review="PER-3",
        state_under_review="PER",
        cycle=3,
        document_kind="national_report",
        language="en",
        number=str(number),
        heading=chance.choice((None, "Prisons and detention")),
        text=chance.choice(TEXTS),
        page=2,
        citations=[Citation(printed="116.17", cycle=None, recommendations=[])] if chance.random() < 0.3 else [],
        recommendations=(),
        file="0" * 64,
        parser="plain_document",
        parser_version="1",
    )


@contextmanager
def _meilisearch() -> Iterator[SearchEngine]:
    url, key, index = os.environ.get("UPR_MEILI_URL"), os.environ.get("UPR_MEILI_KEY"), f"test{uuid.uuid4().hex[:8]}"
    if url is None:
        pytest.skip("not run: UPR_MEILI_URL is not set")
    engine = MeilisearchEngine(url, key, LAYOUT, INDEX_VERSION, index=index)
    yield engine
    engine.close()
    client = meilisearch.Client(url, key)
    for held in client.get_indexes({"limit": 1000})["results"]:
        if held.uid.startswith(index):
            client.wait_for_task(held.delete().task_uid, timeout_in_ms=30_000)


@contextmanager
def _embedded(folder: Path) -> Iterator[SearchEngine]:
    engine = EmbeddedEngine(folder, LAYOUT, INDEX_VERSION)
    yield engine
    engine.close()


@pytest.fixture(params=["embedded", "meilisearch"])
def index(request: pytest.FixtureRequest, store: Engine, tmp_path: Path) -> Iterator[SearchEngine]:
    opened = _embedded(tmp_path / "index") if request.param == "embedded" else _meilisearch()
    with opened as engine, snapshot(store) as connection:
        engine.rebuild(all_documents(connection, Projection(read_reference(store))), 1)
        yield engine


@pytest.mark.soak
def test_the_feed_finds_what_a_strict_search_finds(store: Engine, index: SearchEngine) -> None:
    reference = read_reference(store)
    asked = _Asked(store, reference)
    chance = random.Random(f"saved searches {os.environ.get('UPR_TEST_EFFORT')}")
    sizes = []
    for _ in range(examples(150)):
        parameters = asked.parameters(chance)
        try:
            wanted = _found(index, parameters, reference)
        except InvalidQueryError:
            if index.capabilities.phrase_alternatives is None:
                raise
            continue  # more alternatives with phrases than this engine can ask for
        told = _told(store, parameters, reference)
        assert {key for key in told if key.type in SEARCHED_NOUNS} == wanted, parameters
        sizes.append(len(wanted))
    assert sum(size > 0 for size in sizes) > len(sizes) / 3  # it was not all about nothing


class _Asked:
    """Makes queries and filters that meet something: of words and terms that the records hold."""

    def __init__(self, store: Engine, reference: Reference) -> None:
        searched, names = SearchedTexts(reference), Names(reference)
        self._words: list[str] = []
        self._terms: list[tuple[str, str, str]] = []
        with store.connect() as connection:
            for noun in SEARCHED_NOUNS:
                for record in AGGREGATES[noun].where(connection):
                    shape = shape_of(noun, record, names)
                    texts = searched.of_record(noun, shape).texts.values()
                    self._words += [word for text in texts for word in text.split()]
                    terms = (term.partition(":") for term in filter_terms(noun, shape, reference))
                    self._terms += [(noun, name, value) for name, _, value in terms if name in FILTERS]

    def parameters(self, chance: random.Random) -> Parameters:
        noun = chance.choice((None, None, *SEARCHED_NOUNS))
        fields = FIELDS if noun is None else ()
        found = [("q", self._query(chance, 2, fields))] if chance.random() < 0.9 else []
        terms = chance.sample(self._terms, chance.choice((0, 0, 1, 2)))
        kept = [(name, value) for of, name, value in terms if noun in (None, of)]
        kept += [(chance.choice(("date_from", "date_to")), "2012-06-01")] if chance.random() < 0.1 else []
        return [*found, *kept, *([("type", noun)] if noun else [])]

    def _query(self, chance: random.Random, depth: int, fields: Sequence[str]) -> str:
        parts = []
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            at = chance.randrange(len(self._words) - 3)
            word, shape = self._words[at], chance.random()
            if shape < 0.15:
                word = f'"{" ".join(self._words[at : at + chance.choice((1, 2, 3))])}"'
            elif shape < 0.25 and depth:
                word = f"({self._query(chance, depth - 1, fields)})"
            elif shape < 0.3:
                word = word[:-1]
            elif shape < 0.36 and fields:
                word = chance.choice(fields)
            parts.append(("-" if chance.random() < 0.12 else "") + word)
        return chance.choice((" ", " ", " OR ", " AND ")).join(parts)


def _found(index: SearchEngine, parameters: Parameters, reference: Reference) -> set[DocumentKey]:
    asked = [*parameters, ("strict", "true"), ("per_page", "200")]
    found: set[DocumentKey] = set()
    for page in range(1, 10):
        request = read_search_query([*asked, ("page", str(page))], reference.vocabulary).request
        result = index.search(request)
        found |= {DocumentKey(hit.type, hit.id) for hit in result.hits}
        if len(found) >= result.total:
            break
    assert len(found) == result.total
    return found


def _told(store: Engine, parameters: Parameters, reference: Reference) -> set[DocumentKey]:
    """What the feed tells of."""
    interest = read_interest(parameters, reference.vocabulary, lambda _: pytest.fail("no saved search was named"))
    told: set[DocumentKey] = set()
    after: int | None = 0
    with snapshot(store) as connection:
        while after is not None:
            portion = changes_after(connection, interest, reference, after=after, limit=200)
            assert all(match is Match.ENTERED for _, match in portion.changes)
            told |= {DocumentKey(change.noun, change.subject) for change, _ in portion.changes}
            after = portion.following
    return told
