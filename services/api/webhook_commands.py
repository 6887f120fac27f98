"""The commands of `upr webhooks`."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import typer

from services.api.webhooks.signature import WrongSignatureError, check_signature, key_of_secret
from services.core.domain.errors import InvalidParameterError, SettingsError

app = typer.Typer(help="Try out webhooks.", no_args_is_help=True)

LARGEST_EVENT = 10_000_000
"""Bytes. Events are a few kilobytes."""
LONGEST_VALUE = 60


@app.callback()
def webhooks() -> None:
    """Try out webhooks."""


@app.command()
def listen(
    secret: Annotated[
        str, typer.Option(help="The endpoint's secret, `whsec_…`.", envvar="UPR_WEBHOOK_SECRET", show_default=False)
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.")] = 9000,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Others than this machine's are for others to reach.")
    ] = "127.0.0.1",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as one line of JSON.")] = False,
) -> None:
    """Print the events that arrive on a local port, after verifying their signatures.

    What is not signed with the secret is answered 400 and not printed. To have events sent to this machine, start the
    deliverer with UPR_WEBHOOK_ALLOW_LOOPBACK=true.
    """
    try:
        key_of_secret(secret)
    except ValueError as fault:
        raise InvalidParameterError(f"--secret: {fault}.", parameter="secret") from None
    show = _show_json if as_json else _show_line
    try:
        server = _Server((host, port), secret, show)
    except OSError as fault:
        raise SettingsError(f"cannot listen on {host} port {port}: {fault.strerror or fault}") from fault
    with server:
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"listening on http://{shown}:{server.server_address[1]}", err=as_json)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("", err=True)


class _Server(ThreadingHTTPServer):
    """Listens, and knows what its handlers need."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], secret: str, show: Callable[[dict[str, Any], bool], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.secret = secret
        self.show = show
        self.seen: set[str] = set()
        super().__init__(address, _Receiver)

    def handle_error(self, *_: Any) -> None:
        """A sender that went away is nothing to tell of."""


class _Receiver(BaseHTTPRequestHandler):
    """Verifies one webhook, shows it and answers."""

    server: _Server
    timeout = 10.0

    def do_POST(self) -> None:
        """204 for an event, 400 for anything else."""
        try:
            self._take(self._body())
        except WrongSignatureError as fault:
            self._refuse(str(fault))
        except (ValueError, LookupError, TypeError, AttributeError):
            self._refuse("its body is no event")
        else:
            self._answer(HTTPStatus.NO_CONTENT)

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) <= 9 and int(length) <= LARGEST_EVENT):
            raise WrongSignatureError("it has no length, or is too long")
        return self.rfile.read(int(length))

    def _take(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        message_id = check_signature(headers, body, secret=self.server.secret, now=datetime.now(UTC))
        self.server.show(json.loads(body)["data"], message_id in self.server.seen)
        self.server.seen.add(message_id)

    def _refuse(self, reason: str) -> None:
        typer.echo(f"refused: {reason}", err=True)
        self._answer(HTTPStatus.BAD_REQUEST)

    def _answer(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """What happens is printed otherwise."""


def _show_json(event: dict[str, Any], again: bool) -> None:  # noqa: ARG001 - a program tells by the id
    typer.echo(json.dumps(event, ensure_ascii=False))


def _show_line(event: dict[str, Any], again: bool) -> None:
    """Such as `09:15:02 recommendation.position_changed PER-2-116.17 position: pending → noted (merge, seq 12)`."""
    changes = [_change(name, *values) for name, values in event["changed"].items()]
    parts = [f"{datetime.now().astimezone():%H:%M:%S}", event["type"], event["subject"]["id"], "; ".join(changes)]
    told = f"({event['cause']}, seq {event['seq']}{', again' if again else ''})"
    line = " ".join(part for part in (*parts, told) if part)
    typer.echo("".join(character if character.isprintable() else " " for character in line))


def _change(name: str, before: Any, after: Any) -> str:
    if any(isinstance(value, dict | list) for value in (before, after)):
        return f"{name} changed"
    return f"{name}: {_shortened(before)} → {_shortened(after)}"


def _shortened(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
