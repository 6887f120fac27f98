"""What hosts see of us, by the log of a host: its robots.txt, its pace, and its word when to come back."""

import itertools
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.fetching.pace import FAILURES_IN_A_ROW, Patience
from tests.ingest.fetching.conftest import QUICK, MakeFetcher, rows
from tests.ingest.fetching.hostile_server import Connection, HostileServer, Request, serving
from tests.ingest.fetching.samples import PAGE, PDF

PDFS = frozenset({"pdf"})


def code_of(fetcher: Fetcher, address: str) -> str:
    try:
        fetcher(address, kinds=PDFS)
    except NotFetchedError as error:
        return error.code
    return "fetched"


def gaps(log: Sequence[Request]) -> list[float]:
    """Seconds between one request and the next."""
    return [later.at - earlier.at for earlier, later in itertools.pairwise(log)]


def saying(robots: bytes) -> object:
    return lambda it: it.answer(200, robots, Content_Type="text/plain")


def with_files(server: HostileServer, count: int) -> list[str]:
    for number in range(count):
        server.paths[f"/{number}.pdf"] = lambda it: it.answer(200, PDF)
    return [server.url(f"/{number}.pdf") for number in range(count)]


# ── pace ──


def test_eight_threads_keep_to_one_rate(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    addresses = with_files(server, 16)
    fetcher = make_fetcher(rate=20.0, at_once=3)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda address: code_of(fetcher, address), addresses)) == {"fetched"}
    log = server.log
    assert len(log) == 17
    # Any two requests stand as far apart as the turns between them; a thread may wake a little late for its own.
    for count in (4, 8, 16):
        spans = [log[at + count].at - log[at].at for at in range(len(log) - count)]
        assert min(spans) > (count - 1) / 20.0
    assert server.most_at_once <= 3


def test_two_processes_keep_to_one_rate(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    """They know of each other by the database alone, as these two fetchers do."""
    addresses = with_files(server, 8)
    fetchers = [make_fetcher(rate=20.0), make_fetcher(rate=20.0)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: code_of(fetchers[pair[0] % 2], pair[1]), enumerate(addresses)))
    assert server.log[-1].at - server.log[0].at > (len(server.log) - 2) / 20.0


def test_a_slow_host_is_asked_so_much_at_once_and_no_more(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    def slow(it: Connection) -> None:
        it.server.stopped.wait(0.15)
        it.answer(200, PDF)

    for number in range(6):
        server.paths[f"/{number}.pdf"] = slow
    fetcher = make_fetcher(at_once=2)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: code_of(fetcher, server.url(f"/{number}.pdf")), range(6)))
    assert server.most_at_once == 2


def test_a_crawl_delay_slows_us_down(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/robots.txt"] = saying(b"User-agent: *\nCrawl-delay: 0.3\n")
    addresses = with_files(server, 3)
    for address in addresses:
        assert code_of(make_fetcher(), address) == "fetched"
    # Between robots.txt and the first file nobody knew of it.
    assert min(gaps(server.log)[1:]) > 0.28


def test_a_host_does_not_wait_for_another(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    with serving() as other:
        (here,), (there,) = with_files(server, 1), with_files(other, 1)
        fetcher = make_fetcher(rate=2.0)
        for address in (here, there):
            assert code_of(fetcher, address) == "fetched"
        # Two turns of half a second each; one after the other they would be three.
        assert other.log[-1].at - server.log[0].at < 1.45


# ── robots.txt ──


def test_what_robots_txt_forbids_is_never_asked_for(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/robots.txt"] = saying(
        b"User-agent: *\nDisallow: /\n\nUser-agent: OpenUPR\nDisallow: /api\nDisallow: /*.doc$\nAllow: /api/open\n"
    )
    server.paths["/to"] = lambda it: it.answer(302, Location="/api/secret.pdf")
    for path in ("/0.pdf", "/api/open/1.pdf"):
        server.paths[path] = lambda it: it.answer(200, PDF)
    fetcher = make_fetcher()
    outcomes = {
        path: code_of(fetcher, server.url(path))
        for path in ("/0.pdf", "/api/open/1.pdf", "/api/1.pdf", "/%61pi/1.pdf", "/a.doc", "/to")
    }
    assert outcomes == {
        "/0.pdf": "fetched",
        "/api/open/1.pdf": "fetched",
        "/api/1.pdf": "robots_disallowed",
        "/%61pi/1.pdf": "robots_disallowed",
        "/a.doc": "robots_disallowed",
        "/to": "robots_disallowed",
    }
    assert server.paths_asked == ["/0.pdf", "/api/open/1.pdf", "/to"]
    assert len(server.asked("/robots.txt")) == 1


def _robots_of(server: HostileServer, make_fetcher: MakeFetcher, behaviour: object) -> str:
    server.paths["/robots.txt"] = behaviour
    (address,) = with_files(server, 1)
    return code_of(make_fetcher(limits=replace(QUICK, deadline=2.0)), address)


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 418, 451])
def test_no_robots_txt_allows_everything(status: int, server: HostileServer, make_fetcher: MakeFetcher) -> None:
    assert _robots_of(server, make_fetcher, lambda it: it.answer(status)) == "fetched"
    assert _robots_of(server, make_fetcher, lambda it: it.answer(500)) == "fetched"  # known for a day
    assert len(server.asked("/robots.txt")) == 1


@pytest.mark.parametrize("body", [b"", PAGE, b"\xff\xfe\0nonsense" * 99, b"Disallow: /\n"], ids=len)
def test_a_robots_txt_without_rules_for_us(body: bytes, server: HostileServer, make_fetcher: MakeFetcher) -> None:
    assert _robots_of(server, make_fetcher, lambda it: it.answer(200, body)) == "fetched"


@pytest.mark.parametrize("status", [408, 500, 503, 599, 304, 600])
def test_a_robots_txt_that_cannot_be_had_forbids_everything(
    status: int, server: HostileServer, make_fetcher: MakeFetcher
) -> None:
    assert _robots_of(server, make_fetcher, lambda it: it.answer(status)) == "robots_unreachable"
    assert server.paths_asked == []
    asked = len(server.log)
    (address,) = with_files(server, 1)
    assert code_of(make_fetcher(), address) == "robots_unreachable"
    assert len(server.log) == asked  # a new process does not ask again at once, either


def test_a_wall_before_robots_txt(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    wall = _robots_of(server, make_fetcher, lambda it: it.answer(403, PAGE, cf_mitigated="challenge"))
    assert wall == "challenged"


def test_robots_txt_may_stand_elsewhere(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    with serving() as other:
        other.paths["/r"] = saying(b"User-agent: *\nDisallow: /0.pdf\n")
        server.paths["/hop"] = lambda it: it.answer(301, Location=other.url("/r"))
        assert _robots_of(server, make_fetcher, lambda it: it.answer(302, Location="/hop")) == "robots_disallowed"


def test_robots_txt_that_goes_round(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    assert _robots_of(server, make_fetcher, lambda it: it.answer(302, Location="/robots.txt")) == "robots_unreachable"


def test_an_endless_robots_txt_is_read_for_500_kib(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    def endless(it: Connection) -> None:
        it.send(b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /0.pdf\n")
        while not it.server.stopped.is_set():
            it.send(b"Disallow: /nothing/" + b"x" * 9_000 + b"\n")

    assert _robots_of(server, make_fetcher, endless) == "robots_disallowed"


def test_robots_txt_is_asked_for_once_a_day(server: HostileServer, make_fetcher: MakeFetcher, engine: Engine) -> None:
    server.paths["/robots.txt"] = saying(b"User-agent: *\nDisallow: /private\n")
    addresses = with_files(server, 3)
    for address in addresses[:2]:
        assert code_of(make_fetcher(), address) == "fetched"
    assert len(server.asked("/robots.txt")) == 1
    with engine.begin() as connection:
        connection.execute(text("UPDATE resources SET checked_at = now() - interval '25 hours'"))
    assert code_of(make_fetcher(), addresses[2]) == "fetched"
    assert len(server.asked("/robots.txt")) == 2


# ── when a host is not well ──


def test_retry_after_holds_for_everybody(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    busy = [True]

    def overloaded(it: Connection) -> None:
        if busy:
            busy.clear()
            it.answer(503, Retry_After="1")
        else:
            it.answer(200, PDF)

    addresses = with_files(server, 4)
    for number in range(4):
        server.paths[f"/{number}.pdf"] = overloaded
    fetchers = [make_fetcher(), make_fetcher()]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda pair: code_of(fetchers[pair[0] % 2], pair[1]), enumerate(addresses)))
    assert set(outcomes) == {"fetched"}
    answered = next(request for request in server.log if request.path != "/robots.txt")
    # Requests that were on their way already cannot be called back.
    later = [request.at - answered.at for request in server.log if request.at > answered.at + 0.3]
    assert min(later) >= 0.95


def test_who_asks_to_wait_long_is_left_alone(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/0.pdf"] = lambda it: it.answer(429, Retry_After="3600")
    for _ in range(3):
        with pytest.raises(NotFetchedError) as refused:
            make_fetcher()(server.url("/0.pdf"), kinds=PDFS)
        assert (refused.value.code, refused.value.host_refuses) == ("asked_to_wait", True)
        assert 3_500 < (refused.value.retry_after or 0) <= 3_600
    assert server.paths_asked == ["/0.pdf"]


def test_a_host_that_fails_is_left_alone_also_after_a_restart(
    server: HostileServer, make_fetcher: MakeFetcher, engine: Engine
) -> None:
    patience = Patience(for_a_turn=2.0, first_rest=0.5)
    for number in range(20):
        server.paths[f"/{number}.pdf"] = lambda it: it.answer(500)
    limits = replace(QUICK, tries=1)
    codes = [
        code_of(make_fetcher(limits=limits, patience=patience), server.url(f"/{number}.pdf")) for number in range(9)
    ]
    assert codes == ["server_error"] * FAILURES_IN_A_ROW + ["host_resting"] * (9 - FAILURES_IN_A_ROW)
    assert len(server.paths_asked) == FAILURES_IN_A_ROW
    time.sleep(0.6)
    fetchers = [make_fetcher(limits=limits, patience=patience) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        probes = list(pool.map(lambda pair: code_of(pair[1], server.url(f"/{10 + pair[0]}.pdf")), enumerate(fetchers)))
    assert sorted(probes) == ["host_resting"] * 3 + ["server_error"]
    assert len(server.paths_asked) == FAILURES_IN_A_ROW + 1
    with engine.begin() as connection:
        connection.execute(text("UPDATE fetch_hosts SET next_at = now()"))
    server.paths["/15.pdf"] = lambda it: it.answer(200, PDF)
    assert code_of(make_fetcher(patience=patience), server.url("/15.pdf")) == "fetched"
    assert rows(engine, "SELECT failures, resting_because FROM fetch_hosts")[0] == (0, None)


def test_missing_files_are_no_failure_of_a_host(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher()
    codes = {code_of(fetcher, server.url(f"/{number}.pdf")) for number in range(3 * FAILURES_IN_A_ROW)}
    assert codes == {"missing"}


def test_a_wall_is_respected_by_all(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/0.pdf"] = lambda it: it.answer(403, PAGE, cf_mitigated="challenge")
    for path in ("/0.pdf", "/0.pdf", "/1.pdf"):
        with pytest.raises(NotFetchedError) as refused:
            make_fetcher()(server.url(path), kinds=PDFS)
        assert (refused.value.code, refused.value.host_refuses) == ("challenged", True)
    assert server.paths_asked == ["/0.pdf"]
