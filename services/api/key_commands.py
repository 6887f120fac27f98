"""The commands of `upr keys`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.api.settings import ApiSettings
from services.core.domain.errors import InvalidParameterError, NotFoundError
from services.core.runtime.database import ready_store
from services.core.runtime.keys import (
    LONGEST_EXPIRY_DAYS,
    LONGEST_NAME,
    NAME_PATTERN,
    Scope,
    create_key,
    list_keys,
    revoke_key,
)

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


_WIDEST = 250


@app.callback()
def keys() -> None:
    """Create, list and revoke API keys."""


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for, or whose it is.")],
    scope: Annotated[list[Scope], typer.Option(help="What it allows; may be repeated.")],
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_EXPIRY_DAYS, help="Days that it holds; for ever if not given.")
    ] = None,
) -> None:
    """Make a key and print it, this once: it cannot be shown again."""
    name = name.strip()
    if not re.search(NAME_PATTERN, name) or len(name) > LONGEST_NAME:
        raise InvalidParameterError(f"A name has 1 to {LONGEST_NAME} printable characters.", parameter="name")
    expires_at = datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    with ready_store(ApiSettings(), name="upr-keys", pool_size=1) as engine, engine.begin() as connection:
        key, text = create_key(connection, name=name, scopes=scope, expires_at=expires_at)
    # The key alone goes to standard output, so that KEY=$(upr keys create …) holds it and nothing else.
    typer.echo(f"{key.id} was made ({', '.join(key.scopes)}). It is shown only now:", err=True)
    typer.echo(text)


@app.command("list")
def list_() -> None:
    """Show all keys, without their secrets."""
    table = Table("id", "name", "scopes", "status", "created", "expires", "last used", box=None, pad_edge=False)
    with ready_store(ApiSettings(), name="upr-keys", pool_size=1) as engine, engine.connect() as connection:
        found = list_keys(connection)
    now = datetime.now(UTC)
    for key in found:
        days = [_day(moment) for moment in (key.created_at, key.expires_at, key.last_used_at)]
        table.add_row(key.id, key.name, ", ".join(key.scopes), key.status(now), *days)
    # As wide as it is: ids are there to be copied, and a narrow terminal may break lines where it likes.
    Console(soft_wrap=True, markup=False, highlight=False, width=_WIDEST).print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Its id, as `upr keys list` shows it.", metavar="ID")]) -> None:
    """Let a key hold no longer, from now on and for good. Its webhook endpoints go on until an admin deletes them."""
    with ready_store(ApiSettings(), name="upr-keys", pool_size=1) as engine, engine.begin() as connection:
        key = revoke_key(connection, key_id)
    if key is None:
        raise NotFoundError(f"There is no key {key_id[:60]}.")
    typer.echo(f"{key.id} ({key.name}) is revoked.")


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
