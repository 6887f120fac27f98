"""Fetching from servers that behave: what is asked, what is kept, and what is not asked again."""

import hashlib

import pytest
from sqlalchemy import Engine

from services.core.store.archive import Archive
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.outcomes import NotFetchedError
from tests.ingest.fetching.conftest import MakeFetcher, rows
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
