"""Runs as they are listed: pages of them, one of them, the last of a source."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, select, tuple_

from services.core.domain.errors import InvalidCursorError, NotFoundError
from services.core.store.ingest import runs_table
from services.core.store.paging import binding_of, read_cursor, write_cursor

Run = Mapping[str, Any]


@dataclass(frozen=True)
class RunPage:
    """One page of runs, newest first. `next_cursor` is None on the last one."""

    runs: Sequence[Run]
    next_cursor: str | None


def list_runs(
    engine: Engine, *, source: str | None = None, status: str | None = None, cursor: str | None = None, limit: int = 20
) -> RunPage:
    """A page of the runs of a source, or of all, in a status, or in any. Raises `InvalidCursorError`."""
    columns = runs_table.c
    query = select(runs_table).order_by(columns.started_at.desc(), columns.id.desc()).limit(limit + 1)
    for column, value in ((columns.source, source), (columns.status, status)):
        if value is not None:
            query = query.where(column == value)
    binding = binding_of("runs", source, status)
    if cursor is not None:
        query = query.where(tuple_(columns.started_at, columns.id) < tuple_(*_place(cursor, binding)))
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return RunPage(
        [_shape(row) for row in rows[:limit]],
        write_cursor(binding, last.started_at.isoformat(), last.id) if last is not None else None,
    )


def find_run(engine: Engine, run: str) -> Run:
    """One run. Raises `NotFoundError`."""
    with engine.connect() as connection:
        row = connection.execute(select(runs_table).where(runs_table.c.id == run)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no run {run}.")
    return _shape(row)


def _place(cursor: str, binding: str) -> tuple[datetime.datetime, str]:
    value, run = read_cursor(cursor, binding)
    try:
        return datetime.datetime.fromisoformat(value), run
    except ValueError as error:
        raise InvalidCursorError("The cursor is not one that this list gave out.", parameter="cursor") from error


def _shape(row: Row[Any]) -> Run:
    return dict(row._mapping)
