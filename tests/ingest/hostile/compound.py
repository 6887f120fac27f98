"""Compound files (Word 97-2003) whose chains of sectors and directories lead nowhere ([MS-CFB])."""

import struct

from tests.ingest.hostile.expected import expects

_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
SECTOR = 512


def _header(*, fats: int = 1, directory: int = 1, more_fats: int = 0, first_more: int = _END) -> bytes:
    """[MS-CFB] 2.2, version 3; the table of sectors in sector 0."""
    head = _MAGIC + bytes(16) + struct.pack("<HHHHH6xII", 0x3E, 3, 0xFFFE, 9, 6, 0, fats)
    head += struct.pack("<IIIIIII", directory, 0, 4096, _END, 0, first_more, more_fats)
    return head + struct.pack("<109I", 0, *(_FREE,) * 108)


def _table(*next_sectors: int) -> bytes:
    return struct.pack("<128I", *next_sectors, *(_FREE,) * (128 - len(next_sectors)))


def _entry(name: str, kind: int, *, left: int = _FREE, right: int = _FREE, child: int = _FREE, size: int = 0) -> bytes:
    """[MS-CFB] 2.6.1."""
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, left, right, child)
    return head + bytes(36) + struct.pack("<IQ", 2, size)


def _file(table: bytes, *sectors: bytes, **header: int) -> bytes:
    return _header(**header) + table + b"".join(each.ljust(SECTOR, b"\0") for each in sectors)


@expects("damaged_doc")
def compound_header_alone() -> bytes:
    return _MAGIC + bytes(600)


@expects("unsupported_format")
def directory_that_follows_itself() -> bytes:
    return _file(_table(_FAT, 1), _entry("Root Entry", 5))


@expects("damaged_doc")
def streams_that_are_each_other_s_children() -> bytes:
    entries = _entry("Root Entry", 5, child=1) + _entry("WordDocument", 2, left=1, right=1, size=4096)
    return _file(_table(_FAT, _END, 2), entries, bytes(SECTOR))


@expects("damaged_doc")
def stream_that_follows_itself() -> bytes:
    entries = _entry("Root Entry", 5, child=1) + _entry("WordDocument", 2, size=0x7FFFFFFF)
    return _file(_table(_FAT, _END, 2), entries, b"\xec\xa5")


@expects("damaged_doc")
def two_billion_tables() -> bytes:
    return _file(_table(_FAT, _END), _entry("Root Entry", 5), fats=0x7FFFFFFF, more_fats=0x7FFFFFFF, first_more=1)
