"""A program that supervises stand-ins: `python -m tests.up.supervising LOGS name=port[,manner…] …`."""

import contextlib
import os
import sys
from pathlib import Path

from services.core.domain.errors import UprError
from services.up import supervisor as supervision
from services.up.run import say
from services.up.stopping import Stopped, StopRequests
from services.up.supervisor import Service, Supervisor


def stand_in(word: str) -> Service:
    name, _, manners = word.partition("=")
    port, *others = manners.split(",")
    address = f"http://127.0.0.1:{port}" if port != "0" else None
    return Service(name, [sys.executable, "-m", "tests.up.stand_in", port, *others], address)


def main() -> None:
    supervision.STOP_LIMIT = float(os.environ.get("STOP_LIMIT", "25"))
    supervision.READY_LIMIT = float(os.environ.get("READY_LIMIT", "180"))
    supervision.SECONDS_BETWEEN_WORDS = 0.3
    with StopRequests() as requests, contextlib.suppress(Stopped):
        requests.only_note()
        with Supervisor(Path(sys.argv[1]), os.environ, requests, say) as supervisor:
            supervisor.start([stand_in(word) for word in sys.argv[2:]])
            supervisor.wait_until_ready()
            if task := os.environ.get("TASK"):
                say(f"the task ended with {supervisor.run(Service('task', [sys.executable, '-c', task]))}")
            say("all ready")
            supervisor.watch()


if __name__ == "__main__":
    try:
        main()
    except UprError as error:
        say(f"{error.detail} [{error.code}]")
        sys.exit(1)
