"""A small real service for the supervisor's tests: `python -m tests.up.stand_in PORT [manner…]`."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http import HTTPStatus

from services.up import lifeline


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = "never-ready" not in sys.argv and time.monotonic() - STARTED > (0.5 if "slow" in sys.argv else 0)
        self.send_response(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)
        self.end_headers()
        self.wfile.write(b"{}" if ready else json.dumps({"detail": "index: it is being built"}).encode())

    def log_message(self, *_arguments: object) -> None:
        sys.stderr.write("asked\n")


STARTED = time.monotonic()


def die() -> None:
    time.sleep(0.7)
    sys.stderr.write("the disk is full\n")
    os._exit(7)


if __name__ == "__main__":
    lifeline.SECONDS_TO_STOP = 1.0
    lifeline.stop_when_stdin_closes()
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "parent" in sys.argv:
        subprocess.Popen(["sleep", "300"])
    if "dies" in sys.argv:
        threading.Thread(target=die, daemon=True).start()
    if sys.argv[1] == "0":
        time.sleep(300)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
