"""What is the Meilisearch engine's own: filters, settings, and a server that fails."""

import re
import socket
import uuid
from dataclasses import replace
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer

from services.core.domain.errors import UnavailableError
from services.core.query.parser import parse_query
from services.search.engines.base import IndexDocument, IndexRefusedError, SearchRequest
from services.search.engines.meilisearch import MeilisearchEngine, _differences, _quoted, _searchable
from tests.search.engines.corpus import LAYOUT

ANYTHING = re.compile(".*")
REQUEST = SearchRequest(parse_query("torture"))
DOCUMENT = IndexDocument("recommendations", "PER-2-116.17", {}, {"text": "x"})


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("PER", '"PER"'), ('a"b', '"a\\"b"'), ("a\\", '"a\\\\"'), ("a' OR b", '"a\' OR b"'), ('\\"', '"\\\\\\""')],
)
def test_every_value_is_quoted(value: str, quoted: str) -> None:
    assert _quoted(value) == quoted


def test_symbols_travel_as_one_word() -> None:
    symbols = ["a/hrc/22/15", "a/hrc/22/1/5", "116.17", "11617", "a-hrc-22-15"]
    assert all(_searchable(symbol).isalnum() for symbol in symbols)
    assert len(set(map(_searchable, symbols))) == len(symbols)


def test_only_differing_settings_are_sent() -> None:
    held = {"a": [1], "typo": {"enabled": True, "more": 1}, "sortableAttributes": ["x", "y"], "other": 5}
    assert _differences(held, {"a": [1], "typo": {"enabled": True}, "sortableAttributes": ["y", "x"]}) == {}
    assert _differences(held, {"a": [2], "typo": {"enabled": False}}) == {"a": [2], "typo": {"enabled": False}}


def _answering(server: HTTPServer, status: int, code: str, message: str = "no") -> MeilisearchEngine:
    body = {"message": message, "code": code, "type": "system", "link": ""}
    headers = {"Retry-After": "10"} if status == 503 else {}
    server.expect_request(ANYTHING).respond_with_json(body, status=status, headers=headers)
    return MeilisearchEngine(server.url_for("").rstrip("/"), "key", LAYOUT, "1", timeout=1)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (503, "too_many_search_requests"),
        (500, "internal"),
        (502, ""),
        (403, "invalid_api_key"),
        (401, "missing_authorization_header"),
    ],
)
def test_a_server_that_refuses_is_unavailable(httpserver: HTTPServer, status: int, code: str) -> None:
    engine = _answering(httpserver, status, code)
    for attempt in (
        lambda: engine.search(REQUEST),
        engine.cursor,
        lambda: engine.apply([DOCUMENT], [], 1),
        engine.counts,
    ):
        with pytest.raises(UnavailableError) as raised:
            attempt()
        assert status < 500 or raised.value.extensions["retry_after"] == 10
    assert not engine.health().ok


def test_a_fault_of_ours_is_no_outage(httpserver: HTTPServer) -> None:
    engine = _answering(httpserver, 400, "invalid_search_filter")
    with pytest.raises(IndexRefusedError, match="invalid_search_filter"):
        engine.search(REQUEST)


def test_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        engine = MeilisearchEngine(f"http://127.0.0.1:{unused.getsockname()[1]}", None, LAYOUT, "1")
        with pytest.raises(UnavailableError, match="cannot be reached"):
            engine.search(REQUEST)
        assert engine.health().detail == "Meilisearch cannot be reached"


def test_a_server_that_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        engine = MeilisearchEngine(f"http://127.0.0.1:{silent.getsockname()[1]}", None, LAYOUT, "1", timeout=1)
        with pytest.raises(UnavailableError, match="in time"):
            engine.search(REQUEST)


def test_a_server_that_is_something_else(httpserver: HTTPServer) -> None:
    httpserver.expect_request(ANYTHING).respond_with_data("<html>", content_type="text/html")
    engine = MeilisearchEngine(httpserver.url_for("").rstrip("/"), None, LAYOUT, "1")
    with pytest.raises(UnavailableError):
        engine.search(REQUEST)


@pytest.mark.parametrize("body", ['{"code": "not_found", "detail": "/indexes"}', "<html>Bad gateway</html>", ""])
def test_errors_that_are_not_in_the_words_of_meilisearch(httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request(ANYTHING).respond_with_data(body, status=404)
    engine = MeilisearchEngine(httpserver.url_for("").rstrip("/"), None, LAYOUT, "1")
    with pytest.raises(UnavailableError, match=r"something else answers \(HTTP 404\)"):
        engine.search(REQUEST)


def test_settings_are_sent_once(meilisearch_server: tuple[str, str | None]) -> None:
    """On a real server: a second process finds the settings as it wants them, and sends none."""
    url, key = meilisearch_server
    first = MeilisearchEngine(url, key, LAYOUT, "settings", index="testsettings")
    first.rebuild(iter([DOCUMENT]), 1)
    server = first._server
    held = server._client.index(first._live).get_settings()
    assert _differences(held, first._settings) == {}
    server.remove(first._live)


@pytest.mark.parametrize("text", ["torture prevention ", "tortures ", "torture preven", "tortrue prevetnion "])
def test_what_words_were_read_as_costs_no_request(
    meilisearch_server: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """One is for the hits, and one for each word that may be misspelt or unfinished."""
    engine = MeilisearchEngine(*meilisearch_server, LAYOUT, "readings", index=f"test{uuid.uuid4().hex[:8]}")
    engine.rebuild(iter([replace(DOCUMENT, texts={"text": "Prevention of torture"})]), 1)
    asked: list[object] = []
    send = requests.Session.send

    def watched(*given: Any, **options: Any) -> requests.Response:
        asked.append(given)
        return send(*given, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    assert engine.search(SearchRequest(parse_query(text))).total == 1
    assert len(asked) == 1 + len(parse_query(text).words)
    engine._server.remove(engine._live)
