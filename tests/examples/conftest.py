"""What tests of the examples share: the API and a deliverer as they run in production, and receivers as processes."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.serve import served
from services.core.store.engine import make_engine
from tests.core.runtime.test_worker import eventually
from tests.up.programs import ROOT, free_ports

PYTHON = ROOT / "examples/receivers/python"
_DELIVER = (sys.executable, "-c", "from services.api.commands import app; app()", "deliver")


@dataclass
class Example:
    """A receiver that runs, is killed and runs again: where it listens, and what it printed."""

    command: tuple[str, ...]
    settings: dict[str, str]
    port: int
    printed: Path
    complaints: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self, **settings: str) -> None:
        """Start it, and wait until it listens."""
        self.settings |= settings
        environment = {**os.environ, "PORT": str(self.port), **self.settings}
        with self.printed.open("ab") as out, self.complaints.open("ab") as err:
            self.process = subprocess.Popen(
                self.command, env=environment, cwd=self.printed.parent, stdout=out, stderr=err
            )
        eventually(self._listens, 30)

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.complaints.read_text()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.url).status_code >= 400  # events come by POST
        return False

    def kill(self) -> None:
        """SIGKILL: whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def lines(self) -> list[str]:
        return self.printed.read_text().splitlines()


MakeExample = Callable[..., Example]


@pytest.fixture
def example(tmp_path: Path) -> Iterator[MakeExample]:
    """Prepares a receiver, which is not yet started."""
    made: list[Example] = []

    def make(*command: str | Path, **settings: str) -> Example:
        (port,) = free_ports(1)
        out, err = (tmp_path / f"{kind}-{len(made)}" for kind in ("printed", "complaints"))
        made.append(Example(tuple(map(str, command)), settings, port, out, err))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


@pytest.fixture
def api(database_url: str, engine: Engine) -> Iterator[httpx.Client]:
    """The API on a real socket, for somebody with a key that may have webhooks."""
    with engine.begin() as connection:
        _, key = create_key(connection, name="receiver", scopes=[Scope.WEBHOOKS_WRITE])
    settings = ApiSettings(database_url=database_url, webhook_allow_loopback=True)
    with (
        served(create_app(settings, database_url), settings=settings) as address,
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def deliverer(database_url: str, tmp_path: Path) -> Iterator[None]:
    """`upr api deliver`, as a process of its own."""
    settings = {"UPR_DATABASE_URL": database_url, "UPR_WEBHOOK_ALLOW_LOOPBACK": "true"}
    with (tmp_path / "deliverer").open("wb") as log:
        process = subprocess.Popen(_DELIVER, env={**os.environ, **settings}, stdout=log, stderr=log, cwd=ROOT)
        yield
        process.terminate()
        assert process.wait(30) == 0


def subscribe(api: httpx.Client, **wanted: Any) -> dict[str, Any]:
    """An endpoint, with its secret."""
    answer = api.post("/v1/webhooks/endpoints", json=wanted)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Look into the file of a receiver that may be running."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection
