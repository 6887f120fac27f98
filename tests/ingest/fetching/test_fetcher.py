"""Fetching from servers that behave: what is asked, what is kept, and what is not asked again."""

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from services.core.store.archive import Archive
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.kept import Kept
from services.ingest.fetching.outcomes import NotFetchedError
from tests.ingest.fetching.conftest import QUICK, MakeFetcher, rows
from tests.ingest.fetching.hostile_server import HostileServer
from tests.ingest.fetching.samples import PDF

PDFS = frozenset({"pdf"})


def test_a_file_is_archived_by_its_hash_with_its_headers(
    server: HostileServer, fetcher: Fetcher, engine: Engine, archive: Archive
) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF, Content_Type="text/html", ETag='"1"')
    came = fetcher(server.url("/a.pdf"), kinds=PDFS)
    assert (came.kind, came.size, came.unchanged, came.status) == ("pdf", len(PDF), False, 200)
    assert came.sha256 == hashlib.sha256(PDF).hexdigest()
    assert came.path == archive.path(came.sha256)
    assert came.path.read_bytes() == PDF
    assert came.headers["etag"] == '"1"'
    (asked,) = server.asked("/a.pdf")
    assert asked.headers["user-agent"].startswith("OpenUPR/")
    assert "tests@example.org" in asked.headers["user-agent"]
    kept = rows(engine, "SELECT reason, outcome, headers->>'etag' AS etag, sha256 FROM responses ORDER BY id")
    assert [tuple(row) for row in kept] == [
        ("robots", "missing", None, None),
        ("first", "fetched", '"1"', came.sha256),
    ]


def test_what_did_not_change_costs_a_condition(server: HostileServer, fetcher: Fetcher) -> None:
    def conditional(it: object) -> None:
        if it.request.headers.get("if-none-match") == '"1"':
            it.answer(304, ETag='"1"', Content_Length="")
        else:
            it.answer(200, PDF, ETag='"1"')

    server.paths["/a.pdf"] = conditional
    first = fetcher(server.url("/a.pdf"), kinds=PDFS)
    again = fetcher(server.url("/a.pdf"), kinds=PDFS)
    assert (first.unchanged, again.unchanged, again.status) == (False, True, 304)
    assert (again.sha256, again.path, again.size, again.kind) == (first.sha256, first.path, first.size, first.kind)
    first.path.unlink()
    lost = fetcher(server.url("/a.pdf"), kinds=PDFS)
    assert lost.status == 200
    assert "if-none-match" not in server.log[-1].headers


def test_a_run_asks_for_an_address_once(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    for _ in range(2):
        fetcher = make_fetcher(run="run_1")
        came = fetcher(server.url("/a.pdf"), kinds=PDFS)
        assert not came.unchanged
        for _ in range(2):
            with pytest.raises(NotFetchedError) as none:
                fetcher(server.url("/none.pdf"), kinds=PDFS)
            assert (none.value.code, none.value.missing) == ("missing", True)
    assert server.paths_asked == ["/a.pdf", "/none.pdf"]
    assert make_fetcher(run="run_2")(server.url("/a.pdf"), kinds=PDFS).unchanged


def test_a_body_that_inflates_too_far(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    packed = gzip.compress(b"%PDF-" + bytes(30_000_000))
    server.paths["/a.pdf"] = lambda it: it.answer(200, packed, Content_Encoding="gzip")
    with pytest.raises(NotFetchedError) as refused:
        make_fetcher()(server.url("/a.pdf"), kinds=PDFS, most_bytes=100_000_000)
    assert refused.value.code == "inflates_too_far"


def test_an_export_may_be_larger_than_other_files(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    body = b"[" + b'{"a": 1},' * 300_000 + b"{}]"
    server.paths["/a.json"] = lambda it: it.answer(200, gzip.compress(body, 1), Content_Encoding="gzip")
    fetcher = make_fetcher()
    with pytest.raises(NotFetchedError) as refused:
        fetcher(server.url("/a.json"), kinds=frozenset({"json"}))
    assert refused.value.code == "too_large"
    came = fetcher(server.url("/a.json"), kinds=frozenset({"json"}), most_bytes=10_000_000)
    assert (came.kind, came.size, came.path.read_bytes() == body) == ("json", len(body), True)


def test_what_is_as_it_was_is_noted_with_others(
    server: HostileServer, make_fetcher: MakeFetcher, engine: Engine
) -> None:
    server.paths |= {f"/{name}.pdf": lambda it: it.answer(200, PDF) for name in "abc"}
    addresses = [server.url(f"/{name}.pdf") for name in "abc"]
    for address in addresses:
        make_fetcher(run="run_1")(address, kinds=PDFS)
    fetcher = make_fetcher(run="run_2", noted_at_once=10)
    noted = "SELECT address, reason, outcome FROM responses WHERE run = 'run_2' ORDER BY id"
    fetcher.foresee(addresses)
    assert all(fetcher(address, kinds=PDFS).unchanged for address in addresses[:2])
    assert rows(engine, noted) == []
    assert fetcher(addresses[0], kinds=PDFS).unchanged, "told again by the run, which knows what it has not noted yet"
    assert fetcher(addresses[2], kinds=PDFS).unchanged
    fetcher.close()
    assert [tuple(row) for row in rows(engine, noted)] == [(each, "due", "unchanged") for each in addresses]
    assert [request.path for request in server.log if request.path != "/robots.txt"] == [
        "/a.pdf",
        "/b.pdf",
        "/c.pdf",
    ] * 2
    (outcomes,) = rows(engine, "SELECT array_agg(DISTINCT outcome) FROM resources WHERE sha256 IS NOT NULL")
    assert outcomes[0] == ["unchanged"]


def test_redirects_are_followed_and_each_is_kept(
    server: HostileServer, make_fetcher: MakeFetcher, engine: Engine
) -> None:
    server.paths["/"] = lambda it: it.answer(301, Location="/år/b c.pdf#page=2")
    server.paths["/%C3%A5r/b%20c.pdf"] = lambda it: it.answer(
        *((304,) if "if-none-match" in it.request.headers else (200, PDF)), ETag='"1"'
    )
    came = make_fetcher(run="run_1")(server.url("/"), kinds=PDFS)
    assert came.final_address == server.url("/%C3%A5r/b%20c.pdf")
    again = make_fetcher(run="run_2")(server.url("/"), kinds=PDFS)
    assert (again.status, again.unchanged, again.final_address) == (304, True, came.final_address)
    kept = rows(engine, "SELECT run, reason, outcome, status FROM responses WHERE reason <> 'robots' ORDER BY id")
    assert [tuple(row) for row in kept] == [
        ("run_1", "first", "redirected", 301),
        ("run_1", "redirected", "fetched", 200),
        ("run_2", "due", "redirected", 301),
        ("run_2", "redirected", "unchanged", 304),
    ]


def test_a_run_that_was_killed_asks_again_and_says_why(
    server: HostileServer, make_fetcher: MakeFetcher, engine: Engine
) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(500)
    with pytest.raises(NotFetchedError):
        make_fetcher(run="run_1")(server.url("/a.pdf"), kinds=PDFS)
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    assert make_fetcher(run="run_1")(server.url("/a.pdf"), kinds=PDFS).status == 200
    reasons = [row.reason for row in rows(engine, "SELECT reason FROM responses WHERE reason <> 'robots' ORDER BY id")]
    assert reasons == ["first", "retry", "retry"]


def test_tries_before_a_kill_count(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(500)
    limits = replace(QUICK, tries=4)
    for tries, limit in ((3, replace(limits, tries=3)), (1, limits), (1, limits)):
        server.log.clear()
        with pytest.raises(NotFetchedError):
            make_fetcher(run="run_1", limits=limit)(server.url("/a.pdf"), kinds=PDFS)
        assert server.paths_asked == ["/a.pdf"] * tries


def test_what_a_server_has_cut_off_is_asked_for_once_more(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF[:40])
    limits = replace(QUICK, tries=4, first_pause=60.0)
    for tries in (2, 0):
        server.log.clear()
        with pytest.raises(NotFetchedError) as refused:
            make_fetcher(run="run_1", limits=limits)(server.url("/a.pdf"), kinds=PDFS)
        assert (refused.value.code, refused.value.detail) == ("incomplete", "The PDF file is cut off.")
        assert server.paths_asked == ["/a.pdf"] * tries


def test_a_file_that_changed_replaces_what_is_known(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    bodies = [PDF, PDF.replace(b"sample", b"change"), PDF]
    server.paths["/a.pdf"] = lambda it: it.answer(200, bodies.pop(0), ETag=f'"{len(bodies)}"')
    fetcher = make_fetcher()
    came = [fetcher(server.url("/a.pdf"), kinds=PDFS) for _ in range(3)]
    assert [each.unchanged for each in came] == [False, False, False]
    assert came[0].sha256 == came[2].sha256 != came[1].sha256
    assert [request.headers.get("if-none-match") for request in server.asked("/a.pdf")] == [None, '"2"', '"1"']


def test_threads_ask_for_one_address_once(server: HostileServer, make_fetcher: MakeFetcher) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    fetcher = make_fetcher(run="run_1")
    with ThreadPoolExecutor(8) as pool:
        shas = set(pool.map(lambda _: fetcher(server.url("/a.pdf"), kinds=PDFS).sha256, range(16)))
    assert (len(shas), server.paths_asked) == (1, ["/a.pdf"])


def test_old_requests_that_brought_nothing_are_forgotten(
    server: HostileServer, make_fetcher: MakeFetcher, engine: Engine
) -> None:
    server.paths["/a.pdf"] = lambda it: it.answer(200, PDF)
    fetcher = make_fetcher()
    for _ in range(2):
        fetcher(server.url("/a.pdf"), kinds=PDFS)
    with engine.begin() as connection:
        connection.execute(text("UPDATE responses SET asked_at = now() - interval '91 days'"))
    assert Kept(engine, None).forget(90) == 2
    assert [row.outcome for row in rows(engine, "SELECT outcome FROM responses")] == ["fetched"]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "a.pdf",
            "ftp://example.org/a.pdf",
            "http://[::1/a.pdf",
            "http://example.org/a b",
            "http://\0.example.org/",
        ),
        *("file://[/a.pdf", "s3://bucket/a.pdf", "http://\ud800/", "http://example.org/" + "ä" * 1_900, "x" * 90_000),
    ],
    ids=lambda address: ascii(address)[:30],
)
def test_what_is_no_address_is_refused(address: str, fetcher: Fetcher) -> None:
    with pytest.raises(NotFetchedError) as refused:
        fetcher(address, kinds=PDFS)
    assert refused.value.code == "refused_address"
