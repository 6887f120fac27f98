"""Programs under test as real processes, and what they leave behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]


class Program:
    """A running `python -m …` whose output is read as it comes. `mark` is in its environment and its children's."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], mark: str) -> None:
        self.mark = f"UPR_TEST_MARK={mark}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environment, "UPR_TEST_MARK": mark},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self._lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None, seconds, lambda: self.output)
        assert text in self.output, self.output

    def end(self, number: signal.Signals | None = None, seconds: float = 60) -> int:
        """Send the signal, if any, wait for the end, and give the exit status."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status

    def relatives(self) -> list[int]:
        """The processes that were started by it or below it and still run (Linux)."""
        return [
            process for process in _processes() if process != self.process.pid and self.mark in _environment(process)
        ]

    def clean_up(self) -> None:
        for process in [*self.relatives(), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], mark: str) -> Iterator[Program]:
    program = Program(arguments, environment, mark)
    try:
        yield program
    finally:
        program.clean_up()


def wait_until(condition: Callable[[], bool], seconds: float, told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _environment(process: int) -> list[str]:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        environment = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return [] if state == "Z" else environment.split("\0")
