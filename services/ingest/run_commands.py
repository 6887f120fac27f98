"""The commands about runs of sources: `upr ingest run`, `release`, `discard`."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.core.runtime.database import ready_store
from services.ingest.pipeline import records
from services.ingest.pipeline.desk import CONNECTIONS, open_desk
from services.ingest.pipeline.records import Options, Status
from services.ingest.pipeline.run import Ended, run_released, run_source
from services.ingest.pipeline.task import Desk, Step
from services.ingest.settings import IngestSettings
from services.ingest.sources import source_named

HELD, FAILED = 3, 4
"""Exit statuses. 0: all was read; 1: some files were not fetched or read, the others are in; 2: wrong usage."""

RunId = Annotated[str, typer.Argument(help="Id of a run that is held (upr ingest runs).", metavar="RUN")]


def run(
    source: Annotated[str, typer.Argument(help="Name of a source (upr ingest sources).", metavar="SOURCE")],
    since: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what is newer, where the source can tell."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many files.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing; say what would change.")] = False,
) -> None:
    """Find, fetch, read and store what a source has.

    A run that was stopped, however, goes on with the same command. The exit status is 0 where all was read, 1 where
    some files were not fetched or read, 3 where the run is held for a person to look at, 4 where it failed.
    """
    options = Options(since.date() if since else None, limit, dry_run)
    about = source_named(source, IngestSettings().source_sites)
    _tell(_at_the_desk(lambda desk: run_source(desk, about, options)))


def release(run: RunId) -> None:
    """Store what a held run found, after a person has looked at it."""
    settings = IngestSettings()
    with ready_store(settings, name="upr-ingest") as engine:
        held = records.release(engine, run)
    about = source_named(held.source, settings.source_sites)
    ended = _at_the_desk(lambda desk: run_released(desk, about))
    if ended is not None:
        _tell(ended)


def discard(run: RunId) -> None:
    """Forget what a held run found."""
    with ready_store(IngestSettings(), name="upr-ingest") as engine:
        records.discard(engine, run)
    typer.echo(f"{run} is discarded.")


def _at_the_desk(work: Callable[[Desk], Ended | None]) -> Ended | None:
    settings = IngestSettings()
    with (
        _bar() as tell,
        ready_store(settings, name="upr-ingest", pool_size=CONNECTIONS) as engine,
        open_desk(settings, engine, tell) as desk,
    ):
        try:
            return work(desk)
        except KeyboardInterrupt:
            typer.echo("Stopped. The same command goes on where it was.", err=True)
            raise typer.Exit(130) from None


@contextmanager
def _bar() -> Iterator[Callable[[Step], None]]:
    """Shows each stage as a bar, and a line for every file that was not fetched or read."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def tell(step: Step) -> None:
            if step.stage not in bars:
                bars[step.stage] = progress.add_task(step.stage, total=None)
            if step.fault is not None:
                console.print(f"{step.stage}: {step.file}: {step.fault}", markup=False, soft_wrap=True)
            if step.done:
                progress.update(bars[step.stage], completed=step.done, total=step.total)

        yield tell


def _tell(ended: Ended | None) -> None:
    """Print the report, and leave with the status that says how it went."""
    if ended is None:
        return
    print_report(ended, Console())
    if ended.status is Status.FAILED:
        raise typer.Exit(FAILED)
    if ended.reasons:
        raise typer.Exit(HELD)
    if ended.counts["failed"]:
        raise typer.Exit(1)


def print_report(ended: Ended, console: Console) -> None:
    """What a run did, or in a dry run what it would do."""
    for line in _lines(ended):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for title in ("changes", "issues"):
        counts: Mapping[str, int] = ended.counts[title]
        if counts:
            table = Table(title, "count", box=None, pad_edge=False)
            for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
                table.add_row(name, f"{count:,}")
            console.print(table)


def _lines(ended: Ended) -> Iterator[str]:
    counts = ended.counts
    yield f"{ended.source}: {_IN_WORDS.get(ended.status, ended.status)} (run {ended.run})"
    for reason in ended.reasons:
        yield f"  {reason.detail} [{reason.code}]"
    got = ", ".join(f"{counts[name]:,} {name}" for name in ("fetched", "unchanged", "missing", "refused"))
    yield f"{counts['found']:,} found: {got}"
    yield f"{counts['parsed']:,} parsed, {counts['unreadable']:,} not readable, {counts['gone']:,} gone"
    if parts := counts["not_searched"]:
        which = f"upr ingest issues --run {ended.run} --code not_searched"
        yield f"{parts:,} parts of the source could not be searched; which: {which}"
    written = ", ".join(f"{counts[name]:,} {name}" for name in ("inserted", "updated", "deleted"))
    would = "would be " if ended.status is Status.TRIED else ""
    yield f"records: {would}{written}; {counts['bytes']:,} bytes in {counts['seconds']:.1f} s"
    if ended.status is Status.HELD:
        yield f"Look at it, then: upr ingest release {ended.run}, or upr ingest discard {ended.run}"


_IN_WORDS = {
    Status.HELD: "held, nothing was stored",
    Status.FAILED: "failed, nothing was stored",
    Status.TRIED: "tried, nothing was stored",
}
