"""Every engine at hand, for the one contract suite. An engine that is not at hand is reported as `not run`."""

import os
import shutil
import socket
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import meilisearch
import pytest

from services.search.engines.base import Engine, IndexLayout
from services.search.engines.embedded import EmbeddedEngine
from services.search.engines.meilisearch import MeilisearchEngine
from tests.search.engines.corpus import LAYOUT

MEILISEARCH_IMAGE = "getmeili/meilisearch:v1.50"
MASTER_KEY = "a-key-for-tests-alone"


class Home(Protocol):
    """Where one index lives: it outlives the engines that are opened on it, and it can be lost."""

    def open(self, layout: IndexLayout = LAYOUT, version: str = "1") -> Engine: ...

    def lose(self) -> None: ...


class EmbeddedHome:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, layout: IndexLayout = LAYOUT, version: str = "1") -> Engine:
        return EmbeddedEngine(self.folder, layout, version)

    def lose(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class MeilisearchHome:
    def __init__(self, url: str, key: str | None) -> None:
        self.url, self.key = url, key
        self.index = f"test{uuid.uuid4().hex[:8]}"

    def open(self, layout: IndexLayout = LAYOUT, version: str = "1") -> Engine:
        return MeilisearchEngine(self.url, self.key, layout, version, index=self.index)

    def lose(self) -> None:
        client = meilisearch.Client(self.url, self.key)
        for index in client.get_raw_indexes({"limit": 1000})["results"]:
            if index["uid"].startswith(self.index):
                client.wait_for_task(client.delete_index(index["uid"]).task_uid, timeout_in_ms=30_000)


@pytest.fixture(scope="session")
def meilisearch_server() -> Iterator[tuple[str, str | None]]:
    """A real server: the one that UPR_MEILI_URL names, or a container."""
    if url := os.environ.get("UPR_MEILI_URL"):
        yield url, os.environ.get("UPR_MEILI_KEY")
        return
    if reason := _why_no_docker():
        pytest.skip(f"not run: UPR_MEILI_URL is not set and {reason}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from _container()


def _why_no_docker() -> str | None:
    """None where a Docker engine listens. (Asking its client would leave sockets open.)"""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(host.removeprefix("unix://"))
        except OSError as error:
            return f"no Docker engine answers ({error.strerror})"
    return None


def _container() -> Iterator[tuple[str, str | None]]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only where no server is named
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415

    container = DockerContainer(MEILISEARCH_IMAGE).with_exposed_ports(7700).with_env("MEILI_MASTER_KEY", MASTER_KEY)
    container = container.with_env("MEILI_NO_ANALYTICS", "true")
    with container.waiting_for(HttpWaitStrategy(7700, "/health").for_status_code(200)) as running:
        yield f"http://{running.get_container_host_ip()}:{running.get_exposed_port(7700)}", MASTER_KEY


@pytest.fixture(scope="session", params=["embedded", "meilisearch"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _home(name: str, request: pytest.FixtureRequest, folder: Path) -> Home:
    if name == "embedded":
        return EmbeddedHome(folder / "index")
    return MeilisearchHome(*request.getfixturevalue("meilisearch_server"))


@pytest.fixture
def home(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """An own, empty home for a test that writes."""
    made = _home(engine_name, request, tmp_path)
    yield made
    made.lose()


@pytest.fixture(scope="module")
def shared_home(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home for the tests of one module that only read."""
    made = _home(engine_name, request, tmp_path_factory.mktemp("engine"))
    yield made
    made.lose()
