"""A backup that was damaged on the way is refused, wherever the damage is, and never with somebody else's error."""

import hashlib
import json
import random
import zipfile
from pathlib import Path

import pytest

from services.core.runtime.backup.contents import DUMP, FORMAT, MANIFEST, BackupUnusableError, Manifest, opened_backup
from tests.effort import examples

DUMPED = b"rows of a dump " * 400


def written(path: Path, packing: int) -> bytes:
    told = dict.fromkeys(Manifest.__dataclass_fields__)
    told |= {"format": FORMAT, "openupr": "0.1.0", "dump_sha256": hashlib.sha256(DUMPED).hexdigest(), "documents": 0}
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr(DUMP, DUMPED)
        archive.writestr(MANIFEST, json.dumps(told))
    return path.read_bytes()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_told_however_it_is_packed(tmp_path: Path, packing: int) -> None:
    path = tmp_path / "backup.zip"
    whole, chance = written(path, packing), random.Random(packing)
    with opened_backup(path) as file:
        file.check()
    refused = 0
    for _ in range(examples(300)):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            with opened_backup(path) as file:
                file.check()
        except BackupUnusableError as refusal:
            refused += str(path) in refusal.detail
    assert refused > 50


def test_a_backup_without_its_dump_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    written(path, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read(MANIFEST)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest)
    with opened_backup(path) as file, pytest.raises(BackupUnusableError):
        file.check()
