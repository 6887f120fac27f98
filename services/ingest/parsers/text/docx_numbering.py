"""The numbers that Word puts in front of paragraphs by itself (ECMA-376 part 1, 17.9): they stand in no run of text.

A paragraph, or its style, names a list (`numId`) and a level (`ilvl`); `numbering.xml` says how each level counts and
how its label is written (`6.%3`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.ingest.parsers.text.docx_names import qn

_VAL = qn("w:val")
_ABSTRACT_ID = qn("w:abstractNumId")
_LEVELS = 9
_LARGEST = 3_999  # Roman numerals end there; no list of a report comes near
_DEEPEST_STYLE = 20
_PLACEHOLDER = re.compile(r"%([1-9])")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level counts: `form` is Word's name of it (`decimal`), `text` the pattern of its label (`6.%3`)."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    legal: bool = False


@dataclass(slots=True)
class _List:
    """One list's levels and how far each has counted. Lists that share an abstract numbering count together."""

    levels: dict[int, _Level]
    counted: dict[int, int] = field(default_factory=dict)

    def restart(self, level: int, start: int) -> None:
        """Let `level` begin at `start` when it is next counted."""
        self.counted[level] = start - 1

    def next_label(self, level: int) -> str | None:
        """The label of the next paragraph of `level`; None for bullets and for levels without a number."""
        shape = self.levels.get(level)
        if shape is None:
            return None
        self.counted[level] = min(self.counted.get(level, shape.start - 1) + 1, _LARGEST)
        for deeper in [each for each in self.counted if each > level]:
            del self.counted[deeper]
        if shape.form in ("bullet", "none") or not _PLACEHOLDER.search(shape.text):
            return None
        return _PLACEHOLDER.sub(lambda found: self._number(int(found[1]) - 1, legal=shape.legal), shape.text)

    def _number(self, level: int, *, legal: bool) -> str:
        shape = self.levels.get(level, _Level())
        number = self.counted.get(level, shape.start)
        return _FORMS.get("decimal" if legal else shape.form, str)(number)


class Numbering:
    """Word's own numbering of one document. `label` must be asked once for each paragraph, in their order."""

    def __init__(self, numbering: Any | None, styles: Any | None) -> None:
        """Take the roots of `numbering.xml` and `styles.xml`; None where the document has none."""
        self._lists: dict[str, _List] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        self._styles = {} if styles is None else _numbered_styles(styles)
        if numbering is not None:
            self._read(numbering)

    def label(self, paragraph: Any, style: str | None) -> str | None:
        """The label in front of `paragraph`, whose style has the id `style`; None where Word puts none."""
        named, level = _list_of(paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}"))
        if named is None and style in self._styles:
            named, level = self._styles[style]
        found = self._lists.get(named or "")
        if named is None or found is None:
            return None
        for restarted, start in self._restarts.pop(named, {}).items():
            found.restart(restarted, start)
        return found.next_label(level)

    def _read(self, numbering: Any) -> None:
        shared = {each.get(_ABSTRACT_ID): _List(_levels(each)) for each in numbering.iter(qn("w:abstractNum"))}
        for each in numbering.iter(qn("w:num")):
            name = each.get(qn("w:numId"))
            abstract = each.find(qn("w:abstractNumId"))
            if name is None or abstract is None or abstract.get(_VAL) not in shared:
                continue
            self._lists[name] = shared[abstract.get(_VAL)]
            self._restarts[name] = {
                _whole(override.get(qn("w:ilvl")), 0): _whole(start.get(_VAL), 1)
                for override in each.iter(qn("w:lvlOverride"))
                if (start := override.find(qn("w:startOverride"))) is not None
            }


def _levels(abstract: Any) -> dict[int, _Level]:
    levels = {}
    for level in abstract.iter(qn("w:lvl")):
        place = _whole(level.get(qn("w:ilvl")), 0)
        if place < _LEVELS:
            levels[place] = _Level(
                start=_whole(_value(level, "w:start"), 1),
                form=_value(level, "w:numFmt") or "decimal",
                text=_value(level, "w:lvlText") or "",
                legal=level.find(qn("w:isLgl")) is not None,
            )
    return levels


def _numbered_styles(styles: Any) -> dict[str | None, tuple[str, int]]:
    """Style id to its list and level, the style's own or the one that it is based on."""
    all_styles = {style.get(qn("w:styleId")): style for style in styles.iter(qn("w:style"))}

    def list_of(style_id: str | None, depth: int = 0) -> tuple[str, int] | None:
        style = all_styles.get(style_id)
        if style is None or depth > _DEEPEST_STYLE:
            return None
        named, level = _list_of(style.find(f"{qn('w:pPr')}/{qn('w:numPr')}"))
        return (named, level) if named is not None else list_of(_value(style, "w:basedOn"), depth + 1)

    return {style_id: found for style_id in all_styles if (found := list_of(style_id)) is not None}


def _list_of(properties: Any | None) -> tuple[str | None, int]:
    if properties is None:
        return None, 0
    return _value(properties, "w:numId"), _whole(_value(properties, "w:ilvl"), 0)


def _value(element: Any, name: str) -> str | None:
    found = element.find(qn(name))
    return None if found is None else found.get(_VAL)


def _whole(text: str | None, default: int) -> int:
    return min(int(text), _LARGEST) if text and text.isdecimal() and len(text) < 9 else default


def _letters(number: int) -> str:
    """a … z, aa, bb …, as Word counts with letters (17.18.59)."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if number > 0 else ""


def _roman(number: int) -> str:
    written = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        written += sign * count
    return written


_FORMS: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "decimalZero": lambda number: f"{number:02d}",
}
