"""The commands of `upr ingest`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.ingest.parse import ParsedFile, parse_files
from services.ingest.sandbox import Sandbox, SandboxLimits

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
