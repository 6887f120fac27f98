import random
import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from services.core.domain.changes import Cause
from services.core.store.changes import (
    ChangeDraft,
    append_changes,
    changes_after,
    forget_changes,
    head,
    kept_changes,
    note_read,
)
from services.core.store.engine import make_engine

WRITERS = 8
ROUNDS = 25


def draft(subject: str) -> ChangeDraft:
    return ChangeDraft(
        type="recommendation.updated",
        cause=Cause.PUBLICATION,
        effective_on=None,
        noun="recommendations",
        subject=subject,
        data={"id": subject},
        changed={},
        terms_before=("id:" + subject,),
        terms_after=("id:" + subject,),
    )


def test_changes_are_numbered_from_one(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        assert head(connection) == 0
        assert append_changes(connection, []) == 0
        assert append_changes(connection, [draft("a"), draft("b")]) == 2
    with engine.connect() as connection:
        found = changes_after(connection, 0, 10)
    engine.dispose()
    assert [(change.seq, change.subject) for change in found] == [(1, "a"), (2, "b")]
    assert all(change.id.startswith("evt_") for change in found)


def test_old_changes_go_when_all_have_read_them(database_url: str) -> None:
    engine = make_engine(database_url)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        assert kept_changes(connection).tells_all_after(0)
        append_changes(connection, [draft(str(number)) for number in range(30)])
        age = "UPDATE changes SET occurred_at = now() - (CASE WHEN seq <= 20 THEN 40 ELSE 1 END) * interval '1 day'"
        connection.execute(text(age))

    def forget(read_up_to: int, limit: int = 100) -> tuple[int, int]:
        with engine.begin() as connection:
            gone = forget_changes(connection, before=now - timedelta(days=30), read_up_to=read_up_to, limit=limit)
            kept = kept_changes(connection)
            assert kept.newest == 30
            assert (kept.tells_all_after(kept.oldest - 1), kept.tells_all_after(kept.oldest - 2)) == (True, False)
            assert [change.seq for change in changes_after(connection, 0, 99)] == list(range(kept.oldest, 31))
            return gone, kept.oldest

    assert forget(3) == (2, 3)  # what was read last stays
    with engine.begin() as connection:
        note_read(connection, "an index", 4)
        note_read(connection, "an index", 10)
        note_read(connection, "another", 30)
    assert forget(30, limit=4) == (4, 7)
    assert forget(30) == (3, 10)
    with engine.begin() as connection:  # an index that nobody has used for longer than changes are kept
        connection.execute(text("UPDATE feed_readers SET read_at = now() - interval '31 days' WHERE name = 'an index'"))
    assert forget(30) == (11, 21)
    assert forget(30) == (0, 21)
    engine.dispose()


def test_a_reader_that_remembers_a_number_misses_nothing(database_url: str) -> None:
    """Eight writers, some of which roll back, and a reader that goes on after the last number it saw."""
    engine = make_engine(database_url, pool_size=WRITERS + 1)
    committed: list[str] = []
    done = threading.Event()
    writers = [threading.Thread(target=_write, args=(engine, number, committed)) for number in range(WRITERS)]
    seen: list[tuple[int, str]] = []
    reader = threading.Thread(target=_read, args=(engine, seen, done))
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    engine.dispose()
    assert [seq for seq, _ in seen] == list(range(1, len(committed) + 1))
    assert sorted(subject for _, subject in seen) == sorted(committed)


def _write(engine: Engine, number: int, committed: list[str]) -> None:
    chance = random.Random(number)
    for turn in range(ROUNDS):
        subjects = [f"{number}.{turn}.{n}" for n in range(chance.randint(1, 4))]
        with engine.connect() as connection:
            transaction = connection.begin()
            append_changes(connection, [draft(subject) for subject in subjects])
            time.sleep(chance.random() / 500)
            if chance.random() < 0.2:
                transaction.rollback()
            else:
                transaction.commit()
                committed.extend(subjects)


def _read(engine: Engine, seen: list[tuple[int, str]], done: threading.Event) -> None:
    while True:
        last_round = done.is_set()
        with engine.connect() as connection:
            after = seen[-1][0] if seen else 0
            found = changes_after(connection, after, 10_000)
        seen.extend((change.seq, change.subject) for change in found)
        if last_round:
            return
