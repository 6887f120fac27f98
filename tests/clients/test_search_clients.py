"""Clients of the search service that are generated from its OpenAPI document. See `test_clients`."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.core.runtime.serve import served
from services.core.store.engine import make_engine
from services.ingest.load import Loader
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.search.app import create_app
from services.search.settings import SearchSettings
from tests.clients.test_clients import HERE, MODULES, SAMPLES, TOOLS, keep_document, run
from tests.up.programs import ROOT, wait_until


@pytest.fixture
def served_search(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a search service on the samples."""
    engine = make_engine(database_url, pool_size=1)
    for name in SAMPLES:
        path = ROOT / "samples/documents" / name
        content = path.read_bytes()
        reading = read_document(Content(name, content))
        Loader(engine, timedelta(days=36_500)).load(path, hashlib.sha256(content).hexdigest(), reading)
    engine.dispose()
    settings = SearchSettings(database_url=database_url, data_dir=tmp_path / "data")
    with served(create_app(settings, database_url), settings=settings) as address:
        wait_until(lambda: httpx.get(f"{address}/readyz").status_code == 200, 60)
        yield address


def check(printed: str, address: str) -> None:
    """What each program has to find out."""
    told: dict[str, Any] = json.loads(printed)
    found = httpx.get(f"{address}/v1/search", params={"q": "rights", "type": "recommendations"}).json()
    assert told["total"] == told["positions"] == found["total"] > 0
    assert told["states"] == ["XCM"]
    assert {"state_under_review": "XCM"} in told["filters"]
    assert told["alike"] == told["asked"]
    assert told["same_state"]
    assert told["missing"] == "not_found"
    assert told["read_as"] == ["human", "rights"]


@pytest.mark.skipif(not TOOLS.is_dir(), reason="not run: `make test` sets up what generates the Python client")
def test_a_python_client(served_search: str, tmp_path: Path) -> None:
    keep_document(served_search, tmp_path)
    generate = (TOOLS / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning")
    config = ("--config", HERE / "python" / "generator.yml", "--output-path", "openupr_client")
    run(tmp_path, *generate, "--path", "openapi.json", *config)
    shutil.copy(HERE / "python" / "search_program.py", tmp_path)
    strictly = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", TOOLS / "python")
    run(tmp_path, *strictly, "openupr_client", "search_program.py")
    check(run(tmp_path, TOOLS / "python", "search_program.py", served_search), served_search)


@pytest.mark.skipif(
    not MODULES.is_dir(), reason="not run: `make test-clients` sets up what generates the TypeScript client"
)
def test_a_typescript_client(served_search: str, tmp_path: Path) -> None:
    keep_document(served_search, tmp_path)
    for name in ("package.json", "tsconfig.json", "search_program.ts"):
        shutil.copy(HERE / "typescript" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    run(tmp_path, "node_modules/.bin/openapi-typescript", "openapi.json", "--output", "openupr.ts")
    run(tmp_path, "node_modules/.bin/tsc", "--strict", "--noEmit")
    run(tmp_path, "node_modules/.bin/tsc")
    check(run(tmp_path, "node", "search_program.js", served_search), served_search)
