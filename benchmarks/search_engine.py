"""The bare search engines on UPR Info's 42,013 rows: build, battery, and how soon a change is found.

    python -m benchmarks.search_engine [--engine embedded|meilisearch] [--rounds 15] [--rows 42013]

Meilisearch is measured where UPR_MEILI_URL (and UPR_MEILI_KEY) name a server. One client, one thread; every query with
20 hits, its exact total and its facets. Percentiles are over all queries and rounds, the first round left out. Rows
beyond the real ones are spliced from two real texts: generated, not real.
"""

import argparse
import json
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from services.core.query.parser import parse_query
from services.search.engines.base import Engine, IndexDocument, SearchRequest
from services.search.engines.embedded import EmbeddedEngine
from services.search.engines.meilisearch import MeilisearchEngine
from tests.search.engines.corpus import LAYOUT, UPR_INFO, upr_info

BATTERY = UPR_INFO.parents[1] / "tools" / "search_battery.json"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--engine", choices=["embedded", "meilisearch"], default="embedded")
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--rows", type=int, default=42_013)
    arguments.add_argument("--each", action="store_true", help="print every query")
    chosen = arguments.parse_args()
    if not BATTERY.is_file():
        raise SystemExit("not run: the shared data is not beside the repository")
    with tempfile.TemporaryDirectory() as folder:
        engine = _engine(chosen.engine, Path(folder))
        documents = list(islice(_rows(), chosen.rows))
        _report_build(engine, documents)
        _report_battery(engine, chosen.rounds, each=chosen.each)
        _report_freshness(engine, documents)
        if isinstance(engine, MeilisearchEngine):
            engine._server.remove(engine._live)


def _engine(name: str, folder: Path) -> Engine:
    if name == "embedded":
        return EmbeddedEngine(folder, LAYOUT, "bench")
    if "UPR_MEILI_URL" not in os.environ:
        raise SystemExit("not run: UPR_MEILI_URL is not set")
    return MeilisearchEngine(os.environ["UPR_MEILI_URL"], os.environ.get("UPR_MEILI_KEY"), LAYOUT, "1", index="bench")


def _rows() -> Iterator[IndexDocument]:
    """The real rows, then generated ones without end: two real texts spliced."""
    real = list(upr_info())
    yield from real
    chance = random.Random(1)
    for at in range(len(real), 10**9):
        one, other = chance.choice(real), chance.choice(real)
        text = (
            f"{one.texts['text'][: len(one.texts['text']) // 2]} {other.texts['text'][len(other.texts['text']) // 2 :]}"
        )
        yield replace(one, id=f"{one.id}~{at}", record={**one.record, "text": text}, texts={**one.texts, "text": text})


def _report_build(engine: Engine, documents: list[IndexDocument]) -> None:
    begun = time.perf_counter()
    count = engine.rebuild(iter(documents), 1)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{engine.capabilities.engine}: {count:,} documents in {took:.2f} s: {count / took:,.0f}/s (peak {peak:.0f} MB)"
    )


def _report_battery(engine: Engine, rounds: int, *, each: bool) -> None:
    queries = json.loads(BATTERY.read_text("utf-8"))["queries"]
    times: dict[str, list[float]] = {}
    totals: dict[str, int] = {}
    for round_ in range(rounds + 1):
        for query in queries:
            begun = time.perf_counter()
            totals[query["name"]] = engine.search(_request(query)).total
            if round_:
                times.setdefault(query["name"], []).append((time.perf_counter() - begun) * 1000)
    if each:
        for name, measured in times.items():
            print(f"  {name:25} {statistics.median(measured):7.2f} ms {totals[name]:7,} found")
    pooled = sorted(value for measured in times.values() for value in measured)
    p50, p95, p99 = (pooled[int(len(pooled) * share)] for share in (0.5, 0.95, 0.99))
    print(f"  {len(queries)} queries x {rounds}: p50 {p50:.2f} ms, p95 {p95:.2f} ms, p99 {p99:.2f} ms")


def _request(query: dict[str, Any]) -> SearchRequest:
    filters = {name: tuple(map(str, values)) for name, values in query.get("filters", {}).items()}
    first, last = (filters.pop(name, (None,))[0] for name in ("date_from", "date_to"))
    return SearchRequest(
        parse_query(query["q"]),
        filters=filters,
        date_from=first,
        date_to=last,
        facets=tuple(query.get("facets", ())),
        page=query.get("page", 1),
        sort=query.get("sort"),
    )


def _report_freshness(engine: Engine, documents: list[IndexDocument]) -> None:
    """From `apply` to a search that finds the change, one document at a time."""
    taken: list[float] = []
    for at in range(20):
        word = f"zanzibar{'abcdefghijklmnopqrst'[at]}"
        begun = time.perf_counter()
        engine.apply([replace(documents[at], texts={"text": word})], [], at + 2)
        assert engine.search(SearchRequest(parse_query(f'"{word}"'))).total == 1
        taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    print(f"  a change is found after {statistics.median(taken):.0f} ms (median of 20; longest {taken[-1]:.0f} ms)")


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
