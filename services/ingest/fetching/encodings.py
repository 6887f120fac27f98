"""The body of an answer as it was before the server packed it, step by step and within bounds.

We ask for gzip or nothing, so that a body which is packed in another way is refused and never guessed at. A small body
can hold a thousand times its size: it is unpacked in steps of at most `STEP` bytes, and whoever takes them can stop.
"""

import zlib
from collections.abc import Iterable, Iterator

from services.ingest.fetching.codes import FetchError

ACCEPTED = "gzip"
STEP = 256 * 1024
"""Bytes that one step of unpacking gives at most."""
MOST_MEMBERS = 1_000
"""Gzip bodies may be several, one after the other. More than this are there to keep us busy."""

_GZIP = frozenset({"gzip", "x-gzip"})
_PLAIN = frozenset({"", "identity"})


def decoded(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body that came in `parts` with this Content-Encoding.

    Raises `FetchError`: `unknown_encoding`, `damaged_encoding`, `incomplete`.
    """
    name = encoding.strip().lower()
    if name in _PLAIN:
        return iter(parts)
    if name in _GZIP:
        return _unzipped(parts)
    raise FetchError("unknown_encoding", f"The body is packed as {name[:40]!r}, which was not asked for.")


def _unzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    members, begun = 1, False
    for part in parts:
        rest = part
        while rest:
            begun = True
            if unpack.eof:
                members += 1
                if members > MOST_MEMBERS:
                    raise FetchError("damaged_encoding", "The gzip body is of too many members.")
                unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                step = unpack.decompress(rest, STEP)
            except zlib.error as fault:
                raise FetchError("damaged_encoding", "The body is not the gzip that its header says.") from fault
            if step:
                yield step
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
            if not rest and not unpack.eof and len(step) == STEP:
                yield from _held_back(unpack)
    if begun and not unpack.eof:
        raise FetchError("incomplete", "The gzip body ends too early.")


def _held_back(unpack: "zlib._Decompress") -> Iterator[bytes]:
    """What the last step had no room for, though it took all of its input."""
    while step := unpack.decompress(b"", STEP):
        yield step
        if unpack.eof or len(step) < STEP:
            return
