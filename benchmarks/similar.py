"""How well likenesses are found, and how fast suggestions, facets and likenesses are answered, on UPR Info's rows.

    python -m benchmarks.similar [--data FOLDER] [--pairs 500] [--rounds 3]

UPR Info's export (`../shared/data/upr_info`) is loaded into an embedded PostgreSQL and indexed; the service runs in a
process of its own, and one client asks one thing after the other. Pairs are recommendations to the same State in
different cycles with the same letters and digits: the service is asked for what is like the one, and the other has to
be among the first three. Suggestions are asked for letter by letter. Beside the wall time stands the CPU time of the
service a request, which others on the machine hardly change.

`--data`: a data folder that holds the rows, instead of loading them. Its index is built where there is none.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
from sqlalchemy import Engine, select

from benchmarks.datasets import UPR_INFO
from services.core.domain.identifiers import normalised_text
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.recommendations import recommendations_table
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox

FIRST = 3
TYPED = (
    "torture prevention", "prevención de la tortura", "violence against women", "death penalty", "perú", "guatemala",
    "domestic violence", "enfants", "A/HRC/22/15", "116.17", "indigenous peoples", "free prior", "OPCAT", "tortrue",
    "national human rights institution", "discrmination", "mecanismo nacional", "sexual orientation", "climate change",
    "right to education", "migrant workers",
)  # fmt: skip
FACETS = (
    ("topic", {"q": "tort"}),
    ("state_under_review", {"q": "gua", "search": "torture"}),
    ("recommending_state", {"position": "noted", "sort": "name"}),
    ("year", {"state_under_review": "PER"}),
    ("issue", {"q": "muj", "lang": "es"}),
)


@dataclass(frozen=True)
class Running:
    """The service: its process, and a connection to it."""

    process: int
    connection: HTTPConnection

    def asked(self, path: str) -> Any:
        """The answer."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, body[:500])
        return orjson.loads(body)

    def worked(self) -> float:
        """Seconds of CPU that the process has taken (Linux)."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--pairs", type=int, default=500)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    exports = sorted(UPR_INFO.glob("*.csv"))
    if not exports and not given.data:
        print(f"not run: there is no export in {UPR_INFO}")
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.data or Path(temporary)
        with embedded_postgres(folder / "postgres") as url:
            migrate.upgrade(url)
            store = make_engine(url, pool_size=2)
            if not given.data:
                _load(store, exports, folder)
            with _service(url, folder) as service:
                _report_pairs(service, _twins(store), given.pairs)
                _report_times(service, given.rounds)
            store.dispose()


def _load(store: Engine, exports: list[Path], folder: Path) -> None:
    with Sandbox() as sandbox:
        archive = Archive(folder / "documents")
        for _ in run_files(store, exports, sandbox, archive, source="bench", backfill_after=timedelta(days=180)):
            pass


@contextmanager
def _service(url: str, folder: Path) -> Iterator[Running]:
    settings = {"DATA_DIR": str(folder), "DATABASE_URL": url, "SEARCH_PORT": "0", "LOG_LEVEL": "warning"}
    settings |= {"RATE_LIMIT": "0", "SEARCH_ENGINE": "embedded"}
    environment = {**os.environ, **{f"UPR_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "services.cli", "search", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address = next(line for line in process.stdout if line.startswith("listening on")).split()[-1]
        connection = HTTPConnection(urlsplit(address).netloc, timeout=120)
        try:
            while not _is_ready(connection):
                time.sleep(0.2)
            yield Running(process.pid, connection)
        finally:
            connection.close()
            process.send_signal(signal.SIGTERM)


def _is_ready(connection: HTTPConnection) -> bool:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def _twins(store: Engine) -> list[tuple[str, str]]:
    """Recommendations to the same State in different cycles with the same text, in no order."""
    columns = recommendations_table.c
    said: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    with store.connect() as connection:
        for row in connection.execute(select(columns.id, columns.state_under_review, columns.cycle, columns.text)):
            said[row.state_under_review, normalised_text(row.text)].append((row.id, row.cycle))
    return [
        pair
        for several in said.values()
        for (one, cycle), (other, later) in combinations(sorted(several), 2)
        if cycle != later
        for pair in ((one, other), (other, one))
    ]


def _report_pairs(service: Running, twins: Sequence[tuple[str, str]], most: int) -> None:
    chosen = random.Random(5).sample(twins, min(most, len(twins)))
    missed, times = [], []
    worked = service.worked()
    for one, other in chosen:
        begun = time.perf_counter()
        told = service.asked(f"/v1/similar/{quote(one, safe='~')}?limit={FIRST}")
        times.append(time.perf_counter() - begun)
        if other not in [each["record"]["id"] for each in told["similar"]]:
            missed.append((one, other))
    share = 1 - len(missed) / len(chosen)
    print(f"{len(chosen)} of {len(twins)} pairs of the same text to the same State in different cycles")
    print(f"  the other is among the first {FIRST} in {share:.1%}; missed: {missed[:5] or 'none'}")
    print(f"  similar: {_told(times, service.worked() - worked)}")


def _report_times(service: Running, rounds: int) -> None:
    service.asked("/v1/suggest?q=a")
    service.connection.close()  # the server closes it while nothing is asked
    time.sleep(20)  # phrases are looked for in the background
    typed = [text[:end] for text in TYPED for end in range(1, len(text) + 1)]
    random.Random(7).shuffle(typed)
    paths = {
        "suggest, first time": [f"/v1/suggest?{urlencode({'q': text})}" for text in typed],
        "suggest": [f"/v1/suggest?{urlencode({'q': text})}" for text in typed] * rounds,
        "facets": [f"/v1/facets/{name}?{urlencode(asked)}" for name, asked in FACETS] * rounds * 10,
    }
    for what, several in paths.items():
        times = []
        worked = service.worked()
        for path in several:
            begun = time.perf_counter()
            service.asked(path)
            times.append(time.perf_counter() - begun)
        print(f"  {what}: {_told(times, service.worked() - worked)}")


def _told(times: list[float], worked: float) -> str:
    ordered = sorted(times)
    shares = ", ".join(f"p{share} {ordered[len(ordered) * share // 100] * 1000:.1f} ms" for share in (50, 95, 99))
    return f"{len(times)} requests, {shares}; {worked / len(times) * 1000:.1f} ms of CPU each"


if __name__ == "__main__":
    main()
