"""Writes small documents for the parsers' golden files: `python -m tests.ingest.parsers.documents.write`.

Every State in them is invented (services/core/store/facts/sample_states.csv); the texts are ours. The same bytes come
out every time.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

from samples.write import NOTICE, Pages, Paragraph

FOLDER = Path(__file__).parent


def main(folder: Path = FOLDER) -> None:
    for source in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(source.read_text(encoding="utf-8"))
        (folder / f"{source.stem}.pdf").write_bytes(un_pdf(told))


def un_pdf(told: dict[str, Any]) -> bytes:
    """A document with the title page of the United Nations and the body that `told` gives line by line.

    A body line that begins with `#` is a heading, with `##` a smaller one, with `|` a row of a table; `N. ` begins a
    numbered paragraph; anything else is a paragraph of its own.
    """
    pages = Pages(told["symbol"], told["job_number"], told["title"][0])
    _title_page(pages, told)
    if told.get("body_on_first_page"):
        pages._y = 430.0
    else:
        pages.turn()
    for line in told["body"].strip().splitlines():
        if line.strip():
            _set(pages, line.strip())
    return pages.done()


def _set(pages: Pages, line: str) -> None:
    if line.startswith("## "):
        pages.paragraph(Paragraph(line[3:], left=90, first=90, size=12, bold=True, space=8))
    elif line.startswith("# "):
        pages.paragraph(Paragraph(line[2:], left=90, first=90, size=14, bold=True, space=10))
    elif line.startswith("|"):
        _row(pages, [cell.strip() for cell in line.strip("|").split("|")])
    elif line.startswith("> "):
        pages.paragraph(Paragraph(line[2:], left=113.4, first=141.7))
    else:
        pages.paragraph(Paragraph(line))


def _row(pages: Pages, cells: list[str]) -> None:
    """A row of a table: the cells one after another, each from the row's top line down, as Word writes them."""
    top, lowest = pages._y, pages._y
    right = pages.right
    for place, cell in enumerate(cells):
        x = 60.0 + 215 * place
        pages._y, pages.right = top, x + 200  # type: ignore[misc]
        pages.paragraph(Paragraph(cell, left=x, first=x))
        lowest = min(lowest, pages._y)
    pages._y, pages.right = lowest, right  # type: ignore[misc]


def _title_page(pages: Pages, told: dict[str, Any]) -> None:
    pages.line(113.4, 785, "Sample, not a United Nations document", 12)
    pages.line(430, 785, told["symbol"], 12)
    pages.line(113.4, 745, "General Assembly", 20, bold=True)
    pages.line(392.4, 755, "Distr.: General")
    pages.line(392.4, 743, told["published"])
    pages.line(392.4, 722, "Original: English")
    pages.line(56.7, 683, "Human Rights Council", 12, bold=True)
    y = 669.0
    for line in told["council"]:
        pages.line(56.7, y, line)
        y -= 12
    y = 580.0
    for line in told["title"]:
        pages.line(113.4, y, line, 14, bold=True)
        y -= 16
    pages.line(113.4, y - 8, NOTICE, 9)
    pages.line(56.7, 56, told["job_number"])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
