"""`upr up` as people run it: the real services, an embedded PostgreSQL, one folder."""

import http.client
import json
import os
import re
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from services.core.runtime.postgres.embedded import is_guarded
from tests.up.programs import ROOT, Program, running, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

EVERYTHING_RUNS = "Ctrl-C stops everything."
Up = Callable[..., Program]


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """Starts `upr up` on the test's own folder, on ports that are free."""
    for name in [name for name in os.environ if name.startswith("UPR_")]:
        monkeypatch.delenv(name)
    settings = {"UPR_DATA_DIR": str(tmp_path / "upr")}
    settings |= {f"UPR_{name}_PORT": "0" for name in ("API", "SEARCH", "INGEST")}
    with ExitStack() as programs:
        yield lambda *arguments, **more: programs.enter_context(
            running(["services.cli", "up", *arguments], {**settings, **more}, uuid.uuid4().hex)
        )


def addresses(program: Program) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) is ready at http://(\S+)$", program.output, re.MULTILINE))


def get(address: str, path: str) -> dict[str, object]:
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)  # type: ignore[no-any-return]


def relative(program: Program, words: bytes) -> int:
    return next(each for each in program.relatives() if words in Path(f"/proc/{each}/cmdline").read_bytes())


def test_a_first_start_with_samples_and_a_second(up: Up, tmp_path: Path) -> None:
    first = up("--load", str(ROOT / "samples" / "documents"))
    first.wait_for(EVERYTHING_RUNS)
    assert sorted(addresses(first)) == ["api", "ingest", "search"]
    for address in addresses(first).values():
        assert get(address, "/readyz")["status"] == "ready"
    assert "These are sample documents" in first.output
    assert "ended with status" not in first.output
    recommendations = get(addresses(first)["api"], "/v1/recommendations?limit=1")
    assert recommendations["total"] > 0  # type: ignore[operator]
    assert addresses(first)["api"] in json.dumps(recommendations), "permalinks start with the address of the API"
    examples = re.findall(r"curl 'http://([^/]+)([^']+)'", first.output)
    assert len(examples) == 3
    for address, path in examples:
        assert get(address, path)

    rival = up()
    assert rival.end() == 1
    assert f"upr up runs on the data folder {tmp_path / 'upr'} already (process {first.process.pid})" in rival.output

    assert first.end(signal.SIGINT) == 0
    assert first.output.endswith("stopped\n")
    assert first.relatives() == []
    assert not is_guarded(tmp_path / "upr" / "postgres")

    begun = time.monotonic()
    second = up()
    second.wait_for(EVERYTHING_RUNS)
    assert time.monotonic() - begun < 15
    assert get(addresses(second)["api"], "/v1/recommendations?limit=1")["total"] == recommendations["total"]
    assert second.end(signal.SIGTERM) == 0
    assert second.relatives() == []


def test_a_database_that_is_given_is_used(up: Up, tmp_path: Path, empty_database_url: str) -> None:
    program = up(UPR_DATABASE_URL=empty_database_url)
    program.wait_for(EVERYTHING_RUNS)
    assert "using the database of UPR_DATABASE_URL" in program.output
    assert get(addresses(program)["api"], "/v1/states?limit=1")["total"] > 190  # type: ignore[operator]
    assert not (tmp_path / "upr" / "postgres").exists()
    assert program.end(signal.SIGINT) == 0


def test_nothing_is_orphaned_by_kill_9(up: Up, tmp_path: Path) -> None:
    program = up()
    program.wait_for(EVERYTHING_RUNS)
    assert len(program.relatives()) >= 5, "four services and PostgreSQL"
    program.end(signal.SIGKILL)
    wait_until(lambda: not program.relatives(), 30)
    assert not is_guarded(tmp_path / "upr" / "postgres")


def test_the_death_of_a_service_and_of_postgresql(up: Up, tmp_path: Path) -> None:
    program = up()
    program.wait_for(EVERYTHING_RUNS)
    search = next(
        each for each in program.relatives() if b"search\0serve" in Path(f"/proc/{each}/cmdline").read_bytes()
    )
    os.kill(search, signal.SIGKILL)
    assert program.end() == 1
    log = tmp_path / "upr" / "logs" / "search.log"
    assert f"upr: search was ended by SIGKILL; its log is {log}. [service_ended]" in program.output
    assert "search | " in program.output
    assert program.relatives() == []

    program = up()
    program.wait_for(EVERYTHING_RUNS)
    os.kill(relative(program, b"guardian"), signal.SIGKILL)
    assert program.end() == 1
    assert "upr: PostgreSQL ended" in program.output
    assert program.relatives() == []


def test_a_port_that_is_taken_is_told_before_anything_starts(up: Up, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = up(UPR_INGEST_PORT=str(port))
        assert program.end() == 1
    assert program.output == (
        f"upr: ingest cannot listen on 127.0.0.1 port {port} (Address already in use): "
        "stop what uses the port, or set UPR_INGEST_PORT to another one. [invalid_settings]\n"
    )
    assert not (tmp_path / "upr" / "postgres").exists()


def test_a_stop_during_the_start(up: Up, tmp_path: Path) -> None:
    program = up()
    program.wait_for("starting PostgreSQL")
    assert program.end(signal.SIGTERM) == 0
    assert program.relatives() == []
    assert not is_guarded(tmp_path / "upr" / "postgres")
