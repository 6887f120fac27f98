"""The search service on the real reports: build rate, battery over HTTP, how soon a change is found, backlogs.

    python -m benchmarks.search_service [--rounds 15] [--each] [--backlogs]

An embedded PostgreSQL is filled with ../shared/data/wg_reports and the matrices; the service runs in a process of its
own; one client asks one thing after the other over one connection. The bare engine is asked in this process, on the
same index, in turns with the service. Filters by UPR Info's issues are left out: the reports carry no such labels.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from sqlalchemy import Engine, delete

from services.core.domain.changes import Cause
from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import embedded_postgres
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store import migrate
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine, snapshot
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord, recommendations_table
from services.core.store.reference import read_reference
from services.ingest.load import Loader
from services.ingest.reading import Reading
from services.ingest.sandbox import Sandbox
from services.search import indexer as indexing
from services.search.dependencies import Desk, open_desk
from services.search.documents import Projection, all_documents
from services.search.parameters import read_search_query
from services.search.settings import SearchSettings

SHARED = Path(__file__).resolve().parents[2] / "shared"
REGIONS = {"Africa": "africa", "Asia": "asia-pacific", "WEOG": "weog", "GRULAC": "grulac", "EEG": "eastern-europe"}
"""UPR Info's names of regional groups, as the battery has them."""
SHARES = (0.2, 0.4, 0.6)
FRESH = 40


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--each", action="store_true", help="print every query")
    arguments.add_argument("--backlogs", action="store_true", help="compare following with building anew")
    chosen = arguments.parse_args()
    if not (SHARED / "data" / "wg_reports").is_dir():
        raise SystemExit("not run: the shared data is not beside the repository")
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "postgres") as url:
        settings = SearchSettings(
            data_dir=Path(folder), database_url=url, log_level="warning", search_engine="embedded"
        )
        configure_logs(settings, service="benchmark")
        migrate.upgrade(url)
        store = make_engine(url, pool_size=4)
        _load(store)
        with open_desk(settings, url) as desk:
            _report_build(desk)
            if chosen.backlogs:
                _report_backlogs(desk)
        with _service(settings) as client, open_desk(settings, url) as desk:
            _report_battery(desk, client, chosen.rounds, each=chosen.each)
            _report_freshness(store, client)
        store.dispose()


def _load(store: Engine) -> None:
    data = SHARED / "data"
    files = sorted([*(data / "wg_reports").glob("*.pdf"), *data.glob("matrices/*.docx")])
    begun = time.perf_counter()
    loader = Loader(store, timedelta(days=36_500))
    with Sandbox() as sandbox:
        for path, sha256, result in sandbox.read_all(files):
            if isinstance(result, Reading) and sha256:
                loader.load(path, sha256, result)
    print(f"{len(files)} documents loaded in {time.perf_counter() - begun:.1f} s")


@contextmanager
def _service(settings: SearchSettings) -> Iterator[httpx.Client]:
    environment = {
        **os.environ,
        "UPR_DATA_DIR": str(settings.data_dir),
        "UPR_DATABASE_URL": str(settings.database_url),
        "UPR_SEARCH_PORT": "0",
        "UPR_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "services.cli", "search", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address = next(line for line in process.stdout if line.startswith("listening on")).split()[-1]
        try:
            with httpx.Client(base_url=address, timeout=60) as client:
                while client.get("/readyz").status_code != 200:
                    time.sleep(0.1)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)


def _report_build(desk: Desk) -> None:
    """The first build of a process knows no stem yet; the later ones tell what a larger store would see."""
    with snapshot(desk.store) as connection:
        projection = Projection(read_reference(desk.store))
        read = _timed(lambda: sum(1 for _ in all_documents(connection, projection)))
    for title in ("first build", "second build"):
        count = 0

        def build() -> None:
            nonlocal count
            count = desk.indexer.rebuild()

        took = _timed(build)
        print(f"{title}: {count:,} documents from the store in {took:.2f} s: {count / took:,.0f}/s")
    print(f"  of which reading and shaping them takes {read:.2f} s: {count / read:,.0f}/s")


def _report_backlogs(desk: Desk) -> None:
    """What `REBUILD_FROM_SHARE` rests on: following changes of a share of all documents, against building anew."""
    total = sum(desk.engine.counts().values())
    with desk.store.connect() as connection:
        records = RECOMMENDATIONS.where(connection)
    rebuild = statistics.median(_timed(desk.indexer.rebuild) for _ in range(3))
    few, indexing.FEW = indexing.FEW, sys.maxsize
    print(f"backlogs: building {total:,} documents anew takes {rebuild:.2f} s")
    for share in SHARES:
        touched = records[: int(total * share)]
        _touch(desk.store, touched)
        took = _timed(desk.indexer.step)
        print(f"  following {len(touched):,} changed documents ({len(touched) / total:.0%}): {took:.2f} s")
    indexing.FEW = few
    for _ in range(50_000 // len(records) + 1):
        _touch(desk.store, records)
    behind = desk.indexer.lag().changes
    print(f"  catching up {behind:,} changes as it is: {_timed(desk.indexer.step):.2f} s")


def _touch(store: Engine, records: Sequence[RecommendationRecord]) -> None:
    """Changes that alter nothing."""
    reference = read_reference(store)
    names = Names(reference)
    drafts = []
    for record in records:
        shape = shape_of("recommendations", record, names)
        drafts.append(
            draft_change("recommendations", None, shape, cause=Cause.BACKFILL, effective_on=None, reference=reference)
        )
    with store.begin() as connection:
        append_changes(connection, [draft for draft in drafts if draft])


def _report_battery(desk: Desk, client: httpx.Client, rounds: int, *, each: bool) -> None:
    queries = json.loads((SHARED / "tools" / "search_battery.json").read_text("utf-8"))["queries"]
    plain = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    service: dict[str, list[float]] = {}
    engine: dict[str, list[float]] = {}
    for round_ in range(rounds + 1):
        for query in queries:
            parameters = _parameters(query)
            request = read_search_query(parameters, desk.reference.get().vocabulary).request
            target = f"/v1/search?{urlencode(parameters)}"
            over_http = _timed(partial(_answered, plain, target))
            bare = _timed(partial(desk.engine.search, request))
            if round_:
                service.setdefault(query["name"], []).append(over_http * 1000)
                engine.setdefault(query["name"], []).append(bare * 1000)
    if each:
        for name, measured in service.items():
            over_http, bare = statistics.median(measured), statistics.median(engine[name])
            print(f"  {name:25} {over_http:7.2f} ms over HTTP {bare:7.2f} ms engine {over_http - bare:7.2f} ms added")
    print(f"{len(queries)} queries x {rounds}, one client")
    print(f"  over HTTP    {_percentiles(service)}")
    print(f"  bare engine  {_percentiles(engine)}")
    added = sorted(statistics.median(service[name]) - statistics.median(engine[name]) for name in service)
    print(
        f"  added by the service to the median of a query: p50 {added[len(added) // 2]:.2f} ms, most {added[-1]:.2f} ms"
    )


def _answered(connection: http.client.HTTPConnection, target: str) -> None:
    """By the plainest client there is: httpx takes 0.7 ms for itself."""
    connection.request("GET", target)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()


def _parameters(query: dict[str, Any]) -> list[tuple[str, str]]:
    asked = [("q", query["q"]), *((name, str(query[name])) for name in ("page", "sort") if name in query)]
    for name, values in query.get("filters", {}).items():
        asked += [(name, REGIONS.get(value, str(value))) for value in values if name != "issue"]
    if "facets" in query:
        asked.append(("facets", ",".join(query["facets"])))
    return asked


def _report_freshness(store: Engine, client: httpx.Client) -> None:
    """From the commit of a change to the first answer that finds it."""
    with store.connect() as connection:
        like = RECOMMENDATIONS.where(connection)[0]
    reference = read_reference(store)
    taken: list[float] = []
    made: list[str] = []
    for at in range(FRESH):
        word = f"zanzibar{chr(97 + at // 26)}{chr(97 + at % 26)}"
        record = replace(like, id=f"{like.review}-999.{at}", sort_key=f"~{at}", text=word)
        made.append(record.id)
        shape = shape_of("recommendations", record, Names(reference))
        draft = draft_change(
            "recommendations", None, shape, cause=Cause.BACKFILL, effective_on=None, reference=reference
        )
        assert draft is not None
        with store.begin() as connection:
            RECOMMENDATIONS.insert(connection, [record])
            append_changes(connection, [draft])
        begun = time.perf_counter()
        while client.get("/v1/search", params={"q": f'"{word}"', "per_page": 0}).json()["total"] != 1:
            time.sleep(0.02)
        taken.append((time.perf_counter() - begun) * 1000)
    with store.begin() as connection:
        connection.execute(delete(recommendations_table).where(recommendations_table.c.id.in_(made)))
    taken.sort()
    p95 = taken[int(len(taken) * 0.95)]
    print(f"a change is found after {statistics.median(taken):.0f} ms (p95 {p95:.0f} ms, longest {taken[-1]:.0f} ms)")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _percentiles(times: dict[str, list[float]]) -> str:
    pooled = sorted(value for measured in times.values() for value in measured)
    return ", ".join(f"p{share} {pooled[len(pooled) * share // 100]:.2f} ms" for share in (50, 95, 99))


if __name__ == "__main__":
    main()
