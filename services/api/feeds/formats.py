"""News as Atom (RFC 4287, paged as in RFC 5005) and as JSON Feed 1.1."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson

from services import __version__
from services.api.feeds.entries import Entry, News, urn

_ATOM = "http://www.w3.org/2005/Atom"
_AUTHOR = "OpenUPR"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can hold (XML 1.0, production 2), not even escaped."""


@dataclass(frozen=True)
class FeedForm:
    """A form of feeds. `suffix` ends the address."""

    suffix: str
    media_type: str
    description: str
    write: Callable[[News], bytes]


def write_atom(news: News) -> bytes:
    """An Atom feed document."""
    feed = Element("feed", {"xmlns": _ATOM, "xml:lang": news.language})
    _text(feed, "id", urn(news.address))
    _text(feed, "title", news.title)
    _text(feed, "updated", news.updated)
    _text(SubElement(feed, "author"), "name", _AUTHOR)
    SubElement(feed, "generator", {"version": __version__}).text = "OpenUPR"
    SubElement(feed, "link", {"rel": "self", "type": ATOM.media_type, "href": news.page})
    SubElement(feed, "link", {"rel": "alternate", "href": news.home})
    if news.next_page:
        SubElement(feed, "link", {"rel": "next", "type": ATOM.media_type, "href": news.next_page})
    for entry in news.entries:
        _add_entry(feed, entry)
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _add_entry(feed: Element, entry: Entry) -> None:
    element = SubElement(feed, "entry")
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "published", entry.moment)
    _text(element, "updated", entry.moment)
    SubElement(element, "link", {"rel": "alternate", "href": entry.url})
    SubElement(element, "category", {"term": entry.type})
    _text(element, "summary", entry.text)


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NOT_IN_XML.sub("", text)


def write_json_feed(news: News) -> bytes:
    """A JSON Feed; `_openupr` has what programs want to know of an entry."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": news.title,
        "home_page_url": news.home,
        "feed_url": news.address,
        "language": news.language,
        "authors": [{"name": _AUTHOR, "url": news.home}],
        "items": [_item(entry, news.language) for entry in news.entries],
    }
    if news.next_page:
        feed["next_url"] = news.next_page
    return orjson.dumps(feed)


def _item(entry: Entry, language: str) -> dict[str, object]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_text": entry.text,
        "date_published": entry.moment,
        "date_modified": entry.moment,
        "tags": [entry.type],
        "language": language,
        "_openupr": {"event": entry.event, "seq": entry.seq, "type": entry.type, "subject": entry.subject},
    }


ATOM = FeedForm("atom", "application/atom+xml", "Atom 1.0.", write_atom)
JSON_FEED = FeedForm("json-feed", "application/feed+json", "JSON Feed 1.1.", write_json_feed)
FEED_FORMS = (ATOM, JSON_FEED)
"""The forms of feeds, in the order in which they are preferred where a reader takes both alike."""
