"""Local servers that behave like the sites of sources, and visits to them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

HTML_SHELL = b"<!DOCTYPE html><html><head><title>A sample page</title></head><body>Sample, not a document</body></html>"


@dataclass(frozen=True)
class Asked:
    """One request, its path decoded."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    target: str


@dataclass(frozen=True)
class Answer:
    """What the site says."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def page(html: str, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(html.encode(), status, {"Content-Type": "text/html; charset=utf-8", **named})


def pdf(text: str) -> Answer:
    """A file that begins and ends as a PDF does; its content says that it is a sample."""
    return Answer(f"%PDF-1.4\n% sample: {text}\n%%EOF\n".encode(), 200, {"Content-Type": "application/pdf"})


@dataclass
class Site:
    """A server at `address`, which answers as `answer` says and remembers what it was asked for."""

    answer: Callable[[Asked], Answer]
    address: str = ""
    log: list[Asked] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """What was asked for, without robots.txt."""
        return [asked.path for asked in self.log if asked.path != "/robots.txt"]


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Site]:
    """Serve on a free port of this machine."""
    site = Site(answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            asked = Asked(unquote(parts.path), query, {k.lower(): v for k, v in self.headers.items()}, self.path)
            site.log.append(asked)
            no_robots = Answer(status=404)
            answer = no_robots if asked.path == "/robots.txt" else site.answer(asked)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            """Nothing: pytest shows what fails."""

    return Handler
