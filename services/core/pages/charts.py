"""Pictures of counts, drawn on the server as SVG. Colours are classes of `page.css`, so that they fit light and dark.

Every picture has a name for those who do not see it, and stands beside a table of its numbers.
"""

from collections.abc import Mapping, Sequence
from html import escape

import svg
from markupsafe import Markup

from services.core.pages.words import Words

_WIDTH, _HEIGHT = 640, 120
_FOOT = 18
"""Room for the years below the bars."""
_ROW = 26
_LABEL = 90
"""Room for the name of a row before its bar."""
_ANSWERS = ("supported", "noted", "pending")


def year_bars(counts: Sequence[tuple[int, int]], name: str) -> Markup:
    """Bars of a count by year, in the order of the years; those between without any are empty places."""
    if not counts:
        return Markup()
    first, last, most = counts[0][0], counts[-1][0], max(count for _, count in counts)
    step = _WIDTH / (last - first + 1)
    bars: list[svg.Element] = [_bar(year - first, count / most, step, f"{year}: {count}") for year, count in counts]
    ends: list[svg.Element] = [_year(first, 0, end=False)]
    if last > first:
        ends.append(_year(last, _WIDTH, end=True))
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, _WIDTH, _HEIGHT),
        class_=["bars"],
        extra={"role": "img", "aria-label": escape(name)},
        elements=[*bars, *ends],
    )
    return Markup(str(picture))  # noqa: S704 - what it says is escaped, here and below


def _bar(place: int, share: float, step: float, told: str) -> svg.Rect:
    height = max(share * (_HEIGHT - _FOOT), 1)
    return svg.Rect(
        x=round(place * step + step * 0.1, 1),
        y=round(_HEIGHT - _FOOT - height, 1),
        width=round(step * 0.8, 1),
        height=round(height, 1),
        elements=[svg.Title(text=escape(told))],  # svg.py escapes nothing
    )


def _year(year: int, x: float, *, end: bool) -> svg.Text:
    return svg.Text(x=x, y=_HEIGHT - 3, text=str(year), text_anchor="end" if end else "start")


def answers_by_cycle(counts: Sequence[tuple[int, Mapping[str, int]]], name: str, words: Words) -> Markup:
    """A bar for each cycle, as long as there were recommendations, in parts by the State's answer."""
    if not counts:
        return Markup()
    most = max(1, *(of_cycle["total"] for _, of_cycle in counts))
    rows: list[svg.Element] = []
    for place, (cycle, of_cycle) in enumerate(counts):
        rows.append(svg.Text(x=0, y=place * _ROW + 17, text=escape(words("record.cycle", cycle=cycle))))
        rows += _parts_of_bar(of_cycle, place * _ROW, (_WIDTH - _LABEL) / most)
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, _WIDTH, len(counts) * _ROW),
        class_=["answers"],
        extra={"role": "img", "aria-label": escape(name)},
        elements=rows,
    )
    return Markup(str(picture))  # noqa: S704 - what it says is escaped


def _parts_of_bar(counts: Mapping[str, int], top: int, scale: float) -> list[svg.Rect]:
    parts: list[svg.Rect] = []
    start = float(_LABEL)
    for answer in _ANSWERS:
        width = counts[answer] * scale
        if width:
            parts.append(
                svg.Rect(x=round(start, 1), y=top + 3, width=round(width, 1), height=_ROW - 8, class_=[answer])
            )
        start += width
    return parts
