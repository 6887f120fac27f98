"""Clients that are generated from the OpenAPI document: they compile under the strictest rules, and they work.

`make test` sets up the Python generator, `make test-clients` the TypeScript one, too. What is generated is not kept.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.serve import served
from services.core.store.engine import make_engine
from services.ingest.load import Loader
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from tests.up.programs import ROOT

HERE = Path(__file__).parent
TOOLS = ROOT / ".venv-clients" / "bin"
MODULES = HERE / "typescript" / "node_modules"
SAMPLES = ("costamar-report.pdf", "costamar-matrix.docx")


@pytest.fixture
def served_api(database_url: str) -> Iterator[tuple[str, str]]:
    """The address of an API on the samples, and an admin's key."""
    engine = make_engine(database_url, pool_size=1)
    for name in SAMPLES:
        path = ROOT / "samples/documents" / name
        content = path.read_bytes()
        reading = read_document(Content(name, content))
        Loader(engine, timedelta(days=36_500)).load(path, hashlib.sha256(content).hexdigest(), reading)
    with engine.begin() as connection:
        _, key = create_key(connection, name="client", scopes=[Scope.ADMIN])
    engine.dispose()
    settings = ApiSettings(database_url=database_url)
    with served(create_app(settings, database_url), settings=settings) as address:
        yield address, key


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
    return done.stdout


def keep_document(address: str, folder: Path) -> None:
    (folder / "openapi.json").write_bytes(httpx.get(f"{address}/openapi.json").content)


def check(printed: str, address: str) -> None:
    """What each program has to find out."""
    told: dict[str, Any] = json.loads(printed)
    page = httpx.get(f"{address}/v1/recommendations?state_under_review=XCM&limit=200").json()
    assert told["ids"] == [row["id"] for row in page["data"]]
    assert len(told["ids"]) > 2  # more than a page of the programs
    assert told["position"] == page["data"][0]["position"]
    assert told["texts"] == [len(row["text"]) for row in page["data"]]
    assert told["total"] == page["total"] == sum(told["counted"].values())
    assert told["missing"] == "not_found"
    assert told["first_change"] == 1
    assert told["keys"] == ["valid", "revoked"]


@pytest.mark.skipif(not TOOLS.is_dir(), reason="not run: `make test` sets up what generates the Python client")
def test_a_python_client(served_api: tuple[str, str], tmp_path: Path) -> None:
    address, key = served_api
    keep_document(address, tmp_path)
    generate = (TOOLS / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning")
    config = ("--config", HERE / "python" / "generator.yml", "--output-path", "openupr_client")
    run(tmp_path, *generate, "--path", "openapi.json", *config)
    shutil.copy(HERE / "python" / "program.py", tmp_path)
    strictly = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", TOOLS / "python")
    run(tmp_path, *strictly, "openupr_client", "program.py")
    check(run(tmp_path, TOOLS / "python", "program.py", address, key), address)


@pytest.mark.skipif(
    not MODULES.is_dir(), reason="not run: `make test-clients` sets up what generates the TypeScript client"
)
def test_a_typescript_client(served_api: tuple[str, str], tmp_path: Path) -> None:
    address, key = served_api
    keep_document(address, tmp_path)
    for name in ("package.json", "tsconfig.json", "program.ts"):
        shutil.copy(HERE / "typescript" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    run(tmp_path, "node_modules/.bin/openapi-typescript", "openapi.json", "--output", "openupr.ts")
    run(tmp_path, "node_modules/.bin/tsc", "--strict", "--noEmit")
    run(tmp_path, "node_modules/.bin/tsc")
    check(run(tmp_path, "node", "program.js", address, key), address)
