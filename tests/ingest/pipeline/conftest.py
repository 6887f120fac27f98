from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.store.engine import make_engine
from services.ingest.pipeline.run import Ended
from services.ingest.pipeline.task import Desk, Step
from tests.ingest.pipeline.documents import matrix
from tests.ingest.pipeline.site import Site, open_site
from tests.ingest.pipeline.world import desk_on, run_tiny, tiny_source


@pytest.fixture(scope="session")
def documents() -> dict[str, bytes]:
    """Four reviews of two invented States."""
    return {f"{state}-{cycle}.docx": matrix(state, cycle) for state in ("Costamar", "Tierralta") for cycle in (3, 4)}


@pytest.fixture
def site(documents: dict[str, bytes]) -> Iterator[Site]:
    with open_site() as opened:
        opened.files.update(documents)
        yield opened


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


Run = Callable[..., Ended]


@pytest.fixture
def run(database_url: str, site: Site, tmp_path: Path) -> Run:
    """Runs the tiny source; keywords of `tiny_source` and of `Options`."""

    def run_it(tell: Callable[[Step], None] = lambda _step: None, **more: object) -> Ended:
        about = {name: more.pop(name) for name in ("least", "gone", "changed") if name in more}
        return run_tiny(database_url, tmp_path, tiny_source(site.address, **about), tell, **more)  # type: ignore[arg-type]

    return run_it


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with desk_on(database_url, tmp_path) as opened:
        yield opened
