import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

import pytest

from services.core.runtime.worker import BackgroundWorker


def run_in_thread(worker: BackgroundWorker) -> threading.Thread:
    thread = threading.Thread(target=worker.run)
    thread.start()
    return thread


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def test_it_works_on_at_once_while_there_is_work_and_waits_when_there_is_none() -> None:
    left, idle = [1000], []

    def step() -> bool:
        if left[0]:
            left[0] -= 1
            return True
        idle.append(time.monotonic())
        return False

    worker = BackgroundWorker("test", step, idle_wait=0.05)
    thread = run_in_thread(worker)
    eventually(lambda: len(idle) >= 3)
    worker.stop()
    thread.join(2)
    assert left == [0]
    assert all(later - earlier >= 0.045 for earlier, later in itertools.pairwise(idle))


def test_a_wake_up_ends_the_wait_also_when_it_comes_during_the_step() -> None:
    steps = []

    def step() -> bool:
        steps.append(1)
        if len(steps) == 2:
            worker.wake()  # work that this step had already looked past
        return False

    worker = BackgroundWorker("test", step, idle_wait=60)
    worker.wake()  # before the start: harmless
    thread = run_in_thread(worker)
    eventually(lambda: len(steps) == 1)
    worker.wake()
    eventually(lambda: len(steps) == 3)
    time.sleep(0.1)
    assert len(steps) == 3
    worker.stop()
    thread.join(2)
    assert not thread.is_alive()
    worker.wake()  # after the end: harmless


def test_failures_pause_longer_and_longer_and_success_resets() -> None:
    moments: list[float] = []

    def step() -> bool:
        moments.append(time.monotonic())
        if len(moments) < 15:
            raise ValueError("not now")
        return False

    worker = BackgroundWorker("test", step, idle_wait=60, first_pause=0.05, longest_pause=0.1)
    thread = run_in_thread(worker)
    eventually(lambda: len(moments) == 1)
    for _ in range(20):
        worker.wake()  # must not shorten the pause
    eventually(lambda: len(moments) == 15, 60)  # doubling without a longest pause would take 800 s
    eventually(lambda: worker.failures_in_a_row == 0)
    worker.stop()
    thread.join(2)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[0] >= 0.045
    assert min(pauses[1:]) >= 0.09


def test_it_says_whether_it_lives() -> None:
    release = threading.Event()
    worker = BackgroundWorker("test", lambda: release.wait(5) and False, idle_wait=0.01)
    thread = run_in_thread(worker)
    eventually(lambda: worker.seconds_since_beat() > 0.1)
    worker.beat()
    assert worker.seconds_since_beat() < 0.1
    release.set()
    eventually(lambda: worker.seconds_since_beat() < 0.05)
    worker.stop()
    thread.join(2)


SIGNALLED = """
import signal, time
from services.core.runtime.logs import configure_logs
from services.core.runtime.settings import CoreSettings
from services.core.runtime.worker import BackgroundWorker

configure_logs(CoreSettings(), service="test")

def step():
    print("begun", flush=True)
    time.sleep(0.3)
    print("finished", flush=True)
    return {worked}

before = signal.getsignal(signal.SIGTERM)
BackgroundWorker("test", step, idle_wait=60).run()
print("ended", signal.getsignal(signal.SIGTERM) is before, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("wait", [0.1, 0.6])
def test_a_signal_stops_it_after_the_step(number: signal.Signals, wait: float) -> None:
    code = textwrap.dedent(SIGNALLED.format(worked=wait < 0.3))
    environment = {**os.environ, "PYTHONPATH": "."}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        time.sleep(wait)
        process.send_signal(number)
        output, _ = process.communicate(timeout=5)
    assert output.splitlines() == ["finished", "ended True"]
    assert process.returncode == 0
