"""What runs of sources cost, and whether killing them changes what they come to: figures, and what missed its mark.

    python -m benchmarks.ingest_runs [--reviews N] [--recommendations N] [--rate N] [--documents N] [--kill-every S]
                                     [PART]

Parts:
- crawl: a calendar of N reviews from a local server, whose documents are made up; memory is flat, time linear, and the
  run is killed once and goes on. Then once more against the unchanged site: only conditional requests, no change, and
  20 times as fast. How long runs waited for their turns (`--rate`: requests a second) is told apart: at a polite rate
  both runs wait far longer than they work, and the second is as fast as the rate lets it be;
- soak: N documents (those of ../shared/data, and mutations of all of them) while the run is killed every few seconds,
  wherever it is: the store equals that of an undisturbed run row for row, and nothing is sent twice without a reason.
  Several numbers, one after the other, show how time grows.

The local server may be asked as fast as one can, unless a rate is given. Each part has an embedded
PostgreSQL of its own, which writes to disk as in production; runs are processes. The exit status is 1 where a figure
misses its mark.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, func, select

from benchmarks.loading import guardian, processor_of
from benchmarks.mutations import documents
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.changes import changes_table
from services.core.store.engine import make_engine
from services.core.store.ingest import responses_table
from services.core.store.states import STATES
from services.ingest.load_records import sample_states
from services.ingest.pipeline.desk import open_desk
from services.ingest.pipeline.records import Options, Stage
from services.ingest.pipeline.run import run_source
from services.ingest.pipeline.task import Step
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.description import Description, Rate
from tests.ingest.pipeline.documents import SESSIONS, TEXTS, matrix
from tests.ingest.pipeline.site import Site, open_site
from tests.ingest.pipeline.world import LEFT_OUT, contents

KINDS = frozenset({"pdf", "docx", "doc_ole2", "xlsx"})
AT_ONCE = 4
"""Requests under way at once."""
TWICE = 2
FASTER, MOST_GROWTH, MOST_SLOWER = 20, 1.15, 1.5
"""How much faster the second run is to be; how much memory, and time a file, may grow while it runs, as ratios."""
AS_FAST_AS_ONE_CAN = 100_000.0
FEWEST = 60
"""Files of which growth can be told."""
_missed: list[str] = []


def main() -> None:
    if sys.argv[1:2] == ["worker"]:
        _work(*sys.argv[2:])
        return
    asked = _arguments()
    if asked.part != "soak":
        _crawl_and_again(asked)
    if asked.part != "crawl":
        _soak(asked)
    sys.exit(1 if _missed else 0)


def must(what: str, *, held: bool) -> None:
    """Say and remember what is not as it should be."""
    if not held:
        _missed.append(what)
        print(f"  MISSED: {what}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["crawl", "soak"], help="both, if none is named")
    parser.add_argument("--reviews", type=int, default=600)
    parser.add_argument("--recommendations", type=int, default=200, help="of each review; real ones have some 200")
    parser.add_argument(
        "--rate", type=float, default=AS_FAST_AS_ONE_CAN, help="requests a second that the crawl keeps to"
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[2_000], metavar="N")
    parser.add_argument("--kill-every", type=float, nargs=2, default=[3.0, 8.0], help="seconds, at least and at most")
    parser.add_argument("--at-most", type=float, default=30.0, help="minutes that a soak may take")
    return parser.parse_args()


# The run, in a process of its own


class Listed:
    """Everything that the site lists, in its order."""

    name = "listed"

    def find(self, visit: Visit) -> Iterator[Found]:
        site = visit.sites["site"]
        listed = json.loads(visit.fetch(f"{site}/list.json", kinds=frozenset({"json"})).path.read_bytes())
        for name in listed:
            yield Found(f"{site}/{name}", name, KINDS)


def _source(site: str, rate: float) -> Source:
    about = {"title": "Listed", "sites": {"site": site}, "cadence": "1 day", "least": {"found": 1}}
    manners = Rate.model_construct(requests_per_second=rate, at_once=4)
    return Source(Listed(), Description.model_validate(about).model_copy(update={"rate": manners}))


def _work(url: str, site: str, folder: str, rate: str) -> None:
    """Run the source, and tell each step on a line: stage, files done, seconds, memory in MB, seconds of processor."""
    settings = IngestSettings(
        database_url=url, data_dir=Path(folder), fetch_allow_loopback=True, parse_deadline_seconds=600
    )
    begun = time.monotonic()
    waited = []

    def sleep(seconds: float) -> None:
        asleep = time.monotonic()
        time.sleep(seconds)
        waited.append(time.monotonic() - asleep)

    def tell(step: Step) -> None:
        if step.done:
            figures = (time.monotonic() - begun, _resident(os.getpid()), time.process_time())
            print(json.dumps([step.stage, step.done, *figures]), flush=True)

    engine = make_engine(url, pool_size=20, name="upr-ingest")
    print('["started", 0, 0, 0, 0]', flush=True)
    with open_desk(settings, engine, tell, sleep) as desk:
        ended = run_source(desk, _source(site, float(rate)), Options())
    of_the_process = {"cpu": time.process_time(), "waited": sum(waited)}
    print(json.dumps({"status": ended.status, **of_the_process, **ended.counts}), flush=True)


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Figures(NamedTuple):
    """How far a run was in a stage, and what it had taken by then: seconds, memory in MB, seconds of processor."""

    done: int
    seconds: float
    memory: float
    processor: float


@dataclass
class Told:
    """What a run told: its steps by stage, and its report; None if it was killed."""

    steps: dict[str, list[Figures]]
    report: dict[str, Any] | None
    seconds: float


def _run(
    url: str,
    site: Site,
    folder: Path,
    *,
    rate: float = AS_FAST_AS_ONE_CAN,
    kill_after: float | None = None,
    kill_at: tuple[str, int] | None = None,
) -> Told:
    """A run in a process; killed so many seconds after it began to work, or at a step."""
    timers: list[threading.Timer] = []
    begun = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.ingest_runs", "worker", url, site.address, str(folder), str(rate)]
    told = Told({}, None, 0.0)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # it was killed while it wrote
            said = json.loads(line)
            if isinstance(said, dict):
                told.report = said
                continue
            stage, figures = said[0], Figures(*said[1:])
            told.steps.setdefault(stage, []).append(figures)
            if kill_at == (stage, figures.done):
                process.kill()
                kill_at = None
            if kill_after is not None and not timers:
                timers.append(threading.Timer(kill_after, process.kill))
                timers[0].start()
    for timer in timers:
        timer.cancel()
    told.seconds = time.monotonic() - begun
    return told


@contextmanager
def _world(files: dict[str, bytes]) -> Iterator[tuple[str, Site, Path, Engine]]:
    with (
        tempfile.TemporaryDirectory() as temporary,
        embedded_postgres(Path(temporary) / "postgres") as url,
        open_site() as site,
    ):
        migrate.upgrade(url)
        site.files.update(files)
        engine = make_engine(url, pool_size=2)
        try:
            yield url, site, Path(temporary) / "data", engine
        finally:
            engine.dispose()


# Parts


def _crawl_and_again(asked: argparse.Namespace) -> None:
    with _world({}) as (url, site, folder, engine):
        site.files.update(_calendar(engine, asked.reviews, asked.recommendations))
        print(f"crawl: {len(site.files)} reviews of {asked.recommendations} recommendations each")
        stopped = _run(url, site, folder, rate=asked.rate, kill_at=(Stage.READING, asked.reviews // 4))
        first = _run(url, site, folder, rate=asked.rate)
        _tell_first(first, stopped, site)
        last = max(figures.seconds for steps in stopped.steps.values() for figures in steps)
        changes = _count(engine, changes_table)
        site.log.clear()
        _tell_again(
            _run(url, site, folder, rate=asked.rate), site, last + first.report["seconds"] if first.report else 0.0
        )
        must("no change", held=_count(engine, changes_table) == changes)


def _tell_first(first: Told, stopped: Told, site: Site) -> None:
    report = first.report
    must("the run that was killed goes on and finishes", held=report is not None and report["status"] == "finished")
    assert report is not None
    print(f"  {report['inserted']:,} records in {stopped.seconds + first.seconds:.1f} s, killed once while it read;")
    print(f"  fetched {report['fetched']}, parsed {report['parsed']}, issues {sum(report['issues'].values())}")
    sent = Counter(site.asked_for(fully=True))
    must("each file was sent once", held=set(sent.values()) == {1} and len(sent) == len(site.files))
    for stage in (Stage.READING, Stage.LOADING):
        _tell_growth(stage, first.steps.get(stage, []))


def _tell_growth(stage: str, steps: list[Figures]) -> None:
    """Memory at a sixth, at the half and at the end; time a file in the first half and in the second.

    The run's own processor time decides: what else the machine does has no part in it.
    """
    if len(steps) < FEWEST:
        return
    marks = [steps[len(steps) // 6], steps[len(steps) // 2], steps[-1]]
    told = ", ".join(f"{each.memory:.0f} MB at {each.done}" for each in marks)
    halves = [(steps[0], steps[len(steps) // 2]), (steps[len(steps) // 2], steps[-1])]
    early, late = ((end.processor - start.processor) / (end.done - start.done) for start, end in halves)
    took = (steps[-1].seconds - steps[0].seconds) / (steps[-1].done - steps[0].done)
    print(f"  {stage}: {told}; {early * 1000:.0f} ms of processor a file in the first half,")
    print(f"    {late * 1000:.0f} ms in the second; {took * 1000:.0f} ms by the clock")
    must(f"memory is flat while {stage}", held=marks[-1].memory <= marks[0].memory * MOST_GROWTH)
    must(f"time is linear while {stage}", held=late <= early * MOST_SLOWER)


def _tell_again(second: Told, site: Site, first_seconds: float) -> None:
    assert second.report is not None
    seconds, worked = second.seconds, second.report["seconds"]
    ratio, waited = first_seconds / worked, second.report["waited"]
    print(
        f"again: {worked:.1f} s, with the start of its process {seconds:.1f} s: {ratio:.0f} times as fast as the first"
    )
    print(
        f"  {waited:.1f} s of it waited for the rate; the others are {(worked - waited) * 1000 / len(site.log):.1f} ms "
        f"a request, {second.report['cpu']:.1f} s of processor with the start of the process"
    )
    asked = [each for each in site.log if each.path != "/robots.txt"]
    must("only conditional requests", held=all(each.conditional and each.status == 304 for each in asked))
    if waited < worked / 2:  # else the rate is what is measured
        must(f"at least {FASTER} times as fast", held=ratio >= FASTER)


def _count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def _calendar(engine: Engine, reviews: int, recommendations: int) -> dict[str, bytes]:
    """Matrices of reviews, as many as are asked for; every word of them is made up."""
    with engine.connect() as connection:
        members = [state for state in STATES.where(connection) if state.un_status == "member"]
    states = [*sorted(sample_states().values(), key=lambda each: each.id), *sorted(members, key=lambda each: each.id)]
    places = [(state, cycle) for cycle in SESSIONS for state in states][:reviews]
    texts = [f"{TEXTS[number % len(TEXTS)]}, as made up for measurement {number}" for number in range(recommendations)]
    return {f"{state.id}-{cycle}.docx": matrix(state.names["en"], cycle, texts) for state, cycle in places}


def _soak(asked: argparse.Namespace) -> None:
    for wanted in asked.documents:
        _soak_of(documents(wanted), asked)


def _soak_of(files: dict[str, bytes], asked: argparse.Namespace) -> None:
    shortest, longest = asked.kill_every
    print(f"soak: {len(files)} documents, killed every {shortest:g} to {longest:g} s", flush=True)
    until = time.monotonic() + asked.at_most * 60
    with _world(files) as (url, site, folder, engine):
        watch = _Watch(engine)
        undisturbed = _run(url, site, folder, kill_after=asked.at_most * 60)
        if undisturbed.report is None:
            must(f"the undisturbed run ends within {asked.at_most:g} minutes", held=False)
            return
        expected = contents(engine)
        print(f"  undisturbed: {undisturbed.report['status']}, {_short(undisturbed.report)}")
        _tell_stages(undisturbed, watch, len(files))
    with _world(files) as (url, site, folder, engine):
        killed = _run_and_kill(url, site, folder, (shortest, longest), until)
        if killed.report is None:
            must(f"the run that is killed ends within {asked.at_most:g} minutes of the beginning", held=False)
            return
        print(f"  killed {killed.kills} times: {killed.seconds:.1f} s, {killed.report['status']}")
        print(f"    {killed.seconds / undisturbed.seconds:.1f} times as long as undisturbed; {_short(killed.report)}")
        _compare(expected, contents(engine))
        same = [name for name in killed.report if name not in ("seconds", "cpu")]
        must("the report is the same", held=all(killed.report[name] == undisturbed.report[name] for name in same))
        _tell_sent(site, engine, killed.kills)


class Killed(NamedTuple):
    """What became of a run that was killed again and again; no report if it did not end in time."""

    kills: int
    seconds: float
    report: dict[str, Any] | None


def _run_and_kill(url: str, site: Site, folder: Path, every: tuple[float, float], until: float) -> Killed:
    drawn, begun, kills = random.Random(20261122), time.monotonic(), 0
    while time.monotonic() < until:
        told = _run(url, site, folder, kill_after=drawn.uniform(*every))
        if told.report is not None:
            return Killed(kills, time.monotonic() - begun, told.report)
        kills += 1
        if kills % 10 == 0:
            stage, steps = list(told.steps.items())[-1]
            print(f"    killed {kills} times, {time.monotonic() - begun:.0f} s: {stage} {steps[-1].done}", flush=True)
    return Killed(kills, time.monotonic() - begun, None)


class _Watch:
    """The processor time that PostgreSQL takes."""

    def __init__(self, engine: Engine) -> None:
        self._head = guardian(engine)
        self._before = processor_of(self._head)

    def seconds(self) -> float:
        return processor_of(self._head) - self._before


def _tell_stages(run: Told, watch: _Watch, files: int) -> None:
    """Seconds by the clock and of the run's own processor for each stage, and per file."""
    ends = [(stage, steps[-1]) for stage, steps in run.steps.items()]
    for (_, before), (stage, end) in itertools.pairwise(ends):
        took, worked = end.seconds - before.seconds, end.processor - before.processor
        print(f"    {stage:10} {took:7.1f} s by the clock, {worked:6.1f} s of its processor, {end.done:5} files")
    assert run.report is not None
    ours, database = run.report["cpu"], watch.seconds()
    by_the_clock, both = run.seconds / files * 1000, (ours + database) / files * 1000
    print(f"    whole      {run.seconds:7.1f} s by the clock, {ours:6.1f} s and {database:.1f} s PostgreSQL's")
    print(f"    a file     {by_the_clock:6.0f} ms by the clock, {both:6.0f} ms of both processors")


def _short(report: dict[str, Any]) -> str:
    return ", ".join(f"{report[name]:,} {name}" for name in ("found", "parsed", "unreadable", "refused", "inserted"))


def _compare(expected: dict[str, list[str]], found: dict[str, list[str]]) -> None:
    rows = sum(map(len, expected.values()))
    for table, told in expected.items():
        differing = Counter(told) - Counter(found[table]) | Counter(found[table]) - Counter(told)
        must(f"{table}: {differing.total()} rows differ, such as {next(iter(differing), '')[:300]}", held=not differing)
    print(
        f"  {rows:,} rows of {len(expected)} tables compared with the undisturbed run's, but for {', '.join(LEFT_OUT)}"
    )


def _tell_sent(site: Site, engine: Engine, kills: int) -> None:
    """Every file that was sent again has a reason: what came was cut off where it lies, or a kill cut it off."""
    columns = responses_table.c
    noted = select(columns.address, columns.outcome, func.count().label("times")).where(columns.status == 200)
    came: dict[str, Counter[str]] = defaultdict(Counter)
    with engine.connect() as connection:
        for row in connection.execute(noted.group_by(columns.address, columns.outcome)):
            came[row.address.rpartition("/")[2]][row.outcome] = row.times
    sent = Counter(site.asked_for(fully=True))
    by_kills = {name: times - came[name].total() for name, times in sent.items() if times > came[name].total()}
    damaged = [name for name in sent if came[name]["incomplete"]]
    once, again = sum(times == 1 for times in sent.values()), sum(by_kills.values())
    print(f"  {len(sent):,} files were sent: {once:,} once, {len(damaged):,} that are cut off where they lie")
    print(f"    a second time, {again} again since a kill came between")
    must("what came was never fetched again", held=all(outcomes["fetched"] <= 1 for outcomes in came.values()))
    must("what is cut off is asked for twice", held=all(came[name]["incomplete"] <= TWICE for name in damaged))
    must("a kill cuts off what was under way, and no more", held=sum(by_kills.values()) <= kills * AT_ONCE)


if __name__ == "__main__":
    main()
