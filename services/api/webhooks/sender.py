"""One try to deliver one webhook: an HTTP request that cannot hang, flood, wander off or raise.

It goes straight to httpcore: the guard replaces httpcore's network, and of what a full client adds (redirects, cookies,
proxies from the environment, decompression) a webhook wants nothing.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus

import httpcore

from services.api.settings import ApiSettings
from services.core.domain.errors import RefusedAddressError
from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, CheckedAddress, Deadline, GuardedNetwork, Resolve

USER_AGENT = "OpenUPR-Webhooks/1"
ANSWER_BYTES = 2_048
"""How much of an answer is kept, and read."""
ANSWER_SECONDS = 5.0
"""How long we go on reading an answer whose status we have: its text is for the log only."""
LONGEST_ERROR = 500


def webhook_rules(settings: ApiSettings) -> AddressRules:
    """Where webhooks may go, as the settings of this process say."""
    return AddressRules(settings.webhook_allow_http, settings.webhook_allow_loopback, settings.webhook_allowed_ports)


class AttemptOutcome(StrEnum):
    """How one try ended."""

    SUCCESS = "success"
    BAD_STATUS = "bad_status"
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    BAD_ANSWER = "bad_answer"
    REFUSED_ADDRESS = "refused_address"
    PROXY_FAILED = "proxy_failed"
    INTERNAL_ERROR = "internal_error"


OURS = frozenset({AttemptOutcome.PROXY_FAILED, AttemptOutcome.INTERNAL_ERROR})
"""Faults on our side: tried again by the schedule, but no reason to think ill of the receiver."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What came of one try.

    `status` is the HTTP status, None where none came. `error` says in words what went wrong. `answer_start` are the
    first bytes of the body (2 kB at most), as they came. `retry_after` is the header of that name, for the schedule.
    """

    status: int | None
    outcome: AttemptOutcome
    milliseconds: int
    error: str | None = None
    answer_start: bytes = b""
    retry_after: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has the event: it said so with a 2xx status before the deadline."""
        return self.outcome is AttemptOutcome.SUCCESS


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    start: bytes
    retry_after: str | None


class WebhookSender:
    """Sends webhooks. It holds no connections, so that every try is checked anew; threads may share it."""

    def __init__(
        self,
        rules: AddressRules,
        *,
        deadline_seconds: float = 20.0,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: EgressProxy | None = None,
    ) -> None:
        """`resolve` replaces the system's name look-up; `ssl_context` the usual certificate authorities."""
        self._rules = rules
        self._deadline_seconds = deadline_seconds
        self._resolve = resolve
        self._ssl_context = ssl_context or usual_ssl_context()
        self._proxy = proxy

    @classmethod
    def from_settings(cls, settings: ApiSettings) -> "WebhookSender":
        """As the settings of this process say. Raises `SettingsError` for a proxy that cannot be used."""
        told = settings.webhook_proxy
        proxy = None if told is None else EgressProxy.from_url(told.get_secret_value(), "UPR_WEBHOOK_PROXY")
        return cls(webhook_rules(settings), deadline_seconds=settings.webhook_deadline_seconds, proxy=proxy)

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> AttemptResult:
        """POST `body` (JSON) with `headers` beside our own; never raises for what a receiver or a network does."""
        started = time.perf_counter()
        try:
            address = self._rules.read_address(url)
            answer = self._exchange(address, body, headers)
        except RefusedAddressError as fault:
            return _failed(AttemptOutcome.REFUSED_ADDRESS, fault.detail, started)
        except httpcore.TimeoutException as fault:
            detail = f"{_without_control(str(fault))} ({self._deadline_seconds:g} s)"
            return _failed(AttemptOutcome.TIMEOUT, detail, started)
        except httpcore.ProxyError as fault:
            return _failed(AttemptOutcome.PROXY_FAILED, str(fault), started)
        except httpcore.NetworkError as fault:
            by_tls = isinstance(fault.__cause__, ssl.SSLError)
            outcome = AttemptOutcome.TLS_FAILED if by_tls else AttemptOutcome.CONNECTION_FAILED
            return _failed(outcome, str(fault), started)
        except httpcore.ProtocolError as fault:
            return _failed(AttemptOutcome.BAD_ANSWER, str(fault), started)
        return _answered(answer, started)

    def _exchange(self, address: CheckedAddress, body: bytes, headers: Mapping[str, str]) -> _Answer:
        deadline = Deadline(self._deadline_seconds)
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        connection = httpcore.HTTPConnection(
            origin=url.origin,
            ssl_context=self._ssl_context,
            network_backend=GuardedNetwork(self._rules, deadline, self._resolve, self._proxy),
        )
        own = {
            "Host": address.authority,
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        sent = [*own.items(), *((name, value) for name, value in headers.items() if name.title() not in own)]
        with connection, connection.stream("POST", url, headers=sent, content=body) as response:
            deadline.shorten(ANSWER_SECONDS)
            return _Answer(response.status, _read_start(response), _header(response, b"retry-after"))


@cache
def usual_ssl_context() -> ssl.SSLContext:
    """Certificates are checked, against the system's authorities and Mozilla's."""
    return httpcore.default_ssl_context()


def _read_start(response: httpcore.Response) -> bytes:
    """The first bytes of an answer. Its status has come, so that a body which drips or breaks off spoils nothing."""
    start = b""
    try:
        for part in response.iter_stream():
            start += part
            if len(start) >= ANSWER_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return start[:ANSWER_BYTES]


def _header(response: httpcore.Response, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in response.headers if name.lower() == wanted), None)


def _answered(answer: _Answer, started: float) -> AttemptResult:
    succeeded = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    redirected = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
    error = f"The receiver answered {answer.status}" + ("; redirects are not followed." if redirected else ".")
    return AttemptResult(
        answer.status,
        AttemptOutcome.SUCCESS if succeeded else AttemptOutcome.BAD_STATUS,
        _milliseconds(started),
        None if succeeded else error,
        answer.start,
        answer.retry_after,
    )


def _failed(outcome: AttemptOutcome, detail: str, started: float) -> AttemptResult:
    return AttemptResult(None, outcome, _milliseconds(started), _without_control(detail)[:LONGEST_ERROR])


def _without_control(text: str) -> str:
    """Some of it may be the receiver's own words, which are shown to people and kept in a database."""
    return "".join(character if character.isprintable() else " " for character in text)


def _milliseconds(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
