"""The commands of `upr admin`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.core.runtime.backup.contents import Manifest
from services.core.runtime.backup.restoring import restore as restore_backup
from services.core.runtime.backup.writing import back_up
from services.core.runtime.postgres import database_url
from services.core.runtime.settings import CoreSettings
from services.core.store.archive import FOLDER

SUFFIX = ".upr-backup"

app = typer.Typer(help="Back the whole store up, and restore it.", no_args_is_help=True)


@app.callback()
def admin() -> None:
    """Back the whole store up, and restore it."""


@app.command()
def backup(
    *,
    to: Annotated[
        Path | None,
        typer.Option(help="File to write, or a folder for one named by the time. Default: `backups` in UPR_DATA_DIR."),
    ] = None,
    documents: Annotated[
        bool, typer.Option("--documents", help="Put the documents of UPR_DATA_DIR into it as well.")
    ] = False,
) -> None:
    """Write everything as of this moment into one file, which is checked; the services may run on.

    The file holds secrets of webhooks and hashes of API keys: keep it as you keep the database.
    """
    settings = CoreSettings()
    target = _target(to or settings.data_dir / "backups", made_here=to is None)
    with database_url(settings) as url:
        manifest = back_up(url, target, archive=settings.data_dir / FOLDER if documents else None)
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB, checked")
    typer.echo(_told(manifest))
    typer.echo("It holds secrets of webhooks and hashes of API keys: keep it as you keep the database.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `upr admin backup` wrote.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Give up what the database holds; asks first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --replace: do not ask.")] = False,
) -> None:
    """Bring an empty database to what a backup holds, all of it or nothing."""
    settings = CoreSettings()
    with database_url(settings) as url:
        manifest = restore_backup(
            url, file, archive=settings.data_dir / FOLDER, may_replace=_asking(replace=replace, yes=yes)
        )
    typer.echo(f"restored: {_told(manifest)}")
    typer.echo(
        "Next: start the services. The search index follows by itself. Readers of the feed who have read further than "
        "the backup are told to start again (410, feed_restored). Webhooks that were owed when the backup was made are "
        "posted again, with the same webhook-id."
    )
    if manifest.documents is None:
        typer.echo("The backup has no documents: bring back the folder `documents` of UPR_DATA_DIR yourself.")


def _target(to: Path, *, made_here: bool) -> Path:
    name = f"openupr-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"
    return to / name if made_here or to.is_dir() else to


def _asking(*, replace: bool, yes: bool) -> Callable[[str], bool]:
    def may_replace(held: str) -> bool:
        return replace and (yes or typer.confirm(f"The database has {held}. Give all of it up?"))

    return may_replace


def _told(manifest: Manifest) -> str:
    dataset = f"dataset {manifest.dataset}, " if manifest.dataset else ""
    documents = "no documents" if manifest.documents is None else f"{manifest.documents} documents"
    rows = sum(manifest.counts.values())
    return f"{dataset}schema {manifest.schema}, {rows} rows in {len(manifest.counts)} tables, {documents}"
