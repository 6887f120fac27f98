"""Caching, compression, links and rate limits, as the API's readers meet them."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.keys import Scope
from services.core.runtime.serve import served
from tests.api.conftest import MakeKey
from tests.api.site import Site, open_site
from tests.records import fill

READ = ("/v1/recommendations?limit=20", "/v1/states/PER", "/v1/changes?after=0")


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection)
    with open_site(database_url) as site:
        yield site


def test_what_is_held_is_not_sent_again(site: Site) -> None:
    for address in READ:
        first = site.get(address)
        assert first.headers["cache-control"] == "public, no-cache"
        assert first.headers["etag"].startswith('"')
        again = site.client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["access-control-allow-origin"] == "*"
        assert site.client.head(address).headers["etag"] == first.headers["etag"]
        assert site.client.get(address, headers={"If-None-Match": '"another"'}).status_code == 200


def test_another_language_is_another_answer(site: Site) -> None:
    tags = {
        site.get(address).headers["etag"] for address in ("/v1/states/PER", "/v1/states/PER?lang=es", "/v1/states/ESP")
    }
    assert len(tags) == 3


def test_a_list_that_is_held_costs_no_count(site: Site) -> None:
    tag = site.get(READ[0]).headers["etag"]
    with site.counted() as statements:
        site.client.get(READ[0], headers={"If-None-Match": tag})
    assert len(statements) == 1


def test_by_date(site: Site) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    for address in READ:
        first = site.get(address)
        if "last-modified" not in first.headers:  # written within this very second
            continue
        modified = parsedate_to_datetime(first.headers["last-modified"])
        for moment, status in ((modified, 304), (later, 304), (modified - timedelta(seconds=1), 200)):
            headers = {"If-Modified-Since": format_datetime(moment, usegmt=True)}
            assert site.client.get(address, headers=headers).status_code == status


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_compressed(site: Site, coding: str) -> None:
    plain = site.client.get(READ[0], headers={"Accept-Encoding": "identity"})
    packed = site.client.get(READ[0], headers={"Accept-Encoding": coding})
    assert packed.headers["content-encoding"] == coding
    assert int(packed.headers["content-length"]) < len(plain.content) / 4
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + f'-{coding}"'
    assert "accept-encoding" in packed.headers["vary"].lower()
    headers = {"Accept-Encoding": coding, "If-None-Match": packed.headers["etag"]}
    again = site.client.get(READ[0], headers=headers)
    assert (again.status_code, again.headers["etag"]) == (304, packed.headers["etag"])
    if coding == "gzip":
        with site.client.stream("GET", READ[0], headers={"Accept-Encoding": "gzip"}) as answer:
            assert json.loads(gzip.decompress(b"".join(answer.iter_raw()))) == plain.json()


def test_faults_are_kept_by_nobody(site: Site) -> None:
    for address in ("/v1/states/XXX", "/v1/nothing", "/v1/states?cycle=x", "/healthz"):
        assert site.get(address).headers["cache-control"] == "no-store"
    answer = site.client.get("/v1/states/PER", headers={"Authorization": "Bearer upr_none"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache")


def test_links(site: Site) -> None:
    first = site.get("/v1/recommendations?limit=20")
    assert first.links["next"]["url"] == first.json()["page"]["next"]
    assert "next" not in site.get("/v1/recommendations?limit=200&id=PER-9").links
    assert site.get("/v1/states/PER").links["canonical"]["url"] == site.json("/v1/states/PER")["url"]
    assert "link" not in site.get("/v1/changes").headers


def test_a_caller_who_asks_too_often(engine: Engine, database_url: str, make_key: MakeKey) -> None:
    settings = ApiSettings(database_url=database_url, rate_limit=5, rate_limit_with_key=50)
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address) as client:
        answers = [client.get("/v1/states/PER") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"requests";q=5;w=60'
        assert answers[0].headers["ratelimit"] == '"requests";r=4;t=12'
        refused = answers[5]
        assert refused.json()["code"] == "rate_limited"
        assert 0 < int(refused.headers["retry-after"]) <= 12
        assert refused.headers["access-control-allow-origin"] == "*"
        assert client.get("/healthz").status_code == 200
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        assert client.get("/v1/states/PER", headers=elsewhere).status_code == 200

        _, text = make_key(Scope.WEBHOOKS_WRITE)
        bearer = {"Authorization": f"Bearer {text}", "X-Forwarded-For": "192.0.2.8"}
        told = [client.get("/v1/states/PER", headers=bearer).headers["ratelimit-policy"] for _ in range(2)]
        assert told == ['"requests";q=5;w=60', '"requests";q=50;w=60']
