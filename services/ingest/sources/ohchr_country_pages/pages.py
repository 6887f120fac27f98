"""What OHCHR's pages say: which State has which page, and which documents stand under which cycle."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from services.core.domain.documents import SYMBOL_IN_TEXT
from services.ingest.sources.web_pages import Frame, Heading, Link, WebPage

_AROUND_LETTERS = " ()[]|/,;:-–"


@dataclass(frozen=True, slots=True)
class CountryPage:
    """A State's page. `iso2` is of its address, `name` is how the index writes it."""

    iso2: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A link under a heading. `cycle` is None above the first heading of a cycle.

    `title`: its words, or where these are the letter of a language, those of the entry in which the letters stand.
    """

    address: str
    title: str
    cycle: int | None
    language: str | None
    symbol: str | None = None


def country_pages(index: WebPage) -> list[CountryPage]:
    """The States' pages that an index links to, in the order of their codes, each once."""
    pattern = re.compile(told()["country_page"])
    found: dict[str, CountryPage] = {}
    for link in index.links():
        if (match := pattern.search(urlsplit(link.address).path)) and link.text:
            found.setdefault(match["iso2"], CountryPage(match["iso2"], link.text, link.address))
    return [found[iso2] for iso2 in sorted(found)]


def links_by_cycle(page: WebPage) -> Iterator[Listed]:
    """All links of a State's page with the cycle under whose heading they stand."""
    cycle: int | None = None
    heading = ""
    for part in page.parts(told()["article"]):
        if isinstance(part, Heading):
            cycle = _cycle(part.text) or cycle
            heading = part.text
        elif isinstance(part, Link):
            yield _listed(part, cycle, heading)


def is_document(link: Listed) -> bool:
    """Whether a link leads to a file that a parser may read."""
    path = unquote(urlsplit(link.address).path).lower()
    words = f"{link.title} {PurePosixPath(path).name}".lower()
    rule = told()["documents"]
    return path.endswith(tuple(rule["endings"])) and not any(word in words for word in rule["not_read"])


def is_submissions_page(link: Listed) -> bool:
    """Whether a link leads to the page of stakeholders' submissions."""
    word = told()["submissions"]["page"]
    return word in link.title.lower() or word in urlsplit(link.address).path.lower()


def frames_of_submissions(page: WebPage) -> list[str]:
    """The addresses of the frames that hold tables of submissions."""
    wanted = told()["submissions"]["frame"]
    frames = (part.address for part in page.parts() if isinstance(part, Frame))
    return list(dict.fromkeys(address for address in frames if wanted in address.lower()))


def submissions(frame: WebPage, cycle: int | None) -> Iterator[Listed]:
    """The files in the tables of a frame, each with the language that its letter stands for."""
    heading = ""
    for part in frame.parts():
        if isinstance(part, Heading):
            heading = part.text
        elif isinstance(part, Link) and told()["submissions"]["file"] in part.address.lower():
            yield _listed(part, cycle, heading)


def draft_path(session: int, name: str) -> str:
    """Where a State's draft report would be on the site of drafts."""
    folder = re.sub(r"[\W_]", "", name)
    path: str = told()["drafts"]["path"].format(session=session, folder=folder, name=name)
    return path


def _listed(link: Link, cycle: int | None, heading: str) -> Listed:
    language = told()["languages"].get(link.text.strip(_AROUND_LETTERS))
    title = _without_letters(link.entry) or heading if language else link.text
    return Listed(link.address, title, cycle, language, _symbol(link.address))


def _without_letters(entry: str) -> str:
    """The words of an entry without the languages after them."""
    words = entry.split()
    while words and (words[-1].strip(_AROUND_LETTERS) in {*told()["languages"], ""}):
        words.pop()
    return " ".join(words).rstrip(" |/,:;-–")


def _cycle(heading: str) -> int | None:
    words = " ".join(heading.lower().split())
    return next((number for name, number in told()["cycles"].items() if words.startswith(name)), None)


def _symbol(address: str) -> str | None:
    """The symbol that a link to a document server names."""
    parts = urlsplit(address)
    if parts.hostname not in told()["symbols"]["hosts"]:
        return None
    named = SYMBOL_IN_TEXT.search(unquote(f"{parts.path}?{parts.query}"))
    return "".join(named[0].split()) if named else None


@cache
def told() -> dict[str, Any]:
    """What `pages.toml` says."""
    folder = files("services.ingest.sources.ohchr_country_pages")
    return tomllib.loads((folder / "pages.toml").read_text(encoding="utf-8"))
