"""`schemathesis` asks each service for all that its OpenAPI document allows, and for what it does not allow.

A few requests in every run; `make fuzz-api` asks thousands, in all phases, of what real documents and databases hold.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.serve import served
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.app import create_app as create_ingest
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox
from services.ingest.settings import IngestSettings
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.effort import EFFORT, examples
from tests.postgres_fixtures import FreshDatabases
from tests.up.programs import ROOT, wait_until

pytestmark = pytest.mark.soak

SAMPLES = ROOT / "samples" / "documents"
SHARED = ROOT.parent / "shared" / "data"
REAL = [*sorted(SHARED.glob("upr_info/*.csv")), *sorted(SHARED.glob("wg_reports/*.pdf"))]
FEW = ["costamar-report.pdf", "costamar-matrix.docx"]
QUICK = "examples,fuzzing"
ALL = "examples,coverage,fuzzing,stateful"


@pytest.fixture(scope="module")
def store(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store with sample documents; in long runs with the shared reports and UPR Info's rows, where they are there."""
    paths = [SAMPLES / name for name in FEW] if EFFORT == 1 else [*sorted(SAMPLES.iterdir()), *REAL]
    with fresh_databases() as url:
        engine = make_engine(url, pool_size=2)
        archive = Archive(tmp_path_factory.mktemp("documents"))
        with Sandbox(1 if EFFORT == 1 else None) as sandbox:
            for _ in run_files(engine, paths, sandbox, archive, source="test", backfill_after=timedelta(days=180)):
                pass
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        engine.dispose()
        yield url


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
        settings = IngestSettings(database_url=url, data_dir=folder)
        app = create_ingest(settings, url)
    with ExitStack() as stack:
        address = stack.enter_context(served(app, settings=settings))
        wait_until(lambda: httpx.get(f"{address}/readyz").status_code == 200, 60 * EFFORT)
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
    if EFFORT > 1:
        held = "real documents and rows" if REAL else f"samples alone, since there is nothing in {SHARED}"
        with capfd.disabled():
            sys.stdout.write(f"\n{name}, on {held}:\n{printed[printed.index('API Operations:') :]}\n")


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
        timeout=600 * EFFORT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout
