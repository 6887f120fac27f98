"""The check that migrations only add (`.ci/migrations.py`), and how a version meets a schema of a newer one."""

import runpy
from pathlib import Path

import pytest
from sqlalchemy import text

from services.core.store import migrate
from services.core.store.engine import make_engine

ROOT = Path(__file__).parents[1]
main = runpy.run_path(str(ROOT / ".ci" / "migrations.py"))["main"]
FINE = [
    "op.create_table('a', sa.Column('x', sa.Text(), nullable=False)); op.create_index('i', 'a', ['x'], unique=True)",
    "op.add_column('a', sa.Column('x', sa.Text(), nullable=True))",
    "op.add_column('a', sa.Column('x', sa.Text(), nullable=False, server_default=''))",
    "op.create_index('i', 'a', ['x'])",
    "op.execute('CREATE INDEX CONCURRENTLY i ON a (x)')",
    "op.alter_column('a', 'x', nullable=True)",
]
CONTRACTING = [
    "op.drop_table('a')",
    "op.drop_column('a', 'x')",
    "op.rename_table('a', 'b')",
    "op.alter_column('a', 'x', nullable=False)",
    "op.alter_column('a', 'x', type_=sa.Integer())",
    "op.alter_column('a', 'x', new_column_name='y')",
    "op.add_column('a', sa.Column('x', sa.Text(), nullable=False))",
    "op.create_unique_constraint('u', 'a', ['x'])",
    "op.create_index('i', 'a', ['x'], unique=True)",
    "op.execute('ALTER TABLE a DROP COLUMN x')",
]


def check(folder: Path, upgrade: str, contract: str = "") -> int:
    (folder / "migrations" / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 0.3.0 (unreleased)\n\n## 0.2.0 (2027-01-01)\n")
    script = f"import sqlalchemy as sa\nfrom alembic import op\n{contract}\n\ndef upgrade():\n    {upgrade}\n"
    (folder / "migrations" / "versions" / "one.py").write_text(script)
    return int(main(folder))


def test_what_only_adds_passes_and_what_takes_away_is_refused(tmp_path: Path) -> None:
    assert main(ROOT) == 0
    assert [each for each in FINE if check(tmp_path, each)] == []
    assert [each for each in CONTRACTING if not check(tmp_path, each)] == []


def test_a_contract_names_a_release_that_is_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, CONTRACTING[0], 'contract = "0.2.0"') == 0
    assert check(tmp_path, CONTRACTING[0], 'contract = "0.3.0"') == 1
    assert "'0.3.0' is no release that is out" in capsys.readouterr().out


def test_a_newer_schema_fits_as_long_as_it_only_added(database_url: str) -> None:
    engine = make_engine(database_url)

    def newer(revision: str, *, contracts: bool) -> migrate.SchemaStatus:
        with engine.begin() as connection:
            step = text("INSERT INTO schema_steps (revision, contracts) VALUES (:revision, :contracts)")
            connection.execute(step, {"revision": revision, "contracts": contracts})
            connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})
        with engine.connect() as connection:
            return migrate.schema_status(connection)

    assert newer("0002_more", contracts=False).up_to_date
    migrate.upgrade(database_url)
    with engine.connect() as connection:
        assert migrate.schema_status(connection).current == "0002_more", "it stays as it is"
    assert not newer("0003_less", contracts=True).up_to_date
    assert not newer("0004_more", contracts=False).up_to_date
    engine.dispose()
