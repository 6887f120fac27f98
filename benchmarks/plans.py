"""How PostgreSQL finds what the API is asked for, on real rows where they are at hand.

    python -m benchmarks.plans [--database postgresql://…]

Loads UPR Info's rows and the shared reports into an embedded PostgreSQL (`--database`: takes what is in that one), asks
the API the things below, and prints the plan of each query that it took, as executed. docs/api.md shows them.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, event

from benchmarks.against_datasette import filled
from benchmarks.datasets import UPR_INFO
from benchmarks.loading import REPORTS
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.serve import served
from services.core.store.engine import make_engine

LIST = "/v1/recommendations"
PAGE = f"{LIST}?state_under_review=PER&position=noted&limit=20"
CASES = (
    ("two filters: page and total", PAGE),
    ("the page after it", "{next}"),
    ("a label", f"{LIST}?topic=torture-prevention"),
    ("a recommending State", f"{LIST}?recommending_state=ESP"),
    ("one record", f"{LIST}/{{id}}"),
    ("changes after a number", "/v1/changes?after={cursor}&limit=50"),
)
_EXPLAIN = "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off)"
_NOTHING = re.compile(r"^(SET|SHOW|BEGIN|COMMIT|ROLLBACK|SELECT 1$)", re.IGNORECASE)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--database", help="a database with records in it")
    given = arguments.parse_args()
    with database(given.database) as url:
        settings = ApiSettings(database_url=url, log_level="warning", rate_limit=0)
        configure_logs(settings, service="api")
        engine = make_engine(url, pool_size=1)
        with (
            served(create_app(settings, url), settings=settings) as address,
            httpx.Client(base_url=address, timeout=60) as client,
        ):
            known = client.get(PAGE).raise_for_status().json()
            cursor = known["dataset"]["cursor"]
            page = known["page"]["next"].replace(settings.public_url, "")
            words = {"next": page, "id": known["data"][0]["id"], "cursor": cursor // 2}
            for what, path in CASES:
                told = re.sub(r"cursor=[^&]+", "cursor=…", path.format(**words))
                print(f"\n{what}: GET {told}")
                explain(client, engine, path.format(**words))
        engine.dispose()


@contextmanager
def database(given: str | None) -> Iterator[str]:
    """A store with something in it."""
    if given:
        yield given
        return
    files = [*sorted(UPR_INFO.glob("*.csv")), *sorted(REPORTS.glob("*.pdf"))]
    if not files:
        raise SystemExit(f"not run: there are neither rows in {UPR_INFO} nor reports in {REPORTS}")
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "postgres", durable=False) as url:
        filled(url, files, Path(folder)).dispose()
        yield url


def explain(client: httpx.Client, engine: Engine, address: str) -> None:
    """Print the plan of each query that the address takes."""
    client.get(address).raise_for_status()  # what is remembered from now on is no part of it
    taken: list[tuple[str, Any]] = []

    def keep(*given: Any) -> None:
        taken.append((given[2], given[3]))

    event.listen(Engine, "before_cursor_execute", keep)
    client.get(address).raise_for_status()
    event.remove(Engine, "before_cursor_execute", keep)
    with engine.connect() as connection:
        for statement, parameters in taken:
            if not _NOTHING.match(statement):
                plan = connection.exec_driver_sql(f"{_EXPLAIN} {statement}", parameters)
                print("\n".join(f"    {row[0]}" for row in plan), "\n", flush=True)


if __name__ == "__main__":
    main()
