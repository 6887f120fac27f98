"""Files of folders, through the same fetcher."""

import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.runtime.guard import AddressRules
from services.core.store.archive import Archive
from services.ingest.fetching.exchange import Exchange
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.fetching.pace import Pace
from tests.ingest.fetching.conftest import AUTHORITIES
from tests.ingest.fetching.samples import PAGE, PDF

PDFS = frozenset({"pdf"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


@pytest.fixture
def fetcher(engine: Engine, archive: Archive, folder: Path) -> Fetcher:
    exchange = Exchange(AddressRules(), "tests", ssl_context=AUTHORITIES)
    return Fetcher(engine, archive, exchange, Pace(engine, 1.0, 1), folders=[folder.as_uri()])


def _refusal(fetcher: Fetcher, address: str) -> str:
    with pytest.raises(NotFetchedError) as refused:
        fetcher(address, kinds=PDFS, most_bytes=1_000)
    return refused.value.code


def test_a_file_is_read_once_as_long_as_it_is_the_same(fetcher: Fetcher, folder: Path) -> None:
    file = folder / "año 1.pdf"
    file.write_bytes(PDF)
    first = fetcher(file.as_uri(), kinds=PDFS)
    assert (first.kind, first.unchanged, first.status, first.path.read_bytes()) == ("pdf", False, 200, PDF)
    again = fetcher(file.as_uri(), kinds=PDFS)
    assert (again.unchanged, again.status, again.sha256) == (True, 304, first.sha256)
    file.touch()
    touched = fetcher(file.as_uri(), kinds=PDFS)
    assert (touched.unchanged, touched.status) == (True, 200)
    file.write_bytes(PDF.replace(b"sample", b"change"))
    assert not fetcher(file.as_uri(), kinds=PDFS).unchanged


def test_what_is_no_file_of_the_folder(fetcher: Fetcher, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.pdf"
    outside.write_bytes(PDF)
    (folder / "link.pdf").symlink_to(outside)
    (folder / "folder.pdf").mkdir()
    os.mkfifo(folder / "pipe.pdf")
    (folder / "page.pdf").write_bytes(PAGE)
    (folder / "empty.pdf").touch()
    (folder / "cut.pdf").write_bytes(PDF[:30])
    (folder / "large.pdf").write_bytes(PDF * 100)
    within = folder.as_uri()
    assert {
        name: _refusal(fetcher, address)
        for name, address in {
            "outside": outside.as_uri(),
            "around": f"{within}/../outside.pdf",
            "around, written otherwise": f"{within}/%2e%2e/outside.pdf",
            "link": f"{within}/link.pdf",
            "another place": "s3://bucket/a.pdf",
            "folder": f"{within}/folder.pdf",
            "pipe": f"{within}/pipe.pdf",
            "page": f"{within}/page.pdf",
            "empty": f"{within}/empty.pdf",
            "cut": f"{within}/cut.pdf",
            "large": f"{within}/large.pdf",
            "none": f"{within}/none.pdf",
        }.items()
    } == {
        "outside": "refused_address",
        "around": "refused_address",
        "around, written otherwise": "refused_address",
        "link": "refused_address",
        "another place": "refused_address",
        "folder": "not_readable",
        "pipe": "not_readable",
        "page": "wrong_type",
        "empty": "empty_answer",
        "cut": "incomplete",
        "large": "too_large",
        "none": "missing",
    }


def test_a_place_without_its_driver(engine: Engine, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    exchange = Exchange(AddressRules(), "tests", ssl_context=AUTHORITIES)
    fetcher = Fetcher(engine, archive, exchange, Pace(engine, 1.0, 1), folders=["s3://bucket/upr"])
    assert _refusal(fetcher, "s3://bucket/upr/a.pdf") == "no_driver"
    assert _refusal(fetcher, "s3://bucket/upr-other/a.pdf") == "refused_address"
