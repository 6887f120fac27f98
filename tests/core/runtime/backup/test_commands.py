"""`upr admin`: a store into one file and back, on a real server with its real programs."""

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from services.core.domain.errors import SettingsError, UprError
from services.core.runtime.backup import programs
from services.core.runtime.backup.commands import app
from services.core.runtime.backup.contents import DUMP, MANIFEST
from services.core.store.archive import Archive
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine
from tests.core.store.test_changes import draft
from tests.postgres_fixtures import FreshDatabases

Admin = Callable[..., Result]
DOCUMENT = b"what a State said"
SHA256 = hashlib.sha256(DOCUMENT).hexdigest()


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    def run(url: str, *arguments: str, folder: str = "here", **more: object) -> Result:
        environment = {"UPR_DATABASE_URL": url, "UPR_DATA_DIR": str(tmp_path / folder)}
        return CliRunner(env=environment).invoke(app, list(arguments), **more)  # type: ignore[arg-type]

    return run


@pytest.fixture
def backup(admin: Admin, database_url: str, tmp_path: Path) -> Path:
    """Of a store with three changes, and one document."""
    engine = make_engine(database_url)
    with engine.begin() as connection:
        append_changes(connection, [draft("a"), draft("b"), draft("c")])
    engine.dispose()
    (tmp_path / "source").write_bytes(DOCUMENT)
    Archive(tmp_path / "here" / "documents").keep(tmp_path / "source", SHA256)
    (tmp_path / "here" / "documents" / SHA256[:2] / "tmp123").write_bytes(b"half a document")
    done = admin(database_url, "backup", "--to", str(tmp_path / "one.backup"), "--documents")
    assert done.exit_code == 0, done.output
    assert "checked" in done.stdout
    assert "1 documents" in done.stdout
    return tmp_path / "one.backup"


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def fault(done: Result) -> UprError:
    assert isinstance(done.exception, UprError), done.output
    return done.exception


def rewritten(backup: Path, target: Path, **members: Callable[[bytes], bytes]) -> Path:
    """The backup with some members otherwise, sound as a file."""
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, members.get(name.partition(".")[0], bytes)(old.read(name)))
    return target


def test_there_and_back(admin: Admin, backup: Path, database_url: str, empty_database_url: str, tmp_path: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "one.backup", "source"], "nothing else is left"
    done = admin(empty_database_url, "restore", str(backup), folder="there")
    assert done.exit_code == 0, done.output
    everything = "SELECT seq, id, occurred_at, data FROM changes ORDER BY seq"
    assert rows(empty_database_url, everything) == rows(database_url, everything)
    head = "SELECT seq, occurred_at, epoch FROM change_head"
    assert rows(empty_database_url, head) == rows(database_url, head)
    assert rows(empty_database_url, "SELECT restored FROM change_head") == [(True,)]
    assert Archive(tmp_path / "there" / "documents").path(SHA256).read_bytes() == DOCUMENT
    assert "feed_restored" in done.stdout, "it is said what comes next"


def test_what_is_there_is_not_overwritten(
    admin: Admin, backup: Path, database_url: str, fresh_databases: FreshDatabases
) -> None:
    assert fault(admin(database_url, "backup", "--to", str(backup))).code == SettingsError.code
    assert fault(admin(database_url, "restore", str(backup))).code == "database_not_empty"
    asked = admin(database_url, "restore", str(backup), "--replace", input="n\n")
    assert "Give all of it up?" in asked.stdout
    assert asked.exit_code == 1
    assert rows(database_url, "SELECT restored FROM change_head") == [(False,)]
    assert admin(database_url, "restore", str(backup), "--replace", "--yes").exit_code == 0
    assert rows(database_url, "SELECT restored FROM change_head") == [(True,)]
    with fresh_databases() as migrated:  # facts alone are nothing to lose
        assert admin(migrated, "restore", str(backup)).exit_code == 0
        assert rows(migrated, "SELECT count(*) FROM changes") == [(3,)]


def test_a_failed_restore_leaves_nothing(admin: Admin, backup: Path, empty_database_url: str, tmp_path: Path) -> None:
    def one_more_change(manifest: bytes) -> bytes:
        told = json.loads(manifest)
        told["counts"]["changes"] += 1
        return json.dumps(told).encode()

    def from_the_future(manifest: bytes) -> bytes:
        return json.dumps({**json.loads(manifest), "schema": "9999"}).encode()

    cut = tmp_path / "cut"
    cut.write_bytes(backup.read_bytes()[:-100])
    wrong = {
        "postgresql_program_failed": [rewritten(backup, tmp_path / "counts", manifest=one_more_change)],
        "backup_unusable": [
            cut,
            tmp_path / "source",
            tmp_path / "absent",
            rewritten(backup, tmp_path / "schema", manifest=from_the_future),
            rewritten(backup, tmp_path / "dump", database=lambda dump: dump[:-1] + b"!"),
            rewritten(backup, tmp_path / "document", **{f"documents/{SHA256}": lambda _: b"other"}),
        ],
    }
    for code, files in wrong.items():
        for file in files:
            done = admin(empty_database_url, "restore", str(file), folder="there")
            assert fault(done).code == code, (file, done.output)
            assert rows(empty_database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
            assert not list((tmp_path / "there").rglob(SHA256))


def test_an_empty_database_is_not_backed_up(admin: Admin, empty_database_url: str, tmp_path: Path) -> None:
    assert "no schema" in fault(admin(empty_database_url, "backup")).detail
    assert list((tmp_path / "here" / "backups").iterdir()) == []


def test_programs_fit_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert programs.fitting_programs(15).major >= 15
    with pytest.raises(SettingsError, match="postgresql-client-99"):
        programs.fitting_programs(99)
    monkeypatch.setenv("PGPASSWORD", "another")
    told = programs.connection_environment("postgresql://me:s3cret%21@db.example/upr?sslmode=require")
    named = {name: told[name] for name in ("PGUSER", "PGPASSWORD", "PGHOST", "PGDATABASE", "PGSSLMODE")}
    assert list(named.values()) == ["me", "s3cret!", "db.example", "upr", "require"]
    assert "PGPASSWORD" not in programs.connection_environment("postgresql://me@db.example/upr")


def test_the_file_holds_what_it_says(backup: Path) -> None:
    with zipfile.ZipFile(backup) as file:
        assert file.namelist()[0] == DUMP
        manifest = json.loads(file.read(MANIFEST))
    assert manifest["counts"]["changes"] == 3
    assert manifest["dataset"].startswith("3-")
    assert manifest["documents"] == 1
