"""The commands of `upr search`."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.table import Table

from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import database_url
from services.core.runtime.serve import serve as serve_app
from services.core.store import migrate
from services.search.app import create_app
from services.search.dependencies import Desk, follow_until_stopped, open_desk
from services.search.settings import SearchSettings

app = typer.Typer(help="Search the records, and keep the index.", no_args_is_help=True)


@app.command()
def serve() -> None:
    """Answer searches over HTTP, and follow the changes unless UPR_SEARCH_FOLLOW is false."""
    settings = SearchSettings()
    configure_logs(settings, service="search")
    with _database(settings) as url:
        serve_app(create_app(settings, url), host=settings.search_host, port=settings.search_port, settings=settings)


@app.command()
def index() -> None:
    """Follow the changes and index them until stopped."""
    settings = SearchSettings()
    configure_logs(settings, service="search-index")
    with _database(settings) as url, open_desk(settings, url) as desk:
        follow_until_stopped(desk, url)


@app.command()
def rebuild() -> None:
    """Build the index anew beside the one in use, and put it in its place."""
    with _desk() as desk:
        typer.echo(f"{desk.indexer.rebuild()} documents indexed")


@app.command()
def status() -> None:
    """Show the engine, what is indexed, and how far it is behind."""
    with _desk() as desk:
        lag, health = desk.indexer.lag(), desk.engine.health()
        counts = desk.engine.counts() if lag.cursor is not None else {}
        typer.echo(f"engine: {desk.engine.capabilities.engine}: {health.detail}")
        typer.echo(f"stands at change {lag.cursor} of {lag.head}: {lag.changes} behind")
    table = Table("type", "documents", box=None)
    for noun, count in sorted(counts.items()):
        table.add_row(noun, str(count))
    if counts:
        Console().print(table)


@contextmanager
def _desk() -> Iterator[Desk]:
    settings = SearchSettings()
    with _database(settings) as url, open_desk(settings, url) as desk:
        yield desk


@contextmanager
def _database(settings: SearchSettings) -> Iterator[str]:
    """The database, migrated if it is our own; with UPR_DATABASE_URL `upr db migrate` is the operator's to run."""
    with database_url(settings) as url:
        if settings.database_url is None:
            migrate.upgrade(url)
        yield url
