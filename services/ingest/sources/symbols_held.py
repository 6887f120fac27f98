"""The symbols of documents that the store holds or has heard of: from citations, answers and databases."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select, text

from services.core.domain.documents import SYMBOL_IN_TEXT, DocumentKind, SymbolFacts, read_symbol
from services.core.store.documents import documents_table

_LONGEST = 40
"""No real symbol has as many characters; what documents cite may be anything."""

_ANSWERS = text(
    "SELECT DISTINCT entry ->> 'symbol' FROM recommendations, jsonb_array_elements(positions) AS entry "
    "WHERE NOT sample AND entry ->> 'symbol' IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class SymbolsHeld:
    """Symbols without those of sample documents.

    `reports`: those of the series in which reports of the Working Group stand, without additions. `loaded`: how many
    reports of each session of the Working Group are held, and not only heard of.
    """

    all: frozenset[str]
    reports: frozenset[str]
    loaded: Mapping[int, int]

    @classmethod
    def of(cls, engine: Engine) -> "SymbolsHeld":
        """All that the store knows now."""
        known = {symbol for told in _told(engine) if (symbol := _whole(told))}
        reports = {base for symbol in known if (base := _report(read_symbol(symbol)))}
        return cls(frozenset(known), frozenset(reports), dict(_loaded(engine)))


def _told(engine: Engine) -> Iterator[str]:
    columns = documents_table.c
    held = select(columns.symbol).where(columns.sample.is_(False), columns.symbol.is_not(None))
    cited = select(func.unnest(columns.cites)).where(columns.sample.is_(False)).distinct()
    with engine.connect() as connection:
        for query in (held, cited, _ANSWERS):
            yield from connection.execute(query).scalars()


def _loaded(engine: Engine) -> Iterator[tuple[int, int]]:
    columns = documents_table.c
    are_reports = columns.kind == DocumentKind.WORKING_GROUP_REPORT, columns.sample.is_(False)
    query = select(columns.session, func.count()).where(*are_reports, columns.session.is_not(None))
    with engine.connect() as connection:
        yield from (tuple(row) for row in connection.execute(query.group_by(columns.session)))


def _whole(told: str) -> str | None:
    """A symbol without the blanks that print puts into it; None for what is no symbol of the review's documents."""
    symbol = "".join(told.split())
    return symbol if len(symbol) <= _LONGEST and SYMBOL_IN_TEXT.fullmatch(symbol) else None


def _report(facts: SymbolFacts) -> str | None:
    """The symbol without its additions, if it is one of the Council's series in which the reports stand."""
    if facts.council_session is None or facts.kind is DocumentKind.COUNCIL_DECISION:
        return None
    return "/".join(facts.symbol.split("/")[:4])
