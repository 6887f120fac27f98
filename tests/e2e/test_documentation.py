"""README.md and docs/search.md: each request runs as it stands there, and what is shown is what comes."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.runtime.settings import CoreSettings
from services.core.runtime.web import Service
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.app import create_app as create_ingest
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox
from services.ingest.settings import IngestSettings
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.e2e.test_schemathesis import running
from tests.postgres_fixtures import FreshDatabases
from tests.up.programs import ROOT

PAGES = ("README.md", "docs/search.md")
API, SEARCH = "http://127.0.0.1:8000", "http://127.0.0.1:8001"
WITHOUT_REAL_DOCUMENTS = re.compile(r"XCM|/v1/changes|facets=position$")
"""Requests that find something in the samples alone. Others ask for real States."""


@pytest.fixture(scope="module")
def addresses(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of the pages and those of an API and a search service on the samples."""
    folder = tmp_path_factory.mktemp("data")
    with fresh_databases() as url, ExitStack() as stack:
        engine = make_engine(url, pool_size=1)
        files = sorted((ROOT / "samples/documents").iterdir())
        with Sandbox(1) as sandbox:
            archive = Archive(folder / "documents")
            for _ in run_files(engine, files, sandbox, archive, source="samples", backfill_after=timedelta(days=180)):
                pass
        engine.dispose()
        yield {
            each: stack.enter_context(running(name, url, folder)) for each, name in ((API, "api"), (SEARCH, "search"))
        }


def requests_of(page: str) -> list[str]:
    """The commands of a page that read something."""
    page_text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page_text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for language, block in blocks if language in {"", "sh", "bash"} for line in block.splitlines()]
    return [line for line in lines if line.startswith("curl ") and not line.endswith("\\")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_every_request_is_answered(page: str, addresses: dict[str, str]) -> None:
    assert len(requests_of(page)) > 5
    for line in requests_of(page):
        answer = asked(line, addresses)
        assert "code" not in answer, (line, answer)
        if WITHOUT_REAL_DOCUMENTS.search(shlex.split(line)[-1]):
            assert answer.get("hits", answer.get("data", [answer])), line


def asked(line: str, addresses: dict[str, str]) -> Any:
    for shown, real in addresses.items():
        line = line.replace(shown, real)
    done = subprocess.run(["bash", "-c", f"{line} -s"], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout)


def test_the_shown_answers_of_search_have_the_members_of_answers(addresses: dict[str, str]) -> None:
    page = (ROOT / "docs/search.md").read_text(encoding="utf-8")
    shown = [json.loads(each if each.startswith("{") else f"{{{each}}}") for each in blocks_of(page)]
    assert shown
    found = asked(f"curl '{SEARCH}/v1/search?q=national+mechanism&type=recommendations&facets=region'", addresses)
    fields = asked(f"curl '{SEARCH}/v1/search?q=from:Spain+cycle:3..+date:2012..'", addresses)["interpreted"]
    others = (asked(f"curl '{SEARCH}{other}'", addresses) for other in ("/v1/facets/region", "/v1/suggest?q=tort"))
    # The samples repeat nothing: what is like a record is shown by the examples of the OpenAPI document.
    examples = asked(f"curl '{SEARCH}/openapi.json'", addresses)["components"]["examples"]
    told = [found, fields, *others, *(example["value"] for example in examples.values())]
    for each in shown:
        assert any(members(each) <= members(answer) for answer in told), each


def blocks_of(page: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)


def members(value: Any, path: str = "") -> set[str]:
    """The paths of all members, those of a list's entries as of one."""
    if isinstance(value, list):
        return set().union(*(members(each, f"{path}[]") for each in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    return {f"{path}.{name}" for name in value}.union(
        *(members(each, f"{path}.{name}") for name, each in value.items())
    )


@pytest.mark.parametrize(
    ("create", "settings"),
    [(create_api, ApiSettings()), (create_search, SearchSettings()), (create_ingest, IngestSettings())],
    ids=["api", "search", "ingest"],
)
def test_parameters_are_refused_that_the_document_lacks(create: Callable[..., Service], settings: CoreSettings) -> None:
    service = create(settings, "postgresql://nobody@127.0.0.1/none")
    told = {
        (method.upper(), path): {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
        for path, operations in service.openapi()["paths"].items()
        for method, operation in operations.items()
    }
    assert service.documented_parameters == told
