"""A site that behaves: it lists its files, tells their ETags, and remembers who asked for what."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson

LIST = "/list.json"


@dataclass(frozen=True)
class Request:
    """What somebody asked for, and what the answer was."""

    path: str
    conditional: bool
    status: int


@dataclass
class Site:
    """The files of the site by their names. `answers` replaces the answer for some: a status and a body."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    listed: list[str] | None = None
    log: list[Request] = field(default_factory=list)

    def asked_for(self, *, fully: bool = False) -> list[str]:
        """The files that were asked for, or of these those that were sent."""
        asked = [each for each in self.log if each.path not in (LIST, "/robots.txt")]
        return [each.path.lstrip("/") for each in asked if not fully or each.status == 200]

    def body(self, path: str) -> bytes | None:
        """What is at a path."""
        if path == LIST:
            return orjson.dumps(sorted(self.files) if self.listed is None else self.listed)
        return self.files.get(path.lstrip("/"))


@contextmanager
def open_site() -> Iterator[Site]:
    """A site on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = site.answers.get(self.path.lstrip("/"), (200, site.body(self.path)))
            etag = f'"{hashlib.sha256(body or b"").hexdigest()[:16]}"'
            if body is None:
                status, body = 404, b"nothing here"
            elif status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            site.log.append(Request(self.path, "If-None-Match" in self.headers, status))
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
