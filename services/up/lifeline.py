"""How a child of `upr up` learns that its parent is gone, even if that was killed: its standard input ends.

The parent holds the other end of that pipe and never writes; the system closes it when the parent dies, however it
dies. That works alike on every platform and cannot miss a death that comes early. (The alternative on Linux, a
signal at the parent's death, would be lost on others, and if the parent died before it was asked for.)
"""

import os
import signal
import sys
import threading
import time

SECONDS_TO_STOP = 30.0
"""How long a process whose parent died may take to finish what it is doing. A service takes up to 20 s."""


def stop_when_stdin_closes() -> None:
    """When standard input ends, send SIGTERM to this process and its children, and later SIGKILL to who is left.

    Only for a process that leads its own process group. Returns at once; a thread does the waiting.
    """
    threading.Thread(target=_wait_and_stop, args=(sys.stdin.fileno(),), name="lifeline", daemon=True).start()


def _wait_and_stop(lifeline: int) -> None:
    while os.read(lifeline, 4096):
        pass
    os.killpg(os.getpgid(0), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    os.killpg(os.getpgid(0), signal.SIGKILL)
