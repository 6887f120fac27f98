"""Parsers of pages and tables that tell facts: what they read, and what they refuse."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading, reading_from
from tests.ingest.parsers.pages import oas, status

GOLDEN = Path(__file__).parent / "golden"
PAGES = {
    "iachr-3774.html": oas.FOLLOW_UP,
    "iachr-3774-en.html": oas.FOLLOW_UP_EN,
    "iachr-3775.html": oas.PRISONS,
    "iachr-3776-fr.html": oas.FORESTS_FR,
    "iachr-3777-pt.html": oas.RIVERS_PT,
    "iachr-264A.html": oas.ANNEX,
    "iachr-264A-en.html": oas.ANNEX_EN,
    "untc-opcat.html": status.treaty_page(),
    "npm-list.html": status.npm_page(),
    "nhri-status.csv": status.NHRI,
    "nmirf-status.csv": status.NMIRF_STATUS,
    "nmirf-set-up.csv": status.NMIRF_SET_UP,
    "dashboard-opcat.xls": status.workbook(status.DASHBOARD),
    "organisations.toml": (
        b"# OpenUPR: facts about organisations\n[source.a]\ntitle = 'A sample'\n[[organisation]]\nid = 'coalition'\n"
        b"names = [{ name = 'Old Coalition', until = '2024-10', source = 'a' }, { name = 'Coalition', source = 'a' }]\n"
        b"roles = [{ role = 'coalition', since = '2021-11', source = 'a' }]\n"
        b"memberships = [{ organisation = 'nowhere', source = 'a' }]\n"
    ),
}


def read(data: bytes, name: str = "file") -> Reading:
    return read_document(Content(name, data))


def issues(reading: Reading) -> list[str]:
    return [issue.code for issue in reading.issues]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_read_as_in_their_golden_files(matches_golden: Any, name: str) -> None:
    line = orjson.dumps(read(PAGES[name]).as_line(name), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    matches_golden(GOLDEN / f"{name}.json", line)


@pytest.mark.parametrize("name", PAGES)
def test_a_reading_survives_json(name: str) -> None:
    reading = read(PAGES[name])
    assert reading_from(orjson.loads(orjson.dumps(reading))) == reading


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (oas.shell(), "html_instead_of_document"),
        (b"<html><body><h1>404 Not Found</h1></body></html>", "html_instead_of_document"),
        (b"<!DOCTYPE html><title>Just a moment...</title><body>Checking your browser", "html_instead_of_document"),
        (status.treaty_page(title="Convention on Tea"), "unknown_treaty"),
        (status.treaty_page(rows=()), "no_facts"),
        (status.npm_page(rows=()), "no_facts"),
        (status.npm_page().replace("País".encode(), b"Land"), "html_instead_of_document"),
        (status.NHRI.replace(b"iso3", b"land"), "not_a_document"),
        (b"iso3,country,2015,2020\n", "no_facts"),
        (status.workbook(status.DASHBOARD[2:]), "unsupported_format"),
        (status.workbook([["Treaty of Tea"], *status.DASHBOARD[1:]]), "unknown_treaty"),
        (b"# OpenUPR: facts about organisations\n[[organisation]]\nid = 'x'", "damaged_table"),
    ],
)
def test_what_is_not_what_it_should_be_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocumentError) as refusal:
        read(data)
    assert refusal.value.code == code


def test_a_page_is_read_whatever_it_declares_of_its_encoding() -> None:
    text = oas.FOLLOW_UP.decode("cp1252")
    for declared, data in {
        "utf-8": text.encode(),
        "iso-8859-1": text.encode("cp1252"),
        "utf-8 ": text.encode("cp1252"),
        "no-such-thing": text.encode("cp1252"),
    }.items():
        marked = data.replace(
            b"<head>", f'<head><meta http-equiv=Content-Type content="text/html; charset={declared}">'.encode()
        )
        hearing = read(marked).hearings[0]
        assert hearing.title == "Mecanismos nacionales de implementación y seguimiento"
        assert hearing.summary is not None
        assert "“seguimiento”" in hearing.summary


def test_unknown_states_are_issues_and_never_guessed() -> None:
    reading = read(status.treaty_page())
    assert {fact.state for fact in reading.facts} == {"XCM", "XTL", "XBM", "XKV"}
    assert issues(reading).count("unknown_state") == 1
    assert issues(reading).count("unknown_date") == 2


def test_a_page_that_counts_otherwise_than_its_table_is_an_issue() -> None:
    assert "parties_differ" in issues(read(status.treaty_page()))
    assert "parties_differ" not in issues(read(status.treaty_page(parties=3)))


def test_real_tables_are_read_whole(real_documents: Path) -> None:
    folder = real_documents / "institutions"
    readings = {path.name: read(path.read_bytes()) for path in folder.iterdir()}
    nhri = readings["nhri_status_latam_2000-2025.csv"]
    assert len(nhri.facts) == 22 * 14
    assert not nhri.issues
    assert {f.value for f in nhri.facts if (f.state, f.year) == ("URY", 2015)} == {"none"}
    (paraguay,) = (f for f in readings["NMIRF_status.csv"].facts if f.state == "PRY")
    assert paraguay.value == "nmirf"
    assert paraguay.details["Total X Points"] == "14"
    assert [len(readings[name].facts) for name in ("NMIRF_status.csv", "NMIRF_Y.csv")] == [83, 83]
    dashboard = readings["UnderlyingData_ICESCR_OHCHR_02_07_2026.xls"]
    assert sum(f.value == "party" for f in dashboard.facts) == 174 - 1  # the European Union and islands aside
    assert set(issues(dashboard)) == {"unknown_state"}
