"""Tables of facts: of treaties, mechanisms, institutions. The States are invented, and so are the dates."""

import datetime
import struct

from tests.ingest.parsers.documents.write import compound_file

NOTE = "<!-- Sample, not a page of the United Nations. Its States are invented. -->"
OPCAT = (
    "Optional Protocol to the Convention against Torture and Other Cruel, Inhuman or Degrading Treatment or Punishment"
)
_PARTICIPANTS = (
    ("Costamar <sup>1</sup>", "23 Sep 2003", "14 Sep 2006"),
    ("Tierralta", "", "12 Apr 2005 a"),
    ("Bellmare (Federal Republic of)", "4 Feb 2005", ""),
    ("Karvenia <sup>2, 3</sup>", "&nbsp;", "1 Dec 2009 d"),
    ("Ruritania", "", "1 Jan 2010 a"),
    ("Pelagia", "31 Feb 2005", "30 Jun 2011 x"),
)


def treaty_page(
    rows: tuple[tuple[str, str, str], ...] = _PARTICIPANTS,
    *,
    as_of: str = "22-11-2026 09:15:02 EDT",
    number: str = "9. b",
    title: str = OPCAT,
    parties: int = 4,
) -> bytes:
    """The Treaty Collection's page of a treaty: forms and tables around the table, footnotes above the line."""
    body = "".join(f"<tr><td>{who}</td><td>{signed}</td><td>{party}</td></tr>" for who, signed, party in rows)
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"><html>
{NOTE}<head><meta charset="utf-8"><title>UNTC</title></head><body><form action="./ViewDetails.aspx">
<table><tr><td><span>STATUS AS AT : {as_of}</span></td></tr><tr><td>CHAPTER IV</td></tr><tr><td>HUMAN RIGHTS</td></tr>
<tr><td><div>{number} {title}</div></td></tr><tr><td>New York, 18 December 2002</td></tr>
<tr><td>Status</td><td>: Signatories : 3. Parties : {parties}.</td></tr>
<tr><td><table class="table"><tr><th>Participant</th><th>Signature</th>
<th>Ratification, Accession(a), Succession(d)</th></tr>{body}</table></td></tr></table></form>
<div>Declarations: Costamar declared on 14 Sep 2006 …</div></body></html>""".encode()


_MECHANISMS = (
    ("1", "Costamar", "14.09.2006", "Comité Nacional para la Prevención de la Tortura", "<a href='c.pdf'>EN</a>"),
    ("2", "Tierralta", "12.04.2005", "NO NPM", ""),
    ("3", "Bellmare (República Federal de)", "04.02.05", "Defensoría del Pueblo", ""),
    ("4", "Ruritania", "01.01.2010", "NO NPM", ""),
    ("5", "Gran Alba y San Ivo", "30.06.2011", "", ""),
)


def npm_page(rows: tuple[tuple[str, ...], ...] = _MECHANISMS, parties: int = 6) -> bytes:
    """The Subcommittee's list in Spanish."""
    body = "".join("<tr>" + "".join(f"<td><p>{cell}</p></td>" for cell in row) + "</tr>" for row in rows)
    return f"""<!DOCTYPE html><html lang="es">{NOTE}<head><meta charset="utf-8"><title>MNP</title></head><body>
<h1>Mecanismos nacionales de prevención</h1><p>Lista alfabética de los {parties} Estados Partes</p>
<table><thead><tr><th>#</th><th>País</th><th>Fecha de ratificación/adhesión</th><th>MNP</th><th>Cartas</th></tr>
</thead><tbody>{body}</tbody></table></body></html>""".encode()


NHRI = (
    "\ufeffiso3,country,2015,2020,2025\n"
    "XCM,Costamar,D,B,A\n"
    "XTL,Tierralta,A,A,E\n"
    "XGI,Costamar,A,A,A\n"
    "XZZ,Ruritania,A,A,A\n"
    "XGI,Grand Alba and Saint Ivo,,C,B\n"
).encode()
NMIRF_STATUS = (
    b"State,ISO-3166-1,UN Regional Group,State classification in report,Parliament,CSOs,Total X Points\r\n"
    b"Costamar,XCM,GRULAC,NMIRF,3,2,7.33\r\n"
    b"Tierralta,XTL,GRULAC,Single inter-ministerial,1,,4\r\n"
    b"GA & SI,XGI,GRULAC,Two ministries,1,1,2\r\n"
)
NMIRF_SET_UP = (
    b"State;ISO-3166-1;Est. law;Permanent;Total Y Points\n"
    b"Costamar;XCM;1;1;5\n"
    b"Tierralta;XTL;-1;0;-1\n"
)  # fmt: skip
DASHBOARD = [
    [f"{OPCAT} [Last Updated: 10/10/2025 11:26:54]"],
    ["Country", "Date of Signature (dd/mm/yyyy)", "Date of Ratification/Accession",
     "Date of acceptance of individual communications procedure", "Date of acceptance of inquiry procedure"],
    ["Costamar", datetime.date(2003, 9, 23), datetime.date(2006, 9, 14), "", ""],
    ["Tierralta", "", datetime.date(2005, 4, 12), "", "soon"],
    ["Ruritania", "", datetime.date(2010, 1, 1), "", ""],
    [],
    ["Definitions and metadata: http://www.example.org/metadata.pdf"],
    ["Source: Sample, not a database of the United Nations"],
]  # fmt: skip
_DAY_ZERO = datetime.date(1899, 12, 30)


def workbook(rows: list[list[object]]) -> bytes:
    """A workbook of Excel 97-2003 with one sheet of texts and days ([MS-XLS] 2.4: the records it needs and no more)."""
    cells = b""
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, datetime.date):
                cells += _record(0x0203, struct.pack("<3Hd", number, column, 1, (cell - _DAY_ZERO).days))
            elif cell:
                text = str(cell).encode("utf-16-le")
                cells += _record(0x0204, struct.pack("<4HB", number, column, 0, len(text) // 2, 1) + text)
    sheet = _record(0x0809, struct.pack("<4H2I", 0x0600, 0x0010, 0, 0, 0, 0)) + cells + _record(0x000A, b"")
    name = b"\x04\x00Data"
    head = _record(0x0809, struct.pack("<4H2I", 0x0600, 0x0005, 0, 0, 0, 0))
    formats = b"".join(_record(0x00E0, struct.pack("<3H", 0, code, 0) + bytes(14)) for code in (0, 14))
    size = len(head) + len(formats) + 4 + 6 + len(name) + 4
    listed = _record(0x0085, struct.pack("<IH", size, 0) + name)
    return compound_file({"Workbook": head + formats + listed + _record(0x000A, b"") + sheet})


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<2H", kind, len(body)) + body
