"""Each service works with its own role, and can do no more (deploy/roles.sql, run by the psql of the wheel)."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.postgres.binaries import installed_package
from services.core.runtime.serve import served
from services.core.store import migrate
from services.core.store.engine import make_engine
from services.core.store.tables import metadata
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.deploy.files import DEPLOY

ROLES = ("api", "deliver", "search", "ingest")
OF_USERS = {"api_keys", "saved_searches", "uploads"}
PASSWORD = "a-password"


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of one database, by role. Roles belong to a whole server: it is one of its own."""
    with embedded_postgres(tmp_path_factory.mktemp("roles") / "postgres", durable=False) as url:
        _give_roles(url)
        place = urlsplit(url)
        host = place.netloc.rpartition("@")[2]
        found = {
            role: place._replace(netloc=f"openupr_{role}:{PASSWORD}@{host}").geturl() for role in ("owner", *ROLES)
        }
        migrate.upgrade(found["owner"])
        _give_roles(url)
        yield found


def _give_roles(url: str) -> None:
    psql = installed_package() / "pginstall/bin/psql"
    passwords = {f"{role.upper()}_PASSWORD": PASSWORD for role in ("owner", *ROLES)}
    command = [str(psql), "--no-psqlrc", "--quiet", f"--file={DEPLOY / 'roles.sql'}", url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **passwords})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def rights(urls: dict[str, str], role: str) -> dict[str, set[str]]:
    asked = """
        SELECT relname, array_remove(ARRAY[
            CASE WHEN has_table_privilege(oid, 'SELECT') THEN 'SELECT' END,
            CASE WHEN has_table_privilege(oid, 'INSERT') THEN 'INSERT' END,
            CASE WHEN has_table_privilege(oid, 'UPDATE') THEN 'UPDATE' END,
            CASE WHEN has_table_privilege(oid, 'DELETE') THEN 'DELETE' END], NULL)
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    """
    with psycopg.connect(urls[role]) as connection:
        return {table: set(held) for table, held in connection.execute(asked)}


def test_each_may_write_what_is_its_own(urls: dict[str, str]) -> None:
    tables = set(metadata.tables)
    webhooks = {table for table in tables if table.startswith("webhook_")}
    records = tables - webhooks - OF_USERS
    written = {role: {table for table, held in rights(urls, role).items() if held - {"SELECT"}} for role in ROLES}
    assert written["search"] == {"feed_readers"}
    assert written["api"] == webhooks | {"api_keys", "saved_searches"}
    assert written["deliver"] == webhooks | {"feed_readers", "changes"}
    assert records <= written["ingest"]
    assert not written["ingest"] & (webhooks | {"saved_searches", "alembic_version"})
    assert rights(urls, "ingest")["api_keys"] <= {"SELECT", "UPDATE"}
    assert rights(urls, "deliver")["changes"] == {"SELECT", "DELETE"}


def test_secrets_of_users_are_read_by_those_who_need_them(urls: dict[str, str]) -> None:
    readers = {
        table: {role for role in ROLES if "SELECT" in rights(urls, role)[table]}
        for table in ("api_keys", "webhook_endpoints", "recommendations", "alembic_version")
    }
    assert readers == {
        "api_keys": {"api", "ingest"},
        "webhook_endpoints": {"api", "deliver"},
        "recommendations": set(ROLES),
        "alembic_version": set(ROLES),
    }


def test_nobody_who_serves_changes_the_schema(urls: dict[str, str]) -> None:
    for role in ROLES:
        for statement in ("CREATE TABLE more ()", "DROP TABLE changes", "CREATE ROLE another"):
            with psycopg.connect(urls[role]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_search_service_works_and_writes_no_record(urls: dict[str, str], tmp_path: Path) -> None:
    settings = SearchSettings(database_url=urls["search"], data_dir=tmp_path, search_poll_seconds=0.05)
    app = create_search(settings, urls["search"])
    with served(app, settings=settings) as address, httpx.Client(base_url=address) as client:
        _wait(client)
        assert client.get("/v1/search?facets=type").json()["total"] == 0
    with psycopg.connect(urls["owner"]) as connection:
        readers = [name for (name,) in connection.execute("SELECT name FROM feed_readers")]
    assert [name.split()[0] for name in readers] in ([], ["index"])
    for statement in ("UPDATE states SET names = '{}'", "DELETE FROM changes", "SELECT * FROM api_keys"):
        with psycopg.connect(urls["search"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while (answer := client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)


def test_the_api_works_and_writes_no_record(urls: dict[str, str], tmp_path: Path) -> None:
    settings = ApiSettings(database_url=urls["api"], data_dir=tmp_path, webhook_allow_loopback=True)
    engine = make_engine(urls["api"], pool_size=1)
    with engine.begin() as connection:
        _, secret = create_key(connection, name="test", scopes=(Scope.WEBHOOKS_WRITE,))
    engine.dispose()
    with served(create_api(settings, urls["api"]), settings=settings) as address:
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=address, headers=headers) as client:
            assert client.get("/readyz").status_code == 200
            assert client.get("/v1/states?limit=1").status_code == 200
            made = client.post(
                "/v1/webhooks/endpoints",
                json={"url": "https://127.0.0.1:9/hook", "event_types": ["recommendation.created"]},
            )
            assert made.status_code == 201, made.text
    with psycopg.connect(urls["api"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE states SET names = '{}'")
