"""The proxy's routes are those of the services; tried with Debian's caddy where it is installed."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.runtime.serve import served
from services.core.runtime.settings import CoreSettings
from services.ingest.app import create_app as create_ingest
from services.ingest.settings import IngestSettings
from services.search.app import create_app as create_search
from services.search.pages.search_page import HOME as SEARCH_PAGE
from services.search.settings import SearchSettings
from tests.deploy.files import DEPLOY
from tests.postgres_fixtures import FreshDatabases

CADDYFILE = DEPLOY / "Caddyfile"
CADDY = shutil.which("caddy")
needs_caddy = pytest.mark.skipif(CADDY is None, reason="caddy is not installed (Debian: apt-get install caddy)")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases) -> Iterator[dict[str, FastAPI]]:
    """The three services on one database, as one host is to show them."""
    folder = tmp_path_factory.mktemp("deploy")
    with fresh_databases() as url:
        common = {"data_dir": folder, "trusted_proxies": "127.0.0.1"}
        settings = (
            ApiSettings(**common, rate_limit=1000),
            SearchSettings(**common),
            IngestSettings(**common),
        )
        yield {
            "api": create_api(settings[0], url),
            "search": create_search(settings[1], url),
            "ingest": create_ingest(settings[2], url),
        }


@pytest.fixture(scope="module")
def upstreams(apps: dict[str, FastAPI]) -> Iterator[dict[str, str]]:
    """What the Caddyfile is told of where the services listen."""
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(served(app, settings=CoreSettings())) for name, app in apps.items()}
        yield {f"UPR_PROXY_{name.upper()}": url.removeprefix("http://") for name, url in addresses.items()}


@pytest.fixture(scope="module")
def site(upstreams: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The services behind a real Caddy."""
    with proxied(tmp_path_factory.mktemp("caddy"), upstreams) as client:
        yield client


@contextmanager
def proxied(home: Path, upstreams: dict[str, str]) -> Iterator[httpx.Client]:
    assert CADDY is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"HOME": str(home), "UPR_SITE": f"http://127.0.0.1:{port}", "UPR_PROXY_PATIENCE": "1s"}
    command = [CADDY, "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    with (home / "log").open("wb") as log:
        caddy = subprocess.Popen(command, env=environment | upstreams, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait(client, home / "log")
            yield client
    finally:
        caddy.terminate()
        caddy.wait(30)


def _wait(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", client.base_url.port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)


PAGES = {"search": (SEARCH_PAGE, f"{SEARCH_PAGE}/assets/")}
"""What is for people, which no OpenAPI document tells of."""


def routed(path: str) -> str:
    """The service that the Caddyfile gives a path to."""
    text = CADDYFILE.read_text()
    for name in ("search", "ingest"):
        (patterns,) = re.findall(rf"^\t@{name} path (.+)$", text, re.MULTILINE)
        for pattern in patterns.split():
            if path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1])):
                return name
    return "api"


def test_every_documented_path_goes_to_the_service_that_documents_it(apps: dict[str, FastAPI]) -> None:
    seen = 0
    for name, app in apps.items():
        for path in app.openapi()["paths"]:
            assert routed(path) == name, path
            seen += 1
    assert seen > 100


def test_no_path_is_documented_by_two_services(apps: dict[str, FastAPI]) -> None:
    paths = [path for app in apps.values() for path in app.openapi()["paths"]]
    assert len(paths) == len(set(paths))


def test_no_route_of_the_proxy_leads_nowhere(apps: dict[str, FastAPI]) -> None:
    text = CADDYFILE.read_text()
    for name in ("search", "ingest"):
        (patterns,) = re.findall(rf"^\t@{name} path (.+)$", text, re.MULTILINE)
        for pattern in patterns.split():
            beginning = pattern.removesuffix("*")
            served = [*apps[name].openapi()["paths"], *PAGES.get(name, ())]
            assert any(path.startswith(beginning) for path in served), pattern


@needs_caddy
@pytest.mark.parametrize("site_address", ["data.example.org", "http://127.0.0.1:8080", "http://:8080"])
def test_caddy_takes_the_file(site_address: str, tmp_path: Path) -> None:
    assert CADDY is not None
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    environment = {"HOME": str(tmp_path), "UPR_SITE": site_address}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run([CADDY, "fmt", str(CADDYFILE)], check=False, capture_output=True, text=True)
    assert formatted.stdout == CADDYFILE.read_text()


@needs_caddy
@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/search?q=torture", "search"),
        ("/v1/suggest?q=tort", "search"),
        ("/v1/facets/topic", "search"),
        ("/v1/similar/PER-2-116.17", "search"),
        ("/search?q=torture", "search"),
        ("/v1/ingest/runs", "ingest"),
        ("/", "api"),
        ("/recommendations/PER-2-116.17", "api"),
        ("/v1/recommendations", "api"),
        ("/v1/changes", "api"),
        ("/v1/searches", "api"),
        ("/v1/facets", "api"),
    ],
)
def test_each_kind_of_path_reaches_its_service(
    site: httpx.Client, apps: dict[str, FastAPI], path: str, service: str
) -> None:
    before = {name: answered(app) for name, app in apps.items()}
    site.get(path)
    deadline = time.monotonic() + 10
    while answered(apps[service]) == before[service]:  # counted when the answer is sent
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert {name for name, app in apps.items() if answered(app) > before[name]} == {service}


def answered(app: FastAPI) -> float:
    """How many requests a service has answered."""
    families = app.metrics_registry.collect()
    return sum(each.value for family in families for each in family.samples if each.name == "upr_http_requests_total")


@needs_caddy
def test_the_documentation_of_each_service_can_be_read(site: httpx.Client) -> None:
    for below, title in (("", "API"), ("/search", "search"), ("/ingest", "ingest")):
        document = site.get(f"{below}/openapi.json").json()
        assert title.lower() in document["info"]["title"].lower()
        page = site.get(f"{below}/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        for asset in re.findall(r'(?:src|href)="(docs/assets/[^"]+)"', page.text):
            assert site.get(f"{below}/{asset}").status_code == 200, asset


OF_RECORDS = ("/states/PER", "/topics/torture-prevention", "/dossier/PER/torture-prevention", "/search?q=torture")
"""Pages whose address has something in it that changes."""


def pages_without_parameters(app: FastAPI) -> Iterator[str]:
    """Addresses that stand in no OpenAPI document: pages, and what is for operators."""
    for included in app.routes:
        for route in getattr(getattr(included, "original_router", None), "routes", ()):
            if not route.include_in_schema and "{" not in route.path and "GET" in route.methods:
                yield route.path


@needs_caddy
def test_every_page_is_shown_with_its_assets(site: httpx.Client, apps: dict[str, FastAPI]) -> None:
    internal = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
    paths = {path for name in ("api", "search") for path in pages_without_parameters(apps[name])} - internal
    assert {"/", "/search"} <= paths
    assets: set[str] = set()
    for path in [*sorted(paths), *OF_RECORDS]:
        shown = site.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        assert (shown.status_code, shown.headers["content-type"].partition(";")[0]) == (200, "text/html"), path
        found = set(re.findall(r'(?:src|href)="(/[^"]*assets/[^"]+)"', shown.text))
        assert found, path
        assets |= found
        assert len(shown.headers.get_list("content-security-policy")) == 1
        assert "script-src 'self'" in shown.headers["content-security-policy"], path
        assert "unsafe" not in shown.headers["content-security-policy"], path
    for asset in sorted(assets):
        answer = site.get(asset)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), asset
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], asset


@needs_caddy
def test_it_serves_over_tls_and_browsers_are_to_remember_that(upstreams: dict[str, str], tmp_path: Path) -> None:
    """With a certificate of Caddy's own authority, as it makes them for names that no other authority knows."""
    assert CADDY is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(tmp_path))
    environment = upstreams | folders | {"UPR_SITE": f"https://localhost:{port}"}
    command = [CADDY, "adapt", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    config = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    # Not into the trust store of this machine, and not on port 80.
    config["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    for server in config["apps"]["http"]["servers"].values():
        server["automatic_https"] = {"disable_redirects": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with (tmp_path / "log").open("wb") as log:
        command = [CADDY, "run", "--config", str(tmp_path / "config.json")]
        caddy = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        root = tmp_path / "caddy/pki/authorities/local/root.crt"
        answer = _answer_over_tls(f"https://localhost:{port}/v1/states?limit=1", root, tmp_path / "log")
    finally:
        caddy.terminate()
        caddy.wait(30)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def _answer_over_tls(url: str, root: Path, log: Path) -> httpx.Response:
    deadline = time.monotonic() + 30
    while True:
        try:
            with httpx.Client(verify=ssl.create_default_context(cafile=root)) as client:
                return client.get(url)
        except (FileNotFoundError, httpx.ConnectError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


@needs_caddy
def test_health_and_figures_are_not_shown_outside(site: httpx.Client) -> None:
    for path in ("/metrics", "/readyz", "/search/metrics", "/search/readyz", "/ingest/metrics"):
        answer = site.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert answer.json()["code"] == "not_found"
    assert site.get("/healthz").status_code == 200


@needs_caddy
def test_every_answer_has_the_headers_of_a_careful_host(site: httpx.Client) -> None:
    for path in ("/v1/states", "/v1/search", "/docs", "/metrics", "/nowhere"):
        headers = site.get(path).headers
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert headers.get_list("x-content-type-options") == ["nosniff"]
        assert len(headers.get_list("content-security-policy")) == 1
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["access-control-allow-origin"] == "*" or path == "/docs"
        assert "server" not in headers


@needs_caddy
def test_callers_are_told_apart_and_cannot_pass_for_others(site: httpx.Client) -> None:
    remaining = []
    for number in range(10):
        answer = site.get("/v1/states?limit=1", headers={"X-Forwarded-For": f"198.51.100.{number}"})
        remaining.append(re.search(r"r=(\d+)", answer.headers.get("ratelimit", "r=0"))[1])
    assert min(map(int, remaining)) < 997  # one caller, whose allowance shrinks, and not ten with 999 each


@needs_caddy
def test_a_service_that_is_away_is_told_as_a_problem(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
        upstreams = {f"UPR_PROXY_{name}": nowhere for name in ("API", "SEARCH", "INGEST")}
        with proxied(tmp_path, upstreams) as client:
            answer = client.get("/v1/states", timeout=20)
    assert answer.status_code == 502
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["code"] == "unavailable"
