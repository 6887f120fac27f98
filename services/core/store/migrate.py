"""Bringing a database to the schema this version needs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from services.core.store.engine import make_engine
from services.core.store.seed import seed

MIGRATIONS = Path(__file__).parents[3] / "migrations"


@dataclass(frozen=True)
class SchemaStatus:
    """The revision a database stands at (None: empty) and the one this version needs."""

    current: str | None
    needed: str

    @property
    def up_to_date(self) -> bool:
        """Whether the services can start on it."""
        return self.current == self.needed


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database and seed the facts (States, groups, sessions). Safe to repeat, and for several at once."""
    _run(url, lambda config: command.upgrade(config, revision))
    if revision == "head":
        engine = make_engine(url, pool_size=1)
        with engine.begin() as connection:
            seed(connection)
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an earlier revision; `base` empties it."""
    _run(url, lambda config: command.downgrade(config, revision))


def schema_status(connection: Connection) -> SchemaStatus:
    """Where the database stands."""
    needed = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert needed is not None
    return SchemaStatus(MigrationContext.configure(connection).get_current_revision(), needed)


def _run(url: str, action: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = make_engine(url, pool_size=1)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            action(config)
    finally:
        engine.dispose()
