"""Files that are no documents at all."""

import gzip

from tests.ingest.hostile.expected import expects


@expects("empty_file")
def nothing() -> bytes:
    return b""


@expects("empty_file")
def nothing_but_nul() -> bytes:
    return bytes(5_000_000)


@expects("html_instead_of_document")
def login_page() -> bytes:
    return b"\xef\xbb\xbf \r\n<!DOCTYPE html><form action=/login><input name=password>"


@expects("not_a_document")
def program() -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(500)


@expects("not_a_document")
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(20_000_000), 1)


@expects("not_a_document")
def line_for_ever() -> bytes:
    return b"a" * 20_000_000


@expects("not_a_document")
def marks_of_direction() -> bytes:
    return ("\u202e\u2066\u200f" * 1000).encode()


@expects("not_a_document")
def archive_of_nothing() -> bytes:
    return b"PK\x05\x06" + bytes(18)


@expects("unsupported_format")
def rich_text_in_groups() -> bytes:
    return b"{\\rtf1" + b"{" * 1_000_000
