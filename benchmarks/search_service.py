"""The search service on UPR Info's rows and the shared reports, beside Datasette in the same run: all that it promises.

    python -m benchmarks.search_service [--data FOLDER] [--rounds 15] [--each] [--only PART] [--million] [--backlogs]

Loads the rows and the reports into an embedded PostgreSQL and builds the index from it. The service runs in a process
of its own and answers over HTTP; Datasette has the same recommendations with an FTS5 index, facet suggestions off and
its time limits lifted (else it leaves facets out without a word). Then:

- `build`: documents a second; `battery`: the 34 queries with one client, over HTTP and by the bare engine in this
  process, in turns; `datasette`: text and six facets by both; `fresh`: from a commit to the answer that finds it
- `known`, `themes`, `counts`: what is found (benchmarks/search_quality.py)
- `large`: the battery on 270,000 records, with `--million` on 1,000,000: real ones with words changed over and States
  changed, generated

`--data`: a data folder that holds the rows and the reports, instead of loading them. It is written to.
"""

import argparse
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine, delete, func, select

from benchmarks.datasets import UPR_INFO
from benchmarks.loading import REPORTS
from benchmarks.search_battery import BATTERY, BatteryQuery, battery, written_for_datasette
from benchmarks.search_quality import (
    KNOWN_ITEMS_OURS,
    known_items,
    report_counts,
    report_known_items,
    report_themes,
)
from benchmarks.serving import DATASETTE, analyse, answered, connected, datasette, filled
from services.core.domain.changes import Cause
from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import embedded_postgres
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_values
from services.core.store import migrate
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine, snapshot
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord, recommendations_table
from services.core.store.reference import read_reference
from services.search import indexer as indexing
from services.search.dependencies import Desk, open_desk
from services.search.documents import Projection, all_documents
from services.search.engines.base import IndexDocument
from services.search.parameters import read_search_query
from services.search.settings import SearchSettings

SHARES = (0.2, 0.4, 0.6)
FRESH = 40
LARGE, MILLION = 270_000, 1_000_000
PARTS = ("build", "battery", "datasette", "fresh", "known", "themes", "counts", "large")
_LIFTED = (("sql_time_limit_ms", "60000"), ("facet_time_limit_ms", "60000"), ("max_returned_rows", "1000"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, help="a data folder, instead of loading the shared data")
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--each", action="store_true", help="print every query")
    arguments.add_argument("--only", choices=PARTS, action="append", help="these parts alone")
    arguments.add_argument("--million", action="store_true", help="the battery on 1,000,000 records, too")
    arguments.add_argument("--backlogs", action="store_true", help="compare following with building anew")
    given = arguments.parse_args()
    files = [*sorted(UPR_INFO.glob("*.csv")), *sorted(REPORTS.glob("*.pdf"))]
    if not files or not BATTERY.is_file():
        print(f"not run: there are neither rows in {UPR_INFO} nor reports in {REPORTS}")
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.data or Path(temporary)
        with embedded_postgres(folder / "postgres") as url:
            store = _opened(url) if given.data else filled(url, files, folder)
            settings = SearchSettings(data_dir=folder, database_url=url, log_level="warning", search_engine="embedded")
            configure_logs(settings, service="benchmark")
            _report(store, settings, url, given, Path(temporary))
            store.dispose()


def _opened(url: str) -> Engine:
    migrate.upgrade(url)
    return make_engine(url, pool_size=4)


def _report(store: Engine, settings: SearchSettings, url: str, given: argparse.Namespace, folder: Path) -> None:
    parts = given.only or PARTS
    with open_desk(settings, url) as desk:
        if "build" in parts or desk.engine.cursor() is None:
            _report_build(desk, again="build" in parts)
        if given.backlogs:
            _report_backlogs(desk)
    with ExitStack() as stack:
        ours = stack.enter_context(_service(settings))
        desk = stack.enter_context(open_desk(settings, url))
        theirs = _datasette(store, folder, stack) if {"datasette", "known"} & set(parts) else None
        if "battery" in parts:
            _report_battery(desk, ours, given.rounds, each=given.each)
        if "datasette" in parts and theirs:
            _report_text_and_facets(ours, theirs, given.rounds)
        if "fresh" in parts:
            _report_freshness(store, ours)
        if {"known", "themes", "counts"} & set(parts):
            _report_quality(desk, ours, theirs, parts, folder)
    if "large" in parts:
        for size in (LARGE, MILLION) if given.million else (LARGE,):
            _report_large(store, settings, url, size, given)


def _report_quality(
    desk: Desk, ours: HTTPConnection, theirs: HTTPConnection | None, parts: Sequence[str], folder: Path
) -> None:
    documents = _documents(desk.store)
    if "known" in parts:
        more = known_items(documents, KNOWN_ITEMS_OURS, seed=6)
        report_known_items(known_items(documents), more, ours, theirs)
    if "themes" in parts:
        report_themes(documents, desk.engine, folder)
    if "counts" in parts:
        report_counts(documents, ours, desk.reference.get().vocabulary)


def _documents(store: Engine) -> list[IndexDocument]:
    with snapshot(store) as connection:
        return list(all_documents(connection, Projection(read_reference(store))))


# Services


@contextmanager
def _service(settings: SearchSettings) -> Iterator[HTTPConnection]:
    environment = {
        **os.environ,
        "UPR_DATA_DIR": str(settings.data_dir),
        "UPR_DATABASE_URL": str(settings.database_url),
        "UPR_SEARCH_PORT": "0",
        "UPR_LOG_LEVEL": "warning",
        "UPR_RATE_LIMIT": "0",
    }
    command = [sys.executable, "-m", "services.cli", "search", "serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        address = next(line for line in process.stdout if line.startswith("listening on")).split()[-1]
        try:
            with connected(address) as connection:
                while not _ready(connection):
                    time.sleep(0.1)
                yield connection
        finally:
            process.send_signal(signal.SIGTERM)


def _ready(connection: HTTPConnection) -> bool:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def _datasette(store: Engine, folder: Path, stack: ExitStack) -> HTTPConnection | None:
    if not DATASETTE.exists():
        print(f"Datasette: not run, there is no {DATASETTE}; `make bench-search` makes one")
        return None
    reference = read_reference(store)
    names = Names(reference)
    with store.connect() as connection:
        shapes = [shape_of("recommendations", each, names) for each in RECOMMENDATIONS.where(connection)]
    rows = ((shape, filter_values("recommendations", shape, reference)) for shape in shapes)
    written_for_datasette(rows, folder / "search.db")
    running = stack.enter_context(datasette(folder / "search.db", *_LIFTED))
    return stack.enter_context(connected(running.address))


# Speed


def _report_build(desk: Desk, *, again: bool) -> None:
    """The processes that read start anew with each build."""
    for title in ("build", "again")[: 2 if again else 1]:
        count = 0

        def build() -> None:
            nonlocal count
            count = desk.indexer.rebuild()

        took = _timed(build)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{title}: {count:,} documents from the store in {took:.2f} s: {count / took:,.0f}/s"
            f" (memory of the building process: {peak:.0f} MB at the peak)",
            flush=True,
        )


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


def _report_battery(desk: Desk, ours: HTTPConnection, rounds: int, *, each: bool) -> None:
    service: dict[str, list[float]] = {}
    engine: dict[str, list[float]] = {}
    queries = battery()
    for round_ in range(rounds + 1):
        for query in queries:
            request = read_search_query(query.parameters, desk.reference.get().vocabulary).request
            over_http = _timed(partial(answered, ours, query.path))
            bare = _timed(partial(desk.engine.search, request))
            if round_:
                service.setdefault(query.name, []).append(over_http * 1000)
                engine.setdefault(query.name, []).append(bare * 1000)
    if each:
        for name, measured in service.items():
            over_http, bare = statistics.median(measured), statistics.median(engine[name])
            print(f"  {name:25} {over_http:7.2f} ms over HTTP {bare:7.2f} ms engine {over_http - bare:7.2f} ms added")
    print(f"battery: {len(queries)} queries x {rounds}, one client, {sum(desk.engine.counts().values()):,} documents")
    print(f"  over HTTP    {_percentiles(service)}")
    print(f"  bare engine  {_percentiles(engine)}")
    added = sorted(statistics.median(service[name]) - statistics.median(engine[name]) for name in service)
    medians = [
        statistics.median(value for measured in each.values() for value in measured) for each in (service, engine)
    ]
    print(
        f"  added by the service: {medians[0] - medians[1]:.2f} ms to the p50;"
        f" to the median of a query p50 {added[len(added) // 2]:.2f} ms, most {added[-1]:.2f} ms",
        flush=True,
    )


def _report_text_and_facets(ours: HTTPConnection, theirs: HTTPConnection, rounds: int) -> None:
    """Requests a second of one client that asks now the one, now the other, so that both meet the same machine."""
    kinds: dict[str, list[BatteryQuery]] = {}
    for query in battery():
        kinds.setdefault(query.kind, []).append(query)
    print("beside Datasette, recommendations alone, one client, in turns")
    for kind in ("text+6 facets", "word", "2-3 words", "empty+6 facets"):
        mine, other = [], []
        for round_ in range(rounds + 1):
            for query in kinds[kind]:
                pair = (
                    _timed(partial(answered, ours, query.path_among_recommendations)),
                    _timed(partial(answered, theirs, query.datasette_path)),
                )
                if round_:
                    mine.append(pair[0])
                    other.append(pair[1])
        rates = [len(each) / sum(each) for each in (mine, other)]
        print(f"  {kind:16} {rates[0]:7.1f} req/s, Datasette {rates[1]:7.1f} req/s: {rates[0] / rates[1]:.1f} times")
        for query in kinds[kind]:
            print(
                f"    {query.name:22} {_total(answered(ours, query.path_among_recommendations), 'total'):7,} found,"
                f" Datasette {_total(answered(theirs, query.datasette_path), 'filtered_table_rows_count'):7,}"
            )
    sys.stdout.flush()


def _total(body: bytes, name: str) -> int:
    return int(json.loads(body)[name])


def _report_freshness(store: Engine, ours: HTTPConnection) -> None:
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
        path = f"/v1/search?{urlencode({'q': chr(34) + word + chr(34), 'per_page': 0})}"
        while _total(answered(ours, path), "total") != 1:
            time.sleep(0.01)
        taken.append((time.perf_counter() - begun) * 1000)
    with store.begin() as connection:
        connection.execute(delete(recommendations_table).where(recommendations_table.c.id.in_(made)))
    taken.sort()
    p95 = taken[int(len(taken) * 0.95)]
    print(f"a change is found after {statistics.median(taken):.0f} ms (p95 {p95:.0f} ms, longest {taken[-1]:.0f} ms)")


def _report_large(store: Engine, settings: SearchSettings, url: str, size: int, given: argparse.Namespace) -> None:
    _enlarge(store, size)
    with open_desk(settings, url) as desk:
        _report_build(desk, again=False)
    with _service(settings) as ours, open_desk(settings, url) as desk:
        _report_battery(desk, ours, max(given.rounds // 3, 3), each=given.each)


def _enlarge(store: Engine, size: int) -> None:
    """Variations of the real recommendations, until there are `size` records."""
    with store.connect() as connection:
        real = [each for each in RECOMMENDATIONS.where(connection) if "~v" not in each.id]
        held = connection.scalar(select(func.count()).select_from(recommendations_table)) or 0
    chance = random.Random(held)
    states = sorted({state for each in real for state in (each.state_under_review, *each.recommending_states)})
    for first in range(held, size, 10_000):
        records = [_variation(chance, real, states, at) for at in range(first, min(first + 10_000, size))]
        with store.begin() as connection:
            RECOMMENDATIONS.insert(connection, records)
    analyse(store)


def _variation(
    chance: random.Random, real: Sequence[RecommendationRecord], states: Sequence[str], at: int
) -> RecommendationRecord:
    """A real one with a part of the words of another, two words changed over, and other States."""
    like, other = chance.choice(real), chance.choice(real)
    words, others = like.text.split(), other.text.split()
    words = words[: len(words) // 2 + 1] + others[len(others) // 2 :]
    one, two = chance.randrange(len(words)), chance.randrange(len(words))
    words[one], words[two] = words[two], words[one]
    return replace(
        like,
        id=f"{like.id}~v{at}",
        sort_key=f"{like.sort_key}~v{at}",
        text=" ".join(words),
        state_under_review=chance.choice(states),
        recommending_states=(chance.choice(states),),
        aliases=(),
        external_ids=(),
    )


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _percentiles(times: dict[str, list[float]]) -> str:
    pooled = sorted(value for measured in times.values() for value in measured)
    return ", ".join(f"p{share} {pooled[len(pooled) * share // 100]:.2f} ms" for share in (50, 95, 99))


if __name__ == "__main__":
    main()
