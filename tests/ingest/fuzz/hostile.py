"""Files made to do harm, each small and each with one trick."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl

from tests.ingest.fuzz.mutations import archive_of, parts

ROOT = Path(__file__).parents[3]
MATRIX = ROOT / "samples" / "documents" / "costamar-matrix.docx"
UHRI_KEYS = '"AnnotationId":"1","Body":"- UPR","Text":"Ratify","Symbol":"A/HRC/1/1","Countries":["- Peru"]'
UHRI_COLUMNS = ("Text", "Countries Concerned", "Reccomending Body", "Document Symbol", "OHCHR Annotation Id")
UPR_INFO = "To,Text,From,Response,Session\r"


def docx_of(body: bytes, **others: bytes) -> bytes:
    members = parts(MATRIX.read_bytes())
    start, _, rest = members["word/document.xml"].partition(b"<w:body>")
    end = rest[rest.index(b"</w:body>") :]
    members["word/document.xml"] = start + b"<w:body>" + body + end
    return archive_of(members | others)


def nested(tag: bytes, depth: int) -> bytes:
    return (b"<w:%s>" % tag) * depth + (b"</w:%s>" % tag) * depth


def _bomb(name: str, size: int = 170 * 2**20) -> bytes:
    """An archive with one member of zeros, a thousandth of its size when packed."""
    members = parts(MATRIX.read_bytes())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each in sorted(members):
            if each != name:
                archive.writestr(each, members[each])
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(size // 2**20):
                member.write(bytes(2**20))
    return out.getvalue()


def _workbook_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as good, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in good.namelist():
            archive.writestr(name, good.read(name))
        with archive.open("xl/worksheets/sheet2.xml", "w", force_zip64=True) as member:
            for _ in range(10):
                member.write(bytes(2**20))
    return out.getvalue()


def workbook(*rows: tuple[object, ...]) -> bytes:
    made = openpyxl.Workbook()
    for row in (UHRI_COLUMNS, *rows):
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def workbook_with(rows: bytes, strings: bytes = b"<si><t>Text</t></si>") -> bytes:
    """A workbook with these rows behind the good ones, and these shared strings."""
    members = parts(workbook(("Stop torture", "Peru", "CAT", "CAT/C/1", "1")))
    sheet, types = "xl/worksheets/sheet1.xml", "[Content_Types].xml"
    members[sheet] = members[sheet].replace(b"</sheetData>", rows + b"</sheetData>")
    members["xl/sharedStrings.xml"] = (
        b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>%s</sst>" % strings
    )
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
    members[types] = members[types].replace(b"</Types>", part)
    return archive_of(members)


def _long_directory() -> bytes:
    """A workbook with 60,000 members: the list of them takes more than its content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", "")
        for number in range(60_000):
            archive.writestr(f"xl/{number}", "")
    return out.getvalue()


def pdf_of(*objects: str, trailer: str = "/Root 1 0 R") -> bytes:
    """A PDF of these objects, numbered from 1."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    xref = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for place in places:
        out += f"{place:010} 00000 n \n".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} {trailer} >>\nstartxref\n{xref}\n%%EOF\n".encode()
    return bytes(out)


def stream_of(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
DEEP = 100_000


def documents() -> Iterator[tuple[str, bytes]]:
    """Hostile PDF and Word documents, by name."""
    yield from _word_documents()
    yield from _pdf_documents()
    yield "doc-header-alone", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    yield "nothing", b"\x00" * 5000
    yield "zip-without-anything", b"PK\x05\x06" + bytes(18)


def _word_documents() -> Iterator[tuple[str, bytes]]:
    yield "docx-deep-paragraphs", docx_of(nested(b"p", DEEP))
    yield "docx-deep-controls", docx_of(nested(b"sdt", DEEP))
    yield "docx-deep-below-libxml-s-limit", docx_of(nested(b"ins", 250))
    span = b'<w:tc><w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr><w:p/></w:tc>'
    yield "docx-wide-span", docx_of(b"<w:tbl><w:tr>%s</w:tr></w:tbl>" % span * 50)
    yield "docx-bomb", _bomb("word/document.xml")
    yield "docx-bomb-elsewhere", _bomb("word/media/image1.png")
    entities = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><d>&b;</d>'
    yield "docx-entities", archive_of(parts(MATRIX.read_bytes()) | {"word/document.xml": entities})
    for name, entity in (("nul", b"&#0;"), ("surrogate", b"&#xD800;")):
        yield f"docx-{name}", docx_of(b"<w:p><w:r><w:t>116.1 Ratify%s (Chile)</w:t></w:r></w:p>" % entity)
    yield "docx-many-members", _long_directory()


def _pdf_documents() -> Iterator[tuple[str, bytes]]:
    pages, page = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /Contents 4 0 R %s >>"
    yield "pdf-header-alone", b"%PDF-1.7"
    yield "pdf-kids-loop", pdf_of(CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")
    deep = [f"<< /Type /Pages /Kids [{number} 0 R] /Count 1 >>" for number in range(3, 5003)]
    yield "pdf-deep-kids", pdf_of(CATALOG, *deep, "<< /Type /Page >>")
    for count in (2**31 - 1, -5):
        kids = f"<< /Type /Pages /Kids [3 0 R] /Count {count} >>"
        yield f"pdf-count-{count}", pdf_of(CATALOG, kids, "<< /Type /Page >>")
    yield "pdf-reference-to-itself", pdf_of("1 0 R", "2 0 R")
    loop = "<< /Length 4 0 R >>\nstream\nBT (116.1 Ratify) Tj ET\nendstream"
    yield "pdf-length-loop", pdf_of(CATALOG, pages, page % "", loop)
    drawing = "/Resources << /XObject << /F 5 0 R >> >>"
    form = f"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] {drawing} /Length 11 >>\nstream\n/F Do /F Do\nendstream"
    yield "pdf-form-draws-itself", pdf_of(CATALOG, pages, page % drawing, stream_of("/F Do"), form)
    yield "pdf-deep-array", pdf_of(CATALOG, f"<< /Type /Pages /Kids {'[' * DEEP}{']' * DEEP} /Count 1 >>")
    empty = "<< /Type /Pages /Kids [] /Count 0 >>"
    yield "pdf-previous-loop", pdf_of(CATALOG, empty, trailer="/Root 1 0 R /Prev 20")
    text = stream_of("BT /F1 1e30 Tf (116.1 Ratify the Convention (Chile)) Tj ET " * 2000)
    yield "pdf-huge-page", pdf_of(CATALOG, pages, page % "/MediaBox [0 0 1e30 1e30]", text)


def exports() -> Iterator[tuple[str, bytes]]:
    """Hostile exports of data sets, by name."""
    for name, text in (*_json_exports(), *_csv_exports()):
        yield name, text.encode()
    yield "csv-utf-16-cut", f"{UPR_INFO}Peru,Ratify it,Chile,Accepted,14\r".encode("utf-16")[:-1]
    yield from _workbooks()


def _json_exports() -> Iterator[tuple[str, str]]:
    row = f"{{{UHRI_KEYS}"
    other = '{"AnnotationId":"%s","Body":"- CAT","Text":"Stop","Symbol":"%s","Countries":["- Peru"],"Themes":["- %s"]}'
    yield "json-deep", f'[{row},"Themes":{"[" * DEEP}{"]" * DEEP}}}]'
    objects = '{"a":' * DEEP
    yield "json-deep-objects", f'[{row},"Sdgs":{objects}1{"}" * DEEP}}}]'
    yield "json-less-deep", f'[{row},"Themes":{"[" * 900}{"]" * 900}}}]'
    yield "json-unclosed", f"[{row}}},{'[' * DEEP}"
    yield "json-long-text", f'[{row},"x":"{"a" * 30_000_000}"}}]'
    yield "json-number-for-ever", f'[{row},"x":{"9" * 5_000_000}}}]'
    yield "json-surrogates", "[%s]" % (other % ("1\\ud800", "CAT/C/1\\u0000", "Tor\\ud800ture\\u0000"))
    values = '"Body":[["- UPR"]],"Text":1e308,"Symbol":false,"Countries":{"a":"b"},"UprCycle":[null]'
    yield "json-odd-values", f'[{row}}},1,null,[],"x",{{}},{{"AnnotationId":{{"a":1}},{values}}}]'
    long = (("9" * 5000, "x", "t"), ("2", "x" * 9000, "t"), ("3", "x", "t" * 9000))
    yield "json-long-names", f"[{','.join(other % names for names in long)}]"
    several = (row.replace("Ratify", f"Ratify {number}") + ',"UprSession":["- 14"]}' for number in range(12_000))
    yield "json-many-rows-of-one-review", f"[{','.join(several)}]"


def _csv_exports() -> Iterator[tuple[str, str]]:
    row = "Peru,Ratify%s it,Chile,Accepted,14\r"
    yield "csv-quote-for-ever", f'{UPR_INFO}Peru,"{"never ends " * 500_000}'
    yield "csv-wide", f"{UPR_INFO}{',' * 1_000_000}\r"
    yield "csv-nul", UPR_INFO + row % "\x00" * 3
    yield "csv-marks", UPR_INFO + row % "\u202e\u200f\ufffe\U0010ffff"
    yield "csv-odd-session", f"{UPR_INFO}Peru,Ratify it,Chile,Accepted,{'9' * 5000}\rPeru,x,Chile,Noted,²\r"
    yield "csv-wide-header", f"{UPR_INFO.strip()},{'a,' * 20_000}\r{row}"


def _workbooks() -> Iterator[tuple[str, bytes]]:
    yield "xlsx-deep-strings", workbook_with(b"", b"<si>" * DEEP + b"</si>" * DEEP)
    yield "xlsx-deep-rows", workbook_with(b"<row>" * DEEP + b"</row>" * DEEP)
    yield "xlsx-far-cell", workbook_with(b'<row r="9"><c r="XFDXFD9"><v>1</v></c></row>')
    yield "xlsx-far-row", workbook_with(b'<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>')
    yield "xlsx-no-such-string", workbook_with(b'<row r="9"><c r="A9" t="s"><v>999999</v></c></row>')
    yield "xlsx-string-of-words", workbook_with(b'<row r="9"><c r="A9" t="s"><v>x</v></c></row>')
    yield "xlsx-bomb", _workbook_bomb()
    yield "xlsx-odd-ids", workbook(*(("Stop", "Peru", "CAT", "CAT/C/1", number) for number in (1e300, -5)))
    levels = [
        b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10 if level else b"a" * 50) for level in range(10)
    ]
    sheet = workbook(("Stop", "Peru", "CAT", "CAT/C/1", 1))
    members = parts(sheet)
    declared = b"<!DOCTYPE s [%s]>" % b"".join(levels)
    xml = members["xl/worksheets/sheet1.xml"].replace(b"Stop", b"&a9;")
    yield "xlsx-entities", archive_of(members | {"xl/worksheets/sheet1.xml": declared + xml})
