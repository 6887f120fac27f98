"""Web pages: their text by block and their tables, as a browser would make them of whatever mark-up there is.

Pages lie about their encoding or do not tell it: what is UTF-8 by its bytes is, else what the page declares, else
Windows's western code page, which is what older pages of oas.org are written in.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.core.domain.errors import UnreadableDocumentError

_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_DECLARED_WITHIN = 4096
_USUAL = "cp1252"
_MOST_NODES = 200_000
_MOST_COLUMNS = 64
_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "div",
            "dl",
            "dt",
            "fieldset",
        ),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li"),
        *("main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    }
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BOLD = frozenset({"b", "strong", *_HEADINGS})
_UNSEEN = frozenset({"script", "style", "noscript", "template", "head", "title", "select", "option", "iframe", "svg"})
_TEXT, _BREAK = "-text", "br"
_MARK = re.compile(r"[\d\s,*†‡]*")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A line of a page: what stands in one block element up to a line break.

    `bold`: whether all of it is, by mark-up, `heading`: a heading's. `links`: addresses in it, as written.
    """

    text: str
    bold: bool = False
    heading: bool = False
    links: tuple[str, ...] = ()


PageTable = tuple[tuple[str, ...], ...]


class Page:
    """A web page. Nothing of it is run or fetched."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._tree = tree

    @cached_property
    def title(self) -> str:
        """What the page calls itself in its head."""
        node = self._tree.css_first("title")
        return one_line(node.text()) if node else ""

    @cached_property
    def language(self) -> str | None:
        """The language that the page declares, such as `es`."""
        root = self._tree.css_first("html")
        told = (root.attributes.get("lang") or "") if root else ""
        return told[:2].lower() or None

    @cached_property
    def links(self) -> tuple[str, ...]:
        """All addresses that the page leads to or shows, its own canonical one first, as written."""
        canonical = [node.attributes.get("href") for node in self._tree.css('link[rel="canonical"]')]
        others = [node.attributes.get(name) for node in self._tree.css("a, iframe, form") for name in _ADDRESSES]
        return tuple(one_line(each) for each in (*canonical, *others) if each)

    @cached_property
    def blocks(self) -> tuple[PageBlock, ...]:
        """The page's text in reading order."""
        return tuple(_blocks(self._tree))

    @cached_property
    def text(self) -> str:
        """All of it, a line a block."""
        return "\n".join(block.text for block in self.blocks)

    @cached_property
    def tables(self) -> tuple[PageTable, ...]:
        """The rows of every table; a table in another one's cell is a table of its own, and no text of that cell."""
        return tuple(_rows(table) for table in self._tree.css("table"))


_ADDRESSES = ("href", "src", "action")


def read_page(data: bytes) -> Page:
    """A page from its bytes. Raises `UnreadableDocumentError` (`page_too_large`) for more than any page has."""
    tree = LexborHTMLParser(decoded(data))
    if any(number > _MOST_NODES for number, _ in enumerate(_nodes(tree))):
        raise UnreadableDocumentError("page_too_large", f"the web page has more than {_MOST_NODES:,} parts")
    return Page(tree)


def decoded(data: bytes) -> str:
    """The text of a page, whatever its encoding. Bytes that mean nothing in it become replacement characters."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    found = _DECLARED.search(data[:_DECLARED_WITHIN])
    declared = found[1].decode("ascii").lower() if found else _USUAL
    try:
        known = codecs.lookup(declared).name
    except LookupError:
        known = _USUAL
    # What calls itself Latin-1 or UTF-8 and is not is Windows's code page, as for browsers (WHATWG Encoding, 4.2).
    return data.decode(_USUAL if known in ("iso8859-1", "ascii", "utf-8") else known, "replace")


def one_line(text: str) -> str:
    """Text with its white space, also the unbreakable, as single blanks."""
    return " ".join(text.replace("\u200b", "").split())


def _nodes(tree: LexborHTMLParser) -> Iterator[LexborNode]:
    root = tree.root
    if root is not None:
        yield from root.traverse(include_text=True)


class _Line:
    """The block that is being put together."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.links: list[str] = []
        self.bold = self.heading = True

    def block(self) -> PageBlock | None:
        text = one_line("".join(self.parts))
        return PageBlock(text, self.bold, self.heading, tuple(self.links)) if text else None


def _blocks(tree: LexborHTMLParser) -> Iterator[PageBlock]:
    line, place = _Line(), None
    for node in _nodes(tree):
        if node.tag == _BREAK:
            place = None
        if node.tag != _TEXT:
            continue
        within = list(_around(node))
        if any(each.tag in _UNSEEN for each in within):
            continue
        home = next((each.mem_id for each in within if each.tag in _BLOCKS), None)
        if home != place and (block := line.block()):
            yield block
        if home != place:
            line, place = _Line(), home
        _take(line, node.text(deep=False), within)
    if block := line.block():
        yield block


def _take(line: _Line, text: str, within: list[LexborNode]) -> None:
    line.parts.append(text)
    if text.strip():
        line.bold = line.bold and any(each.tag in _BOLD for each in within)
        line.heading = line.heading and any(each.tag in _HEADINGS for each in within)
        line.links += [href for each in within if each.tag == "a" and (href := each.attributes.get("href"))]


def _around(node: LexborNode) -> Iterator[LexborNode]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def _rows(table: LexborNode) -> PageTable:
    rows: dict[int, list[str]] = {}
    for node in table.traverse(include_text=False):
        if node.tag == "tr" and _nearest(node, "table") == table.mem_id:
            rows[node.mem_id] = []
        elif node.tag in ("td", "th") and (row := _nearest(node, "tr")) in rows:
            rows[row].append(_cell(node))
            rows[row] += [""] * (_span(node) - 1)
    return tuple(tuple(cells[:_MOST_COLUMNS]) for cells in rows.values() if any(cells))


def _nearest(node: LexborNode, tag: str) -> int | None:
    return next((each.mem_id for each in _around(node) if each.tag == tag), None)


def _cell(cell: LexborNode) -> str:
    """A cell's own words, without those of tables in it and the marks of footnotes."""
    parts: list[str] = []
    for node in cell.traverse(include_text=True):
        if node.tag != _TEXT:
            parts.append(" " if node.tag in (_BREAK, *_BLOCKS) else "")
            continue
        inner = [each.tag for each in _until(node, cell)]
        text = node.text(deep=False)
        is_mark = "sup" in inner and _MARK.fullmatch(text)
        if "table" not in inner and not is_mark and not _UNSEEN.intersection(inner):
            parts.append(text)
    return one_line("".join(parts))


def _until(node: LexborNode, outer: LexborNode) -> Iterator[LexborNode]:
    for each in _around(node):
        if each.mem_id == outer.mem_id:
            return
        yield each


def _span(cell: LexborNode) -> int:
    told = cell.attributes.get("colspan") or "1"
    return min(max(int(told), 1), _MOST_COLUMNS) if told.isdecimal() else 1
