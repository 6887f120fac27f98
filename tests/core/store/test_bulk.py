"""COPY writes any value as it is, in the transaction of the connection."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, func, select
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.bulk import copy_rows
from services.core.store.metadata import plain_text, texts

things = Table(
    "things_to_copy",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", plain_text()),
    Column("codes", texts()),
    Column("told", JSONB),
    Column("size", Integer, server_default="7"),
)
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@pytest.fixture
def written(engine: Engine) -> Engine:
    things.metadata.create_all(engine)
    return engine


def rows(connection: Connection) -> list[Any]:
    return [tuple(row) for row in connection.execute(select(things).order_by(things.c.id))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.none() | WORDS, st.lists(WORDS), st.none() | st.lists(WORDS | st.integers(0, 9)))))
def test_values_come_back_as_they_were(written: Engine, told: list[Any]) -> None:
    given_rows = [
        {"id": number, "text": text, "codes": codes, "told": {"members": members}}
        for number, (text, codes, members) in enumerate(told)
    ]
    with written.connect() as connection, connection.begin() as transaction:
        copy_rows(connection, things, given_rows)
        assert rows(connection) == [(each["id"], each["text"], each["codes"], each["told"], 7) for each in given_rows]
        transaction.rollback()


def test_it_is_part_of_the_transaction(written: Engine) -> None:
    with written.connect() as connection:
        with connection.begin() as transaction:
            copy_rows(connection, things, ({"id": number} for number in range(5_000)))
            transaction.rollback()
        with connection.begin():
            copy_rows(connection, things, [{"id": 1}])
            copy_rows(connection, things, [])
        assert connection.scalar(select(func.count()).select_from(things)) == 1
