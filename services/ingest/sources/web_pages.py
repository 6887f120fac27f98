"""Web pages as adapters look at them: headings and links in the order of the page, whatever its mark-up.

Pages are hostile and change without notice. So they are read as browsers read them, only as far as any real page goes,
and links lead nowhere but to web addresses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.ingest.fetching.outcomes import Fetched

PAGE_KINDS = frozenset({"html", "xml"})
"""What web pages come as; XHTML may begin as XML does."""
MOST_BYTES_OF_A_PAGE = 10_000_000

_MOST_NODES = 50_000
_MOST_NODES_OF_WORDS = 300
_LONGEST_ADDRESS = 2_000
_LONGEST_HEADING = 120
_LONGEST_LINK = 400
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "summary", "button", "strong", "b", "caption", "legend"))
_ENTRY_TAGS = frozenset(("li", "tr", "p", "dd"))
_LONGEST_ENTRY = 400
_ENTRY_WITHIN = 5
"""Levels above a link in which the entry that it belongs to is looked for."""
_TAKEN_AS_ENCODED = "/%:@!$&'()*+,;=~"
"""What stays as it is in the path of a link: a page that encodes half of it means what is encoded."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Words that stand over what follows: a heading, or what pages use in its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its words. `address` is whole, without a fragment.

    `entry`: the words of the line of a list, the row of a table or the paragraph in which it stands, itself among them;
    empty where that is longer than any entry.
    """

    address: str
    text: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A page within the page."""

    address: str


class WebPage:
    """One page."""

    def __init__(self, fetched: Fetched) -> None:
        self.address = fetched.final_address
        self._tree = LexborHTMLParser(_read(fetched.path))
        base = self._tree.css_first("base[href]")
        self._entries: dict[int, str] = {}
        self._base = urljoin(self.address, (base.attributes["href"] or "") if base else "")

    def parts(self, within: str = "body") -> Iterator[Heading | Link | Frame]:
        """What stands in the first element of this name, or on the whole page where there is none."""
        root = self._tree.css_first(within) or self._tree.body
        if root is None:
            return
        for place, node in enumerate(root.traverse()):
            if place >= _MOST_NODES:
                return
            part = self._part(node)
            if part is not None:
                yield part

    def links(self, within: str = "body") -> Iterator[Link]:
        """The links alone."""
        return (part for part in self.parts(within) if isinstance(part, Link))

    def _part(self, node: LexborNode) -> Heading | Link | Frame | None:
        if node.tag == "a":
            address = self._whole(node.attributes.get("href"))
            return Link(address, _words(node, _LONGEST_LINK), self._entry(node)) if address else None
        if node.tag == "iframe":
            address = self._whole(node.attributes.get("src"))
            return Frame(address) if address else None
        words = _words(node, _LONGEST_HEADING) if node.tag in _HEADING_TAGS else ""
        return Heading(words) if words else None

    def _entry(self, link: LexborNode) -> str:
        node = link.parent
        for _ in range(_ENTRY_WITHIN):
            if node is None:
                break
            if node.tag in _ENTRY_TAGS:
                if node.mem_id not in self._entries:
                    self._entries[node.mem_id] = _words(node, _LONGEST_ENTRY)
                return self._entries[node.mem_id]
            node = node.parent
        return ""

    def _whole(self, told: str | None) -> str | None:
        """The web address that a link means; None for scripts, mail, places on the page, and what is no address."""
        if not told or not (told := re.sub(r"[\t\r\n]", "", told).strip()) or told.startswith("#"):
            return None
        try:
            parts = urlsplit(urldefrag(urljoin(self._base, told)).url)
            is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            return None
        if not is_web:
            return None
        query = quote(parts.query, safe=_TAKEN_AS_ENCODED + "?")
        address = parts._replace(path=quote(parts.path, safe=_TAKEN_AS_ENCODED), query=query).geturl()
        return address if len(address) <= _LONGEST_ADDRESS else None


def printable(words: str) -> str:
    """Words without what would move the cursor of whoever reads them on a terminal."""
    return "".join(each if each.isprintable() else " " for each in words)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES_OF_A_PAGE)


def _words(node: LexborNode, most: int) -> str:
    """The words in an element; none where they are more than `most` characters, or hidden among endless mark-up."""
    words: list[str] = []
    length = 0
    for place, each in enumerate(node.traverse(include_text=True)):
        if each.tag == "-text":
            words += printable(each.text(deep=False)).split()
            length = sum(map(len, words)) + len(words) - 1
        if length > most or place > _MOST_NODES_OF_WORDS:
            return ""
    return " ".join(words)
