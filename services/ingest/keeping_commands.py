"""The commands about what is kept: `upr ingest quarantine`, `reparse` and `sandbox`."""

import multiprocessing
from collections import Counter
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.core.domain.errors import NotFoundError
from services.core.runtime.database import ready_store
from services.core.store.archive import FOLDER, Archive
from services.ingest.isolation import Barrier, isolate
from services.ingest.ocr import sandbox_of
from services.ingest.parsers import PARSERS
from services.ingest.quarantine import Quarantine
from services.ingest.reparse import Reparser, stale
from services.ingest.settings import IngestSettings


def quarantine(
    retry: Annotated[
        str | None, typer.Option(help="Let the file whose SHA-256 begins so be read again.", metavar="SHA256")
    ] = None,
) -> None:
    """Show the files that are not read again, since they harmed who read them."""
    with ready_store(IngestSettings(), name="upr-ingest") as engine:
        kept_apart = Quarantine(engine)
        if retry is not None:
            try:
                released = kept_apart.release(retry)
            except NotFoundError as error:
                typer.echo(error.detail, err=True)
                raise typer.Exit(1) from error
            typer.echo(f"{released['name']} ({released['sha256']}) will be read when it is loaded again")
            return
        table = Table("sha256", "name", "code", "detail", "tries", "since", box=None, pad_edge=False)
        for row in kept_apart.listed():
            since, tries = f"{row['since']:%Y-%m-%d %H:%M}", str(row["tries"])
            table.add_row(row["sha256"][:12], row["name"], row["code"], row["detail"], tries, since)
    Console().print(table if table.row_count else "No file is in quarantine.")


def reparse(
    parser: Annotated[list[str] | None, typer.Option(help="Only what this parser read; repeat for more.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be read again.")] = False,
) -> None:
    """Read again what older versions of parsers read, from the bytes that were kept.

    What fails keeps its old reading. The exit status is 1 if anything did.
    """
    unknown = set(parser or ()) - {each.name for each in PARSERS}
    if unknown:
        raise typer.BadParameter(f"there is no parser {', '.join(sorted(unknown))}")
    settings = IngestSettings()
    with ready_store(settings, name="upr-ingest") as engine:
        if dry_run:
            found = Counter(
                (each.parser, each.parser_version, each.new_version) for each in stale(engine, parser or ())
            )
            for (name, held, new), count in sorted(found.items()):
                typer.echo(f"{name}: {count} read by version {held}, now {new}")
            typer.echo(f"{found.total()} files would be read again")
            return
        failed = read = 0
        with sandbox_of(settings) as sandbox:
            archive = Archive(settings.data_dir / FOLDER)
            reparser = Reparser(engine, sandbox, archive, timedelta(days=settings.backfill_after_days))
            for step in reparser.read_again(parser or ()):
                read += step.error is None
                failed += step.error is not None
                if step.error is not None:
                    typer.echo(f"not read: {step.path}: {step.error.detail} [{step.error.code}]", err=True)
    typer.echo(f"{read} read again, {failed} not")
    if failed:
        raise typer.Exit(1)


def sandbox_barriers() -> None:
    """Show which barriers this machine's kernel puts around those that read documents.

    The exit status is 1 if one is missing.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(sorted(isolate())))
    child.start()
    held = receiver.recv()
    child.join()
    for barrier in Barrier:
        typer.echo(f"{barrier}: {'holds' if barrier in held else 'MISSING'}")
    if len(held) < len(Barrier):
        raise typer.Exit(1)
