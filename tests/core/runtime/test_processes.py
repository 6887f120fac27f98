"""Several processes behind one address: real ones, with real signals."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.core.domain.errors import SettingsError
from services.core.runtime.processes import serve_in_processes
from services.core.runtime.settings import CoreSettings

SERVER = """
import os
from services.core.domain.errors import SettingsError
from services.core.runtime.logs import configure_logs
from services.core.runtime.processes import serve_in_processes
from tests.core.runtime.test_web import SETTINGS, make_service

def make(number):
    if os.environ.get("BROKEN") == str(number):
        raise SettingsError("UPR_BROKEN is set")
    return make_service(SETTINGS)

configure_logs(SETTINGS, service="test")
try:
    serve_in_processes(make, processes=3, host="127.0.0.1", port=0, settings=SETTINGS)
except Exception as error:
    print(type(error).__name__, error)
print("ended")
"""


@contextmanager
def started(**environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ".", **environment},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().removeprefix("listening on ").strip()


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


ONE_BY_ONE = httpx.Client(headers={"Connection": "close"}, trust_env=False)
"""Each request comes on a connection of its own."""


def requests_counted(address: str) -> Mapping[str, float]:
    """Requests of /healthz by process, as whichever is asked tells."""
    text = ONE_BY_ONE.get(f"{address}/metrics").text
    assert text.count("# TYPE upr_http_requests_total ") == 1
    found = re.findall(r'^upr_http_requests_total\{.*process="(\d)",route="/healthz".*\} (.*)$', text, re.MULTILINE)
    return {process: float(count) for process, count in found}


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_they_share_the_load_outlive_each_other_and_end_together() -> None:
    with started() as process:
        address = address_of(process)
        first = children_of(process)
        assert len(first) == 3
        for asked in range(60):
            assert ONE_BY_ONE.get(f"{address}/healthz").status_code == 200, asked
        counted = requests_counted(address)
        assert sum(counted.values()) == 60
        assert len(counted) == 3, "each took some"
        told = ONE_BY_ONE.get(f"{address}/metrics").text
        assert "upr_service_processes 3.0" in told
        assert len(re.findall(r"^process_resident_memory_bytes\{", told, re.MULTILINE)) == 3

        os.kill(first[0], signal.SIGTERM)  # signals are for the parent: a terminal and systemd send them to all
        os.kill(first[1], signal.SIGKILL)
        wait_until(lambda: len(children_of(process)) == 2)
        assert first[0] in children_of(process)
        assert {ONE_BY_ONE.get(f"{address}/healthz").status_code for _ in range(10)} == {200}
        wait_until(lambda: len(children_of(process)) == 3)
        wait_until(lambda: "upr_service_processes 3.0" in ONE_BY_ONE.get(f"{address}/metrics").text)

        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
            connection.sendall(b"GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.2)
            os.killpg(process.pid, signal.SIGTERM)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        output, errors = process.communicate(timeout=15)
    assert output == "ended\n"
    assert process.returncode == 0
    assert re.search(r"a process ended.*process=1 .*status=-9", errors)
    assert re.search(r"request .*path=/v1/slow.*process=\d", errors), "each line says whose it is"
    assert "did not" not in errors


def test_they_end_with_their_parent_however_that_ends() -> None:
    with started() as process:
        address = address_of(process)
        children = children_of(process)
        process.kill()
        wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in children))
        with pytest.raises(httpx.ConnectError):
            ONE_BY_ONE.get(f"{address}/healthz")


def test_one_that_cannot_start_stops_them_all() -> None:
    with started(BROKEN="1") as process:
        output, errors = process.communicate(timeout=30)
    assert output.splitlines()[-2:] == [
        "UnavailableError Process 1 of the service ended with status 1; the log says why.",
        "ended",
    ]
    assert "UPR_BROKEN is set" in errors
    assert "Traceback" not in errors


def test_a_platform_that_cannot_fork_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(SettingsError, match="one process alone"):
        serve_in_processes(
            lambda _: pytest.fail("nothing is made"), processes=2, host="127.0.0.1", port=0, settings=CoreSettings()
        )
