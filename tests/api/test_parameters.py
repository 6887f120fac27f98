"""Bad input, of any kind and to every parameter: a problem that names the fault, never a fault of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.api.matching import Criterion
from services.api.parameters import feed_parameters, list_parameters, read_feed_query, read_list_query
from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.query.filters import Vocabulary
from services.core.store.tables import AGGREGATES
from tests.api.site import Site, open_site, problem
from tests.records import fill

NASTY = [
    "",
    " ",
    "\x00",
    "a\x00b",
    str(2**31),
    str(2**63),
    str(-(2**63)),
    "9" * 1000,
    "1e309",
    "NaN",
    "٢",
    "²",
    "%",
    "%00",
    "'; DROP TABLE recommendations --",
    "{}",
    "[1]",
    "null",
    "true",
    "😀",
    "\u202e",
    "\n\r\n",
    "PER\n",
    "../../etc/passwd",
    "0001-01-01",
    "9999-12-31",
    "0000-00-00",
    "2012-W01-1",
    "20120101",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2012-01-01T00:00:00+00:00:00.000001",
    "2012-01-01T00:00:00Z",
    "2012-01-01 00:00:00+01:00",
]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=60), st.integers().map(str), st.dates().map(str))
FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LISTS = {f"/v1/{noun}": [each["name"] for each in list_parameters(noun)] for noun in AGGREGATES} | {
    "/v1/changes": [each["name"] for each in feed_parameters()]
}


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=41, each=5)
    with open_site(database_url) as site:
        yield site


def refused_or_served(site: Site, address: str, *, named: str | None = None) -> None:
    """Sent as it is, without the client's own ideas of what an address may hold."""
    answer = site.client.send(site.client.build_request("GET", httpx.URL(address)))
    if answer.status_code in (200, 300, 307, 308):
        return
    assert 400 <= answer.status_code < 500, (address, answer.text)
    told = problem(answer, answer.status_code, answer.json()["code"])
    if named is not None and told["code"] in ("invalid_parameter", "unknown_parameter"):
        assert named in told["detail"], (address, told)


def test_every_parameter_with_every_nasty_value(site: Site) -> None:
    """Filters are read alike for all nouns: each is tried on the list that has most of them, and on the feed."""
    for path in ("/v1/recommendations", "/v1/statements", "/v1/documents", "/v1/changes"):
        for name in LISTS[path]:
            for value in NASTY:
                refused_or_served(site, f"{path}?{urlencode({name: value})}", named=f"`{name}`")


@FUZZ
@given(path=st.sampled_from(sorted(LISTS)), place=st.integers(0, 99), values=st.lists(TEXT, min_size=1, max_size=3))
def test_any_text_in_any_parameter(site: Site, path: str, place: int, values: list[str]) -> None:
    name = LISTS[path][place % len(LISTS[path])]
    query = urlencode([(name, value.encode("utf-8", "surrogatepass")) for value in values])
    refused_or_served(site, f"{path}?{query}")


@FUZZ
@given(path=st.sampled_from(sorted(LISTS)), query=st.binary(max_size=60))
def test_any_bytes_as_a_query(site: Site, path: str, query: bytes) -> None:
    refused_or_served(site, f"{path}?{quote(query, safe='%&=+;')}")


@FUZZ
@given(noun=st.sampled_from(sorted(AGGREGATES)), prefix=st.sampled_from(("/v1", "")), record_id=TEXT)
def test_any_text_as_an_id(site: Site, noun: str, prefix: str, record_id: str) -> None:
    refused_or_served(site, f"{prefix}/{noun}/{quote(record_id.encode('utf-8', 'surrogatepass'), safe='%')}")


@FUZZ
@given(name=st.text(min_size=1, max_size=30))
def test_any_name_of_a_parameter(site: Site, name: str) -> None:
    if name not in LISTS["/v1/recommendations"]:
        answer = site.client.get("/v1/recommendations", params={name.encode("utf-8", "replace").decode(): "1"})
        assert 400 <= answer.status_code < 500
        assert answer.json()["code"] in ("unknown_parameter", "malformed_request")


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("/v1/recommendations?limit=0", "invalid_parameter", "`limit`"),
        ("/v1/recommendations?limit=201", "invalid_parameter", "from 1 to 200"),
        ("/v1/recommendations?limit=9223372036854775808", "invalid_parameter", "`limit`"),
        ("/v1/recommendations?limit=5&limit=6", "invalid_parameter", "`limit` is given 2 times"),
        ("/v1/recommendations?lang=de", "invalid_parameter", "one of en, es, fr, pt"),
        ("/v1/recommendations?sort=size", "invalid_parameter", "`sort`"),
        ("/v1/recommendations?cursor=x", "invalid_cursor", "start again without it"),
        ("/v1/recommendations?cursor=", "invalid_cursor", "start again without it"),
        ("/v1/recommendations?cycle=9223372036854775808", "invalid_parameter", "`cycle`"),
        ("/v1/recommendations?state_under_review=XXX", "invalid_parameter", "`state_under_review`"),
        ("/v1/recommendations?state_under_reveiw=PER", "unknown_parameter", "did you mean 'state_under_review'"),
        ("/v1/recommendations?date_from=2012-01-01&date_from=2012-01-02", "invalid_parameter", "`date_from`"),
        ("/v1/recommendations?id=a%00b", "malformed_request", "NUL"),
        ("/v1/recommendations?id=%ff", "malformed_request", "UTF-8"),
        ("/v1/recommendations/a%00b", "malformed_request", "NUL"),
        ("/v1/recommendations/%ff", "malformed_request", "UTF-8"),
        ("/v1/states/PER?lang=de", "invalid_parameter", "`lang`"),
        ("/v1/states/PER?limit=1", "unknown_parameter", "limit"),
        ("/v1/recommendations?updated_since=2012-01-01", "invalid_parameter", "`updated_since`"),
        ("/v1/changes?after=9223372036854775808", "invalid_parameter", "`after`"),
    ],
)
def test_the_fault_is_named(site: Site, address: str, code: str, said: str) -> None:
    answer = site.client.get(address)
    assert said in problem(answer, 400, code)["detail"]


def test_what_is_too_much_is_refused(site: Site) -> None:
    many = "&".join(f"id=a{n}" for n in range(201))
    assert "`id`" in problem(site.client.get(f"/v1/recommendations?{many}"), 400, "invalid_parameter")["detail"]
    problem(site.client.get(f"/v1/recommendations?{'id=a&' * 3000}"), 414, "uri_too_long")
    problem(site.client.get(f"/v1/recommendations/{'a' * 9000}"), 414, "uri_too_long")
    problem(site.client.get(f"/v1/recommendations/{'a' * 5000}"), 404, "not_found")
    problem(site.client.get("/v1/states", headers={"X-Long": "a" * 17_000}), 431, "headers_too_large")


@contextmanager
def named(name: str) -> Iterator[None]:
    with pytest.raises((InvalidParameterError, UnknownParameterError), match=name):
        yield


def test_reading_without_a_server() -> None:
    words = Vocabulary(states=frozenset({"PER"}))
    query = read_list_query("recommendations", [("state_under_review", "per"), ("limit", "7")], words)
    assert (query.limit, query.sort, query.cursor, query.language) == (7, None, None, "en")
    assert query.filters.values == {"state_under_review": ("PER",)}
    asked = [("after", "12"), ("event_type", "state.created"), ("kind", "dialogue"), ("q", " torture ")]
    feed = read_feed_query([*asked, ("saved_search", "ss_1")], words, lambda _: Criterion("hearings"))
    assert (feed.after, feed.limit, feed.wait) == (12, 50, 0)
    assert feed.interest.event_types == {"state.created"}
    assert [(each.noun, each.query.text, dict(each.filters.values)) for each in feed.interest.criteria] == [
        (None, "torture", {"kind": ("dialogue",)}),
        ("hearings", "", {}),
    ]
    for name, value in (("updated_since", "2012-01-01T00:00:00Z"), ("wait", "61"), ("cause", "x"), ("type", "states")):
        with named(name):
            read_feed_query([(name, value)], words, pytest.fail)
    with named("sort"):
        read_list_query("labels", [("sort", "date")], words)


def test_parameters_are_described_as_json() -> None:
    for described in (list_parameters("recommendations"), feed_parameters()):
        names = [each["name"] for each in described]
        assert len(names) == len(set(names))
        assert json.loads(json.dumps(described)) == described
        for each in described:
            assert_described(each)


def assert_described(parameter: dict[str, Any]) -> None:
    assert parameter["in"] == "query"
    assert len(parameter["description"]) > 10
    assert "$ref" in parameter["schema"] or parameter["schema"]["type"] in ("string", "integer", "array")
