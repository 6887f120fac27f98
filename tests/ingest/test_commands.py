"""`upr ingest …` as a user calls it."""

import io
import zipfile

import orjson
import pytest
from typer.testing import CliRunner

from services.ingest.commands import app


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_parse_as_ndjson(samples):
    ended = run("parse", samples / "costamar-matrix.docx", samples / "tierralta-report.pdf", "--format", "ndjson")
    lines = [orjson.loads(line) for line in ended.stdout_bytes.splitlines()]
    assert [line["parser"] for line in lines] == ["ohchr_matrix", "working_group_report"]
    assert ended.exit_code == 0


def test_parse_as_text(samples):
    ended = run("parse", samples / "tierralta-report.pdf")
    assert "18 recommendations: 15 supported, 3 noted" in ended.stdout
    assert ended.stdout.endswith("1 read, 0 not read\n")
    assert ended.exit_code == 0


def bomb() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("[Content_Types].xml", "<Types/>")
        target.writestr("word/document.xml", b"\0" * (32 * 2**20))
    return written.getvalue()


def test_bad_files_get_a_line_each_and_the_others_still_come(samples, tmp_path):
    report = (samples / "tierralta-report.pdf").read_bytes()
    bad = {
        "a-empty.pdf": (b"", "empty_file"),
        "b-bomb.docx": (bomb(), "zip_bomb"),
        "c-page.pdf": (b"<html></html>", "html_instead_of_document"),
        "d-text.docx": (b"plain text", "not_a_document"),
        "e-cut.pdf": (report[: len(report) // 2], None),
    }
    for name, (data, _) in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "f-good.pdf").write_bytes(report)
    ended = run("parse", tmp_path, tmp_path / "absent.pdf", "--format", "ndjson", "--workers", "2")
    lines = [orjson.loads(line) for line in ended.stdout_bytes.splitlines()]
    codes = [line.get("error", {}).get("code") for line in lines]
    assert codes[:4] == [code for _, code in list(bad.values())[:4]]
    assert codes[4] is not None
    assert codes[5:] == [None, "file_not_found"]
    assert all(line["error"].keys() == {"code", "detail"} for line in lines if "error" in line)
    assert ended.exit_code == 1


@pytest.mark.parametrize(
    "arguments", [["parse"], ["parse", "x.pdf", "--format", "xml"], ["parse", "x", "--workers", "0"]]
)
def test_wrong_use(arguments):
    assert run(*arguments).exit_code == 2
