"""A Meilisearch of a test's own, to be killed, stopped and emptied. `UPR_TEST_MEILISEARCH` names the program."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

PROGRAM = os.environ.get("UPR_TEST_MEILISEARCH")


class MeilisearchProcess:
    """The server on one port and one folder, through its deaths."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        options = ["--http-addr", f"127.0.0.1:{self.port}", "--no-analytics", "--max-indexing-memory", "256MiB"]
        folders = ["--db-path", str(self._folder / "data"), "--dump-dir", str(self._folder / "dumps")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, *options, *folders], stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "log").read_text("utf-8", "replace")[-2_000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """As the kernel does it, in the middle of whatever there is."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def hang(self) -> None:
        """It takes connections, and says nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def lose_everything(self) -> None:
        shutil.rmtree(self._folder / "data")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=1).status_code == 200
        except httpx.TransportError:
            return False


def skip_without_program() -> None:
    """Say so where there is none to be killed."""
    if not PROGRAM:
        pytest.skip("not run: UPR_TEST_MEILISEARCH does not name a Meilisearch program to be killed")
