import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.up.programs import Program, free_ports, running, wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as everything:
        yield everything


class Supervising:
    def __init__(self, stack: ExitStack, logs: Path) -> None:
        self.stack = stack
        self.logs = logs

    def __call__(self, *words: str, **environment: str) -> Program:
        program: AbstractContextManager[Program] = running(
            ["tests.up.supervising", str(self.logs), *words], environment, uuid.uuid4().hex
        )
        return self.stack.enter_context(program)


@pytest.fixture
def supervising(stack: ExitStack, tmp_path: Path) -> Supervising:
    return Supervising(stack, tmp_path / "logs")


@linux
def test_starts_waits_and_stops_everything(supervising: Supervising) -> None:
    fast, slow = free_ports(2)
    program = supervising(f"fast={fast}", f"slow={slow},slow,parent", "worker=0")
    program.wait_for("all ready")
    lines = program.output.splitlines()
    assert f"fast is ready at http://127.0.0.1:{fast}" in lines
    assert f"slow is ready at http://127.0.0.1:{slow}" in lines
    assert "waiting for slow (index: it is being built)" in program.output
    assert len(program.relatives()) == 4
    assert program.end(signal.SIGINT) == 0
    assert program.relatives() == []
    assert "stopping fast, slow, worker" in program.output


@linux
def test_says_which_service_died_and_why_and_stops_the_rest(supervising: Supervising) -> None:
    healthy, sick = free_ports(2)
    program = supervising(f"healthy={healthy},parent", f"sick={sick},dies")
    program.wait_for("all ready")
    assert program.end() == 1
    assert "sick | the disk is full" in program.output
    log = supervising.logs / "sick.log"
    assert program.output.splitlines()[-1] == f"sick ended with status 7; its log is {log}. [service_ended]"
    assert program.relatives() == []


@linux
def test_a_service_that_is_killed_is_named_with_the_signal(supervising: Supervising) -> None:
    [port] = free_ports(1)
    program = supervising(f"victim={port}")
    program.wait_for("all ready")
    os.kill(program.relatives()[0], signal.SIGKILL)
    assert program.end() == 1
    assert "victim was ended by SIGKILL" in program.output


@linux
@pytest.mark.parametrize("manner", ["", "parent", "stubborn", "stubborn,parent"])
def test_no_orphan_after_kill_9(supervising: Supervising, manner: str) -> None:
    [port] = free_ports(1)
    program = supervising(f"web={port},{manner}", "worker=0")
    program.wait_for("all ready")
    assert program.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not program.relatives(), 10)


@linux
def test_who_does_not_stop_is_killed(supervising: Supervising) -> None:
    [port] = free_ports(1)
    program = supervising(f"mule={port},stubborn,parent", STOP_LIMIT="1")
    program.wait_for("all ready")
    assert program.end(signal.SIGTERM) == 0
    assert "mule does not stop, and is killed" in program.output
    assert program.relatives() == []


@linux
def test_asking_twice_means_now(supervising: Supervising) -> None:
    [port] = free_ports(1)
    program = supervising(f"mule={port},stubborn")
    program.wait_for("all ready")
    program.process.send_signal(signal.SIGINT)
    program.process.send_signal(signal.SIGINT)  # at once: still the same request
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(1.5)
    assert program.end(signal.SIGINT) == 0
    assert program.relatives() == []


@linux
def test_a_service_that_never_gets_ready_is_told(supervising: Supervising) -> None:
    [port] = free_ports(1)
    program = supervising(f"late={port},never-ready", READY_LIMIT="1")
    assert program.end() == 1
    assert "late is not ready after 1 s: index: it is being built. [unavailable]" in program.output
    assert "late | asked" in program.output
    assert program.relatives() == []


def test_stops_while_it_waits(supervising: Supervising) -> None:
    [port] = free_ports(1)
    program = supervising(f"late={port},never-ready")
    program.wait_for("waiting for late (index")
    assert program.end(signal.SIGTERM) == 0


def test_a_task_runs_on_our_terminal(supervising: Supervising) -> None:
    program = supervising("worker=0", TASK="print('40 of 60', flush=True); raise SystemExit(3)")
    program.wait_for("all ready")
    assert program.output.splitlines() == ["40 of 60", "the task ended with 3", "all ready"]


def test_stops_during_a_task(supervising: Supervising) -> None:
    program = supervising("worker=0", TASK="import time; print('begun', flush=True); time.sleep(300)")
    program.wait_for("begun")
    assert program.end(signal.SIGINT) == 0
    assert "stopping task, worker" in program.output


def test_a_start_keeps_the_log_before(supervising: Supervising) -> None:
    supervising.logs.mkdir()
    (supervising.logs / "worker.log").write_text("yesterday")
    program = supervising("worker=0,dies")
    assert program.end() == 1
    assert (supervising.logs / "worker.log").read_text() == "the disk is full\n"
    assert (supervising.logs / "worker.log.1").read_text() == "yesterday"
