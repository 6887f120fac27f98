"""The commands of `upr search`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from services.core.runtime.database import ready_database
from services.core.runtime.logs import configure_logs
from services.core.runtime.metrics import PoolMetrics, process_registry
from services.core.runtime.processes import serve_in_processes
from services.core.runtime.web import Service
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.tables import AGGREGATES
from services.search.app import create_app
from services.search.dependencies import Desk, follow_until_stopped, open_desk
from services.search.documents import INDEX_VERSION
from services.search.engines.base import DocumentKey
from services.search.metrics import IndexMetrics
from services.search.settings import SearchSettings

_NAMED = 5
"""Documents of a fault that are named."""
_TABLES = {noun: AGGREGATES[noun].table for noun in SEARCHED_NOUNS}

app = typer.Typer(help="Search the records, and keep the index.", no_args_is_help=True)


@app.command()
def serve() -> None:
    """Answer searches over HTTP, and follow the changes unless UPR_SEARCH_FOLLOW is false."""
    settings = SearchSettings()
    configure_logs(settings, service="search")
    with ready_database(settings) as url:

        def make(number: int) -> Service:
            """Of several processes the first one follows the changes; all of them see what it writes."""
            follows = settings.search_follow and number == 0
            return create_app(settings.model_copy(update={"search_follow": follows}), url)

        serve_in_processes(
            make,
            processes=settings.search_processes,
            host=settings.search_host,
            port=settings.search_port,
            settings=settings,
        )


@app.command()
def index() -> None:
    """Follow the changes and index them until stopped."""
    settings = SearchSettings()
    configure_logs(settings, service="search-index")
    with ready_database(settings) as url, open_desk(settings, url) as desk:
        registry = process_registry("search-index")
        registry.register(IndexMetrics(desk))
        registry.register(PoolMetrics(desk.store))
        follow_until_stopped(desk, url, registry)


@app.command()
def rebuild() -> None:
    """Build the index anew beside the one in use, and put it in its place. Searches go on meanwhile."""
    with _desk() as desk:
        typer.echo(f"{desk.indexer.rebuild()} documents indexed")


@app.command()
def reconcile() -> None:
    """Compare the index with the store both ways, repair what differs, and say what was done."""
    with _desk() as desk:
        found = desk.indexer.reconcile()
    typer.echo(f"{found.documents} documents of the database compared with the index")
    _name("missing in the index", found.missing)
    _name("out of date in the index", found.stale)
    _name("in the index alone", found.surplus)
    if found.rebuilt:
        typer.echo("so much differed that the index was built anew")
    else:
        typer.echo(f"{found.repaired} repaired" if found.repaired else "nothing to repair")
    for key, reason in found.refused.items():
        typer.echo(f"cannot be indexed: {key.type}/{key.id}: {reason}")


def _name(fault: str, keys: Sequence[DocumentKey]) -> None:
    """Say how many have a fault, and name some of them."""
    if keys:
        shown = [f"{key.type}/{key.id}" for key in keys[:_NAMED]] + ["…"] * (len(keys) > _NAMED)
        typer.echo(f"{len(keys)} {fault}: {', '.join(shown)}")


@app.command()
def status() -> None:
    """Show the engine, what is indexed, and how far it is behind. The exit status is 1 where there is no index."""
    with _desk() as desk:
        health = desk.engine.health()
        typer.echo(f"engine: {desk.engine.capabilities.engine}: {health.detail}")
        if not health.ok:
            raise typer.Exit(1)
        lag, indexed = desk.indexer.lag(), desk.engine.counts()
        with desk.store.connect() as connection:
            held = {noun: connection.scalar(select(func.count()).select_from(table)) for noun, table in _TABLES.items()}
    typer.echo(f"index: {INDEX_VERSION}, at change {lag.cursor} of {lag.head}")
    typer.echo(f"behind: {lag.changes} changes, {lag.seconds:.0f} seconds")
    table = Table("type", "in the index", "in the database", box=None, pad_edge=False)
    for noun in SEARCHED_NOUNS:
        table.add_row(noun, str(indexed.get(noun, 0)), str(held[noun]))
    Console().print(table)
    if not lag.changes and any(indexed.get(noun, 0) != held[noun] for noun in SEARCHED_NOUNS):
        typer.echo("index and database differ; `upr search reconcile` repairs that")


@contextmanager
def _desk() -> Iterator[Desk]:
    settings = SearchSettings()
    configure_logs(settings, service="search")
    with ready_database(settings) as url, open_desk(settings, url) as desk:
        yield desk
