"""Pictures of counts, drawn on the server as SVG. Colours are classes of `page.css`, so that they fit light and dark.

Widths are shares of the picture's, heights and letters are fixed: a picture is as wide as there is room, and its words
are as easy to read on a phone as on a desk. Every picture has a name for those who do not see it, and stands beside a
table of its numbers, where all its links are, too: so those in the picture are no stops of the tab key.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import svg
from markupsafe import Markup

from services.core.pages.words import Words

ANSWERS = ("supported", "noted", "pending")
_LINE = 18
"""Height of a line of words."""
_LETTERS = 40
"""As many fit into a line on the narrowest screen."""
_BARS, _FOOT = 102, 18
"""Height of the highest bar of years, and of the years below the bars."""
_BAR = 22
_GAP = 8
_WIDE_ENOUGH = 11.0
"""Percent of the width from which a part of a bar has room for its number."""

Link = Callable[..., str]
"""The address of what a number counts, by what narrows it down."""


@dataclass(frozen=True)
class Bar:
    """A bar in parts by answer: what it counts, its counts (`total`, `supported`, `noted`, `pending`), and the address
    of what it counts, which takes `position`; without it, nothing leads on."""

    name: str
    counts: Mapping[str, int]
    link: Link | None = None


def year_bars(counts: Sequence[tuple[int, int]], name: str, link: Callable[[int], str] | None = None) -> Markup:
    """Bars of a count by year, in the order of the years; those between without any are empty places."""
    if not counts:
        return Markup()
    first, last, most = counts[0][0], counts[-1][0], max(count for _, count in counts)
    step = 100 / (last - first + 1)
    elements: list[svg.Element] = []
    for year, count in counts:
        bar = _year_bar((year - first) * step, step, count / most)
        elements.append(titled(bar, f"{year}: {count}", link(year) if link else None))
    elements.append(svg.Text(x=0, y=_BARS + _FOOT - 3, text=str(first)))
    if last > first:
        elements.append(svg.Text(x=percent(100), y=_BARS + _FOOT - 3, text=str(last), text_anchor="end"))
    return picture(elements, _BARS + _FOOT, "bars", name, linked=link is not None)


def _year_bar(x: float, step: float, share: float) -> svg.Rect:
    height = max(share * _BARS, 1)
    return svg.Rect(
        x=percent(x + step * 0.1), y=round(_BARS - height, 1), width=percent(step * 0.8), height=round(height, 1)
    )


def answers_by_cycle(
    counts: Sequence[tuple[int, Mapping[str, int]]], name: str, words: Words, link: Link | None = None
) -> Markup:
    """A bar for each cycle, as long as there were recommendations, in parts by the State's answer.

    `link` takes `cycle` and `position`.
    """
    bars = [Bar(words("record.cycle", cycle=cycle), of, link and _of_cycle(link, cycle)) for cycle, of in counts]
    return answer_bars(bars, name, words)


def _of_cycle(link: Link, cycle: int) -> Link:
    return lambda **narrower: link(cycle=cycle, **narrower)


def answer_bars(bars: Sequence[Bar], name: str, words: Words) -> Markup:
    """Bars in parts by answer, the longest as wide as the picture, each below its name."""
    if not bars:
        return Markup()
    most = max(1, *(bar.counts["total"] for bar in bars))
    top = 0
    elements: list[svg.Element] = []
    for bar in bars:
        lines, top = label(f"{bar.name}:\u00a0{words.number(bar.counts['total'])}", top)
        elements += lines
        elements += _parts(bar, top, 100 / most, words)
        top += _BAR + _GAP
    return picture(elements, top, "answers", name, linked=any(bar.link for bar in bars))


def _parts(bar: Bar, top: int, scale: float, words: Words) -> Iterator[svg.Element]:
    start = 0.0
    for answer in ANSWERS:
        width = bar.counts[answer] * scale
        if not width:
            continue
        number = words.number(bar.counts[answer])
        parts: list[svg.Element] = [
            svg.Rect(x=percent(start), y=top + 3, width=percent(width), height=_BAR - 3, class_=[answer])
        ]
        if width >= _WIDE_ENOUGH:
            parts.append(svg.Text(x=percent(start + width / 2), y=top + 17, text=number, class_=["in"]))
        told = f"{bar.name}: {number} {words('chart.answer_' + answer)}"
        yield titled(svg.G(elements=parts), told, bar.link(position=answer) if bar.link else None)
        start += width


# What all pictures are made of


def label(words: str, top: float) -> tuple[list[svg.Element], int]:
    """The lines of some words below `top`, and where they end."""
    lines = wrap(words, _LETTERS)
    texts: list[svg.Element] = [
        svg.Text(x=0, y=round(top + place * _LINE + 13), text=escape(line)) for place, line in enumerate(lines)
    ]
    return texts, round(top + len(lines) * _LINE)


def titled(element: svg.Element, told: str, address: str | None) -> svg.Element:
    """What is drawn, with words for it, as a link where it leads on."""
    title = svg.Title(text=escape(told))  # svg.py escapes nothing
    if address is None:
        return svg.G(elements=[title, element])
    return svg.A(href=escape(address), tabindex=-1, elements=[title, element])


def percent(share: float) -> svg.Length:
    """A share of the picture's width."""
    return svg.Length(round(share, 2), "%")


def picture(
    elements: Sequence[svg.Element],
    height: float,
    kind: str,
    name: str,
    *,
    linked: bool,
    box: svg.ViewBoxSpec | None = None,
) -> Markup:
    """The picture. What leads on is a group of links, and else it is one image. With a `box` it grows as a whole."""
    drawn = svg.SVG(
        width=None if box else percent(100),
        height=None if box else height,
        viewBox=box,
        class_=[kind],
        extra={"role": "group" if linked else "img", "aria-label": escape(name)},
        elements=list(elements),
    )
    return Markup(str(drawn))  # noqa: S704 - what it says is escaped, here and above
