import datetime
import os
from pathlib import Path

import fsspec
import pytest

from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.sources.base import Found
from services.ingest.sources.folder.adapter import Folder
from tests.ingest.sources.visits import Visiting, visiting

LATER = 4_000_000_000.0


def put(folder: Path, name: str, changed: float = 1_700_000_000) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"%PDF-1.4 sample")
    os.utime(path, (changed, changed))


def found(visited: Visiting) -> list[Found]:
    return list(Folder(lambda: LATER).find(visited.visit))


def watching(tmp_path: Path, address: str | None = None, since: datetime.date | None = None) -> Visiting:
    (tmp_path / "incoming").mkdir(exist_ok=True)
    return visiting(tmp_path, {"folder": address or f"file://{tmp_path}/incoming"}, since=since)


def test_files_are_found_in_order_whatever_their_names(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    for name in ("b.pdf", "Informe del año 2012.pdf", "deep/er/100% #1?.docx", "a.json"):
        put(incoming, name)
    files = found(watching(tmp_path))
    assert [file.name for file in files] == ["Informe del año 2012.pdf", "a.json", "b.pdf", "deep/er/100% #1?.docx"]
    assert files[0].address == f"file://{incoming}/Informe%20del%20a%C3%B1o%202012.pdf"
    assert files[3].address.endswith("/deep/er/100%25%20%231%3F.docx")
    assert not files[0].may_be_missing
    assert "pdf" in files[0].kinds
    assert "html" not in files[0].kinds


def test_an_address_with_escapes_is_the_folder_it_names(tmp_path: Path) -> None:
    put(tmp_path / "año nuevo", "a.pdf")
    (file,) = found(watching(tmp_path, f"file://{tmp_path}/a%C3%B1o%20nuevo"))
    assert file.address == f"file://{tmp_path}/a%C3%B1o%20nuevo/a.pdf"


def test_what_is_on_its_way_or_hidden_or_a_link_is_left(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    for name in ("whole.pdf", "half.pdf.part", "half.PDF.crdownload", ".hidden.pdf", ".git/config.json"):
        put(incoming, name)
    put(incoming, "young.pdf", LATER - 5)
    put(tmp_path / "elsewhere", "secret.pdf")
    (incoming / "link.pdf").symlink_to(tmp_path / "elsewhere" / "secret.pdf")
    (incoming / "folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(incoming / "pipe.pdf")
    assert [file.name for file in found(watching(tmp_path))] == ["whole.pdf"]


def test_since_leaves_out_older_files(tmp_path: Path) -> None:
    put(tmp_path / "incoming", "old.pdf", 1_600_000_000)
    put(tmp_path / "incoming", "new.pdf", 1_700_000_000)
    files = found(watching(tmp_path, since=datetime.date(2023, 11, 14)))
    assert [file.name for file in files] == ["new.pdf"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFetchedError, match="UPR_SOURCE_SITES") as raised:
        found(watching(tmp_path, f"file://{tmp_path}/nowhere"))
    assert raised.value.code == "folder_not_found"


def test_a_file_system_without_a_driver_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFetchedError) as raised:
        found(watching(tmp_path, "nosuchscheme://bucket/prefix"))
    assert raised.value.code == "no_driver"


def test_a_folder_within_that_cannot_be_read_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "incoming", "shut/a.pdf")
    put(tmp_path / "incoming", "open/b.pdf")
    local = type(fsspec.filesystem("file"))
    listed = local.ls

    def ls(self: object, path: str, **options: object) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return listed(self, path, **options)

    monkeypatch.setattr(local, "ls", ls)
    visited = watching(tmp_path)
    assert [file.name for file in found(visited)] == ["open/b.pdf"]
    assert visited.codes == ["folder_not_readable"]


def test_a_prefix_of_an_object_store_is_listed_like_a_folder(tmp_path: Path) -> None:
    """With fsspec's store in memory, which has the interface of S3's."""
    store = fsspec.filesystem("memory")
    store.pipe({"/bucket/prefix/a b.pdf": b"%PDF-1.4", "/bucket/prefix/c/d.pdf": b"%PDF-1.4", "/bucket/other.pdf": b""})
    try:
        visited = watching(tmp_path, "memory://bucket/prefix")
        assert [file.name for file in found(visited)] == ["a b.pdf", "c/d.pdf"]
    finally:
        store.rm("/bucket", recursive=True)


def test_names_that_cannot_be_told_are_noted(tmp_path: Path) -> None:
    put(tmp_path / "incoming", "a\x1b[2Jb\n.pdf")
    (tmp_path / "incoming" / os.fsdecode(b"caf\xe9.pdf")).write_bytes(b"%PDF-1.4")
    deep = tmp_path / "incoming" / "/".join(["d" * 200] * 10)
    put(deep, "far.pdf")
    visited = watching(tmp_path)
    assert [file.name for file in found(visited)] == ["a [2Jb .pdf"]
    assert visited.codes == ["unusable_name", "unusable_name"]
    assert all(issue.detail.isascii() for issue in visited.issues)
