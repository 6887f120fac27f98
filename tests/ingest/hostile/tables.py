"""Exports of databases: JSON, CSV and workbooks that swell, nest or never end."""

import io
import zipfile

from tests.ingest.fuzz.hostile import DEEP, UHRI_KEYS, UPR_INFO, workbook, workbook_with
from tests.ingest.fuzz.mutations import archive_of, parts
from tests.ingest.hostile.archives import LAUGHS
from tests.ingest.hostile.expected import expects

ROW = f"{{{UHRI_KEYS}"
SHEET = "xl/worksheets/sheet1.xml"


@expects("parse_memory")
def json_nested_deep() -> bytes:
    return f'[{ROW},"Themes":{"[" * DEEP}{"]" * DEEP}}}]'.encode()


@expects("parse_memory")
def json_of_objects_in_objects() -> bytes:
    objects = '{"a":' * DEEP
    return f'[{ROW},"Sdgs":{objects}1{"}" * DEEP}}}]'.encode()


@expects("damaged_json")
def json_number_for_ever() -> bytes:
    return f'[{ROW},"x":{"9" * 5_000_000}}}]'.encode()


@expects("damaged_json")
def json_cut_off() -> bytes:
    return f"[{ROW}".encode()


@expects("no_recommendations")
def json_surrogates() -> bytes:
    return f"[{ROW.replace('Ratify', 'Rat' + chr(92) + 'ud800ify' + chr(92) + 'u0000')}}}]".encode()


@expects("damaged_table")
def csv_line_for_ever() -> bytes:
    return (UPR_INFO + "Peru," + "never ends " * 2_000_000).encode()


@expects("damaged_table")
def csv_quote_for_ever() -> bytes:
    return f'{UPR_INFO}Peru,"{"never ends " * 500_000}'.encode()


@expects("no_recommendations")
def csv_of_a_million_columns() -> bytes:
    return f"{UPR_INFO}{',' * 1_000_000}\r".encode()


@expects("no_recommendations")
def csv_of_nul() -> bytes:
    return UPR_INFO.encode() + b"\0" * 1_000_000


@expects("no_recommendations")
def csv_that_shows_backwards() -> bytes:
    return (UPR_INFO + "\u202eureP,\u202eyfitaR,\u2066elihC,\u2069,\ufffe\r").encode()


@expects("damaged_table")
def workbook_with_a_cell_far_out() -> bytes:
    return workbook_with(b'<row r="9"><c r="XFDXFD9"><v>1</v></c></row>')


def _without_rows(*edits: tuple[bytes, bytes]) -> bytes:
    members = parts(workbook())
    for old, new in edits:
        assert old in members[SHEET]
        members[SHEET] = members[SHEET].replace(old, new)
    return archive_of(members)


@expects("damaged_table")
def workbook_of_a_billion_rows() -> bytes:
    row = b'<row r="1000000000"><c r="A1000000000" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    return _without_rows((b'ref="A1:E1"', b'ref="A1:XFD1000000000"'), (b"</sheetData>", row))


@expects("forbidden_markup")
def workbook_of_laughs() -> bytes:
    declared = b'<!DOCTYPE s [<!ENTITY l0 "ha">%s]><worksheet' % LAUGHS
    return _without_rows((b"<worksheet", declared), (b"Text</t>", b"Text&l9;</t>"))


@expects("zip_bomb")
def workbook_that_swells() -> bytes:
    out = io.BytesIO()
    members = parts(workbook())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content if name != SHEET else content + b" " * 80_000_000)
    return out.getvalue()


@expects("damaged_table")
def workbook_of_texts_that_are_not_there() -> bytes:
    return workbook_with(b'<row r="9"><c r="A9" t="s"><v>999999</v></c></row>')
