"""Bytes are what they are, whatever they are called."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.fetching.kinds import is_whole, kind_of
from tests.ingest.fetching.behaviours import zip_of
from tests.ingest.fetching.samples import LOGIN, PAGE, PDF

WORD = zip_of("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("pdf", PDF),
        ("pdf", b"\n\n" + PDF),
        ("docx", WORD),
        ("docx", zip_of("[Content_Types].xml", "word/document2.xml")),
        ("xlsx", zip_of("[Content_Types].xml", "xl/workbook.xml")),
        ("zip", zip_of("[Content_Types].xml", "ppt/presentation.xml")),
        ("zip", zip_of("a.exe")),
        ("zip", WORD[:-30]),
        ("zip", zip_of()),
        ("zip", zip_of("[Content_Types].xml", "word/document.xml", *map(str, range(10_000)))),
        ("doc_ole2", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
        ("rtf", b"{\\rtf1 Hello}"),
        ("html", PAGE),
        ("html", LOGIN),
        ("html", b"\xef\xbb\xbf  <!-- old --><html></html>"),
        ("html", b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x"><html></html>'),
        ("html", PAGE + PDF),
        ("xml", b'<?xml version="1.0"?><rss><channel/></rss>'),
        ("xml", b"<feed><entry/></feed>"),
        ("json", b' \n{"a": 1}'),
        ("json", b"\xef\xbb\xbf[]"),
        ("csv", b"To,From,Text\rPeru,Spain,x\rChile,France,y\r"),
        ("csv", b'To;From;Text\r\nPeru;Spain;"a; b"\r\n'),
        ("csv", b"a\tb\n1\t2\n"),
        ("text", b"User-agent: *\nDisallow: /\n"),
        ("text", b"Too many requests, please come back later."),
        ("text", "España, Perú\nvarias palabras".encode("latin-1")),
        ("unknown", b"MZ\x90\0\x03\0"),
        ("text", b""),
    ],
)
def test_kinds(kind: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    assert kind_of(file) == kind


def test_a_list_of_members_that_lies_is_not_read(tmp_path: Path) -> None:
    """The last record says how long the list is; what it says beyond our bounds is not followed."""
    lying = bytearray(WORD)
    end = lying.rfind(b"PK\x05\x06")
    lying[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    (tmp_path / "file").write_bytes(lying)
    assert kind_of(tmp_path / "file") == "zip"
    elsewhere = bytearray(WORD)
    elsewhere[end:end] = b"PK\x06\x07" + bytes(16)
    (tmp_path / "file").write_bytes(elsewhere)
    assert kind_of(tmp_path / "file") == "zip"


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"<", b"{", b"PK\x05\x06"]))
def test_any_bytes_are_something(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(start + data)
    kind = kind_of(file)
    assert kind.isidentifier()
    assert is_whole(file, kind) in {True, False}


def test_whole_files_end_as_their_kind_does(tmp_path: Path) -> None:
    file = tmp_path / "file"
    commented = io.BytesIO(WORD)
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = b"x" * 60_000
    for kind, data, whole in [
        ("pdf", PDF, True),
        ("pdf", PDF + bytes(3_000), True),
        ("pdf", PDF[:40], False),
        ("docx", WORD, True),
        ("docx", commented.getvalue(), True),
        ("zip", WORD[:-30], False),
        ("html", b"<html>", True),
    ]:
        file.write_bytes(data)
        assert is_whole(file, kind) is whole
