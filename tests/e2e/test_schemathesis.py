"""`schemathesis` asks each service for all that its OpenAPI document allows, and for what it does not allow.

A few requests in every run; `make fuzz-api` asks thousands, in all phases, also of what the real documents hold.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.api.app import create_app as create_api
from services.api.keys import Scope, create_key
from services.api.settings import ApiSettings
from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.serve import served
from services.core.store.engine import make_engine
from services.ingest.app import create_app as create_ingest
from services.ingest.load import Loader
from services.ingest.sandbox import Sandbox
from services.ingest.settings import IngestSettings
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.effort import EFFORT, examples
from tests.up.programs import ROOT, wait_until

pytestmark = pytest.mark.soak

SAMPLES = ROOT / "samples" / "documents"
REPORTS = ROOT.parent / "shared" / "data" / "wg_reports"
FEW = ["costamar-report.pdf", "costamar-matrix.docx"]
QUICK = "examples,fuzzing"
ALL = "examples,coverage,fuzzing,stateful"


@pytest.fixture
def store(database_url: str) -> str:
    """A store with sample documents, and in long runs with real ones where they are beside the repository."""
    if EFFORT == 1:
        paths = [SAMPLES / name for name in FEW]
    else:
        paths = [*sorted(SAMPLES.iterdir()), *sorted(REPORTS.glob("*.pdf"))[::12]]
    engine = make_engine(database_url, pool_size=1)
    loader = Loader(engine, timedelta(days=36_500))
    with Sandbox(1) as sandbox:
        for path, sha256, result in sandbox.read_all(paths):
            if not isinstance(result, UnreadableDocumentError):
                loader.load(path, sha256 or hashlib.sha256(path.read_bytes()).hexdigest(), result)
    engine.dispose()
    return database_url


@contextmanager
def running(name: str, url: str, folder: Path) -> Iterator[str]:
    """One service on a free port. Gives its address."""
    settings: ApiSettings | SearchSettings | IngestSettings
    if name == "api":
        settings = ApiSettings(database_url=url, webhook_allow_loopback=True)
        app = create_api(settings, url)
    elif name == "search":
        settings = SearchSettings(database_url=url, data_dir=folder)
        app = create_search(settings, url)
    else:
        settings = IngestSettings(database_url=url)
        app = create_ingest(settings, url)
    with ExitStack() as stack:
        address = stack.enter_context(served(app, settings=settings))
        wait_until(lambda: httpx.get(f"{address}/readyz").status_code == 200, 60)
        yield address


@pytest.mark.parametrize("name", ["api", "search", "ingest"])
def test_the_service_keeps_to_its_openapi_document(
    name: str, store: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = make_engine(store, pool_size=1)
    with engine.begin() as connection:
        _, key = create_key(connection, name="schemathesis", scopes=[Scope.ADMIN])
    engine.dispose()
    with running(name, store, tmp_path) as address:
        printed = _ask(address, key, tmp_path, phases=QUICK if EFFORT == 1 else ALL)
    found = re.search(r"(\d+) generated, (\d+) passed", printed)
    assert found is not None, printed
    if EFFORT > 1:
        with capfd.disabled():
            sys.stdout.write(f"\n{name}: {found[0]}\n")


def _ask(address: str, key: str, folder: Path, *, phases: str) -> str:
    """What the run printed; it has to end well."""
    configuration = ["--config-file", str(ROOT / "schemathesis.toml"), "--no-color"]
    run = ["run", f"{address}/openapi.json", "--phases", phases, "-n", str(examples(1))]
    headers = ["--header", f"Authorization: Bearer {key}"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *configuration, *run, *headers],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240 * EFFORT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    return done.stdout
