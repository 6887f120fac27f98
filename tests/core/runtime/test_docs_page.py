"""`/docs`: what it loads, and from where."""

import re
from collections.abc import Iterator

import httpx
import pytest

from services.core.runtime.serve import served
from services.core.runtime.settings import CoreSettings
from services.core.runtime.web import create_service


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    settings = CoreSettings(public_url="https://upr.example.org/data")
    service = create_service(name="<test>", version="1.2", settings=settings, readiness=dict)
    with served(service, settings=settings) as address, httpx.Client(base_url=address) as client:
        yield client


def test_everything_comes_from_here(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>OpenUPR &lt;test&gt;</title>" in page.text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 6
    for address in addresses:
        assert not address.startswith(("/", "http"))  # else a proxy could not put the service under a path
        answer = client.get(f"/{address}")
        assert answer.status_code == 200, address
        if address != "openapi.json":
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert "/1.2-" in address


def test_it_allows_nothing_else(client: httpx.Client) -> None:
    policy = client.get("/docs").headers["content-security-policy"]
    told = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert told["default-src"] == told["frame-ancestors"] == "'none'"
    assert told["script-src"] == told["style-src"] == "'self'"
    assert told["connect-src"] == "'self' https://upr.example.org"
    assert "unsafe" not in policy
    assert "<style" not in client.get("/docs").text
    assert not re.search(r"<script(?! src=)", client.get("/docs").text)


@pytest.mark.parametrize("path", ["1.2-0/start.js", "x/../../page.html", "1.2/page.html", "1.2/__init__.py"])
def test_there_are_no_other_files(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/docs/assets/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
