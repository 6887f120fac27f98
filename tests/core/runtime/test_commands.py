import pytest
from typer.testing import CliRunner

from services.core.domain.errors import InvalidParameterError
from services.core.runtime.commands import app


@pytest.fixture
def runner(empty_database_url: str) -> CliRunner:
    return CliRunner(env={"UPR_DATABASE_URL": empty_database_url})


def test_the_way_up_and_down(runner: CliRunner) -> None:
    empty = runner.invoke(app, ["status"])
    assert empty.exit_code == 1
    assert empty.stdout.startswith("The schema is empty; this version needs ")
    assert empty.stdout.endswith(": upr db migrate\n")
    for _ in range(2):
        migrated = runner.invoke(app, ["migrate"])
        assert migrated.exit_code == 0
        assert migrated.stdout.endswith("as this version needs it.\n")
    assert runner.invoke(app, ["status"]).exit_code == 0
    down = runner.invoke(app, ["downgrade", "base", "--yes"])
    assert down.exit_code == 0
    assert down.stdout == empty.stdout


def test_downgrade_asks_first(runner: CliRunner) -> None:
    runner.invoke(app, ["migrate"])
    asked = runner.invoke(app, ["downgrade", "base"], input="n\n")
    assert asked.exit_code == 1
    assert "is lost" in asked.stdout
    assert runner.invoke(app, ["status"]).exit_code == 0


def test_an_unknown_revision_is_named(runner: CliRunner) -> None:
    done = runner.invoke(app, ["downgrade", "yesterday", "--yes"])
    assert isinstance(done.exception, InvalidParameterError)
    assert "yesterday" in done.exception.detail
