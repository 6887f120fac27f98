"""The commands of `upr ingest`."""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.core.domain.errors import NotFoundError
from services.core.runtime.database import ready_database, ready_store
from services.core.runtime.logs import configure_logs
from services.core.runtime.serve import serve as serve_app
from services.core.store.archive import FOLDER, Archive
from services.ingest.app import create_app
from services.ingest.background import background_work, scheduled_runs
from services.ingest.conflicts import Field, conflicts_in
from services.ingest.keeping_commands import quarantine, reparse, sandbox_barriers
from services.ingest.ocr import sandbox_of
from services.ingest.parse import ParsedFile, files_under, parse_files
from services.ingest.run_commands import discard, release, run
from services.ingest.runs import RunSummary, Step, issues_of, recent_runs, run_files
from services.ingest.sandbox import Sandbox, SandboxLimits
from services.ingest.settings import IngestSettings
from services.ingest.source_commands import sources
from services.ingest.withdraw import find, run_withdrawal
from services.ingest.withdraw import withdraw as withdraw_from

app = typer.Typer(help="Find, read and store UPR documents.", no_args_is_help=True)


class OutputFormat(StrEnum):
    """How `parse` shows what it read."""

    TEXT = "text"
    NDJSON = "ndjson"


@app.callback()
def ingest() -> None:
    """Find, read and store UPR documents."""


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Documents, or folders with documents.", metavar="FILE...")],
    output: Annotated[
        OutputFormat, typer.Option("--format", help="A summary for people, or one JSON object a document.")
    ] = OutputFormat.TEXT,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes to parse in; one a core if not given.")] = None,
    deadline: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one document may take.")
    ] = SandboxLimits.deadline_seconds,
) -> None:
    """Read documents and show what they hold; nothing is stored.

    The exit status is 1 if any of them could not be read.
    """
    read = failed = 0
    with Sandbox(workers, deadline_seconds=deadline) as sandbox:
        for parsed in parse_files(files, sandbox):
            _show(parsed, output)
            failed += parsed.failed
            read += not parsed.failed
    if output is OutputFormat.TEXT:
        typer.echo(f"{read} read, {failed} not read")
    if failed:
        raise typer.Exit(1)


def _show(parsed: ParsedFile, output: OutputFormat) -> None:
    if output is OutputFormat.NDJSON:
        sys.stdout.buffer.write(parsed.as_ndjson())
        sys.stdout.buffer.flush()
    else:
        typer.echo(parsed.as_text())


@app.command()
def load(
    paths: Annotated[list[Path], typer.Argument(help="Documents, or folders with documents.", metavar="PATH...")],
    source: Annotated[str, typer.Option(help="Name that the run is known by.")] = "files",
) -> None:
    """Read documents and store what they hold, with a change for everything that is new.

    Loading the same file again changes nothing. The exit status is 1 if any file could not be read.
    """
    settings = IngestSettings()
    files = list(files_under(paths))
    archive = Archive(settings.data_dir / FOLDER)
    summary: RunSummary | None = None
    console = Console(stderr=True)
    with (
        ready_store(settings, name="upr-ingest") as engine,
        sandbox_of(settings) as sandbox,
    ):
        steps = run_files(
            engine,
            files,
            sandbox,
            archive,
            source=source,
            backfill_after=timedelta(days=settings.backfill_after_days),
        )
        for step in _with_progress(steps, len(files), console):
            summary = step.summary
    if summary is None:
        typer.echo("There was no file to load.")
        return
    _print_summary(summary, Console())
    if summary.failed:
        raise typer.Exit(1)


@app.command()
def runs(limit: Annotated[int, typer.Option(min=1)] = 20) -> None:
    """Show the latest runs."""
    table = Table("run", "source", "status", "started", "files", "loaded", "unchanged", "failed")
    with ready_store(IngestSettings(), name="upr-ingest") as engine:
        for run in recent_runs(engine, limit):
            counts = [str(run["counts"].get(name, "")) for name in ("files", "loaded", "unchanged", "failed")]
            table.add_row(run["id"], run["source"], run["status"], f"{run['started_at']:%Y-%m-%d %H:%M}", *counts)
    Console().print(table)


@app.command()
def issues(
    run: Annotated[str | None, typer.Option(help="Only of this run.")] = None,
    code: Annotated[str | None, typer.Option(help="Only with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
) -> None:
    """Show what was not understood."""
    with ready_store(IngestSettings(), name="upr-ingest") as engine:
        for issue in issues_of(engine, run=run, code=code, limit=limit):
            page = f" page {issue['page']}" if issue["page"] else ""
            typer.echo(f"{issue['severity']}: {issue['code']}: {issue['file']}{page}: {issue['detail']}")


@app.command()
def conflicts(
    review: Annotated[list[str] | None, typer.Option(help="Only of this review (PER-2); repeat for more.")] = None,
    field: Annotated[list[Field] | None, typer.Option(help="Only about this field; repeat for more.")] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Lines for people, or one JSON object a conflict.")
    ] = OutputFormat.TEXT,
    *,
    trifles: Annotated[
        bool, typer.Option("--all", help="Also texts that differ only in case, punctuation or white space.")
    ] = False,
) -> None:
    """Show what the sources of a recommendation disagree on, and which word holds."""
    counts = Counter(dict.fromkeys(field or Field, 0))
    with ready_store(IngestSettings(), name="upr-ingest") as engine, engine.connect() as connection:
        for conflict in conflicts_in(connection, review or (), field or (), trifles=trifles):
            counts[conflict.field] += 1
            typer.echo(conflict.as_text() if output is OutputFormat.TEXT else orjson.dumps(conflict.as_json()).decode())
    summary = ", ".join(f"{count} {each}" for each, count in counts.items())
    typer.echo(f"{counts.total()} conflicts: {summary}", err=output is OutputFormat.NDJSON)


@app.command()
def withdraw(
    documents: Annotated[
        list[str],
        typer.Argument(
            help="Ids or symbols (A-HRC-22-15), or a data set with all it says (upr_info, uhri).", metavar="DOCUMENT..."
        ),
    ],
    why: Annotated[str, typer.Option(help="Why, for those who read the run's issues later.")],
    file: Annotated[str | None, typer.Option(help="Only the file whose SHA-256 begins so.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take documents out of the store, with all that nothing else tells.

    Says first what would change, and asks. The changes have the cause `correction`; loading the file again brings all
    back.
    """
    with ready_store(IngestSettings(), name="upr-ingest") as engine:
        try:
            told = [find(engine, document, file) for document in documents]
        except NotFoundError as error:
            typer.echo(error.detail, err=True)
            raise typer.Exit(1) from error
        for each in told:
            typer.echo(f"withdraw {each}:")
            would_change = sum(withdraw_from(engine, each, only_try=True), Counter[str]())
            for name, count in sorted(would_change.items()):
                typer.echo(f"  {count} {name}")
        if not yes and not typer.confirm("Do it?"):
            raise typer.Exit(1)
        _print_summary(run_withdrawal(engine, told, why), Console())


for _command in (run, release, discard, sources):
    app.command()(_command)
app.command()(quarantine)
app.command()(reparse)
app.command("sandbox")(sandbox_barriers)


@app.command()
def serve() -> None:
    """Serve runs, sources, issues and documents over HTTP; run what is due (UPR_INGEST_SCHEDULE).

    It also reads what is sent, and again what newer parsers read better.
    """
    settings = IngestSettings()
    configure_logs(settings, service="ingest")
    with ready_database(settings) as url, background_work(settings, url), scheduled_runs(settings, url):
        serve_app(create_app(settings, url), host=settings.ingest_host, port=settings.ingest_port, settings=settings)


def _with_progress(steps: Iterator[Step], total: int, console: Console) -> Iterator[Step]:
    """Show a bar, and a line for every file that could not be read."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task("loading", total=total)
        for step in steps:
            if step.error is not None:
                console.print(
                    f"not read: {step.path}: {step.error.detail} [{step.error.code}]", markup=False, soft_wrap=True
                )
            name = step.path.name[:40]
            if step.share is None:
                progress.update(task, advance=1, description=name)
            else:
                progress.update(task, description=f"{name}: {step.share[0]} of {step.share[1]}")
            yield step
        progress.update(task, description="loaded")


def _print_summary(summary: RunSummary, console: Console) -> None:
    print_line = console.print
    print_line(
        f"{summary.files} files: {summary.loaded} loaded, {summary.unchanged} unchanged, {summary.failed} not read "
        f"(run {summary.run})",
        highlight=False,
    )
    for title, counts in (("changes", summary.changes), ("issues", summary.issues)):
        if counts:
            table = Table(title, "count", box=None, pad_edge=False)
            for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
                table.add_row(name, str(count))
            print_line(table)
    if summary.samples:
        samples = "These are sample documents written by the OpenUPR project: every State in them is invented."
        print_line(samples, style="bold", soft_wrap=True)
