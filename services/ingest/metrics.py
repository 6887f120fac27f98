"""What the ingest service measures: runs, files and issues, as the store has them when asked."""

from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, Integer, Row, Select, func, select

from services.core.runtime.problems import DATABASE_AWAY
from services.core.store.ingest import issues_table, runs_table
from services.ingest.pipeline.records import Status

_OUTCOMES = ("fetched", "unchanged", "missing", "refused", "unreadable", "loaded")
_c = runs_table.c

Family = CounterMetricFamily | GaugeMetricFamily


class IngestMetrics(Collector):
    """Counted in the store, so that all processes tell the same."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[Family]:
        """Named without asking anybody: registering must not depend on it."""
        return [_runs([]), _files([]), _last_success([]), _held([]), _issues([])]

    def collect(self) -> Iterator[Family]:
        """The families; nothing where the database is away."""
        try:
            with self._engine.connect() as connection:
                runs = connection.execute(_RUNS).all()
                issues = connection.execute(_ISSUES).all()
        except DATABASE_AWAY:
            return
        yield from (_runs(runs), _files(runs), _last_success(runs), _held(runs), _issues(issues))


def _of_counts(name: str) -> Any:
    return func.coalesce(func.sum(_c.counts[name].astext.cast(Integer)), 0).label(name)


_RUNS: Select[Any] = (
    select(
        _c.source,
        _c.status,
        func.count().label("runs"),
        func.max(func.extract("epoch", _c.finished_at)).label("last"),
        *map(_of_counts, _OUTCOMES),
    )
    .group_by(_c.source, _c.status)
    .order_by(_c.source, _c.status)
)
_ISSUES = (
    select(runs_table.c.source, issues_table.c.severity, func.count().label("issues"))
    .join_from(issues_table, runs_table)
    .group_by(runs_table.c.source, issues_table.c.severity)
    .order_by(runs_table.c.source, issues_table.c.severity)
)

Rows = Sequence[Row[Any]]


def _runs(rows: Rows) -> Family:
    family = CounterMetricFamily("upr_ingest_runs", "Runs by what became of them.", labels=["source", "status"])
    for row in rows:
        family.add_metric([row.source, row.status], row.runs)
    return family


def _files(rows: Rows) -> Family:
    family = CounterMetricFamily("upr_ingest_files", "Files by what became of them.", labels=["source", "outcome"])
    for source in dict.fromkeys(row.source for row in rows):
        of_it = [row for row in rows if row.source == source]
        for outcome in _OUTCOMES:
            family.add_metric([source, outcome], sum(getattr(row, outcome) for row in of_it))
    return family


def _last_success(rows: Rows) -> Family:
    meaning = "When the last run that finished did so."
    family = GaugeMetricFamily("upr_ingest_last_success_timestamp_seconds", meaning, labels=["source"])
    for row in rows:
        if row.status == Status.FINISHED and row.last is not None:
            family.add_metric([row.source], float(row.last))
    return family


def _held(rows: Rows) -> Family:
    meaning = "Runs that wait for a person to release or discard them."
    family = GaugeMetricFamily("upr_ingest_held_runs", meaning, labels=["source"])
    for source in dict.fromkeys(row.source for row in rows):
        held = sum(row.runs for row in rows if (row.source, row.status) == (source, Status.HELD))
        family.add_metric([source], held)
    return family


def _issues(rows: Rows) -> Family:
    family = CounterMetricFamily(
        "upr_ingest_issues", "What was not understood, by severity.", labels=["source", "severity"]
    )
    for row in rows:
        family.add_metric([row.source, row.severity], row.issues)
    return family
