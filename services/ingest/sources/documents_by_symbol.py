"""A document of the United Nations as docs.un.org has it: one address a symbol and language."""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from services.ingest.sources.base import Found

_KINDS = frozenset({"pdf"})


def document_found(site: str, symbol: str, language: str) -> Found:
    """Where the site has the document itself, and not the page around it. That nothing is there is no news."""
    return Found(
        address=f"{site}/{language}/{quote(symbol, safe='/')}?direct=true",
        name=f"{symbol} ({language})",
        kinds=_KINDS,
        symbol=symbol,
        language=language,
        may_be_missing=True,
    )


def in_languages(site: str, symbols: Iterable[str], languages: Iterable[str]) -> Iterator[Found]:
    """Each document in each language, languages of one document side by side."""
    spoken = tuple(languages)
    for symbol in symbols:
        for language in spoken:
            yield document_found(site, symbol, language)
