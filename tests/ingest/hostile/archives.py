"""Office documents that are traps, as archives or by their markup."""

import io
import struct
import warnings
import zipfile

from tests.ingest.fuzz.hostile import DEEP, MATRIX, docx_of, nested
from tests.ingest.fuzz.mutations import archive_of, parts
from tests.ingest.hostile.expected import expects

MIB = 2**20
TEXT = "word/document.xml"
HARMLESS = b"<w:p><w:r><w:t>Nothing that anybody reads.</w:t></w:r></w:p>"


def _members(**others: bytes) -> dict[str, bytes]:
    return parts(docx_of(HARMLESS)) | others


def _written(members: dict[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _with_second(name: str, content: bytes = b"x") -> bytes:
    out = io.BytesIO(_written(_members()))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")  # of names that are there already
        archive.writestr(name, content)
    return out.getvalue()


def _in_list(data: bytes, name: str) -> int:
    """Where a member's entry in the list begins."""
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(name.encode()))
    assert at > 0
    return at


def _declaring(name: str, size: int) -> bytes:
    """A document whose list says of one member that it has another size."""
    data = bytearray(_written(_members()))
    struct.pack_into("<I", data, _in_list(data, name) + 24, size)
    return bytes(data)


@expects("zip_bomb")
def bomb_in_the_text() -> bytes:
    return _written(_members(**{TEXT: bytes(40 * MIB)}))


@expects("zip_bomb")
def bomb_by_ratio() -> bytes:
    return _written(_members(**{"word/media/image1.png": bytes(6 * MIB)}))


@expects("zip_bomb")
def bomb_by_the_sum() -> bytes:
    data = bytearray(_written(_members(**{f"word/media/{number}.png": b"x" * 300_000 for number in range(6)})))
    for number in range(6):
        struct.pack_into("<I", data, _in_list(data, f"word/media/{number}.png") + 24, 31 * MIB)
    return bytes(data)


@expects("zip_bomb")
def declared_bomb() -> bytes:
    return _declaring(TEXT, 0xFFFFFFF0)


@expects("unsafe_archive")
def size_that_the_list_makes_smaller() -> bytes:
    return _declaring(TEXT, 100)


@expects("damaged_docx")
def size_that_lies_everywhere() -> bytes:
    """Both places say 1,000 bytes; 30 MiB would come out."""
    data = bytearray(_written({"[Content_Types].xml": b"<Types/>", TEXT: bytes(30 * MIB)}))
    place = _in_list(data, TEXT)
    struct.pack_into("<I", data, place + 24, 1000)
    (local,) = struct.unpack_from("<I", data, place + 42)
    struct.pack_into("<I", data, local + 22, 1000)
    return bytes(data)


@expects("unsafe_archive")
def two_names_for_one_member() -> bytes:
    """As in zip bombs that do not nest: entries of the list share their bytes."""
    data = bytearray(_with_second("word/second.xml"))
    (first,) = struct.unpack_from("<I", data, _in_list(data, TEXT) + 42)
    struct.pack_into("<I", data, _in_list(data, "word/second.xml") + 42, first)
    return bytes(data)


@expects("unsafe_archive")
def member_within_a_member() -> bytes:
    """One member's bytes hold another, with a proper header of its own."""
    inner = _written({"word/inner.xml": b"<a/>"}, zipfile.ZIP_STORED)
    header = inner[: inner.index(b"PK\x01\x02")]
    data = bytearray(_written(_members(**{"word/outer.xml": header}), zipfile.ZIP_STORED))
    place = data.index(header)
    entry = bytearray(inner[inner.index(b"PK\x01\x02") : inner.index(b"PK\x05\x06")])
    struct.pack_into("<I", entry, 42, place)
    end = data.index(b"PK\x05\x06")
    count, size = struct.unpack_from("<H", data, end + 10)[0], struct.unpack_from("<I", data, end + 12)[0]
    struct.pack_into("<HHI", data, end + 8, count + 1, count + 1, size + len(entry))
    return bytes(data[:end] + entry + data[end:])


@expects("unsafe_archive")
def name_that_climbs() -> bytes:
    return _with_second("../../../../etc/cron.d/job")


@expects("unsafe_archive")
def absolute_name() -> bytes:
    return _with_second("/etc/passwd")


@expects("unsafe_archive")
def name_with_a_drive() -> bytes:
    return _with_second("C:\\windows\\system.ini")


@expects("unsafe_archive")
def name_with_nul() -> bytes:
    return _with_second("word/a_b.xml").replace(b"word/a_b.xml", b"word/a\0b.xml")


@expects("unsafe_archive")
def name_that_shows_backwards() -> bytes:
    return _with_second("word/\u202egnp.exe")


@expects("unsafe_archive")
def text_twice() -> bytes:
    return _with_second(TEXT, b"<other/>")


@expects("unsafe_archive")
def text_twice_but_for_case() -> bytes:
    return _with_second("WORD/Document.xml", b"<other/>")


@expects("zip_bomb")
def sixty_thousand_members() -> bytes:
    return _written({"[Content_Types].xml": b"", TEXT: b""} | {f"word/{number}": b"" for number in range(60_000)})


@expects("zip_bomb")
def three_thousand_members() -> bytes:
    return _written(_members(**{f"word/{number}.xml": b"<a/>" for number in range(3_000)}))


@expects("encrypted_docx")
def encrypted_member() -> bytes:
    data = bytearray(_written(_members()))
    data[_in_list(data, TEXT) + 8] |= 1
    return bytes(data)


@expects("unsafe_archive")
def packed_otherwise() -> bytes:
    return _written(_members(), zipfile.ZIP_LZMA)


@expects("not_a_document")
def archive_in_an_archive() -> bytes:
    return _written({"report.docx": bomb_by_ratio()})


@expects("unknown_kind")
def bomb_that_is_embedded() -> bytes:
    """What a document holds as an object is not opened."""
    return _written(_members(**{"word/embeddings/bomb.docx": bomb_by_ratio()}))


@expects("damaged_docx")
def cut_off_document() -> bytes:
    return MATRIX.read_bytes()[:-2000]


def _declared(declaration: bytes, text: bytes, encoding: str = "utf-8") -> bytes:
    markup = b'<?xml version="1.0" encoding="%s"?>%s<d>%s</d>' % (encoding.encode(), declaration, text)
    return archive_of(_members(**{TEXT: markup.decode().encode(encoding)}))


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10))


@expects("forbidden_markup")
def external_entity() -> bytes:
    return _declared(b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b"&e;")


@expects("forbidden_markup")
def external_entity_of_the_network() -> bytes:
    return _declared(b'<!DOCTYPE d SYSTEM "http://169.254.169.254/latest/meta-data/">', b"")


@expects("forbidden_markup")
def billion_laughs() -> bytes:
    return _declared(b'<!DOCTYPE d [<!ENTITY l0 "ha">%s]>' % LAUGHS, b"&l9;")


@expects("forbidden_markup")
def billion_laughs_in_utf_16() -> bytes:
    return _declared(b'<!DOCTYPE d [<!ENTITY l0 "ha">%s]>' % LAUGHS, b"&l9;", "utf-16")


@expects("forbidden_markup")
def declaration_among_the_relations() -> bytes:
    relations = b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/shadow">]><r>&e;</r>'
    return archive_of(_members(**{"word/_rels/document.xml.rels": relations}))


@expects("unknown_kind")
def relation_to_the_network() -> bytes:
    """Nobody goes there."""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
    link = b'<Relationship Id="rIdX" Type="%s" Target="http://169.254.169.254/" TargetMode="External"/>' % kind
    members = _members()
    name = "word/_rels/document.xml.rels"
    members[name] = members[name].replace(b"</Relationships>", link + b"</Relationships>")
    return archive_of(members)


@expects("damaged_docx")
def deep_controls() -> bytes:
    return docx_of(nested(b"sdt", DEEP))


@expects("damaged_docx")
def surrogate_as_a_reference() -> bytes:
    return docx_of(b"<w:p><w:r><w:t>116.1 Ratify&#xD800; (Chile)</w:t></w:r></w:p>")


@expects("damaged_docx")
def nul_as_a_reference() -> bytes:
    return docx_of(b"<w:p><w:r><w:t>116.1 Ratify&#0; (Chile)</w:t></w:r></w:p>")


@expects("unknown_kind")
def table_of_two_billion_columns() -> bytes:
    cell = b'<w:tc><w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr><w:p/></w:tc>'
    return docx_of(b"<w:tbl><w:tr>%s</w:tr></w:tbl>" % cell * 50)
