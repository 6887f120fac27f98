import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from services import __version__
from services.cli import EXTRAS, PARTS

ROOT = Path(__file__).parents[1]

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # None: it cannot be imported
sys.argv = ["upr", *{arguments!r}]
from services.cli import main
main()
"""
FAILING = """
import sys, typer
from services import cli
module = type(sys)("failing")
module.app = typer.Typer()
@module.app.callback()
def group(): pass
@module.app.command()
def fail():
    {statement}
sys.modules["failing"] = module
cli.PARTS["db"] = cli.Part("failing", "")
sys.argv = ["upr", *{arguments!r}]
cli.main()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_DATA_DIR", str(tmp_path / "upr"))
    monkeypatch.delenv("UPR_DATABASE_URL", raising=False)


def python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env={**os.environ, **environment}
    )


def upr(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})


def test_help_names_every_part_and_loads_none() -> None:
    code = "import sys; sys.argv = ['upr', '--help']; from services.cli import main\ntry: main()\nfinally: "
    done = python(code + "print('loaded:', sorted(name for name in sys.modules if name.startswith('services.')))")
    assert done.returncode == 0
    for name in PARTS:
        assert f" {name} " in done.stdout
    loaded = done.stdout.partition("loaded: ")[2]
    assert loaded == "['services.cli', 'services.core', 'services.core.domain', 'services.core.domain.errors']\n"


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_a_page_of_help(name: str) -> None:
    done = upr(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Usage: upr {name}" in done.stdout


def test_version() -> None:
    assert upr("--version").stdout == f"upr {__version__}\n"


def test_a_misspelt_part_is_suggested() -> None:
    done = upr("serach")
    assert done.returncode == 2
    assert "Did you mean 'search'?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "absent", "extra"),
    [
        (["search", "serve"], {"tantivy", "meilisearch"}, "search"),
        (["ingest", "serve"], {"docx", "pypdfium2", "selectolax"}, "ingest"),
        (["api", "deliver"], {"httpcore"}, "api"),
    ],
)
def test_a_service_that_is_not_installed(arguments: list[str], absent: set[str], extra: str) -> None:
    done = python(WITHOUT.format(absent=absent, arguments=arguments))
    assert done.returncode == 2
    assert done.stderr == f"upr: the {extra} service is not installed here: pip install 'openupr[{extra}]'\n"


def test_extras_are_known_by_the_packages_that_pyproject_names() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    distributions = {module: names[0].lower() for module, names in packages_distributions().items()}
    for extra, modules in EXTRAS.items():
        assert {distributions[module] for module in modules} == {re.split("[<>=]", line)[0] for line in extras[extra]}


def test_the_others_run_without_it() -> None:
    done = python(WITHOUT.format(absent={"tantivy", "meilisearch", "icalendar"}, arguments=["ingest", "--help"]))
    assert done.returncode == 0, done.stderr


def test_an_error_is_one_line() -> None:
    done = upr("up", UPR_DATA_DIR="/dev/null/here")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "upr: UPR_DATA_DIR /dev/null/here cannot be used: Not a directory. [invalid_settings]\n"


def test_debug_shows_the_traceback() -> None:
    done = upr("--debug", "up", UPR_DATA_DIR="/dev/null/here")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "SettingsError" in done.stderr


def test_a_wrong_setting_is_named() -> None:
    done = upr("up", UPR_API_PORT="eighty")
    assert done.returncode == 1
    assert done.stderr.startswith("upr: UPR_API_PORT: Input should be a valid integer")
    assert done.stderr.count("\n") == 1
    done = upr("up", UPR_WEBHOOK_ALLOWED_PORTS="[")
    assert done.stderr.startswith("upr: ")
    assert "UPR_WEBHOOK_ALLOWED_PORTS" in done.stderr
    assert done.stderr.endswith("[invalid_settings]\n")


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    done = upr("db", "status", UPR_DATABASE_URL="postgresql://openupr:hunter2@127.0.0.1:1/openupr")
    assert done.returncode == 1
    assert done.stderr.startswith("upr: The database does not answer: ")
    assert done.stderr.endswith("Connection refused [unavailable]\n")
    assert "hunter2" not in done.stderr


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    done = python(FAILING.format(statement="1 / 0", arguments=["db", "fail"]))
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_ctrl_c_is_quiet() -> None:
    done = python(FAILING.format(statement="raise KeyboardInterrupt", arguments=["db", "fail"]))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    "statement",
    ["typer.echo('x' * 1_000_000)", "typer.echo('x')", "sys.stdout.buffer.write(b'x' * 1_000_000)"],
)
def test_a_reader_who_has_seen_enough_gets_no_complaint(statement: str, tmp_path: Path) -> None:
    code = FAILING.format(statement=f"import time; time.sleep(0.3); {statement}", arguments=["db", "fail"])
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stderr:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
