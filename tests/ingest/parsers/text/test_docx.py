"""Word documents: what is read of them, and that traps do not spring."""

import io
import struct
import zipfile

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.archives import ArchiveLimits
from services.ingest.parsers.text.docx import read_docx

MIB = 2**20


def saved(document) -> bytes:
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def body(xml: str) -> bytes:
    """A document whose body holds `xml`."""
    document = docx.Document()
    container = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent>{xml}</w:sdtContent></w:sdt>")
    document.element.body.insert(0, container)
    return saved(document)


def rewritten(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The archive `data` with some members replaced or added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name in dict.fromkeys([*source.namelist(), *changes]):
            target.writestr(name, changes[name] if name in changes else source.read(name))
    return written.getvalue()


def refusal_of(data: bytes, **limits: int) -> str:
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_docx(data, ArchiveLimits(**limits))
    assert "\n" not in refusal.value.detail
    return refusal.value.code


def test_blocks_and_tables_keep_their_order_and_styles():
    document = docx.Document()
    document.add_heading("Title", 1)
    document.add_paragraph().add_run("bold").bold = True
    document.add_table(1, 2).rows[0].cells[1].text = "cell"
    document.add_paragraph("after")
    text = read_docx(saved(document))
    assert [(block.text, block.style, block.bold) for block in text.blocks] == [
        ("Title", "heading 1", True), ("bold", "Normal", True), ("after", "Normal", False)
    ]  # fmt: skip
    assert [(table.rows, table.blocks_before) for table in text.tables] == [((("", "cell"),), 2)]


def test_running_heads_and_properties():
    document = docx.Document()
    document.core_properties.title = "A title"
    document.sections[0].header.paragraphs[0].text = "UPR of Costamar\tThematic list"
    document.sections[0].footer.paragraphs[0].text = "foot"
    text = read_docx(saved(document))
    assert text.running_heads == ("UPR of Costamar\tThematic list", "foot")
    assert text.properties["title"] == "A title"


def test_merged_cells_repeat():
    document = docx.Document()
    table = document.add_table(3, 3)
    for row in table.rows:
        for place, cell in enumerate(row.cells):
            cell.text = str(place)
    table.cell(0, 0).merge(table.cell(0, 2)).text = "across"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "down"
    assert read_docx(saved(document)).tables[0].rows == (
        ("across", "across", "across"), ("down", "1", "2"), ("down", "1", "2")
    )  # fmt: skip


def test_text_is_what_a_reader_sees():
    data = body(
        "<w:p><w:r><w:t>kept </w:t><w:tab/><w:t>a</w:t><w:br/><w:noBreakHyphen/></w:r>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        "<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>so\u00adft</w:t></w:r></w:p>"
    )
    assert read_docx(data).blocks[0].text == "kept \ta\n-newlinksoft"


def test_text_boxes_are_read_once():
    box = "<w:txbxContent><w:p><w:r><w:t>in the box</w:t></w:r></w:p></w:txbxContent>"
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    data = body(
        f"<w:p><w:r><mc:AlternateContent {mc}><mc:Choice Requires='wps'>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent><w:t>anchor</w:t></w:r></w:p>"
    )
    assert [block.text for block in read_docx(data).blocks[:2]] == ["anchor", "in the box"]


def test_a_cell_that_claims_millions_of_columns():
    cell = "<w:tc><w:tcPr><w:gridSpan w:val='99999999'/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>"
    data = body(f"<w:tbl><w:tr><w:trPr><w:gridBefore w:val='88888888'/></w:trPr>{cell * 3}</w:tr></w:tbl><w:p/>")
    assert len(read_docx(data).tables[0].rows[0]) == 63


def test_odd_numbers_in_spans():
    cell = "<w:tc><w:tcPr><w:gridSpan w:val='{}'/></w:tcPr><w:p/></w:tc>"
    data = body(f"<w:tbl><w:tr>{cell.format('-3')}{cell.format('x')}{cell.format('9' * 5000)}</w:tr></w:tbl><w:p/>")
    assert read_docx(data).tables[0].rows == (("", "", ""),)


def test_a_merge_that_continues_nothing():
    cell = "<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>"
    assert read_docx(body(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl><w:p/>")).tables[0].rows == (("x",),)


def test_deleted_rows_and_hidden_words_are_not_there():
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    hidden = "<w:tc><w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:t>seen</w:t></w:r></w:p></w:tc>"
    deleted = f"<w:tr><w:trPr><w:del/></w:trPr>{cell.format('gone')}</w:tr>"
    kept = f"<w:tr><w:trPr><w:ins/></w:trPr>{cell.format('new')}{hidden}</w:tr>"
    assert read_docx(body(f"<w:tbl>{deleted}{kept}</w:tbl><w:p/>")).tables[0].rows == (("new", "seen"),)


def test_where_the_cells_of_a_row_begin():
    cell = "<w:tc><w:tcPr><w:gridSpan w:val='{}'/></w:tcPr><w:p/></w:tc>"
    table = f"<w:tbl><w:tr>{cell.format(2)}{cell.format(1)}</w:tr><w:tr>{cell.format(1)}{cell.format(2)}</w:tr></w:tbl>"
    assert read_docx(body(f"{table}<w:p/>")).tables[0].starts == ((0, 2), (0, 1))


def test_a_table_that_only_frames_another_is_none():
    inner = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    frame = f"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>above</w:t></w:r></w:p>{inner}<w:p/></w:tc></w:tr></w:tbl><w:p/>"
    text = read_docx(body(frame))
    assert [table.rows for table in text.tables] == [(("a", ""),)]
    assert text.blocks[0].text == "above"


def test_a_bomb_by_ratio():
    bomb = rewritten(saved(docx.Document()), {"word/media/image1.bin": b"\0" * (20 * MIB)})
    assert len(bomb) < MIB
    assert refusal_of(bomb) == "zip_bomb"


def test_a_bomb_by_member_size():
    assert refusal_of(rewritten(saved(docx.Document()), {"word/x.bin": b"ab" * MIB}), member_bytes=MIB) == "zip_bomb"


def test_a_bomb_by_total_size():
    parts = {f"word/{n}.bin": bytes(range(256)) * 2048 for n in range(8)}
    assert refusal_of(rewritten(saved(docx.Document()), parts), total_bytes=2 * MIB) == "zip_bomb"


def test_a_bomb_by_number_of_members():
    parts = {f"word/{n}.bin": b"" for n in range(30)}
    assert refusal_of(rewritten(saved(docx.Document()), parts), members=40) == "zip_bomb"


def test_sizes_that_lie():
    """The directory of the archive claims that a member is tiny; it inflates to 20 MiB."""
    data = rewritten(saved(docx.Document()), {"word/media/image1.bin": b"\0" * (20 * MIB)})
    lie = data.replace(struct.pack("<L", 20 * MIB), struct.pack("<L", 10))
    assert lie != data
    assert refusal_of(lie) in {"zip_bomb", "damaged_docx"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(encoding):
    laughs = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">'
        '<!ENTITY c SYSTEM "file:///etc/passwd">]>'
        f"<w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>&b;&c;</w:t></w:r></w:p></w:body></w:document>"
    ).encode(encoding)
    assert refusal_of(rewritten(saved(docx.Document()), {"word/document.xml": laughs})) == "forbidden_markup"


def test_nesting_too_deep():
    depth = 100_000
    deep = f"<w:document {nsdecls('w')}><w:body>{'<w:sdt>' * depth}{'</w:sdt>' * depth}</w:body></w:document>".encode()
    assert refusal_of(rewritten(saved(docx.Document()), {"word/document.xml": deep})) == "damaged_docx"


@pytest.mark.parametrize(
    "changes",
    [
        {"word/document.xml": b"<w:document"},
        {"word/document.xml": b""},
        {"word/document.xml": f"<w:document {nsdecls('w')}/>".encode()},
        {"_rels/.rels": b"<Relationships/>"},
        {"[Content_Types].xml": b"<Types/>"},
    ],
)
def test_damaged_parts(changes):
    assert refusal_of(rewritten(saved(docx.Document()), changes)) == "damaged_docx"


def test_damaged_properties_do_not_cost_the_text():
    data = rewritten(saved(docx.Document()), {"docProps/core.xml": b"<other/>"})
    assert read_docx(data).properties == {}


def test_every_truncation_is_refused(samples):
    data = (samples / "costamar-matrix.docx").read_bytes()
    for length in range(0, len(data), len(data) // 40):
        assert refusal_of(data[:length]) == "damaged_docx"


def test_an_encrypted_member():
    data = bytearray(saved(docx.Document()))
    directory = data.find(b"PK\x01\x02")
    data[directory + 8] |= 1
    assert refusal_of(bytes(data)) == "encrypted_docx"


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (zipfile.ZIP_LZMA, "unsafe_archive"),
        (zipfile.ZIP_BZIP2, "unsafe_archive"),
        (zipfile.ZIP_DEFLATED, "damaged_docx"),
    ],
)
def test_damage_is_told_however_an_archive_is_packed(packed: int, code: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        archive.writestr("word/document.xml", "<a/>" * 500)
        length = archive.getinfo("word/document.xml").compress_size
    whole = file.getvalue()
    begins = whole.find(b"word/document.xml") + len("word/document.xml")
    for at in range(begins, begins + length):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        assert refusal_of(damaged) == code
