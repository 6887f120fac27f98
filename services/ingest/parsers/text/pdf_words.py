"""The words of a PDF's pages with their places, and the lines drawn there: what a printed table is rebuilt from.

Places are in points, x from the left and y from the top, as one holds the page to read it: where most words run up,
down or upside down, the page is turned.
"""

import ctypes
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from services.core.domain.errors import UnreadableDocumentError

_LINE_END_HYPHEN = 0x02
"""What PDFium gives for a hyphen at the end of a line."""

_SOFT_HYPHEN = "\u00ad"
_RIGHT, _UP, _LEFT, _DOWN = (1, 0), (0, 1), (-1, 0), (0, -1)
_MOST_CHARACTERS = 60_000
_MOST_OBJECTS = 20_000
_MOST_SEGMENTS = 200_000
"""Bounds on the work that one page can make; pages of matrices have some 4,000 characters and 500 lines."""

_Matrix = tuple[float, float, float, float, float, float]
_Point = tuple[float, float]

_FIRST_SEEN = 32
_FARTHEST_NEIGHBOUR = 30.0
_DEEPEST_FORM = 4
_SHORTEST_RULE = 6.0
_LEVEL = 1.0
"""A line that rises by less, in points, is level."""

_SAME_BASELINE = 0.3
_GAP = 0.2
"""In heights of the font: what is further from the baseline, or from the character before, is another word."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word: where it begins and ends, its baseline, and how high its font is."""

    text: str
    left: float
    right: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A level or upright line: its place on the other axis, and from where to where it runs."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PrintedPage:
    """One page. `level` and `upright` are the lines drawn on it."""

    number: int
    words: tuple[Word, ...]
    level: tuple[Rule, ...] = ()
    upright: tuple[Rule, ...] = ()


def read_pages(data: bytes, last: int | None = None) -> Iterator[PrintedPage]:
    """The pages of a PDF, up to page `last`. Raises `UnreadableDocumentError` `truncated_pdf`."""
    try:
        document = pypdfium2.PdfDocument(data)
        try:
            for number in range(min(len(document), last or len(document))):
                yield _page(document, number)
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        raise UnreadableDocumentError("truncated_pdf", "The PDF is damaged: a page cannot be read") from error


def _page(document: Any, number: int) -> PrintedPage:
    page = document[number]
    text_page = page.get_textpage()
    try:
        characters = list(_characters(text_page.raw))
        turned = _direction(characters)
        words = tuple(_words(each.turned(turned) for each in characters))
        level, upright = _rules(page.raw, turned)
    finally:
        text_page.close()
        page.close()
    return PrintedPage(number + 1, words, level, upright)


class _Character(NamedTuple):
    """One character: from where to where it runs, its baseline, and how high its font is; or its place on the page."""

    text: str
    start: float
    end: float
    baseline: float
    size: float


class _Placed(NamedTuple):
    """One character as the page has it: its box (left, bottom, right, top) and where its baseline begins."""

    text: str
    box: tuple[float, float, float, float]
    origin: _Point

    def turned(self, direction: tuple[int, int]) -> _Character:
        """The same on a page that is turned so that `direction` runs to the right, with y from the top."""
        (x, y), (other_x, other_y) = _turned(self.box[:2], direction), _turned(self.box[2:], direction)
        return _Character(
            self.text, min(x, other_x), max(x, other_x), _turned(self.origin, direction)[1], abs(other_y - y) or 1.0
        )


def _turned(point: tuple[float, ...], direction: tuple[int, int]) -> _Point:
    x, y = point
    return x * direction[0] + y * direction[1], x * direction[1] - y * direction[0]


def _characters(text_page: Any) -> Iterator[_Placed]:
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    for at in range(min(pdfium.FPDFText_CountChars(text_page), _MOST_CHARACTERS)):
        code = pdfium.FPDFText_GetUnicode(text_page, at)
        code = ord("-") if code == _LINE_END_HYPHEN else code
        if 0 < code < 0xD800 or 0xE000 <= code < 0x110000:
            pdfium.FPDFText_GetLooseCharBox(text_page, at, box)
            pdfium.FPDFText_GetCharOrigin(text_page, at, x, y)
            yield _Placed(chr(code), (box.left, box.bottom, box.right, box.top), (x.value, y.value))


def _direction(characters: list[_Placed]) -> tuple[int, int]:
    """Where most of the text runs to."""
    ways: Counter[tuple[int, int]] = Counter()
    for one, next_one in itertools.pairwise(characters):
        across, up = next_one.origin[0] - one.origin[0], next_one.origin[1] - one.origin[1]
        if one.text.isalpha() and next_one.text.isalpha() and max(abs(across), abs(up)) < _FARTHEST_NEIGHBOUR:
            ways[(_RIGHT if across > 0 else _LEFT) if abs(across) >= abs(up) else (_UP if up > 0 else _DOWN)] += 1
    return ways.most_common(1)[0][0] if ways else _RIGHT


def _words(characters: Iterable[_Character]) -> Iterator[Word]:
    word: list[_Character] = []
    for character in characters:
        is_seen = not character.text.isspace() and ord(character.text) >= _FIRST_SEEN
        if word and not (is_seen and _goes_on(word, character)):
            yield from _closed(word)
            word = []
        if is_seen:
            word.append(character)
    yield from _closed(word)


def _goes_on(word: list[_Character], character: _Character) -> bool:
    last, size = word[-1], max(word[0].size, 1.0)
    level = abs(character.baseline - word[0].baseline) <= _SAME_BASELINE * size
    return level and -size <= character.start - last.end <= _GAP * size


def _closed(word: list[_Character]) -> Iterator[Word]:
    text = "".join(each.text for each in word).replace(_SOFT_HYPHEN, "")
    if text:
        yield Word(text, word[0].start, word[-1].end, word[0].baseline, max(each.size for each in word))


def _rules(page: Any, turned: tuple[int, int]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The level and the upright lines of a page, edges of rectangles among them."""
    level, upright = [], []
    identity = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    segments = itertools.islice(_segments(_objects(page), identity, 0), _MOST_SEGMENTS)
    for start, end in segments:
        (x, y), (to_x, to_y) = _turned(start, turned), _turned(end, turned)
        if abs(to_y - y) <= _LEVEL and abs(to_x - x) >= _SHORTEST_RULE:
            level.append(Rule((y + to_y) / 2, min(x, to_x), max(x, to_x)))
        elif abs(to_x - x) <= _LEVEL and abs(to_y - y) >= _SHORTEST_RULE:
            upright.append(Rule((x + to_x) / 2, min(y, to_y), max(y, to_y)))
    return tuple(level), tuple(upright)


def _objects(page: Any) -> Iterator[Any]:
    for at in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        yield pdfium.FPDFPage_GetObject(page, at)


def _segments(objects: Iterator[Any], outer: _Matrix, depth: int) -> Iterator[tuple[_Point, _Point]]:
    for each in objects:
        kind = pdfium.FPDFPageObj_GetType(each)
        if kind == pdfium.FPDF_PAGEOBJ_PATH and _is_drawn(each):
            yield from _segments_of(each, _within(_matrix_of(each), outer))
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _DEEPEST_FORM:
            count = min(pdfium.FPDFFormObj_CountObjects(each), _MOST_OBJECTS)
            inner = (pdfium.FPDFFormObj_GetObject(each, at) for at in range(count))
            yield from _segments(inner, _within(_matrix_of(each), outer), depth + 1)


def _is_drawn(path: Any) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    return not pdfium.FPDFPath_GetDrawMode(path, fill, stroke) or bool(fill.value or stroke.value)


def _matrix_of(each: Any) -> _Matrix:
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(each, matrix)
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _within(inner: _Matrix, outer: _Matrix) -> _Matrix:
    """The matrix that does what `inner` does, and then `outer`."""
    a, b, c, d, e, f = inner
    return (
        a * outer[0] + b * outer[2], a * outer[1] + b * outer[3],
        c * outer[0] + d * outer[2], c * outer[1] + d * outer[3],
        e * outer[0] + f * outer[2] + outer[4], e * outer[1] + f * outer[3] + outer[5],
    )  # fmt: skip


def _segments_of(path: Any, matrix: _Matrix) -> Iterator[tuple[_Point, _Point]]:
    """The straight pieces of a path, the one that closes it too."""
    x, y = ctypes.c_float(), ctypes.c_float()
    begun: _Point | None = None
    last: _Point | None = None
    for at in range(min(pdfium.FPDFPath_CountSegments(path), _MOST_SEGMENTS)):
        segment = pdfium.FPDFPath_GetPathSegment(path, at)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        a, b, c, d, e, f = matrix
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_LINETO and last is not None:
            yield last, point
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            begun = point
        if pdfium.FPDFPathSegment_GetClose(segment) and begun is not None:
            yield point, begun
        last = point
