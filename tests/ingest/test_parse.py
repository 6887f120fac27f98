"""What `upr ingest parse` is made of."""

from pathlib import Path

import orjson
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parse import ParsedFile, files_under, parse_files
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.sandbox import Sandbox


@pytest.fixture
def folder(tmp_path):
    for name in ("b.pdf", "a/z.pdf", "a/.hidden.pdf", ".git/x.pdf", "c/deep/y.docx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_folders_are_walked_in_order_without_hidden_files(folder):
    found = [path.relative_to(folder).as_posix() for path in files_under([folder])]
    assert found == ["b.pdf", "a/z.pdf", "c/deep/y.docx"]


def test_files_stay_in_the_order_given(folder):
    named = [folder / "c", folder / "b.pdf", folder / "a/.hidden.pdf"]
    assert list(files_under(named)) == [folder / "c/deep/y.docx", *named[1:]]


def test_missing_paths_and_empty_folders_are_handed_on(folder):
    assert list(files_under([folder / "nope", folder / "empty"])) == [folder / "nope", folder / "empty"]


def test_a_line_holds_the_whole_reading(samples):
    reading = read_document(Content("m", (samples / "costamar-matrix.docx").read_bytes()))
    line = orjson.loads(ParsedFile("some/m.docx", reading).as_ndjson())
    assert line["file"] == "some/m.docx"
    assert line["document"]["state_under_review"] == "XCM"
    assert line["recommendations"][0]["recommending_states"] == ["XAL"]
    assert line["labels"][0] == {
        "recommendation": "21.16", "part": None, "scheme": "ohchr-theme", "code": None,
        "label": "Children: definition; general principles; protection",
    }  # fmt: skip


def test_a_failure_is_a_line_of_its_own():
    parsed = ParsedFile("x.pdf", UnreadableDocumentError("empty_file", "the file is empty"))
    assert parsed.failed
    assert parsed.as_ndjson() == b'{"file":"x.pdf","error":{"code":"empty_file","detail":"the file is empty"}}\n'
    assert parsed.as_text() == "x.pdf\n  not read: the file is empty [empty_file]"


def test_a_summary_for_people(samples):
    reading = read_document(Content("r", (samples / "costamar-report.pdf").read_bytes()))
    assert ParsedFile("r.pdf", reading).as_text().splitlines() == [
        "r.pdf",
        "  A/HRC/99/901, working group report, XCM, session 48, cycle 4, 2025-03-24",
        "  42 recommendations: 25 supported, 12 pending, 5 noted",
        "  13 statements",
    ]


def test_one_bad_file_does_not_stop_the_others(samples, tmp_path):
    html = tmp_path / "page.pdf"
    html.write_bytes(b"<!doctype html>")
    with Sandbox(2) as sandbox:
        parsed = list(parse_files([html, samples / "tierralta-report.pdf", tmp_path / "absent.pdf"], sandbox))
    assert [outcome.failed for outcome in parsed] == [True, False, True]


def test_file_names_that_are_not_utf_8(tmp_path):
    odd = tmp_path / "r\udcff.pdf"
    odd.write_bytes(b"")
    with Sandbox(1) as sandbox:
        [parsed] = parse_files([odd], sandbox)
    assert orjson.loads(parsed.as_ndjson())["error"]["code"] == "empty_file"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("costamar-addendum.pdf", ["  17 positions: 13 supported, 4 noted", "  2 pledges, 10 paragraphs"]),
        ("costamar-summary.pdf", ["  8 organisations, 3 paragraphs"]),
        ("costamar-decision.pdf", []),
    ],
)
def test_a_summary_of_documents_without_recommendations(name, lines):
    path = Path(__file__).parent / "parsers" / "documents" / name
    summary = ParsedFile(name, read_document(Content(name, path.read_bytes()))).as_text().splitlines()
    assert [line for line in summary[2:] if "issues" not in line] == lines
