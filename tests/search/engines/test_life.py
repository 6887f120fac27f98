"""The contract of engines: writing, the cursor, rebuilding, restarts and losses."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.core.domain.errors import InvalidParameterError, UnavailableError
from services.core.query.parser import parse_query
from services.search.engines.base import (
    DocumentKey,
    Engine,
    IndexDocument,
    IndexLayout,
    IndexMissingError,
    IndexMovedError,
    IndexRefusedError,
    Passage,
    SearchRequest,
)
from services.search.engines.embedded import EmbeddedEngine
from services.search.engines.meilisearch import MeilisearchEngine, _document_key
from tests.search.engines.conftest import Home
from tests.search.engines.corpus import generated


def _total(engine: Engine, text: str = "") -> int:
    return engine.search(SearchRequest(parse_query(text))).total


def _document(id_: str, text: str, type_: str = "recommendations", revision: str = "1") -> IndexDocument:
    return IndexDocument(type_, id_, {"text": text}, {"text": text}, revision=revision)


def test_before_the_first_build_there_is_no_index(home: Home) -> None:
    engine = home.open()
    assert engine.cursor() is None
    assert not engine.health().ok
    for attempt in (
        lambda: _total(engine),
        engine.counts,
        lambda: engine.ids("recommendations"),
        lambda: engine.apply([], [], 1),
    ):
        with pytest.raises(IndexMissingError):
            attempt()


def test_changes_are_seen_when_apply_returns(home: Home) -> None:
    engine = home.open()
    assert engine.rebuild(iter([_document("a.1~x", "torture"), _document("b", "women")]), 10) == 2
    assert (engine.cursor(), _total(engine), _total(engine, "torture ")) == (10, 2, 1)

    engine.apply([_document("a.1~x", "prison"), _document("c/ñ 3", "torture", "statements")], [], 11)
    assert (engine.cursor(), _total(engine), _total(engine, "prison ")) == (11, 3, 1)
    assert engine.search(SearchRequest(parse_query("torture "))).hits[0].id == "c/ñ 3"
    assert engine.counts() == {"recommendations": 2, "statements": 1}

    engine.apply([], [DocumentKey("recommendations", "a.1~x"), DocumentKey("recommendations", "unknown")], 12)
    assert (engine.cursor(), _total(engine), _total(engine, "prison ")) == (12, 2, 0)
    assert engine.health().ok


def test_applying_again_changes_nothing(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture"), _document("b", "women")]), 1)
    for _ in range(2):
        engine.apply([_document("c", "newest word")], [DocumentKey("recommendations", "a")], 2)
        assert (engine.cursor(), _total(engine), _total(engine, "newst ")) == (2, 2, 1)


def test_what_is_deleted_and_written_at_once_is_there(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 1)
    engine.apply([_document("a", "prison"), _document("a", "police")], [DocumentKey("recommendations", "a")], 2)
    assert (_total(engine), _total(engine, "police ")) == (1, 1)


def test_types_with_equal_ids_do_not_meet(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture"), _document("a", "torture", "statements")]), 1)
    assert _total(engine) == 2
    engine.apply([], [DocumentKey("statements", "a")], 2)
    assert engine.counts() == {"recommendations": 1}


def test_ids_and_revisions_for_reconciliation(home: Home) -> None:
    engine = home.open()
    ids = ["PER-2-116.17", "PER-2~0a1b2c3d4e", "iachr-191~x", "A-HRC-22-15", 'q"uote', "back\\slash", "ñ", "colon:x"]
    engine.rebuild((_document(id_, "x", revision=f"r{at}") for at, id_ in enumerate(ids)), 1)
    engine.apply([_document("ñ", "y", revision="r99")], [DocumentKey("recommendations", "PER-2-116.17")], 2)
    assert engine.ids("recommendations") == {id_: f"r{at}" for at, id_ in enumerate(ids) if at} | {"ñ": "r99"}
    assert engine.ids("statements") == {}


def test_the_index_survives_a_restart(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 41)
    engine.apply([_document("b", "women")], [], 42)
    engine.close()
    again = home.open()
    assert (again.cursor(), _total(again), _total(again, "womem ")) == (42, 2, 1)


def test_two_engines_on_one_index_see_each_others_writes(home: Home) -> None:
    writer, reader = home.open(), home.open()
    writer.rebuild(iter([_document("a", "torture")]), 1)
    assert _total(reader) == 1
    writer.apply([_document("b", "moratorium")], [], 2)
    assert (_total(reader), _total(reader, "moratorum "), reader.cursor()) == (2, 1, 2)
    writer.rebuild(iter([_document("c", "prison")]), 3)
    assert (_total(reader), _total(reader, "prisom "), reader.cursor()) == (1, 1, 3)


def test_the_cursor_is_lost_with_the_index(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 5)
    home.lose()
    assert engine.cursor() is None
    with pytest.raises(IndexMissingError):
        _total(engine)
    with pytest.raises(IndexMissingError):
        engine.apply([_document("b", "x")], [], 6)
    assert engine.cursor() is None
    engine.rebuild(iter([_document("a", "torture")]), 7)
    assert (engine.cursor(), _total(engine)) == (7, 1)


def _book(id_: str, *passages: str, revision: str = "1") -> IndexDocument:
    parts = tuple(Passage({"text": text}, {"text": text}) for text in passages)
    return IndexDocument("documents", id_, {"id": id_}, {"text": f"A report {id_}"}, revision=revision, passages=parts)


def _texts(engine: Engine, text: str) -> list[list[str]]:
    """The passages of each hit."""
    hits = engine.search(SearchRequest(parse_query(text))).hits
    return [[str(passage["text"]) for passage in hit.passages] for hit in hits]


def test_passages_come_and_go_with_their_document(home: Home) -> None:
    engine = home.open()
    assert engine.rebuild(iter([_book("a", "torture", "prison", "police"), _document("b", "women")]), 1) == 2
    assert (engine.counts(), _total(engine)) == ({"documents": 1, "recommendations": 1}, 2)
    assert "2 documents" in engine.health().detail
    assert (_total(engine, "torture "), _total(engine, "torture prison ")) == (1, 0)

    engine.apply([_book("a", "torture, again", "moratorium", revision="2")], [], 2)
    assert (_texts(engine, "torture "), _total(engine, "police ")) == ([["torture, again"]], 0)
    assert _total(engine, "moratorum ") == 1
    assert engine.ids("documents") == {"a": "2"}

    engine.apply([_book("a", revision="3"), _book("c", "police")], [], 3)
    assert (_total(engine, "torture "), _texts(engine, "police ")) == (0, [["police"]])
    engine.apply([], [DocumentKey("documents", "c")], 4)
    assert (_total(engine, "police "), engine.counts()) == (0, {"documents": 1, "recommendations": 1})
    assert engine.ids("documents") == {"a": "3"}


def test_a_document_that_lost_passages_has_no_revision(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_book("a", "torture", "prison"), _book("b", "torture"), _book("c")]), 1)
    assert engine.ids("documents") == {"a": "1", "b": "1", "c": "1"}
    if isinstance(engine, MeilisearchEngine):
        engine._server.wait(
            [engine._server.delete(engine._live, [f"{_document_key(DocumentKey('documents', 'a'))}_1"])]
        )
    else:
        assert isinstance(engine, EmbeddedEngine)
        writer = engine._current().index.writer()
        writer.delete_documents_by_term("part_of", "documents:a")
        writer.commit()
    assert engine.ids("documents") == {"a": "", "b": "1", "c": "1"}


def test_an_index_of_another_version_or_layout_is_none(home: Home) -> None:
    home.open().rebuild(iter([_document("a", "torture")]), 5)
    assert home.open(version="2").cursor() is None
    assert home.open(IndexLayout(texts=("text",), filters=("colour",))).cursor() is None
    assert home.open().cursor() == 5


def test_versions_stand_side_by_side_until_pruned(home: Home) -> None:
    old, new = home.open(), home.open(version="2")
    old.rebuild(iter([_document("a", "torture")]), 5)
    new.rebuild(iter([_document("a", "torture"), _document("b", "torture")]), 6)
    assert (_total(old), _total(new)) == (1, 2)
    assert len(new.prune()) == 1
    assert (old.cursor(), new.cursor(), _total(new)) == (None, 6, 2)
    assert new.prune() == ()


def test_searching_goes_on_while_the_index_is_rebuilt(home: Home) -> None:
    engine = home.open()
    documents = generated(300)
    engine.rebuild(iter(documents), 1)
    failures: list[object] = []
    searches = 0
    done = threading.Event()

    def search() -> None:
        nonlocal searches
        while not done.is_set():
            try:
                total = _total(engine)
                searches += 1
                if total != 300:
                    failures.append(total)
            except Exception as error:  # noqa: BLE001 - the test reports whatever it is
                failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for cursor in (2, 3, 4):
        engine.rebuild(iter(documents), cursor)
    engine.apply([replace(documents[0], revision="new")], [], 5)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert searches > 0
    assert engine.cursor() == 5


def test_changes_may_be_applied_while_the_index_is_rebuilt(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 1)

    def documents() -> Iterator[IndexDocument]:
        yield _document("a", "torture")
        engine.apply([_document("b", "women")], [], 2)
        assert (_total(engine), engine.cursor()) == (2, 2)

    engine.rebuild(documents(), 1)
    assert (engine.cursor(), _total(engine)) == (1, 1)  # the cursor says that change 2 is to be applied again
    engine.apply([_document("b", "women")], [], 2)
    assert (engine.cursor(), _total(engine)) == (2, 2)


def test_changes_that_follow_another_index_are_refused(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 100)
    engine.apply([_document("b", "women")], [], 110, follows=100)
    engine.rebuild(iter([_document("a", "torture")]), 105)  # read before change 110
    with pytest.raises(IndexMovedError):
        engine.apply([_document("c", "prison")], [], 111, follows=110)
    assert (engine.cursor(), _total(engine)) == (105, 1)
    engine.apply([_document("b", "women"), _document("c", "prison")], [], 111, follows=105)
    assert (engine.cursor(), _total(engine)) == (111, 3)


def test_a_failed_rebuild_leaves_the_old_index(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 1)

    def broken() -> Iterator[IndexDocument]:
        yield _document("b", "women")
        raise KeyError("the store went away")

    with pytest.raises(KeyError):
        engine.rebuild(broken(), 2)
    assert (engine.cursor(), _total(engine, "torture ")) == (1, 1)
    engine.rebuild(iter([_document("c", "prison")]), 3)
    assert (engine.cursor(), _total(engine)) == (3, 1)


def test_a_second_rebuild_at_the_same_time_is_refused(home: Home) -> None:
    engine = home.open()

    def documents() -> Iterator[IndexDocument]:
        with pytest.raises(UnavailableError, match="being rebuilt"):
            engine.rebuild(iter([]), 9)
        yield _document("a", "torture")

    engine.rebuild(documents(), 1)
    assert engine.cursor() == 1


def test_a_document_that_cannot_be_indexed_stops_the_batch_and_the_cursor(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter([_document("a", "torture")]), 1)
    poisoned = replace(_document("b", "x"), filters={"issue": ("x" * 469,)})
    with pytest.raises(IndexRefusedError, match="issue"):
        engine.apply([_document("c", "women"), poisoned], [], 2)
    assert engine.cursor() == 1
    with pytest.raises(InvalidParameterError):
        engine.apply([replace(_document("b", "x"), dates={"date": "soon"})], [], 2)
    engine.apply([_document("c", "women")], [], 3)
    assert (engine.cursor(), _total(engine)) == (3, 2)


def test_an_empty_index_is_an_index(home: Home) -> None:
    engine = home.open()
    assert engine.rebuild(iter([]), 0) == 0
    assert (engine.cursor(), _total(engine), engine.counts()) == (0, 0, {})
    result = engine.search(SearchRequest(parse_query("torture"), facets=("issue",), sort="-date", page=3))
    assert (result.total, result.hits, result.facets["issue"].values) == (0, (), ())
    engine.apply([_document("a", "tortured")], [], 1)
    assert _total(engine, "torture ") == 1
    engine.apply([], [DocumentKey("recommendations", "a")], 2)
    assert (_total(engine), engine.counts()) == (0, {})


def test_hostile_texts_are_indexed(home: Home) -> None:
    engine = home.open()
    texts = [
        "",
        "\0",
        "x\0y torture",
        "\u202eerutrot",
        "a" * 100_000,
        "torture " * 20_000,
        "e\u0301cole",
        "人権 を",
        "\ufffe",
    ]
    engine.rebuild((_document(f"t{at}", text) for at, text in enumerate(texts)), 1)
    assert _total(engine) == len(texts)
    assert _total(engine, "torture ") == 2
    assert _total(engine, "école ") == 1
    assert _total(engine, '"人権 を"') == 1
    assert _total(engine, "a" * 1_000) == 1


def test_many_threads_may_search(home: Home) -> None:
    engine = home.open()
    engine.rebuild(iter(generated(200)), 1)
    expected = engine.search(SearchRequest(parse_query("rigths -women"), facets=("issue", "region")))
    wrong: list[object] = []

    def search() -> None:
        for _ in range(10):
            result = engine.search(SearchRequest(parse_query("rigths -women"), facets=("issue", "region")))
            if (result.total, result.facets) != (expected.total, expected.facets):
                wrong.append(result)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
