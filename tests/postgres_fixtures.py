"""A real PostgreSQL for the tests: one server a run, one fresh database a test.

`pytest --postgres-url postgresql://…` (or UPR_TEST_DATABASE_URL) uses that server, with a role that may create
databases. Otherwise one embedded cluster is shared by all workers of the run: whoever needs it first starts it, and
its leases see to it that it ends with the last of them, also if they are killed.
"""

import contextlib
import importlib
import importlib.util
import itertools
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.postgres.embedded import is_guarded

_MIGRATE = "services.core.store.migrate"
_RUN = pytest.StashKey[str]()
_FOLDERS = "upr-tests-"
_ABANDONED_AFTER = 86_400.0
"""Seconds after which the folder of a run that was killed is removed by the next one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres-url",
        default=os.environ.get("UPR_TEST_DATABASE_URL"),
        help="PostgreSQL server to test on (default: UPR_TEST_DATABASE_URL, else an embedded one)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the run. Workers of one run get the name from their controller."""
    inherited = getattr(config, "workerinput", {}).get("postgres_run")
    config.stash[_RUN] = inherited or uuid.uuid4().hex[:10]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres_run"] = node.config.stash[_RUN]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing behind, once all workers have ended."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    if url := config.getoption("--postgres-url"):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{_template(config)}"')
    _remove_cluster(_cluster_folder(config))
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER and folder.stat().st_uid == os.geteuid():
                _remove_cluster(folder)


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """URL of a superuser's (or at least CREATEDB) connection to a database that belongs to nobody's test."""
    if given := pytestconfig.getoption("--postgres-url"):
        yield given
        return
    folder = _cluster_folder(pytestconfig)
    folder.mkdir(mode=0o700, exist_ok=True)
    with embedded_postgres(folder / "postgres", durable=False) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_admin(postgres_url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """An open connection in autocommit mode to create and drop databases with."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def template_database(
    postgres_admin: psycopg.Connection[tuple[Any, ...]], postgres_url: str, pytestconfig: pytest.Config
) -> str:
    """Name of a database with the whole schema, migrated once a run (the other workers wait for it)."""
    name = _template(pytestconfig)
    with _exclusive(postgres_admin):
        if not _has_template(postgres_admin, pytestconfig):
            unfinished = f"{name}_unfinished"
            postgres_admin.execute(f'CREATE DATABASE "{unfinished}"')
            _migrate(with_database(postgres_url, unfinished))
            postgres_admin.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
            postgres_admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    return name


_numbers = itertools.count(1)
FreshDatabases = Callable[[], contextlib.AbstractContextManager[str]]


@pytest.fixture(scope="session")
def fresh_databases(
    postgres_admin: psycopg.Connection[tuple[Any, ...]],
    postgres_url: str,
    template_database: str,
    pytestconfig: pytest.Config,
) -> FreshDatabases:
    """Makes new databases with the whole schema, for fixtures that outlive a test; dropped at the context's end."""
    return lambda: contextlib.contextmanager(_database)(postgres_admin, postgres_url, pytestconfig, template_database)


@pytest.fixture
def empty_database_url(
    postgres_admin: psycopg.Connection[tuple[Any, ...]], postgres_url: str, pytestconfig: pytest.Config
) -> Iterator[str]:
    """URL of a new database without any table, dropped after the test."""
    yield from _database(postgres_admin, postgres_url, pytestconfig, "template1")


@pytest.fixture
def database_url(
    postgres_admin: psycopg.Connection[tuple[Any, ...]],
    postgres_url: str,
    template_database: str,
    pytestconfig: pytest.Config,
) -> Iterator[str]:
    """URL of a new database with the whole schema, dropped after the test."""
    yield from _database(postgres_admin, postgres_url, pytestconfig, template_database)


def _database(
    admin: psycopg.Connection[tuple[Any, ...]], url: str, config: pytest.Config, template: str
) -> Iterator[str]:
    name = f"upr_test_{config.stash[_RUN]}_{os.getpid()}_{next(_numbers)}"
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield with_database(url, name)
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrate(url: str) -> None:
    if importlib.util.find_spec(_MIGRATE) is not None:
        importlib.import_module(_MIGRATE).upgrade(url)


@contextlib.contextmanager
def _exclusive(admin: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    """One worker at a time; a killed one gives way with its connection."""
    admin.execute("SELECT pg_advisory_lock(hashtext('openupr tests: template'))")
    try:
        yield
    finally:
        admin.execute("SELECT pg_advisory_unlock(hashtext('openupr tests: template'))")


def _template(config: pytest.Config) -> str:
    return f"upr_test_{config.stash[_RUN]}_template"


def _has_template(admin: psycopg.Connection[tuple[Any, ...]], config: pytest.Config) -> bool:
    found = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_template(config)])
    return found.fetchone() is not None


def _cluster_folder(config: pytest.Config) -> Path:
    return Path(tempfile.gettempdir()) / f"{_FOLDERS}{config.stash[_RUN]}"


def _remove_cluster(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while is_guarded(folder / "postgres"):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
