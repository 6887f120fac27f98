import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from services.core.store.engine import make_engine
from services.ingest.pipeline.lock import is_free
from tests.effort import EFFORT
from tests.ingest.pipeline.documents import TEXTS, matrix
from tests.ingest.pipeline.site import Site, open_site
from tests.ingest.pipeline.world import contents, count_commits, run_and_die, run_tiny, tiny_source
from tests.postgres_fixtures import FreshDatabases

CHILDREN = multiprocessing.get_context("forkserver")
FEW = (0.35, 0.85)
"""Where, of all commits of a run, it is killed in every run of the tests; with more effort, at each."""


AT_MOST = 10
"""Commits that a run is let make before it is stopped, again and again."""


class StoppedHere(BaseException):
    """As a kill: nothing of ours catches it."""


@pytest.fixture(scope="session")
def several(documents: dict[str, bytes]) -> dict[str, bytes]:
    """The documents, and further files of one of the reviews, which are loaded together."""
    more = {f"Costamar-3-{few}.docx": matrix("Costamar", 3, TEXTS[:few]) for few in (1, 2)}
    return {**documents, **more}


@contextmanager
def a_site(documents: dict[str, bytes]) -> Iterator[Site]:
    with open_site() as site:
        site.files.update(documents)
        yield site


Rows = dict[str, list[str]]


def rows_of(url: str) -> Rows:
    engine = make_engine(url, pool_size=1)
    try:
        assert is_free(engine, "tiny")
        return contents(engine)
    finally:
        engine.dispose()


@pytest.mark.soak
def test_a_run_that_was_killed_ends_as_if_it_had_not_been(
    fresh_databases: FreshDatabases, tmp_path: Path, several: dict[str, bytes]
) -> None:
    commits: list[int] = []
    with fresh_databases() as url, a_site(several) as site, count_commits(commits.append):
        undisturbed = run_tiny(url, tmp_path / "undisturbed", tiny_source(site.address))
        expected = rows_of(url)
    last = commits[-1]
    for commit in range(1, last + 1) if EFFORT > 1 else [round(last * share) for share in FEW]:
        with fresh_databases() as url, a_site(several) as site:
            folder = tmp_path / str(commit)
            child = CHILDREN.Process(target=run_and_die, args=(url, str(folder), site.address, commit))
            child.start()
            child.join()
            assert child.exitcode == -signal.SIGKILL
            ended = run_tiny(url, folder, tiny_source(site.address))
            assert ended.status == "finished"
            assert {**ended.counts, "seconds": 0} == {**undisturbed.counts, "seconds": 0}
            assert rows_of(url) == expected, f"killed before commit {commit}"
            assert sorted(site.asked_for(fully=True)) == sorted(site.files)


def test_a_run_that_is_stopped_again_and_again_ends(
    fresh_databases: FreshDatabases, tmp_path: Path, several: dict[str, bytes]
) -> None:
    def stop(count: int) -> None:
        if count == AT_MOST:
            raise StoppedHere

    with fresh_databases() as url, a_site(several) as site:
        stops = 0
        ended = None
        while ended is None:
            with suppress(StoppedHere), count_commits(stop):
                ended = run_tiny(url, tmp_path, tiny_source(site.address))
            stops += 1
            assert stops < 30, "it makes no way"
        assert stops > 3
        assert (ended.status, ended.counts["loaded"]) == ("finished", len(several))
        assert sorted(site.asked_for(fully=True)) == sorted(site.files)
