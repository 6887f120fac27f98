"""A browser, and the services on the project's samples or on the data folder that UPR_TEST_STORE names."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from services.core.runtime.postgres import embedded_postgres
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox
from tests.browser.site import PageSite, page_site
from tests.postgres_fixtures import FreshDatabases
from tests.up.programs import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STORE = os.environ.get("UPR_TEST_STORE")
CHROMIUM = os.environ.get("UPR_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class Subject:
    """What people look for in the tasks: a State, and a topic of what it was told, with words for it."""

    state: str
    topic: str
    words: dict[str, str]


ON_REAL_DATA = Subject("PER", "torture-prevention", {"en": "torture prevention", "es": "prevención de la tortura"})


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium of this machine, driven by Playwright."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("not run: Playwright is not installed (make test-pages installs it)")
    if CHROMIUM is None:
        pytest.skip("not run: there is no chromium on this machine (Debian's package of that name)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may not be there

    with sync_playwright() as playwright:
        # Containers and root have no user namespaces for Chromium's own sandbox; what it shows is ours.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.skip("not run: axe-core is not installed (make test-pages installs it with npm)")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    """The services on the samples, or on UPR_TEST_STORE (a data folder that nothing else uses meanwhile)."""
    folder = tmp_path_factory.mktemp("pages")
    with ExitStack() as stack:
        if STORE:
            folder = Path(STORE)
            url = stack.enter_context(embedded_postgres(folder / "postgres"))
        else:
            databases: FreshDatabases = request.getfixturevalue("fresh_databases")
            url = stack.enter_context(databases())
            _load_samples(url, folder)
        yield stack.enter_context(page_site(url, folder))


def _load_samples(url: str, folder: Path) -> None:
    paths = sorted((ROOT / "samples" / "documents").iterdir())
    engine = make_engine(url, pool_size=2)
    with Sandbox(1) as sandbox:
        archive = Archive(folder / "documents")
        for _ in run_files(engine, paths, sandbox, archive, source="test", backfill_after=timedelta(days=180)):
            pass
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


@pytest.fixture(scope="session")
def subject(site: PageSite) -> Subject:
    """Peru and the prevention of torture; on the samples the State and the topic of which most is held."""
    if STORE:
        return ON_REAL_DATA
    with site.held() as held:
        state, topic = held.subjects(1)[0]
        words = {language: held.json(f"/v1/topics/{topic}", lang=language)["name"] for language in ON_REAL_DATA.words}
    return Subject(state, topic, words)
