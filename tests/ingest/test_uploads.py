"""Documents that somebody sends: over real HTTP, read by the worker, and what is told of them."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, delete, text, update

from services.core.runtime.keys import Scope, create_key
from services.core.runtime.serve import served
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.quarantine import quarantine_table
from services.core.store.uploads import uploads_table
from services.ingest.app import create_app
from services.ingest.background import background_work
from services.ingest.runs import recent_runs
from services.ingest.sandbox import Sandbox, SandboxLimits
from services.ingest.settings import IngestSettings
from services.ingest.uploads import MOST_TRIES, UploadReader, Uploads, storable_name
from tests.ingest.test_quarantine import crash_on_demand
from tests.up.programs import wait_until

SAMPLE = Path(__file__).parents[2] / "samples" / "documents" / "costamar-report.pdf"
PDF = {"Content-Type": "application/pdf"}
MOST = 3_000_000


@dataclass
class Desk:
    """A service without its background work, and what does that step by step."""

    engine: Engine
    address: str
    key: dict[str, str]
    weak_key: dict[str, str]
    folder: Path
    uploads: Uploads
    reader: UploadReader

    def post(self, content: bytes, **headers: str) -> httpx.Response:
        sent = {**PDF, **self.key, **headers}
        return httpx.post(f"{self.address}/v1/ingest/documents?name=sent.pdf", content=content, headers=sent)

    def told(self, answer: httpx.Response) -> dict[str, object]:
        return dict(httpx.get(self.address + answer.headers["location"], headers=self.key).json())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, limits=SandboxLimits(deadline_seconds=30), read=crash_on_demand) as pool:
        yield pool


@pytest.fixture
def desk(database_url: str, tmp_path: Path, sandbox: Sandbox) -> Iterator[Desk]:
    settings = IngestSettings(database_url=database_url, data_dir=tmp_path, upload_most_bytes=MOST)
    engine = make_engine(database_url, pool_size=3)
    with engine.begin() as connection:
        scopes = (Scope.INGEST_WRITE, Scope.WEBHOOKS_WRITE)
        keys = [create_key(connection, name="test", scopes=[scope])[1] for scope in scopes]
    strong, weak = ({"Authorization": f"Bearer {key}"} for key in keys)
    uploads = Uploads(engine, tmp_path / "uploads")
    reader = UploadReader(uploads, engine, sandbox, Archive(tmp_path / "documents"), timedelta(days=180))
    with served(create_app(settings, database_url), settings=settings) as address:
        yield Desk(engine, address, strong, weak, tmp_path / "uploads", uploads, reader)
    engine.dispose()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_document_is_taken_read_and_told_of(desk: Desk) -> None:
    answer = desk.post(SAMPLE.read_bytes())
    assert (answer.status_code, answer.json()["status"], answer.json()["name"]) == (202, "waiting", "sent.pdf")
    assert answer.json()["sha256"] == hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    assert files_in(desk.folder) == ["sent.pdf"]
    assert desk.reader.step()
    told = desk.told(answer)
    assert (told["status"], told["code"], told["document"]) == ("loaded", None, "A-HRC-99-901")
    assert told["run"] == recent_runs(desk.engine)[0]["id"]
    assert files_in(desk.folder) == []
    assert not desk.reader.step()


def test_the_same_bytes_are_the_same_upload(desk: Desk) -> None:
    first = desk.post(SAMPLE.read_bytes())
    assert desk.post(SAMPLE.read_bytes()).json()["id"] == first.json()["id"]
    desk.reader.step()
    again = desk.post(SAMPLE.read_bytes())
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (202, first.json()["id"], "loaded")
    assert not desk.reader.step()
    with desk.engine.begin() as connection:
        connection.execute(update(uploads_table).values(readers={"older": "1"}))
    assert desk.post(SAMPLE.read_bytes()).json()["status"] == "waiting"
    desk.reader.step()
    assert desk.told(first)["status"] == "read"


def test_a_form_with_the_file(desk: Desk) -> None:
    form = {"file": ("../../étude\u202egnp.pdf", SAMPLE.read_bytes(), "application/pdf")}
    answer = httpx.post(f"{desk.address}/v1/ingest/documents", files=form, data={"note": "x"}, headers=desk.key)
    assert (answer.status_code, answer.json()["name"]) == (202, "étudegnp.pdf")
    assert answer.json()["bytes"] == SAMPLE.stat().st_size


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"%PDF-1.7 cut off", "refused", "truncated_pdf"),
        (b"crash %PDF-1.7", "quarantined", "parse_crashed"),
    ],
)
def test_what_cannot_be_read_says_why(desk: Desk, content: bytes, status: str, code: str) -> None:
    answer = desk.post(content)
    desk.reader.step()
    told = desk.told(answer)
    assert (told["status"], told["code"], told["document"]) == (status, code, None)
    assert desk.post(content).json()["status"] == status
    assert files_in(desk.folder) == []
    with desk.engine.begin() as connection:
        connection.execute(delete(quarantine_table))
    assert desk.post(content).json()["status"] == ("waiting" if status == "quarantined" else "refused")


REFUSED: dict[str, tuple[int, str, Callable[[Desk], httpx.Response]]] = {
    "no key": (401, "unauthorized", lambda desk: desk.post(b"%PDF-", Authorization="")),
    "wrong key": (401, "unauthorized", lambda desk: desk.post(b"%PDF-", Authorization="Bearer upr_no")),
    "no scope": (403, "forbidden", lambda desk: desk.post(b"%PDF-", **desk.weak_key)),
    "empty": (422, "empty_file", lambda desk: desk.post(b"")),
    "media type": (415, "unsupported_media_type", lambda desk: desk.post(b"%PDF-", **{"Content-Type": "image/png"})),
    "no media type": (415, "unsupported_media_type", lambda desk: desk.post(b"%PDF-", **{"Content-Type": ""})),
    "wrong bytes": (415, "unsupported_media_type", lambda desk: desk.post(b"<!doctype html><p>Not found")),
    "program": (415, "unsupported_media_type", lambda desk: desk.post(b"\x7fELF\x02\x01" + bytes(100))),
    "declared too large": (413, "body_too_large", lambda desk: desk.post(b"%PDF-" + bytes(MOST))),
    "form without file": (
        422, "invalid_body", lambda desk: httpx.post(f"{desk.address}/v1/ingest/documents", headers=desk.key,
                                                     data={"a": "b"}, files={"c": (None, b"x")}),
    ),
    "two files": (
        422, "invalid_body", lambda desk: httpx.post(
            f"{desk.address}/v1/ingest/documents", headers=desk.key,
            files=[("file", ("a.pdf", b"%PDF-")), ("file", ("b.pdf", b"%PDF-"))],
        ),
    ),
    "no boundary": (422, "invalid_body", lambda desk: desk.post(b"%PDF-", **{"Content-Type": "multipart/form-data"})),
    "cut off form": (
        422, "invalid_body", lambda desk: desk.post(
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1',
            **{"Content-Type": "multipart/form-data; boundary=x"},
        ),
    ),
    "unknown upload": (
        404, "not_found", lambda desk: httpx.get(f"{desk.address}/v1/ingest/documents/upl_0", headers=desk.key)
    ),
}  # fmt: skip


def test_what_is_not_taken(desk: Desk) -> None:
    for name, (status, code, send) in REFUSED.items():
        answer = send(desk)
        assert (name, answer.status_code, answer.json().get("code")) == (name, status, code)
    assert files_in(desk.folder) == []
    assert not desk.reader.step()


def test_a_body_without_a_length_is_cut_off_at_the_limit(desk: Desk) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"%PDF-" + bytes(100_000)

    sent = {**PDF, **desk.key}
    answer = httpx.post(f"{desk.address}/v1/ingest/documents", content=endless(), headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert files_in(desk.folder) == []


def test_who_hangs_up_leaves_nothing(desk: Desk) -> None:
    place = urlsplit(desk.address)
    head = "POST /v1/ingest/documents HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\nContent-Length: 1000\r\n"
    with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
        connection.sendall(f"{head}Authorization: {desk.key['Authorization']}\r\n\r\n%PDF-1.7 and".encode())
    wait_until(lambda: files_in(desk.folder) == [], 10)
    assert not desk.reader.step()


def test_two_workers_never_read_the_same_and_the_dead_lose_their_claim(desk: Desk) -> None:
    answer = desk.post(SAMPLE.read_bytes())
    dead = desk.uploads.claim()
    assert dead is not None
    assert desk.uploads.claim() is None
    with desk.engine.begin() as connection:
        connection.execute(update(uploads_table).values(leased_until=text("now() - interval '1 second'")))
    alive = desk.uploads.claim()
    assert alive is not None
    assert not desk.uploads.settle(dead, {"status": "refused"})
    assert desk.uploads.settle(alive, {"status": "read"})
    assert desk.told(answer)["status"] == "read"


def test_what_kills_its_worker_each_time_is_given_up(desk: Desk) -> None:
    answer = desk.post(SAMPLE.read_bytes())
    with desk.engine.begin() as connection:
        connection.execute(update(uploads_table).values(tries=MOST_TRIES))
    assert desk.reader.step()
    assert desk.told(answer)["status"] == "quarantined"


def test_the_background_reads_what_is_sent(desk: Desk, database_url: str, tmp_path: Path) -> None:
    answer = desk.post(SAMPLE.read_bytes())
    with background_work(IngestSettings(database_url=database_url, data_dir=tmp_path), database_url):
        wait_until(lambda: desk.told(answer)["status"] == "loaded", 60)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("A_HRC_22_15_E.pdf", "A_HRC_22_15_E.pdf"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.doc", "x.doc"),
        ("..", "document"),
        ("a\0b\r\n\u202ec.pdf", "abc.pdf"),
        ("\ud800", "document"),
        ("é" * 300 + ".docx", "é" * 97 + ".docx"),
    ],
)
def test_names_are_no_paths(name: str, stored: str) -> None:
    assert storable_name(name) == stored
