"""How fast the API answers, on a made-up store of the size of UPR Info's: one worker, one client, no cache.

    python -m benchmarks.api [--recommendations 42000] [--rounds 300] [--explain] [--database postgresql://…]

Prints p50, p95 and requests/s of lists, details and the feed, and with `--explain` the plan of each list.
Without `--database` it runs on an embedded PostgreSQL in a folder that is removed in the end.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, event, text

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.domain.changes import Cause
from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.serve import served
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store import migrate
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine
from services.core.store.reference import read_reference
from tests.records import RecordMaker, write_records

ADDRESSES = (
    "/v1/recommendations",
    "/v1/recommendations?state_under_review=PER",
    "/v1/recommendations?state_under_review=PER&cycle=2",
    "/v1/recommendations?recommending_state=AFG&position=noted",
    "/v1/recommendations?region=grulac",
    "/v1/recommendations?cycle=2&position=supported",
    "/v1/recommendations?sdg=16&sort=-date",
    "/v1/recommendations?topic=torture-prevention&region=grulac",
    "/v1/recommendations?sort=-date",
    "/v1/recommendations?sort=-updated_at",
    "/v1/recommendations?date_from=2015-01-01",
    "/v1/recommendations?session=3",
    "/v1/statements?speaker=AFG",
    "/v1/statements?sort=-date",
    "/v1/observations?state_under_review=PER",
    "/v1/states",
    "/v1/reviews?cycle=2",
    "/v1/recommendations/{id}",
    "/v1/states/PER",
    "/v1/changes?limit=50",
    "/v1/changes?limit=50&state_under_review=PER",
    "/v1/changes?limit=50&event_type=recommendation.created&date_from=2015-01-01",
)


def fill(engine: Engine, recommendations: int) -> str:
    """Write the store; answers the id of one recommendation."""
    maker = RecordMaker(2026)
    counts = {
        "reviews": 700,
        "documents": 2_000,
        "recommendations": recommendations,
        "pledges": 1_000,
        "observations": recommendations // 2,
        "hearings": 700,
        "statements": recommendations,
        "organisations": 100,
    }
    with engine.begin() as connection:
        write_records(connection, {"labels": list(maker.labels())})
        records = maker.records(counts)
        write_records(connection, records)
        _write_changes(connection, engine, records["recommendations"][:20_000])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return str(records["recommendations"][0].id)  # type: ignore[attr-defined]


def _write_changes(connection: Connection, engine: Engine, records: list[Any]) -> None:
    reference = read_reference(engine)
    names = Names(reference)
    drafts = [
        draft_change(
            "recommendations",
            None,
            shape_of("recommendations", record, names),
            cause=Cause.BACKFILL,
            effective_on=None,
            reference=reference,
        )
        for record in records
    ]
    append_changes(connection, [draft for draft in drafts if draft is not None])


def measure(client: httpx.Client, address: str, rounds: int) -> tuple[float, float, float, int]:
    """p50 and p95 in milliseconds, requests a second, and the bytes of one answer."""
    client.get(address).raise_for_status()
    seconds: list[float] = []
    began = time.perf_counter()
    while len(seconds) < rounds and time.perf_counter() - began < 10:
        start = time.perf_counter()
        answer = client.get(address)
        seconds.append(time.perf_counter() - start)
        answer.raise_for_status()
    cuts = statistics.quantiles(seconds, n=20)
    return cuts[9] * 1000, cuts[18] * 1000, len(seconds) / sum(seconds), len(answer.content)


def explain(client: httpx.Client, engine: Engine, address: str) -> None:
    """Print the plan of each query on a record's table that the address takes."""
    statements: list[tuple[str, Any]] = []

    def keep(*given: Any) -> None:
        if "_sort" in given[2] or "count(" in given[2]:
            statements.append((given[2], given[3]))

    event.listen(Engine, "before_cursor_execute", keep)
    client.get(address).raise_for_status()
    event.remove(Engine, "before_cursor_execute", keep)
    with engine.connect() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, COSTS off) {statement}", parameters)
            print("\n".join(f"    {row[0]}" for row in plan))


@contextmanager
def database(given: str | None) -> Iterator[str]:
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "postgres", durable=False) as url:
        yield url


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recommendations", type=int, default=42_000)
    arguments.add_argument("--rounds", type=int, default=300)
    arguments.add_argument("--explain", action="store_true")
    arguments.add_argument("--only", default="", help="only addresses that hold this text")
    arguments.add_argument("--database", help="an empty database to use instead of an embedded one")
    given = arguments.parse_args()
    with database(given.database) as url:
        migrate.upgrade(url)
        engine = make_engine(url)
        record_id = fill(engine, given.recommendations)
        settings = ApiSettings(database_url=url, log_level="warning")
        configure_logs(settings, service="api")
        with (
            served(create_app(settings, url), settings=settings) as address,
            httpx.Client(base_url=address, timeout=60) as client,
        ):
            print(f"{'p50 ms':>8} {'p95 ms':>8} {'req/s':>8} {'kB':>7}")
            for path in (each.replace("{id}", record_id) for each in ADDRESSES if given.only in each):
                p50, p95, rate, size = measure(client, path, given.rounds)
                print(f"{p50:8.1f} {p95:8.1f} {rate:8.0f} {size / 1000:7.1f}  {path}", flush=True)
                if given.explain and "/v1/changes" not in path:
                    explain(client, engine, path)
        engine.dispose()


if __name__ == "__main__":
    main()
