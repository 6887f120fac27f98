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
from services.core.store.schema_steps import only_expanded_since
from services.core.store.seed import seed

MIGRATIONS = Path(__file__).parents[3] / "migrations"


@dataclass(frozen=True)
class SchemaStatus:
    """The revision a database stands at (None: empty) and the one this version needs.

    `expanded`: the database is of a newer version, whose migrations have only added to what this one needs.
    """

    current: str | None
    needed: str
    expanded: bool = False

    @property
    def up_to_date(self) -> bool:
        """Whether the services can start on it."""
        return self.current == self.needed or self.expanded


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database and seed the facts (States, groups, sessions). Safe to repeat, and for several at once.

    A database of a newer version that this one can work on stays as it is, its facts too.
    """
    if _is_expanded(url):
        return
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
    scripts = ScriptDirectory(str(MIGRATIONS))
    needed, current = scripts.get_current_head(), MigrationContext.configure(connection).get_current_revision()
    assert needed is not None
    if current is None or current in {script.revision for script in scripts.walk_revisions()}:
        return SchemaStatus(current, needed)
    return SchemaStatus(current, needed, expanded=only_expanded_since(connection, needed))


def _is_expanded(url: str) -> bool:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return schema_status(connection).expanded
    finally:
        engine.dispose()


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
