"""Rows become records and come back as they were, for every noun."""

from dataclasses import fields, replace

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql import ARRAY

from services.core.store.records import HISTORY, Stored
from services.core.store.tables import AGGREGATES
from tests.records import RecordMaker, Records, write_records


@pytest.fixture
def made(engine: Engine) -> Records:
    maker = RecordMaker(61)
    records: Records = {"labels": list(maker.labels())}
    records |= maker.records({}, default=15)
    with engine.begin() as connection:
        write_records(connection, records)
    return records


def key(record: Stored) -> str:
    return str(record.id)  # type: ignore[attr-defined]


def test_records_have_the_columns_of_their_tables() -> None:
    for aggregate in AGGREGATES.values():
        told = {field.name: field for field in fields(aggregate.record)}
        assert told.keys() == {column.name for column in aggregate.table.columns}
        for column in aggregate.table.columns:
            assert isinstance(column.type, ARRAY) == str(told[column.name].type).startswith("tuple"), column


def test_what_is_written_is_read(engine: Engine, made: Records) -> None:
    with engine.connect() as connection:
        for noun, records in made.items():
            ids = [key(record) for record in records]
            found = AGGREGATES[noun].read(connection, ids)
            assert found == {key(record): record for record in records}, noun
            assert {(record.revision, record.created_at == record.updated_at) for record in found.values()} == {
                (1, True)
            }
            assert AGGREGATES[noun].one(connection, ids[0]) == records[0]
            assert AGGREGATES[noun].one(connection, "none") is None
            assert [key(each) for each in AGGREGATES[noun].where(connection) if key(each) in ids] == sorted(ids)


def test_an_update_is_one_revision(engine: Engine, made: Records) -> None:
    for noun, records in made.items():
        aggregate, other = AGGREGATES[noun], _changed(records[0], records[1])
        with engine.begin() as connection:
            aggregate.update(connection, [other])
        with engine.connect() as connection:
            found = aggregate.one(connection, key(other))
        assert found == other, noun
        assert found is not None
        assert found.revision == 2
        assert found.updated_at > found.created_at


def _changed(record: Stored, model: Stored) -> Stored:
    """The record with what another one says, but for what makes it itself."""
    own = {"id", "sort_key", "scheme", "code", *HISTORY}
    return replace(record, **{f.name: getattr(model, f.name) for f in fields(model) if f.name not in own})


def test_deleting_takes_these_and_no_others(engine: Engine, made: Records) -> None:
    for noun in [*made][::-1]:
        ids = [key(record) for record in made[noun] if noun != "reviews"]
        if not ids:
            continue
        with engine.begin() as connection:
            AGGREGATES[noun].delete(connection, [])
            AGGREGATES[noun].delete(connection, ids[:3])
        with engine.connect() as connection:
            assert AGGREGATES[noun].read(connection, ids).keys() == set(ids[3:]), noun


def test_reading_many_is_one_query(engine: Engine, made: Records) -> None:
    told: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: told.append(given[2]))
        assert AGGREGATES["pledges"].read(connection, []) == {}
        AGGREGATES["pledges"].read(connection, [key(record) for record in made["pledges"]])
    assert len(told) == 1


def test_all_are_read_after_somebody_read_in_portions(engine: Engine, made: Records) -> None:
    """SQLAlchemy's option holds for the whole connection, and would keep the first rows of what comes after."""
    with engine.connect() as connection:
        for noun, records in made.items():
            table = AGGREGATES[noun].table
            rows = connection.execution_options(yield_per=4).execute(table.select())
            assert len([row for portion in rows.partitions() for row in portion]) >= len(records)
            found = AGGREGATES[noun].read(connection, [key(record) for record in records])
            assert found == {key(record): record for record in records}
