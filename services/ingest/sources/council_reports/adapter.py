"""The reports and decisions of each session of the Council that adopted outcomes of reviews."""

import datetime
from collections.abc import Callable, Iterator

from services.core.domain.documents import DocumentKind, read_symbol
from services.ingest.parsers.council_sessions import council_sessions, upr_sessions_of
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.council_reports.series import decisions_by_rule, report_of_session, rules
from services.ingest.sources.documents_by_symbol import in_languages
from services.ingest.sources.review_calendar import WorkingGroupSession, sessions
from services.ingest.sources.symbols_held import SymbolsHeld


class CouncilReports:
    """Finds the Council's reports, and its decisions on outcomes, the newest session first.

    Decisions that the store knows are asked for by their symbols; by rule only while fewer are known than a session
    reviewed States.
    """

    name = "council_reports"

    def __init__(self, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._today = today

    def find(self, visit: Visit) -> Iterator[Found]:
        """Report and decisions, session by session."""
        site, held = visit.sites["documents"], SymbolsHeld.of(visit.engine).all
        reviewed = {session.number: session for session in sessions(visit.engine)}
        wanted = [each for each in sorted(council_sessions(), reverse=True) if self._is_wanted(each, reviewed, visit)]
        for done, council in enumerate(wanted):
            visit.told(done, len(wanted))
            yield from in_languages(site, [report_of_session(council)], rules()["languages"])
            yield from in_languages(site, _decisions(council, reviewed, held), rules()["decision_languages"])
        visit.told(len(wanted), len(wanted))

    def _is_wanted(self, council: int, reviewed: dict[int, WorkingGroupSession], visit: Visit) -> bool:
        """Whether the Council may have met, and its documents be as new as is asked for."""
        adopted = [reviewed[number] for number in upr_sessions_of(council) if number in reviewed]
        take = datetime.timedelta(days=rules()["decisions"]["take_days"])
        return any(
            session.has_documents(self._today(), datetime.timedelta(0)) and session.is_news(visit.since, take)
            for session in adopted
        )


def _decisions(council: int, reviewed: dict[int, WorkingGroupSession], held: frozenset[str]) -> list[str]:
    known = {symbol for symbol in held if _is_decision_of(symbol, council)}
    states = sum(len(reviewed[number].states) for number in upr_sessions_of(council) if number in reviewed)
    return sorted(known if len(known) >= states else known | set(decisions_by_rule(council)))


def _is_decision_of(symbol: str, council: int) -> bool:
    facts = read_symbol(symbol)
    return facts.kind is DocumentKind.COUNCIL_DECISION and facts.council_session == council
