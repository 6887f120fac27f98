"""The commands of `upr webhooks`."""

import json
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import typer

from services.api.webhooks.shown import event_in_lines, plain
from services.api.webhooks.signature import WrongSignatureError, check_signature, key_of_secret
from services.core.domain.errors import InvalidParameterError, SettingsError

app = typer.Typer(help="Try out webhooks.", no_args_is_help=True)

LARGEST_EVENT = 10_000_000
"""Bytes. Events are a few kilobytes."""


@app.callback()
def webhooks() -> None:
    """Try out webhooks."""


@app.command()
def listen(
    secret: Annotated[
        list[str],
        typer.Option(
            help="The endpoint's secret, `whsec_…`. Several, while one takes the place of another.",
            envvar="UPR_WEBHOOK_SECRET",
            show_default=False,
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 9000,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Others than this machine's are for others to reach.")
    ] = "127.0.0.1",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as one line of JSON.")] = False,
) -> None:
    """Print the events that arrive on a local port, after verifying their signatures.

    Each with what changed, field by field, and whether it came before. What is not signed with a secret, or not sent
    now, is answered 400, and why is printed to standard error. To have events sent to this machine, start the API and
    the deliverer with UPR_WEBHOOK_ALLOW_LOOPBACK=true.
    """
    for each in secret:
        try:
            key_of_secret(each)
        except ValueError as fault:
            raise InvalidParameterError(f"--secret: {fault}.", parameter="secret") from None
    try:
        server = _Server((host, port), _Heard(secret, as_json=as_json))
    except OSError as fault:
        detail = f"cannot listen on {host} port {port}: {fault.strerror or fault}; choose another with --port or --host"
        raise SettingsError(detail) from fault
    with server:
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"listening on http://{shown}:{server.server_address[1]}", err=as_json)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo(f"\n{server.heard.summary()}", err=True)


class _Heard:
    """What came so far; prints what comes, one after the other."""

    def __init__(self, secrets: Sequence[str], *, as_json: bool) -> None:
        self._secrets = secrets
        self._as_json = as_json
        self._ids: set[str] = set()
        self._events = self._refused = 0
        self._one_at_a_time = threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Verify and print an event. Raises `WrongSignatureError` for what is none."""
        message_id, verified = self._verify(headers, body)
        with self._one_at_a_time:
            try:
                shown = self._in_words(json.loads(body)["data"], verified, again=message_id in self._ids)
            except (ValueError, LookupError, TypeError, AttributeError):
                raise WrongSignatureError("its signature fits, but its body is no event") from None
            typer.echo(shown)
            self._ids.add(message_id)
            self._events += 1

    def _verify(self, headers: dict[str, str], body: bytes) -> tuple[str, str]:
        """The webhook's id, and what to say of its signature."""
        fault = WrongSignatureError("there is no secret")
        for number, secret in enumerate(self._secrets, 1):
            try:
                message_id = check_signature(headers, body, secret=secret, now=datetime.now(UTC))
            except WrongSignatureError as other:
                fault = other
            else:
                several = f" with secret {number} of {len(self._secrets)}" if len(self._secrets) > 1 else ""
                return message_id, f"verified{several}"
        raise fault

    def _in_words(self, event: dict[str, Any], verified: str, *, again: bool) -> str:
        if self._as_json:
            return json.dumps(event, ensure_ascii=False)
        return event_in_lines(event, verified=verified, again=again, at=datetime.now().astimezone())

    def refuse(self, reason: str, message_id: str) -> None:
        """Tell why something was not taken."""
        named = f" ({plain(message_id[:80])})" if message_id else ""
        with self._one_at_a_time:
            self._refused += 1
            typer.secho(f"{datetime.now().astimezone():%H:%M:%S}  refused: {reason}{named}", err=True, fg="red")

    def summary(self) -> str:
        """How many came."""
        again = self._events - len(self._ids)
        return f"{self._events} events, {again} of them once more; {self._refused} refused"


class _Server(ThreadingHTTPServer):
    """Listens, and knows what its handlers need."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], heard: _Heard) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.heard = heard
        super().__init__(address, _Receiver)

    def handle_error(self, *_: Any) -> None:
        """A sender that went away is nothing to tell of."""


class _Receiver(BaseHTTPRequestHandler):
    """Verifies one webhook, shows it and answers. The answer says why, so that the sender's log does, too."""

    server: _Server
    timeout = 10.0

    def do_POST(self) -> None:
        """204 for an event, 400 for anything else."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self.server.heard.take(headers, self._body())
        except WrongSignatureError as fault:
            self._refuse(HTTPStatus.BAD_REQUEST, str(fault))
        else:
            self._answer(HTTPStatus.NO_CONTENT)

    def _refuse_method(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, f"it was sent by {plain(self.command[:20])}, events are by POST")

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse_method  # noqa: N815 - so http.server calls them

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) <= 9 and int(length) <= LARGEST_EVENT):
            raise WrongSignatureError("it has no length, or is too long")
        try:
            body = self.rfile.read(int(length))
        except OSError:
            body = b""
        if len(body) < int(length):
            raise WrongSignatureError(f"only {len(body)} of its {length} bytes arrived")
        return body

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self.server.heard.refuse(reason, self.headers.get("webhook-id", ""))
        self._answer(status, f"upr webhooks listen refused this: {reason}.\n")

    def _answer(self, status: HTTPStatus, text: str = "") -> None:
        self.close_connection = True
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """What happens is printed otherwise."""
