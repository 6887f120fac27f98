"""The reference is kept for a while, and is never older than the snapshot it is asked for."""

import threading
import time

from sqlalchemy import Engine, event

from services.core.store.changes import append_changes, head
from services.core.store.engine import make_engine
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.reference import Reference, ReferenceShelf, read_reference
from tests.core.store.test_changes import draft


def add_label(engine: Engine, code: str) -> None:
    with engine.begin() as connection:
        LABELS.insert(connection, [LabelRecord(id=f"topic:{code}", scheme="topic", code=code, names={"en": code})])
        append_changes(connection, [draft(f"topic:{code}")])


def as_of_now(shelf: ReferenceShelf, engine: Engine) -> Reference:
    with engine.connect() as connection:
        return shelf.as_of(connection, head(connection))


def test_it_is_read_once_and_again_when_something_changed(engine: Engine) -> None:
    told: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: told.append(given[2]))
    shelf = ReferenceShelf(engine, seconds=3600)
    first = shelf.get()
    assert as_of_now(shelf, engine) is first is shelf.get()
    assert sum("FROM labels" in each for each in told) == 1
    add_label(engine, "new")
    assert shelf.get() is first
    assert "topic:new" in as_of_now(shelf, engine).labels
    assert "topic:new" in shelf.get().labels
    assert sum("FROM labels" in each for each in told) == 2


def test_a_snapshot_from_before_takes_the_later_one(engine: Engine) -> None:
    shelf = ReferenceShelf(engine, seconds=3600)
    add_label(engine, "new")
    later = as_of_now(shelf, engine)
    with engine.connect() as connection:
        assert shelf.as_of(connection, 0) is later


def test_it_is_read_again_after_a_while(engine: Engine) -> None:
    shelf = ReferenceShelf(engine, seconds=0.05)
    first = shelf.get()
    time.sleep(0.06)
    assert shelf.get() is not first


def test_many_readers_on_few_connections(database_url: str) -> None:
    """Whoever waits for the reference holds a connection; all are taken, and nobody waits for ever."""
    engine = make_engine(database_url, pool_size=2)
    shelf = ReferenceShelf(engine, seconds=0.0)
    seen: list[Reference] = []

    def read() -> None:
        for _ in range(5):
            seen.append(as_of_now(shelf, engine))
            seen.append(shelf.get())

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    assert len(seen) == 60
    engine.dispose()


def test_the_vocabulary_is_what_there_is(engine: Engine) -> None:
    add_label(engine, "new")
    words = read_reference(engine).vocabulary
    assert {"PER", "PSE", "VAT"} <= words.states
    assert {"grulac", "weog"} <= words.regions
    assert {"oas", "eu"} <= words.blocs
    assert not words.regions & words.blocs
    assert {"new", "torture-prevention"} <= words.labels["topic"]
    assert words.labels["sdg"] == {str(goal) for goal in range(1, 18)}
