"""The original bytes of documents, over HTTP."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.serve import served
from services.core.store.archive import FOLDER, Archive
from services.core.store.documents import DOCUMENTS, DocumentRecord, FileEntry
from tests.api.site import PUBLIC, Site, problem

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def document(document_id: str = "A-HRC-22-15", **others: object) -> DocumentRecord:
    file = FileEntry(
        sha256=SHA256,
        name="Perú 2012.pdf",
        media_type="application/pdf",
        language="en",
        bytes=len(CONTENT),
        pages=1,
        current=True,
        parser="working_group_report",
        parser_version="1",
    )
    made = DocumentRecord(id=document_id, symbol="A/HRC/22/15", kind="working_group_report", files=[file])
    return replace(made, **others)  # type: ignore[arg-type]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / FOLDER)


@pytest.fixture
def site(database_url: str, engine: Engine, tmp_path: Path, archive: Archive) -> Iterator[Site]:
    original = tmp_path / "report.pdf"
    original.write_bytes(CONTENT)
    archive.keep(original, SHA256)
    with engine.begin() as connection:
        DOCUMENTS.insert(connection, [document(), document("uhri-PER-2", symbol=None, kind="uhri")])
    settings = ApiSettings(database_url=database_url, public_url=PUBLIC, data_dir=tmp_path)
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address) as client:
        yield Site(client, app.state.desk.engine, app)


def test_the_shape_leads_to_the_bytes(site: Site) -> None:
    shape = site.json("/v1/documents/A-HRC-22-15")
    assert shape["original"] == "https://docs.un.org/en/A/HRC/22/15"
    answer = site.get(shape["files"][0]["url"])
    assert answer.status_code == 307
    answer = site.get(answer.headers["location"].removeprefix("/data"))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["etag"] == f'"{SHA256}"'
    assert answer.headers["content-disposition"] == "inline; filename*=utf-8''Per%C3%BA%202012.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_what_the_reader_holds_is_not_sent_again(site: Site) -> None:
    address = f"/v1/documents/A-HRC-22-15/files/{SHA256}"
    answer = site.client.get(address, headers={"If-None-Match": f'"{SHA256}"'})
    assert (answer.status_code, answer.content) == (304, b"")
    head = site.client.head(address)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))


def test_one_range_can_be_asked_for(site: Site) -> None:
    address = f"/v1/documents/A-HRC-22-15/files/{SHA256}"
    for asked, sent in (
        ("bytes=0-8", CONTENT[:9]),
        ("bytes=100-", CONTENT[100:]),
        ("bytes=-7", CONTENT[-7:]),
        (f"bytes=5-{10**17}", CONTENT[5:]),
        ("bytes=-999999", CONTENT),
    ):
        answer = site.client.get(address, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, sent), asked
        assert answer.headers["content-range"].endswith(f"/{len(CONTENT)}")
    for asked in ("bytes=9-1", "bytes=", "bytes=x", "lines=1-2", "bytes=0-1,5-6", "bytes=-", "9" * 400):
        answer = site.client.get(address, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, CONTENT), asked
    for asked in (f"bytes={len(CONTENT)}-", "bytes=-0"):
        told = problem(site.client.get(address, headers={"Range": asked}), 416, "range_not_satisfiable")
        assert told["size"] == len(CONTENT)


def test_what_is_not_at_hand_is_told_clearly(site: Site, archive: Archive) -> None:
    problem(site.get(f"/v1/documents/A-HRC-1-1/files/{SHA256}"), 404, "not_found")
    told = problem(site.get(f"/v1/documents/A-HRC-22-15/files/{'0' * 64}"), 404, "not_found")
    assert "no file" in told["detail"]
    told = problem(site.get(f"/v1/documents/uhri-PER-2/files/{SHA256}"), 404, "not_found")
    assert "data set" in told["detail"]
    archive.path(SHA256).unlink()
    told = problem(site.get(f"/v1/documents/A-HRC-22-15/files/{SHA256}"), 404, "not_found")
    assert told["original"] == "https://docs.un.org/en/A/HRC/22/15"


def test_no_path_leads_out_of_the_archive(site: Site) -> None:
    for name in ("..%2F..%2Fetc%2Fpasswd", "%2e%2e", SHA256.upper(), SHA256[:-1]):
        answer = site.get(f"/v1/documents/A-HRC-22-15/files/{name}")
        assert answer.status_code in (400, 404), name
        assert answer.headers["content-type"] == "application/problem+json"
