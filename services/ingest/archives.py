"""What is wrong with ZIP archives: documents and data sets come as such.

An archive is judged by its list of members, and by what stands before each of them, before anything is inflated.
"""

import io
import struct
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from services.core.domain.errors import UnreadableDocumentError


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may declare. Bytes are counted unpacked; `ratio` is how many times its size a member may have
    then, where it has at least `ratio_counts_from`.
    """

    members: int = 2_000
    member_bytes: int = 32 * 2**20
    total_bytes: int = 160 * 2**20
    ratio: int = 150
    ratio_counts_from: int = 4 * 2**20


_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # ECMA-376 part 2, annex B.4 allows no others
_ENCRYPTED, _SIZES_FOLLOW, _UTF_8 = 0x1, 0x8, 0x800  # APPNOTE.TXT 4.4.4
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # APPNOTE.TXT 4.3.7
_IN_EXTRA_FIELD = 0xFFFFFFFF  # 4.5.3: sizes of ZIP64
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES = 22 + 2**16
"""The record that ends an archive, with the longest comment (APPNOTE.TXT 4.3.16)."""

_MOST_OF_A_DIRECTORY = 2**20


def refuse_traps(stream: BinaryIO, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    """The members of an archive that is none of a trap by its list, and declares no more than `limits`.

    Raises `UnreadableDocumentError`: `zip_bomb`; `encrypted_docx`; `unsafe_archive` where names are paths or come
    twice, members overlap, or what stands before one contradicts the list. And what zipfile raises on damage.
    """
    refuse_long_directory(stream)
    with zipfile.ZipFile(stream) as archive:
        members, directory = archive.infolist(), archive.start_dir
    _refuse_bomb(members, limits)
    _refuse_names(members)
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise UnreadableDocumentError("encrypted_docx", f"{member.filename} is encrypted")
        if member.compress_type not in _PACKED:
            raise _unsafe(f"{_shown(member)} is packed in a way that no such document is")
    _refuse_overlaps([_checked_extent(stream, member) for member in members], directory)
    return members


def refuse_long_directory(stream: BinaryIO) -> None:
    """Raises `UnreadableDocumentError` (`zip_bomb`) where the list of members is longer than any document's, for it is
    held in memory; `zipfile.BadZipFile` where there is none.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _END_BYTES))
    tail = stream.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 16:
        raise zipfile.BadZipFile("there is no list of members")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > _MOST_OF_A_DIRECTORY:
        raise UnreadableDocumentError("zip_bomb", "the list of the archive's members is longer than any document's")


def _refuse_bomb(members: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    if len(members) > limits.members:
        raise UnreadableDocumentError("zip_bomb", f"the archive has {len(members):,} members")
    total = sum(member.file_size for member in members)
    if total > limits.total_bytes:
        raise UnreadableDocumentError("zip_bomb", f"the archive would inflate to {total:,} bytes")
    for member in members:
        size = member.file_size
        if size > limits.member_bytes:
            raise UnreadableDocumentError("zip_bomb", f"{_shown(member)} would inflate to {size:,} bytes")
        if size > limits.ratio_counts_from and size > limits.ratio * max(member.compress_size, 1):
            detail = f"{_shown(member)} would inflate to more than {limits.ratio} times its size"
            raise UnreadableDocumentError("zip_bomb", detail)


def _refuse_names(members: list[zipfile.ZipInfo]) -> None:
    """Names of parts differ in more than case (ECMA-376 part 2, 6.2.2), and lead nowhere."""
    known: set[str] = set()
    for member in members:
        name = member.orig_filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or not name.isprintable():
            raise _unsafe(f"the name {_shown(member)} is a path")
        if name.lower() in known:
            raise _unsafe(f"{_shown(member)} is in it twice")
        known.add(name.lower())


class _Extent(NamedTuple):
    """From which byte to which a member stands in the file."""

    start: int
    end: int
    name: str


def _checked_extent(stream: BinaryIO, member: zipfile.ZipInfo) -> _Extent:
    """Where a member is. What stands before it must say the same as the list."""
    stream.seek(member.header_offset)
    header = stream.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile(f"{_shown(member)} is not where the list says")
    _, _, flags, packed, _, _, _, compressed, unpacked, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    name = stream.read(name_length).decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
    sizes = {(compressed, member.compress_size), (unpacked, member.file_size)}
    lies = any(told not in (listed, _IN_EXTRA_FIELD) for told, listed in sizes) and not flags & _SIZES_FOLLOW
    if lies or name != member.orig_filename or packed != member.compress_type:
        raise _unsafe(f"what stands before {_shown(member)} contradicts the list of members")
    start = member.header_offset
    return _Extent(
        start, start + _LOCAL_HEADER.size + name_length + extra_length + member.compress_size, _shown(member)
    )


def _refuse_overlaps(extents: list[_Extent], directory: int) -> None:
    in_order = sorted(extents)
    for before, after in pairwise([*in_order, _Extent(directory, directory, "the list of members")]):
        if before.end > after.start:
            raise _unsafe(f"{before.name} and {after.name} overlap")


def _shown(member: zipfile.ZipInfo) -> str:
    return repr(member.orig_filename[:80])


def _unsafe(why: str) -> UnreadableDocumentError:
    return UnreadableDocumentError("unsafe_archive", f"no honest program writes such an archive: {why}")


ENTITY_MARKS = tuple(
    mark.encode(encoding) for mark in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
"""What declares a document type, which OOXML does not allow (ECMA-376 part 2, 9.1.4)."""

_CHUNK = 64 * 1024


def is_xml(name: str) -> bool:
    """Whether a member holds markup, by its name."""
    return name.lower().endswith((".xml", ".rels", ".vml"))


def beginning_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """So much of a member as its declarations must stand in: they come before the first element."""
    with archive.open(name) as stream:
        return stream.read(_CHUNK)
