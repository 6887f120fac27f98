"""docs/api.md: its examples run as they stand on the samples, and its tables say what the code does."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UprError
from services.core.query.filters import FILTERS
from services.core.runtime.keys import Scope
from services.core.store.tables import AGGREGATES
from services.ingest.load import Loader
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from tests.api.conftest import MakeKey
from tests.api.site import PUBLIC, Site, open_site

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
CURLS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("curl ")
]
LOCAL = "http://127.0.0.1:8000"


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    """The service on the samples that the examples ask for."""
    for name in ("costamar-report.pdf", "costamar-matrix.docx"):
        path = ROOT / "samples/documents" / name
        content = path.read_bytes()
        reading = read_document(Content(name, content))
        Loader(engine, timedelta(days=36_500)).load(path, hashlib.sha256(content).hexdigest(), reading)
    with open_site(database_url) as site:
        yield site


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_example_runs_and_finds_something(site: Site, tmp_path: Path) -> None:
    assert len(CURLS) > 10
    for line in CURLS:
        told = _run(site, line, tmp_path)
        assert "internal_error" not in told, line
        if _is_an_export(line, told, tmp_path):
            continue
        if "PERU" in line or "-I" in line or "/problems/" in line:
            continue
        answer = json.loads(told.rpartition("\n")[2])
        assert answer.get("data", [answer]), line
        assert "code" not in answer or "scheme" in answer, (line, answer)


def _is_an_export(line: str, told: str, folder: Path) -> bool:
    """Whether the example asks for a file; then it holds rows."""
    if written := re.search(r" -o (\S+)", line):
        assert (folder / written[1]).read_bytes().startswith((b"PK", b"%PDF")), line
    elif ".csv" in line:
        assert len(list(csv.DictReader(io.StringIO(told, newline="")))) > 0, line
    elif "x-ndjson" in line:
        assert all("id" in json.loads(row) for row in told.splitlines()), line
        assert told, line
    elif "format=text" in line:
        assert "OpenUPR" in told, line
    elif "x-bibtex" in line:
        assert told.startswith("@"), line
    elif ".atom" in line:
        assert ElementTree.fromstring(told).find("{http://www.w3.org/2005/Atom}entry") is not None, line
    elif "calendar.ics" in line:
        assert "BEGIN:VEVENT" in told, line
    elif ".json-feed" in line:
        assert json.loads(told)["items"], line
    else:
        return False
    return True


def _run(site: Site, line: str, folder: Path) -> str:
    assert LOCAL in line
    command = line.replace(LOCAL, str(site.client.base_url).rstrip("/"))
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True, cwd=folder)
    return done.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_loop_over_pages_shows_every_row(site: Site) -> None:
    (script,) = re.findall(r"```js\n(.*?)```", PAGE, flags=re.DOTALL)
    here = str(site.client.base_url).rstrip("/")
    # What stands behind another address leads to the same service.
    fetched = f"const real = fetch; globalThis.fetch = (url) => real(url.replace({PUBLIC!r}, {here!r}));\n"
    command = ["node", "--input-type=module", "-e", fetched + script.replace(LOCAL, here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = site.rows("/v1/recommendations", state_under_review="XCM")
    assert len(rows) > 20  # more than a page
    assert done.stdout.splitlines() == [f"{row['id']} {row['position']}" for row in rows]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_keys_are_made_listed_and_revoked_as_shown(site: Site, make_key: MakeKey) -> None:
    """The id of the key to revoke is the one just made."""
    (script,) = (block for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) if "/v1/keys" in block)
    made, listed, revoked = (f"curl {each}" for each in script.split("curl ")[1:])
    environment = {**os.environ, "ADMIN_KEY": make_key(Scope.ADMIN)[1]}

    def told(command: str) -> str:
        command = command.replace(LOCAL, str(site.client.base_url).rstrip("/"))
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    key = json.loads(told(made))
    assert key["key"].startswith("upr_")
    shown = re.findall(r"key_\w+", revoked)
    assert told(revoked.replace(shown[0], key["id"])) == ""
    assert {each["status"] for each in json.loads(told(listed))["data"] if each["id"] == key["id"]} == {"revoked"}


def test_every_member_that_the_page_names_is_there(site: Site) -> None:
    """`one.two` in the running text leads to something in an answer."""
    answers = {
        **site.json("/v1/recommendations"),
        **site.json("/v1/reviews/XCM-4", include="follow_up")["follow_up"],
        **site.json("/v1/changes", limit=1)["data"][0],
    }
    named = [(one, two) for one, two in re.findall(r"`(\w+)\.(\w+)`", PAGE) if one in answers]
    assert len(named) > 5
    for one, two in named:
        assert two in answers[one], f"{one}.{two}"


def test_the_shown_problem_is_the_one_that_comes(site: Site) -> None:
    shown = _json_blocks()[1]
    told = site.client.get("/v1/recommendations?state_under_review=PERU").json()
    for each in (shown, told):
        each.pop("instance")
        each["type"] = each["type"].rpartition("/")[2]
    assert shown == told


def test_the_shown_list_has_the_members_of_a_list(site: Site) -> None:
    shown, told = _json_blocks()[0], site.json("/v1/recommendations")
    assert shown.keys() == told.keys()
    assert shown["dataset"].keys() == told["dataset"].keys()
    assert shown["page"].keys() == told["page"].keys()


def _json_blocks() -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)]


def test_the_table_of_filters_is_whole() -> None:
    """Write a line as `FILTERS` has it where this fails."""
    expected = [
        f"| `{known.name}` | {known.values}{' (once)' if known.single else ''} | {', '.join(known.nouns)} |"
        for known in FILTERS.values()
    ]
    start = PAGE.index("| Filter |")
    assert PAGE[start : PAGE.index("\n\n", start)].splitlines()[2:] == expected


def test_the_table_of_errors_is_right() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", PAGE, flags=re.MULTILINE)
    kinds = {kind.code: kind for kind in _kinds(UprError) if hasattr(kind, "code")}
    assert len(rows) > 10
    assert [(code, str(kinds[code].status)) for code, _ in rows] == rows


def _kinds(base: type[UprError]) -> Iterator[type[UprError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_every_noun_region_and_order_is_named(site: Site) -> None:
    for noun in AGGREGATES:
        assert f"`{noun}`" in PAGE
    with site.engine.connect() as connection:
        regions = connection.exec_driver_sql("SELECT id FROM place_groups WHERE kind = 'region'").scalars()
        for region in regions:
            assert f"`{region}`" in PAGE
