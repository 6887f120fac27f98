"""The commands of `upr db`."""

from typing import Annotated

import typer
from alembic.util.exc import CommandError

from services.core.domain.errors import InvalidParameterError
from services.core.runtime.postgres import database_url
from services.core.runtime.settings import CoreSettings
from services.core.store import migrate
from services.core.store.engine import make_engine

app = typer.Typer(help="Migrate the database, and see where it stands.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """Migrate the database, and see where it stands."""


@app.command("migrate")
def migrate_database() -> None:
    """Bring the database to the schema of this version, and its facts with it. Safe to repeat."""
    with database_url(CoreSettings()) as url:
        migrate.upgrade(url)
        typer.echo(_told(_status(url)))


@app.command()
def status() -> None:
    """Show which schema the database has. The exit status is 1 if it is not the one of this version."""
    with database_url(CoreSettings()) as url:
        found = _status(url)
    typer.echo(_told(found))
    if not found.up_to_date:
        raise typer.Exit(1)


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="An earlier revision, or `base` for an empty database.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the database back to an earlier schema. What that cannot hold is lost."""
    if not yes:
        typer.confirm(f"Take the database back to {revision}? What that schema cannot hold is lost.", abort=True)
    with database_url(CoreSettings()) as url:
        try:
            migrate.downgrade(url, revision)
        except CommandError as fault:
            raise InvalidParameterError(f"The schema cannot be taken back to {revision}: {fault}") from fault
        typer.echo(_told(_status(url)))


def _status(url: str) -> migrate.SchemaStatus:
    engine = make_engine(url, pool_size=1, name="upr-db")
    try:
        with engine.connect() as connection:
            return migrate.schema_status(connection)
    finally:
        engine.dispose()


def _told(status: migrate.SchemaStatus) -> str:
    if status.expanded:
        return (
            f"The schema is {status.current}, of a newer version; it has all that this version needs ({status.needed})."
        )
    if status.up_to_date:
        return f"The schema is {status.current}, as this version needs it."
    return f"The schema is {status.current or 'empty'}; this version needs {status.needed}: upr db migrate"
