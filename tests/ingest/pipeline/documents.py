"""Small documents in the layout of OHCHR's matrix, as many as one likes; their words are ours."""

import io
from collections.abc import Sequence

import docx

SESSIONS = {2: 14, 3: 30, 4: 48}
"""A session of each cycle."""

TEXTS = (
    "Ratify the Optional Protocol to the Convention against Torture",
    "Establish a national preventive mechanism against torture",
    "Abolish the death penalty in law and in practice",
)
THEME = "Prohibition of torture & ill-treatment (including cruel, inhuman or degrading treatment)"
HEADINGS = ("Recommendation and recommending State", "Position", "Themes", "SDGs")


def matrix(state: str, cycle: int, texts: Sequence[str] = TEXTS, *, supported: bool = True) -> bytes:
    """A matrix of a State's review, with these recommendations."""
    document = docx.Document()
    ordinal = {2: "2nd", 3: "3rd", 4: "4th"}[cycle]
    title = f"UPR of {state} ({ordinal} Cycle - {SESSIONS[cycle]}th Session)"
    document.sections[0].header.paragraphs[0].text = f"{title}\t\tThematic list of recommendations*"
    table = document.add_table(rows=1, cols=4)
    for cell, heading in zip(table.rows[0].cells, HEADINGS, strict=True):
        cell.text = heading
    row = table.add_row().cells
    row[0].merge(row[3]).text = f"Theme: {THEME}"
    position = "Supported" if supported else "Noted"
    for number, text in enumerate(texts, start=1):
        cells = table.add_row().cells
        cells[0].text = f"120.{number} {text} (Alderia);"
        cells[0].add_paragraph(f"Source of Position: A/HRC/{50 + cycle}/9/Add.1 - Para.{number}")
        cells[1].text = position
        cells[2].text = f"- {THEME}"
        cells[3].text = "- 16 - PEACE, JUSTICE AND STRONG INSTITUTIONS"
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def other() -> bytes:
    """A Word document of no kind that is read."""
    document = docx.Document()
    document.add_paragraph("The canteen is closed on Friday.")
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()
