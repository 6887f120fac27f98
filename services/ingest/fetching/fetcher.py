"""Asks for files of other people's servers, with all manners.

One call asks for one address: what this run knows already is not asked again; the guard, robots.txt and the host's
turn come before each request; redirects are followed hop by hop with the same checks; a request that fails for a
reason that passes is tried again. The bytes go straight into the archive while their hash is taken, and are known by
what they are, not by what the server calls them.
"""

import datetime
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import httpcore
import stamina
import stamina.instrumentation
from sqlalchemy import Engine

from services import __version__
from services.core.domain.errors import RefusedAddressError, SettingsError
from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, CheckedAddress, Resolve
from services.core.store.archive import Archive
from services.ingest.fetching import robots
from services.ingest.fetching.codes import CODES, FetchError
from services.ingest.fetching.exchange import Exchange, plain
from services.ingest.fetching.files import SCHEMES, Files
from services.ingest.fetching.intake import Intake, Wanted
from services.ingest.fetching.kept import FETCHED, UNCHANGED, Kept, Known, Resource, Response, Settled
from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.fetching.pace import Pace, Patience
from services.ingest.settings import IngestSettings
from services.ingest.sources.description import Rate

MOST_REDIRECTS = 10
_LONGEST_PAUSE = 60.0
"""Seconds that a call waits for a file that is not ready."""
_HOST_SAYS_WHEN = frozenset({429, 503})
"""With these, a Retry-After is for all that the host has; with 202 it is for the one file."""
_ADDRESSES_AT_ONCE = 256
"""Locks, so that two threads never ask for one address at the same time."""
_LONGEST_ADDRESS = 2_600
"""Bytes. An index of PostgreSQL takes a hundred more."""
_LONGEST_CONDITION = 1_000
"""Characters of an ETag. Longer ones are a server's mistake, and not worth sending back."""
_ALLOWS_ALL = frozenset({"missing", "login_needed", "forbidden", "withheld", "no_content"})
"""Outcomes of asking for robots.txt that mean there is none: as all 4xx (RFC 9309, 2.3.1.3) but those that pass."""
_OF_THE_HOST = frozenset(
    {
        *("challenged", "host_resting", "asked_to_wait", "too_many_requests", "refused_address", "proxy_failed"),
        *("unknown_host", "connection_failed", "timeout"),
        *("tls_failed", "tls_expired", "tls_wrong_host", "tls_untrusted"),
    }
)
"""Outcomes of asking for robots.txt that say the same of everything else there, and more than that it is not known."""

# The log of requests is the table `responses`; stamina would write another one.
stamina.instrumentation.set_on_retry_hooks(())


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one file, and how long one call goes on. All times in seconds.

    `deadline`: for a whole transfer. `tries`: requests for one address in one call, where what went wrong may pass.
    `last_try_after`: no try begins later. `first_pause`: between the first two tries; it doubles.
    `pause_when_too_many`: how long a host is left alone that says 429 without saying how long.
    """

    most_bytes: int = 100_000_000
    deadline: float = 120.0
    tries: int = 4
    last_try_after: float = 300.0
    first_pause: float = 1.0
    pause_when_too_many: float = 10.0

    def deadline_for(self, most_bytes: int) -> float:
        """An export that may be larger has as much more time."""
        return self.deadline * max(1.0, most_bytes / self.most_bytes)


class Fetcher:
    """Fetches for one run (or for none). Threads may share it; other processes are considered through the database."""

    def __init__(
        self,
        engine: Engine,
        archive: Archive,
        exchange: Exchange,
        pace: Pace,
        *,
        limits: Limits | None = None,
        run: str | None = None,
        folders: Sequence[str] = (),
        noted_at_once: int = 1,
    ) -> None:
        """`run`: what this run has asked already is answered from the archive, and told as it was told then.

        `folders`: where files may lie that are not on the web (`file:///…`, `s3://…`). `noted_at_once`: how many files
        that are as they were share a transaction; then `close` writes down the last of them.
        """
        self._archive = archive
        self._exchange = exchange
        self._pace = pace
        self._limits = limits or Limits()
        self._kept = Kept(engine, run, at_once=noted_at_once)
        self._intake = Intake(archive)
        self._files = Files(archive, self._kept, folders)
        self._robots = robots.Robots(self._read_robots)
        self._alone = tuple(threading.Lock() for _ in range(_ADDRESSES_AT_ONCE))

    @classmethod
    def from_settings(
        cls,
        settings: IngestSettings,
        engine: Engine,
        archive: Archive,
        *,
        run: str | None = None,
        rate: Rate | None = None,
        folders: Sequence[str] = (),
        noted_at_once: int = 1,
        resolve: Resolve | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> "Fetcher":
        """As the settings of this process say, at the `rate` of a source. Raises `SettingsError`."""
        rate = rate or Rate()
        exchange = Exchange(
            AddressRules(allow_http=True, allow_loopback=settings.fetch_allow_loopback),
            user_agent(settings.contact),
            resolve=resolve,
            ssl_context=_ssl_context(settings.fetch_ca_file),
            proxy=_proxy(settings),
        )
        limits = Limits(settings.fetch_most_bytes, settings.fetch_deadline_seconds)
        pace = Pace(engine, rate.requests_per_second, rate.at_once, patience=Patience(), sleep=sleep)
        more: dict[str, Any] = {"run": run, "folders": folders, "noted_at_once": noted_at_once}
        return cls(engine, archive, exchange, pace, limits=limits, **more)

    def foresee(self, addresses: Sequence[str]) -> None:
        """These are asked for next: what is known of them is looked up for all of them together."""
        self._kept.foresee([address for address in addresses if _can_be_noted(address)])

    def close(self) -> None:
        """Note what was not noted yet."""
        self._kept.note()

    def __call__(
        self,
        address: str,
        *,
        kinds: frozenset[str],
        most_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        may_be_missing: bool = False,
    ) -> Fetched:
        """The file at `address`, if it is one of `kinds`; see `sources.base.Fetch`. Raises `NotFetchedError`."""
        if not _can_be_noted(address):
            why = "The address is too long, or holds characters that no address has."
            raise _not_fetched(address, FetchError("refused_address", why))
        wanted = Wanted(address, kinds, most_bytes or self._limits.most_bytes, headers or {}, may_be_missing)
        with self._alone[hash(address) % _ADDRESSES_AT_ONCE]:
            known = self._kept.known(address)
            if known.settled is not None and (told := self._told_again(wanted, known.settled)) is not None:
                return told
            try:
                if address.partition("://")[0].lower() in SCHEMES:
                    return self._files.take(wanted, known.resource)
                return self._until_it_comes(wanted, known)
            except FetchError as fault:
                self._kept.failed(address, fault.code)
                raise _not_fetched(address, fault) from fault

    def _told_again(self, wanted: Wanted, settled: Settled) -> Fetched | None:
        """What this run has heard of the address already; None where the file is no longer in the archive."""
        if settled.outcome in CODES:
            raise _not_fetched(wanted.address, FetchError(settled.outcome, settled.detail or "", status=settled.status))
        assert settled.sha256 is not None
        path = self._archive.path(settled.sha256)
        if not path.exists() or settled.kind is None or settled.kind not in (wanted.kinds or ()):
            return None
        return Fetched(
            address=wanted.address,
            final_address=settled.asked,
            status=settled.status or 0,
            headers=settled.headers,
            sha256=settled.sha256,
            path=path,
            kind=settled.kind,
            size=settled.size or 0,
            unchanged=settled.outcome == UNCHANGED,
        )

    def _until_it_comes(self, wanted: Wanted, known: Known) -> Fetched:
        """Try, and try again where that may help. Tries that a run made before it was stopped count.

        So a run that is killed again and again comes past a file that is never to be had.
        """
        resource = known.resource
        before = self._kept.failures(wanted.address, within=self._limits.last_try_after) if known.asked else []
        sizes = [each.size for each in before if each.outcome == "incomplete" and each.size is not None]
        if len(sizes) > len(set(sizes)):
            raise FetchError("incomplete", before[-1].detail or "")
        blamed: set[str] = set()
        try:
            for attempt in stamina.retry_context(
                on=_WorthAnotherTry(sizes),
                attempts=max(1, self._limits.tries - len(before)),
                timeout=self._limits.last_try_after,
                wait_initial=self._limits.first_pause,
                wait_max=self._limits.first_pause * 30,
                wait_jitter=self._limits.first_pause,
            ):
                with attempt:
                    reason = "retry" if attempt.num > 1 else self._reason(wanted, known)
                    return self._follow(wanted, resource, reason, blamed)
        except FetchError:
            for host in blamed:
                self._pace.failed(host)
            raise
        raise AssertionError("there is a first try")

    def _reason(self, wanted: Wanted, known: Known) -> str:
        """Why we ask at all: kept with every request."""
        resource = known.resource
        if wanted.is_robots:
            return "robots"
        if resource is None:
            return "first"
        if known.asked:
            return "retry"
        lost = resource.sha256 is not None and not self._archive.path(resource.sha256).exists()
        return "lost" if lost else "due"

    def _follow(self, wanted: Wanted, resource: Resource | None, reason: str, blamed: set[str]) -> Fetched:
        """Ask, and go where redirects lead, with every check at every hop."""
        address = self._checked(wanted.address)
        seen = {address.url}
        most = robots.MOST_REDIRECTS if wanted.is_robots else MOST_REDIRECTS
        while True:
            self._check_robots(wanted, address)
            answer = self._ask(wanted, address, resource, reason, blamed)
            if isinstance(answer, Fetched):
                return answer
            address, reason = self._next_hop(address, answer), "redirected"
            if address.url in seen:
                raise FetchError("redirect_loop", f"{address.url} leads back to itself.")
            seen.add(address.url)
            if len(seen) > most + 1:
                raise FetchError("too_many_redirects", f"More than {most} redirects.")

    def _checked(self, address: str) -> CheckedAddress:
        try:
            return self._exchange.rules.read_address(address)
        except RefusedAddressError as refused:
            raise FetchError("refused_address", f"{plain(address)[:200]}: {refused.detail}") from refused

    def _next_hop(self, address: CheckedAddress, location: str) -> CheckedAddress:
        try:
            target = urldefrag(urljoin(address.url, _as_meant(location))).url
        except ValueError as fault:
            raise FetchError("bad_redirect", f"{address.url} redirects to what is no address.") from fault
        following = self._checked(target)
        if address.scheme == "https" and following.scheme == "http":
            raise FetchError("redirect_downgrade", f"{address.url} redirects to an address that is not encrypted.")
        return following

    def _check_robots(self, wanted: Wanted, address: CheckedAddress) -> None:
        if wanted.is_robots:
            return
        rules, parsed = self._robots.of(address.origin)
        if rules.text is None:
            left = (rules.until - _now()).total_seconds()
            code = rules.code if rules.code in _OF_THE_HOST else "robots_unreachable"
            raise FetchError(code, f"robots.txt of {address.authority}: {rules.why}", retry_after=left, of_host=True)
        if not parsed.can_fetch(address.url, robots.NAME):
            raise FetchError("robots_disallowed", f"robots.txt of {address.authority} keeps us from {address.target}.")

    def _crawl_delay(self, wanted: Wanted, address: CheckedAddress) -> float | None:
        return None if wanted.is_robots else self._robots.of(address.origin)[1].crawl_delay(robots.NAME)

    def _ask(
        self, wanted: Wanted, address: CheckedAddress, resource: Resource | None, reason: str, blamed: set[str]
    ) -> Fetched | str:
        """One request, kept whatever comes of it: the file, or where a redirect leads."""
        host = f"{address.host}:{address.port}"
        known = self._held(wanted, address, resource)
        headers = {
            **_conditions(known),
            **(wanted.headers if address.origin == self._checked(wanted.address).origin else {}),
        }
        with self._pace.turn(host, self._crawl_delay(wanted, address)):
            response = Response(wanted.address, address.url, reason, _now())
            try:
                with self._kept.noting(response):
                    seconds = self._limits.deadline_for(wanted.most_bytes)
                    with self._exchange.asked(address, headers, seconds) as answer:
                        came = self._intake.take(wanted, answer, response, resource, asked_if_changed=known is not None)
            except FetchError as fault:
                self._hold_against(host, fault, blamed)
                raise
        self._pace.succeeded(host)
        return came

    def _held(self, wanted: Wanted, address: CheckedAddress, resource: Resource | None) -> Resource | None:
        """What we hold of the address, where its bytes are still there and would do."""
        if resource is None or resource.sha256 is None or resource.final_address != address.url:
            return None
        fits = wanted.kinds is None or resource.kind in wanted.kinds
        return resource if fits and self._archive.path(resource.sha256).exists() else None

    def _hold_against(self, host: str, fault: FetchError, blamed: set[str]) -> None:
        """Draw from a failed request what holds for the whole host."""
        if fault.code == "challenged":
            self._pace.challenged(host)
        elif fault.code == "too_many_requests":
            self._pace.asked_to_wait(host, fault.retry_after or self._limits.pause_when_too_many)
        elif fault.retry_after and fault.status in _HOST_SAYS_WHEN:
            self._pace.asked_to_wait(host, fault.retry_after)
        if fault.follows.blames_host:
            blamed.add(host)
        elif fault.status is not None:
            self._pace.succeeded(host)

    def _read_robots(self, url: str) -> robots.Rules:
        """What stands at the address of a robots.txt, or stood there within a day."""
        resource = self._kept.resource(url)
        if resource is not None and (known := self._remembered(resource)) is not None and known.until > _now():
            return known
        try:
            came = self._until_it_comes(Wanted(url, None, robots.MOST_BYTES, {}), Known(resource))
        except FetchError as fault:
            none_there = (
                400 <= (fault.status or 0) < 500 and not fault.follows.retried and not fault.follows.host_refuses
            )
            allows_all = fault.code in _ALLOWS_ALL or none_there
            self._kept.failed(url, "missing" if allows_all else fault.code)
            return robots.Rules("" if allows_all else None, _now(), fault.code, fault.detail)
        return robots.Rules(_text(came.path), _now())

    def _remembered(self, resource: Resource) -> robots.Rules | None:
        if resource.outcome in _ALLOWS_ALL:
            return robots.Rules("", resource.checked_at)
        if resource.outcome not in {FETCHED, UNCHANGED}:
            return robots.Rules(
                None, resource.checked_at, resource.outcome, f"it could not be had ({resource.outcome})."
            )
        path = self._archive.path(resource.sha256 or "")
        return robots.Rules(_text(path), resource.checked_at) if resource.sha256 and path.exists() else None


def user_agent(contact: str | None) -> str:
    """Who we are and whom to write to, as the servers that we ask see it. Raises `SettingsError`."""
    told = f"+{contact}" if contact else "no contact is set"
    agent = f"{robots.NAME}/{__version__} ({told})"
    if not (agent.isascii() and agent.isprintable()) or len(agent) > 300:
        raise SettingsError("UPR_CONTACT stands in the User-Agent of every request: at most 250 ASCII characters.")
    return agent


def _conditions(known: Resource | None) -> dict[str, str]:
    """What makes a server answer 304 where nothing changed."""
    if known is None or known.headers is None:
        return {}
    asked = {"If-None-Match": known.headers.get("etag"), "If-Modified-Since": known.headers.get("last-modified")}
    return {name: value for name, value in asked.items() if value and len(value) <= _LONGEST_CONDITION}


class _WorthAnotherTry:
    """Whether to try again, and when: by stamina's backoff; or at once, where the host's turn does the waiting; or when
    the answer said.

    A file that is cut off though it came as announced is asked for once more, at once: if it is the same again, then
    the server has no more of it.
    """

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = set(sizes)

    def __call__(self, fault: Exception) -> bool | float:
        if not isinstance(fault, FetchError) or fault.of_host or not fault.follows.retried:
            return False
        if fault.whole_size is not None:
            came_before = fault.whole_size in self._sizes
            self._sizes.add(fault.whole_size)
            return False if came_before else 0.0
        if fault.retry_after is None:
            return True
        if fault.status in _HOST_SAYS_WHEN:
            return 0.0
        return fault.retry_after if fault.retry_after <= _LONGEST_PAUSE else False


def _not_fetched(address: str, fault: FetchError) -> NotFetchedError:
    return NotFetchedError(
        fault.code,
        fault.detail,
        address=address,
        missing=fault.follows.missing,
        host_refuses=fault.of_host or fault.follows.host_refuses,
        retry_after=fault.retry_after,
    )


def _can_be_noted(address: str) -> bool:
    """Whether the database can know it by its name."""
    try:
        return "\0" not in address and len(address.encode("utf-8")) <= _LONGEST_ADDRESS
    except UnicodeEncodeError:
        return False


def _as_meant(location: str) -> str:
    """A Location as its server means it: some send blanks, and letters that are not ASCII, as they are."""
    try:
        told = location.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        told = location
    return told.strip().replace(" ", "%20")


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(robots.MOST_BYTES).decode("utf-8", errors="replace")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """The usual authorities, and those of a file that an operator trusts beside them."""
    context = httpcore.default_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as fault:
            raise SettingsError(f"UPR_FETCH_CA_FILE {ca_file} cannot be read: {fault.strerror or fault}") from fault
    return context


def _proxy(settings: IngestSettings) -> EgressProxy | None:
    told = settings.fetch_proxy
    return None if told is None else EgressProxy.from_url(told.get_secret_value(), "UPR_FETCH_PROXY")
