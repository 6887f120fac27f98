"""A heat map: how many there are of each row in each column, the darker the more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import svg
from markupsafe import Markup

from services.core.pages.charts import label, percent, picture, titled
from services.core.pages.words import Words

LEVELS = 5
"""As many shades there are, besides none (`page.css`)."""
_HEAD, _CELL, _GAP = 20, 28, 6


@dataclass(frozen=True)
class HeatRow:
    """A row: its name, a count for each column, and the address of what a column's count is of. None: not known."""

    name: str
    counts: Sequence[int | None]
    link: Callable[[int], str]


@dataclass(frozen=True)
class Column:
    """A column: what stands above it, where there is little room, and what it is called."""

    short: str
    name: str


def heat_map(rows: Sequence[HeatRow], columns: Sequence[Column], name: str, words: Words) -> Markup:
    """Rows below each other, each below its name. What is not known is an empty place and no zero."""
    most = max((count for row in rows for count in row.counts if count), default=0)
    if not most:
        return Markup()
    width = 100 / len(columns)
    elements: list[svg.Element] = [
        svg.Text(x=percent((place + 0.5) * width), y=14, text=column.short, class_=["head"])
        for place, column in enumerate(columns)
    ]
    top = _HEAD
    for row in rows:
        lines, top = label(row.name, top)
        elements += lines
        for place, count in enumerate(row.counts):
            if count is not None:
                told = f"{row.name}, {columns[place].name}: {words.number(count)}"
                cell = _cell((place * width, top), width, count, level(count, most), words)
                elements.append(titled(cell, told, row.link(place)))
        top += _CELL + _GAP
    return picture(elements, top, "heat", name, linked=True)


def level(count: float, most: float) -> int:
    """The shade of a count, from 0 for none to `LEVELS` for the most."""
    return -int(-LEVELS * count // most) if count else 0


def _cell(place: tuple[float, float], width: float, count: int, shade: int, words: Words) -> svg.G:
    x, y = place
    square = svg.Rect(x=percent(x + 0.4), y=y + 3, width=percent(width - 0.8), height=_CELL - 3, rx=2)
    number = svg.Text(x=percent(x + width / 2), y=y + 20, text=words.number(count), class_=["in"])
    return svg.G(class_=[f"heat{shade}"], elements=[square, number])
