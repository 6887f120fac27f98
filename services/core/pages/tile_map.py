"""A map of a regional group with a tile for each State: small States are as easy to see and to touch as large ones."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import svg
from markupsafe import Markup

from services.core.pages.charts import picture, titled
from services.core.pages.heat_map import level
from services.core.pages.words import Words

_TILE, _ROOM = 34, 36
"""A tile's side, and the room it takes."""
_SHARE = 4
"""Height of the line that tells the share supported."""


@dataclass(frozen=True)
class Tile:
    """A State: how many recommendations it got and supported, and the address of them. None: nothing was read."""

    code: str
    name: str
    count: int | None
    supported: int
    link: str


@cache
def places() -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """Of each regional group, the column and row of each State's tile (`tiles.toml`, with its origin)."""
    drawn = tomllib.loads(Path(__file__).with_name("tiles.toml").read_text("utf-8"))
    return {
        region: {
            code: (column, row)
            for row, line in enumerate(told["map"].strip("\n").splitlines())
            for column, code in enumerate(line.split())
            if code != "."
        }
        for region, told in drawn.items()
    }


def tile_map(region: str, tiles: Sequence[Tile], name: str, words: Words) -> Markup:
    """The map of a regional group: the darker a tile, the more recommendations; the line below tells the share
    supported. A State of which nothing was read has an outline and no number."""
    drawn, by_code = places()[region], {tile.code: tile for tile in tiles}
    most = max((tile.count for tile in tiles if tile.count and tile.code in drawn), default=0)
    elements = [_tile(by_code[code], place, most, words) for code, place in drawn.items() if code in by_code]
    columns, rows = (1 + max(place[axis] for place in drawn.values()) for axis in (0, 1))
    box = svg.ViewBoxSpec(0, 0, columns * _ROOM, rows * _ROOM)
    return picture(elements, rows * _ROOM, "tiles", name, linked=True, box=box)


def _tile(tile: Tile, place: tuple[int, int], most: int, words: Words) -> svg.Element:
    x, y = (1 + axis * _ROOM for axis in place)
    square = svg.Rect(x=x, y=y, width=_TILE, height=_TILE, rx=3)
    code = svg.Text(x=x + _TILE // 2, y=y + 13, text=tile.code)
    if tile.count is None:
        return titled(svg.G(class_=["unread"], elements=[square, code]), f"{tile.code} · {tile.name}: –", tile.link)
    share = tile.supported / tile.count if tile.count else 0
    elements: list[svg.Element] = [square, code]
    elements.append(svg.Text(x=x + _TILE // 2, y=y + 26, text=words.number(tile.count)))
    if share:
        line = round(share * (_TILE - 4), 1)
        elements.append(svg.Rect(x=x + 2, y=y + _TILE - _SHARE - 1, width=line, height=_SHARE, class_=["share"]))
    told = words("chart.tile", code=tile.code, state=tile.name, n=tile.count, share=words.share(share))
    return titled(svg.G(class_=[f"heat{level(tile.count, most)}"], elements=elements), told, tile.link)
