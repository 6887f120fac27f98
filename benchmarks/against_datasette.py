"""The API beside Datasette on the same rows in the same run: real ones, where they are at hand.

    python -m benchmarks.against_datasette [--seconds 10] [--clients 8] [--rows-only]

Loads UPR Info's rows and the shared reports into an embedded PostgreSQL, and the same recommendations into SQLite with
an index on each column that is asked for. Then each service, one process, no cache of answers, is asked the same things
by so many clients at once: a filtered list of 50 with its total, and single records. Then exports, whose memory is
watched, and the list on ten times the rows with as many matches. Datasette is `.venv-datasette/bin/datasette`
(`make bench-api` sets it up from benchmarks/datasette.txt).
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text

from benchmarks.datasets import UPR_INFO
from benchmarks.loading import REPORTS, _memory
from benchmarks.serving import DATASETTE, Running, analyse, datasette, filled, free_port, measured, started
from services.core.runtime.postgres import embedded_postgres
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, shape_of
from services.core.store.recommendations import RECOMMENDATIONS, recommendations_table
from services.core.store.reference import read_reference
from services.core.store.reviews import reviews_table

COLUMNS = ("state_under_review", "cycle", "session", "position", "date", "review")
PAGE = 50


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--clients", type=int, default=8)
    given = arguments.parse_args()
    files = [*sorted(UPR_INFO.glob("*.csv")), *sorted(REPORTS.glob("*.pdf"))]
    if not files:
        print(f"not run: there are neither rows in {UPR_INFO} nor reports in {REPORTS}")
        return
    if not DATASETTE.exists():
        print(f"not run: there is no {DATASETTE}; `make bench-api` makes one")
        return
    with tempfile.TemporaryDirectory() as temporary, embedded_postgres(Path(temporary) / "postgres") as url:
        folder = Path(temporary)
        engine = filled(url, files, folder)
        sqlite = folder / "recommendations.db"
        cases = copied(engine, sqlite)
        with ours(url) as api, datasette(sqlite) as other:
            compare(api, other, cases, given)
            exports(api)
            before = measured(api.address, cases.lists_of_ours[:40], given)
            tenfold(engine)
            after = measured(api.address, cases.lists_of_ours[:40], given)
            print(
                f"ten times the rows, as many matches: list p50 {before.p50:.1f} ms, then {after.p50:.1f} ms: "
                f"{after.p50 / before.p50:.2f} times (may be 1.5)"
            )
        engine.dispose()


# The two stores


@dataclass(frozen=True)
class Cases:
    """The same questions in both services' words."""

    lists_of_ours: list[str]
    lists_of_theirs: list[str]
    records_of_ours: list[str]
    records_of_theirs: list[str]


def copied(engine: Engine, path: Path) -> Cases:
    """Write the recommendations into SQLite, and choose what is asked."""
    names = Names(read_reference(engine))
    with engine.connect() as connection, sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE recommendations (id TEXT PRIMARY KEY, url TEXT, state_under_review TEXT, cycle INTEGER,"
            " session INTEGER, position TEXT, date TEXT, review TEXT, number TEXT, text TEXT, text_language TEXT,"
            " recommending_states TEXT, position_detail TEXT, positions TEXT, labels TEXT, documents TEXT,"
            " sources TEXT, revision INTEGER)"
        )
        shapes = [shape_of("recommendations", each, names) for each in RECOMMENDATIONS.where(connection)]
        database.executemany(f"INSERT INTO recommendations VALUES ({','.join('?' * 18)})", map(_row, shapes))
        for column in COLUMNS:
            database.execute(f"CREATE INDEX by_{column} ON recommendations ({column})")
        database.execute("ANALYZE")
    chance = random.Random(7)
    chosen = chance.sample(shapes, 400)
    asked = [(each["state_under_review"]["code"], each["position"]) for each in chosen]
    ids = [each["id"] for each in chosen]
    return Cases(
        [
            f"/v1/recommendations?state_under_review={state}&position={position}&limit={PAGE}"
            for state, position in asked
        ],
        [
            f"/recommendations/recommendations.json?state_under_review={state}&position={position}&_size={PAGE}&_shape=objects"
            for state, position in asked
        ],
        [f"/v1/recommendations/{each}" for each in ids],
        [f"/recommendations/recommendations/{_tilde(each)}.json?_shape=objects" for each in ids],
    )


def _tilde(key: str) -> str:
    """A key as Datasette writes it in an address (docs.datasette.io, internals: tilde encoding)."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "".join(f"~{b:02X}" for b in c.encode()) for c in key
    )


def _row(shape: Shape) -> tuple[Any, ...]:
    lists = {
        name: json.dumps(shape[name]) for name in ("recommending_states", "positions", "labels", "documents", "sources")
    }
    row = {**shape, **lists, "state_under_review": shape["state_under_review"]["code"], "url": shape["id"]}
    return tuple(
        row[name]
        for name in (
            *("id", "url", "state_under_review", "cycle", "session", "position", "date", "review", "number", "text"),
            *("text_language", "recommending_states", "position_detail", "positions", "labels", "documents", "sources"),
            "revision",
        )
    )


# The two services


@contextmanager
def ours(url: str) -> Iterator[Running]:
    environment = {
        "UPR_DATABASE_URL": url,
        "UPR_API_PORT": str(free_port()),
        "UPR_LOG_LEVEL": "warning",
        "UPR_RATE_LIMIT": "0",
    }
    command = [str(Path(sys.executable).parent / "upr"), "api", "serve"]
    with started(command, f"http://127.0.0.1:{environment['UPR_API_PORT']}", "/readyz", environment) as running:
        yield running


# What is measured


def compare(api: Running, other: Running, cases: Cases, given: argparse.Namespace) -> None:
    for what, of_ours, of_theirs in (
        ("filtered list of 50 with its total", cases.lists_of_ours, cases.lists_of_theirs),
        ("single record", cases.records_of_ours, cases.records_of_theirs),
    ):
        check_the_same(api, other, of_ours[:20], of_theirs[:20])
        mine, theirs = measured(api.address, of_ours, given), measured(other.address, of_theirs, given)
        alone = measured(api.address, of_ours, argparse.Namespace(seconds=given.seconds / 2, clients=1))
        print(f"{what}, {given.clients} clients:\n  OpenUPR   {mine}\n  Datasette {theirs}")
        print(f"  {mine.rate / theirs.rate:.2f} times as many; OpenUPR with one client: {alone}", flush=True)


def check_the_same(api: Running, other: Running, of_ours: Sequence[str], of_theirs: Sequence[str]) -> None:
    """Both answer the same rows, or there is nothing to compare."""
    for mine, theirs in zip(of_ours, of_theirs, strict=True):
        a, b = httpx.get(api.address + mine).json(), httpx.get(other.address + theirs).json()
        told = (a["total"], len(a["data"])) if "data" in a else a["id"]
        asked = (b["filtered_table_rows_count"], len(b["rows"])) if "data" in a else b["rows"][0]["id"]
        assert told == asked, (mine, told, asked)


def exports(api: Running) -> None:
    for suffix in ("ndjson", "csv", "xlsx"):
        resting = _memory(api.pid) / 1e6
        peak, rows, size, seconds = _exported(api, f"/v1/recommendations.{suffix}")
        speed = f"{rows / seconds:,.0f} rows/s, " if suffix != "xlsx" else ""
        print(
            f"export {suffix}: {rows:,} rows, {size / 1e6:.0f} MB in {seconds:.2f} s: {speed}"
            f"memory {resting:.0f} MB, {peak:.0f} MB at the peak"
        )


def _exported(api: Running, path: str) -> tuple[float, int, int, float]:
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], _memory(api.pid) / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    start = time.perf_counter()
    rows = size = 0
    with httpx.stream("GET", api.address + path, headers={"Accept-Encoding": "identity"}, timeout=300) as answer:
        for chunk in answer.iter_raw():
            rows += chunk.count(b"\n")
            size += len(chunk)
    seconds = time.perf_counter() - start
    done.set()
    thread.join()
    total = httpx.get(f"{api.address}/v1/recommendations?limit=1").json()["total"]
    return peak[0], total, size, seconds


def tenfold(engine: Engine) -> None:
    """Nine more copies of every recommendation, of other reviews of other States, so that no filter finds more."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO states SELECT 'Z' || substr(md5(id), 1, 5), names, un_status, NULL, '{}', facts, true,"
                " revision, created_at, updated_at FROM states WHERE NOT sample"
            )
        )
        for copy in range(1, 10):
            _copy(connection, copy)
    analyse(engine)


def _copy(connection: Any, copy: int) -> None:
    changed = {"id": f"id || '~{copy}'", "state_under_review": "'Z' || substr(md5(state_under_review), 1, 5)"}
    reviews = {**changed}
    recommendations = {**changed, "sort_key": f"sort_key || '~{copy}'", "review": f"review || '~{copy}'"}
    for table, values in ((reviews_table, reviews), (recommendations_table, recommendations)):
        columns = [column.name for column in table.columns]
        chosen = ", ".join(values.get(name, name) for name in columns)
        only = "WHERE id NOT LIKE '%~_'"
        connection.execute(
            text(f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {chosen} FROM {table.name} {only}")
        )


if __name__ == "__main__":
    main()
