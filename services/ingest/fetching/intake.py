"""What becomes of an answer: the file is taken into the archive and judged by its bytes, or the answer is a fault."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpcore

from services.core.runtime.retry_after import asked_wait
from services.core.store.archive import Archive, Incoming
from services.ingest.fetching.challenges import PAGE_START, asks_for_password, wall_of
from services.ingest.fetching.codes import FetchError
from services.ingest.fetching.exchange import Answer
from services.ingest.fetching.kept import FETCHED, REDIRECTED, UNCHANGED, Resource, Response
from services.ingest.fetching.kinds import is_whole, kind_of
from services.ingest.fetching.outcomes import Fetched

MOST_RATIO = 200
"""How many times its size a packed body may unpack to, beyond `FREE_OF_RATIO` bytes. Text packs 3 to 20 times."""
FREE_OF_RATIO = 8_000_000
LONGEST_WAIT = 86_400.0
"""Seconds of a Retry-After that are believed at most."""

_WHOLE_FILE = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_MODIFIED = 304
_SAYS_WHEN = frozenset({202, 429, 503})
_WORTH_A_LOOK = frozenset({"wrong_type", "login_needed", "challenged"})
"""Whole answers that are not the file: kept, so that people can see what the server sent in its place."""
_BY_STATUS = {
    202: "not_ready",
    204: "no_content",
    205: "no_content",
    401: "login_needed",
    403: "forbidden",
    404: "missing",
    408: "server_error",
    410: "missing",
    425: "server_error",
    429: "too_many_requests",
    451: "withheld",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a call asks for. `kinds` is None for robots.txt, which is taken as it is, and only its beginning."""

    address: str
    kinds: frozenset[str] | None
    most_bytes: int
    headers: Mapping[str, str]
    may_be_missing: bool = False

    @property
    def is_robots(self) -> bool:
        """Whether this is a robots.txt."""
        return self.kinds is None


class Intake:
    """Takes answers in. It notes in `response` what they are."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def take(
        self, wanted: Wanted, answer: Answer, response: Response, resource: Resource | None, *, asked_if_changed: bool
    ) -> Fetched | str:
        """The file, or where a redirect leads. Raises `FetchError` for all other answers."""
        response.status, response.headers = answer.status, answer.headers
        if (wall := wall_of(answer.headers)) is not None:
            raise _challenged(wall, answer)
        if answer.status in _WHOLE_FILE:
            return self._receive(wanted, answer, response, resource)
        if answer.status == NOT_MODIFIED and asked_if_changed and resource is not None:
            return self._still_held(wanted, answer, response, resource)
        if answer.status in _REDIRECTS and answer.headers.get("location", "").strip():
            response.outcome = REDIRECTED
            return answer.headers["location"]
        raise _refusal(answer, _start_of(answer))

    def _receive(self, wanted: Wanted, answer: Answer, response: Response, resource: Resource | None) -> Fetched:
        announced = answer.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > wanted.most_bytes and not wanted.is_robots:
            raise FetchError("too_large", f"The server announces {announced} bytes, more than {wanted.most_bytes}.")
        with self._archive.receiving() as incoming:
            _fill(incoming, answer, wanted)
            incoming.flush()
            response.size = incoming.size
            response.kind = kind_of(incoming.path)
            try:
                if not wanted.is_robots:
                    _judge(wanted, answer, incoming, response.kind)
            except FetchError as fault:
                if fault.code in _WORTH_A_LOOK:
                    response.sha256 = incoming.sha256
                    incoming.keep()
                raise
            response.sha256 = incoming.sha256
            path = incoming.keep()
        same = resource is not None and resource.sha256 == response.sha256
        response.outcome = UNCHANGED if same else FETCHED
        return _fetched(wanted, response, path)

    def _still_held(self, wanted: Wanted, answer: Answer, response: Response, resource: Resource) -> Fetched:
        assert resource.sha256 is not None
        response.outcome = UNCHANGED
        response.kind, response.sha256, response.size = resource.kind, resource.sha256, resource.size
        # A 304 repeats few headers (RFC 9110, 15.4.5); the others are still those of the file.
        response.headers = {**(resource.headers or {}), **answer.headers}
        return _fetched(wanted, response, self._archive.path(resource.sha256))


def _judge(wanted: Wanted, answer: Answer, incoming: Incoming, kind: str) -> None:
    if incoming.size == 0:
        raise FetchError("empty_answer", "The answer has no bytes.", status=answer.status)
    page = _head(incoming.path) if kind == "html" else b""
    if page and (wall := wall_of(answer.headers, page)) is not None:
        raise _challenged(wall, answer)
    if not is_whole(incoming.path, kind):
        whole = incoming.size if _is_as_announced(answer) else None
        raise FetchError("incomplete", f"The {kind.upper()} file is cut off.", status=answer.status, whole_size=whole)
    if kind not in (wanted.kinds or ()):
        raise _another_type(wanted, answer, kind, page)


def _is_as_announced(answer: Answer) -> bool:
    """Whether the transfer itself was whole: less than announced would have been a fault of its own."""
    return "content-length" in answer.headers or "chunked" in answer.headers.get("transfer-encoding", "").lower()


def _fill(incoming: Incoming, answer: Answer, wanted: Wanted) -> None:
    """Take the body in, up to its bounds. Of robots.txt the beginning is enough."""
    for part in answer.parts:
        incoming.write(part)
        if wanted.is_robots and incoming.size >= wanted.most_bytes:
            return
        if incoming.size > wanted.most_bytes:
            raise FetchError("too_large", f"The file has more than {wanted.most_bytes} bytes.", status=answer.status)
        if incoming.size > max(FREE_OF_RATIO, MOST_RATIO * answer.came()):
            told = f"{answer.came()} bytes unpack to more than {incoming.size}."
            raise FetchError("inflates_too_far", told, status=answer.status)


def _fetched(wanted: Wanted, response: Response, path: Path) -> Fetched:
    assert response.status is not None
    assert response.sha256 is not None
    return Fetched(
        address=wanted.address,
        final_address=response.asked,
        status=response.status,
        headers=response.headers or {},
        sha256=response.sha256,
        path=path,
        kind=response.kind or "unknown",
        size=response.size or 0,
        unchanged=response.outcome == UNCHANGED,
    )


def _another_type(wanted: Wanted, answer: Answer, kind: str, page: bytes) -> FetchError:
    if asks_for_password(page):
        return FetchError("login_needed", "The answer is a page to log in.", status=answer.status)
    if page and wanted.may_be_missing:
        return FetchError("missing", "The answer is a web page: the server has no such document.", status=answer.status)
    told = answer.headers.get("content-type", "nothing")[:100]
    expected = ", ".join(sorted(wanted.kinds or ()))
    return FetchError("wrong_type", f"The answer is {kind} (it says {told!r}), not {expected}.", status=answer.status)


def _refusal(answer: Answer, page: bytes) -> FetchError:
    if (wall := wall_of(answer.headers, page)) is not None:
        return _challenged(wall, answer)
    if answer.status in _REDIRECTS:
        return FetchError("bad_redirect", f"The answer {answer.status} does not say where to.", status=answer.status)
    code = _BY_STATUS.get(answer.status) or ("server_error" if 500 <= answer.status < 600 else "unexpected_status")
    wait = _wait(answer) if answer.status in _SAYS_WHEN else None
    return FetchError(code, f"The server answered {answer.status}.", retry_after=wait, status=answer.status)


def _wait(answer: Answer) -> float | None:
    asked = asked_wait(answer.headers.get("retry-after", ""), now=datetime.datetime.now(datetime.UTC))
    return None if asked is None else max(0.0, min(asked.total_seconds(), LONGEST_WAIT))


def _challenged(wall: str, answer: Answer) -> FetchError:
    return FetchError("challenged", f"{wall} keeps machines out ({answer.status}).", status=answer.status)


def _start_of(answer: Answer) -> bytes:
    """The beginning of a page that goes with a refusal. Its status has come: a body that breaks off spoils nothing."""
    page = b""
    try:
        for part in answer.parts:
            page += part
            if len(page) >= PAGE_START:
                break
    except (FetchError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return page[:PAGE_START]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(PAGE_START)
