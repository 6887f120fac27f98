"""Files come in whole or not at all."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from services.core.store.archive import Archive


def test_what_comes_in_is_kept_under_its_hash(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with archive.receiving() as incoming:
        for part in (b"a", b"b" * 100_000):
            incoming.write(part)
        sha256 = hashlib.sha256(b"a" + b"b" * 100_000).hexdigest()
        assert (incoming.sha256, incoming.size) == (sha256, 100_001)
        assert not archive.path(sha256).exists()
        assert incoming.keep() == archive.path(sha256)
    assert archive.path(sha256).stat().st_size == 100_001
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [sha256]


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    places = []
    for _ in range(2):
        with archive.receiving() as incoming:
            incoming.write(b"a")
            places.append((incoming.keep(), incoming.keep().stat().st_ino))
    assert places[0] == places[1]


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def receive() -> None:
        with Archive(tmp_path).receiving() as incoming:
            incoming.write(b"a")
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        receive()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_killed_processes_left_is_removed_after_a_day(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.forget_unfinished()
    with archive.receiving() as incoming:
        old = incoming.path.with_name("old")
        old.write_bytes(b"x")
        os.utime(old, (time.time() - 90_000,) * 2)
        archive.forget_unfinished()
        assert not old.exists()
        assert incoming.path.exists()
