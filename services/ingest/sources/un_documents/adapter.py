"""Which documents of the reviews there are, or should be, by the rules of their symbols and by what is held."""

import datetime
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.documents import DocumentKind, SymbolFacts, read_symbol
from services.ingest.parsers.council_sessions import council_session_of, upr_sessions_of
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.council_reports.series import report_of_session
from services.ingest.sources.documents_by_symbol import in_languages
from services.ingest.sources.review_calendar import WorkingGroupSession, sessions
from services.ingest.sources.symbols_held import SymbolsHeld


class UnDocuments:
    """Finds national reports, compilations, summaries, drafts, reports, their additions, and decisions.

    The newest session comes first. Symbols made by rule may lead nowhere; those of reports are made by rule only until
    the store holds as many as the session reviewed States.
    """

    name = "un_documents"

    def __init__(self, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._today = today

    def find(self, visit: Visit) -> Iterator[Found]:
        """Every document, session by session, in all languages that are read."""
        held = SymbolsHeld.of(visit.engine)
        wanted = [session for session in sessions(visit.engine) if self._is_wanted(session, visit.since)]
        by_session = _by_session(held.all | held.reports)
        for done, session in enumerate(wanted):
            visit.told(done, len(wanted))
            symbols = dict.fromkeys(self._symbols(session, by_session.get(session.number, []), held))
            yield from in_languages(visit.sites["documents"], symbols, _rules()["languages"])
        visit.told(len(wanted), len(wanted))

    def _is_wanted(self, session: WorkingGroupSession, since: datetime.date | None) -> bool:
        precede, take = _days("documents_precede_days"), _days("documents_take_days")
        return session.has_documents(self._today(), precede) and session.is_news(since, take)

    def _symbols(self, session: WorkingGroupSession, known: list[str], held: SymbolsHeld) -> Iterator[str]:
        for state in session.states:
            for number in _rules()["before_the_review"]:
                yield f"A/HRC/WG.6/{session.number}/{state}/{number}"
        reports = [symbol for symbol in known if symbol in held.reports]
        for report in reports:
            yield report
            yield from (f"{report}/{addition}" for addition in _rules()["additions_of_reports"])
        yield from known
        if held.loaded.get(session.number, 0) < len(session.states):
            yield from _reports_by_rule(session.number)
            yield from self._drafts_by_rule(session)

    def _drafts_by_rule(self, session: WorkingGroupSession) -> Iterator[str]:
        rule = _rules()["drafts"]
        is_young = session.is_news(self._today(), datetime.timedelta(days=rule["for_days"]))
        if is_young and session.has_documents(self._today(), datetime.timedelta(0)):
            yield from (f"A/HRC/WG.6/{session.number}/L.{n}" for n in range(rule["first"], rule["last"] + 1))


def _reports_by_rule(session: int) -> Iterator[str]:
    rule, council = _rules()["reports"], council_session_of(session)
    if council is None or council < rule["first_council_session"]:
        return
    for number in range(rule["first"], rule["last"] + 1):
        symbol = f"A/HRC/{council}/{number}"
        if symbol != report_of_session(council):
            yield symbol
            yield from (f"{symbol}/{addition}" for addition in rule["additions"])


def _by_session(symbols: frozenset[str]) -> dict[int, list[str]]:
    """Symbols by the session of the Working Group that they belong to, each session's in the order of their numbers."""
    sorted_in: dict[int, list[str]] = {}
    for symbol in sorted(symbols, key=_in_order):
        session = _session_of(read_symbol(symbol))
        if session is not None:
            sorted_in.setdefault(session, []).append(symbol)
    return sorted_in


def _session_of(facts: SymbolFacts) -> int | None:
    """The session; None for a Council session's own report, and for a Council session that adopted no outcome."""
    if facts.session is not None:
        return facts.session
    if facts.council_session is None or facts.symbol == report_of_session(facts.council_session):
        return None
    return max(upr_sessions_of(facts.council_session), default=None)


def _in_order(symbol: str) -> tuple[bool, list[tuple[int, str]]]:
    """Decisions last; numbers as people count them."""
    is_decision = read_symbol(symbol).kind is DocumentKind.COUNCIL_DECISION
    return is_decision, [(int(part) if part.isdecimal() else 0, part) for part in symbol.split("/")]


def _days(name: str) -> datetime.timedelta:
    return datetime.timedelta(days=_rules()[name])


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads((files("services.ingest.sources.un_documents") / "symbols.toml").read_text(encoding="utf-8"))
