"""Bringing a database to the schema this version needs.

Alembic is loaded when it migrates. Where a database stands is asked by every service all the time, and needs none of
it: a table of one row, and two lines of each migration.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, text

from services.core.store.engine import make_engine
from services.core.store.schema_steps import only_expanded_since
from services.core.store.seed import seed

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parents[3] / "migrations"
_REVISION = re.compile(r"""^(revision|down_revision) = (?:['"](.+)['"]|None)$""", re.MULTILINE)


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
    from alembic import command  # noqa: PLC0415 - see above

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
    from alembic import command  # noqa: PLC0415 - see above

    _run(url, lambda config: command.downgrade(config, revision))


def schema_status(connection: Connection) -> SchemaStatus:
    """Where the database stands."""
    needed, current = newest_revision(), _current_revision(connection)
    if current is None or current in _revisions(MIGRATIONS):
        return SchemaStatus(current, needed)
    return SchemaStatus(current, needed, expanded=only_expanded_since(connection, needed))


def newest_revision() -> str:
    """The revision that no migration builds upon."""
    before = _revisions(MIGRATIONS)
    (newest,) = set(before) - set(before.values())
    return newest


@cache
def _revisions(folder: Path) -> Mapping[str, str | None]:
    """The revisions of this version's migrations, each with the one before it."""
    found = [dict(_REVISION.findall(path.read_text("utf-8"))) for path in (folder / "versions").glob("*.py")]
    return {each["revision"]: each["down_revision"] or None for each in found}


def _current_revision(connection: Connection) -> str | None:
    if connection.scalar(select(func.to_regclass("alembic_version"))) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _is_expanded(url: str) -> bool:
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return schema_status(connection).expanded
    finally:
        engine.dispose()


def _run(url: str, action: "Callable[[Config], None]") -> None:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = make_engine(url, pool_size=1)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            action(config)
    finally:
        engine.dispose()
