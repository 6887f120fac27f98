"""Files of one review that are loaded together: the store is as after one by one, and the feed says each thing once."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from services.core.domain.changes import Cause
from services.core.store.changes import changes_after
from services.core.store.engine import make_engine
from services.ingest.load import FileRead, Loaded, Loader
from services.ingest.load_sources import review_told
from tests.ingest.test_any_order import empty, told_by
from tests.ingest.world import SOURCES

REVIEW = "PER-2"
OF_THE_REVIEW = [
    versions[0] for versions in SOURCES.values() if versions[0].file and review_told(versions[0].reading) == REVIEW
]
TODAY = datetime.now(UTC).date()
NEWS = timedelta(days=36_500)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


@pytest.fixture
def files(tmp_path: Path) -> list[FileRead]:
    written = []
    for version in OF_THE_REVIEW:
        assert version.file is not None
        (tmp_path / version.file).write_text(version.file)
        sha256 = hashlib.sha256(version.file.encode()).hexdigest()
        written.append(FileRead(tmp_path / version.file, sha256, version.reading))
    return written


def one_by_one(engine: Engine, files: list[FileRead], backfill_after: timedelta = NEWS) -> None:
    for each in files:
        Loader(engine, backfill_after).load(each.path, each.sha256, each.reading)


def nothing(_connection: Connection, _told: Sequence[Loaded]) -> None:
    pass


def test_the_records_are_those_of_loading_one_by_one(engine: Engine, files: list[FileRead]) -> None:
    assert len(files) > 5
    one_by_one(engine, files)
    expected = told_by(engine)
    empty(engine)
    for some in (files[::2], files[1::2]):
        told = Loader(engine, NEWS).load_together(some, nothing)
        assert told is not None
        assert [each.outcome for each in told] == ["loaded"] * len(some)
    for noun, records in expected.items():
        assert told_by(engine)[noun] == records, noun
    again = Loader(engine, NEWS).load_together(files, nothing)
    assert again is not None
    assert {each.outcome for each in again} == {"unchanged"}
    assert sum(map(len, (each.counts for each in again))) == 0


def test_a_record_changes_once(engine: Engine, files: list[FileRead]) -> None:
    Loader(engine, NEWS).load_together(files, nothing)
    with engine.connect() as connection:
        changes = changes_after(connection, 0, 10_000)
    assert set(Counter((change.noun, change.subject) for change in changes).values()) == {1}
    assert {change.type.partition(".")[2] for change in changes} == {"created"}
    dates = {each.reading.document.symbol: each.reading.document.published_on for each in files}
    for change in changes:
        if change.noun == "documents" and (told := dates.get(change.data["symbol"])):
            assert change.effective_on == date.fromisoformat(told)


def test_each_record_changes_because_of_its_own_document(engine: Engine, files: list[FileRead]) -> None:
    days = sorted(
        date.fromisoformat(each.reading.document.published_on) for each in files if each.reading.document.published_on
    )
    old_and_new = TODAY - days[len(days) // 2]
    Loader(engine, old_and_new).load_together(files, nothing)
    with engine.connect() as connection:
        changes = changes_after(connection, 0, 10_000)
    causes = {change.data["symbol"]: change.cause for change in changes if change.noun == "documents"}
    for each in files:
        if each.reading.document.published_on and each.reading.document.symbol:
            published = date.fromisoformat(each.reading.document.published_on)
            is_old = TODAY - published > old_and_new
            assert causes[each.reading.document.symbol] == (Cause.BACKFILL if is_old else Cause.PUBLICATION)
    assert set(causes.values()) == {Cause.BACKFILL, Cause.PUBLICATION}


def test_a_file_that_told_of_another_review_is_left_to_be_loaded_by_itself(
    engine: Engine, files: list[FileRead]
) -> None:
    moved = replace(files[0].reading, document=replace(files[0].reading.document, cycle=3))
    one_by_one(engine, [replace(files[0], reading=moved)])
    before = told_by(engine)
    assert Loader(engine, NEWS).load_together(files, nothing) is None
    assert told_by(engine) == before
