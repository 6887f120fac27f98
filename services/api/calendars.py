"""The dates of reviews as a calendar (RFC 5545): reviews, adoptions, sessions, mid-term reports that are hoped for."""

import csv
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from icalendar import Calendar, Event
from sqlalchemy import Connection

from services import __version__
from services.api.feeds.entries import urn
from services.api.phrases import a_few, filters_in_words, phrases
from services.core.query.filters import FilterSet
from services.core.schemas.names import Names
from services.core.schemas.shapes import permalink
from services.core.store.filtering import conditions
from services.core.store.hearings import HEARINGS, HearingRecord, hearings_table
from services.core.store.records import Stored
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.statements import STATEMENTS, StatementRecord, statements_table

CALENDAR_FILTERS = ("state_under_review", "region", "bloc")
_REFRESH = datetime.timedelta(days=1)
_ONE_DAY = datetime.timedelta(days=1)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Happening:
    """Something that takes whole days. `ends_on` is its last day; `name` never changes; `stamp`: when we last knew."""

    name: str
    kind: str
    summary: str
    starts_on: datetime.date
    ends_on: datetime.date
    stamp: datetime.datetime
    revision: int
    url: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Session:
    """A session of the Working Group on the UPR."""

    number: int
    starts_on: datetime.date
    ends_on: datetime.date


@cache
def sessions() -> Mapping[int, Session]:
    """The sessions whose dates are known (`facts/sessions.csv`; `facts/ORIGIN.md` tells from where)."""
    with (files("services.core.store") / "facts" / "sessions.csv").open(encoding="utf-8") as table:
        known = [
            Session(int(row["number"]), *map(datetime.date.fromisoformat, (row["starts_on"], row["ends_on"])))
            for row in csv.DictReader(table)
            if row["starts_on"] and row["ends_on"]
        ]
    return {each.number: each for each in known}


def happenings(connection: Connection, chosen: FilterSet, names: Names, public_url: str) -> list[Happening]:
    """What happens in the reviews that meet the filters, by date: three queries.

    Of sessions all, or those in which one of the chosen States is reviewed.
    """
    writer = _Writer(names, public_url)
    reviews = REVIEWS.where(connection, *_meeting(chosen, "reviews"))
    adoptions = HEARINGS.where(
        connection,
        hearings_table.c.kind == "council_adoption",
        hearings_table.c.date.is_not(None),
        *_meeting(chosen, "hearings"),
    )
    letters = STATEMENTS.where(
        connection,
        statements_table.c.kind == "letter",
        statements_table.c.suggested_mid_term_year.is_not(None),
        statements_table.c.review.is_not(None),
        *_meeting(chosen, "statements"),
    )
    numbers = {each.session for each in reviews} if chosen else set(sessions())
    found = [
        *(each for review in reviews for each in writer.of_review(review)),
        *map(writer.of_adoption, adoptions),
        *map(writer.of_letter, _one_a_review(letters)),
        *(writer.of_session(session) for number, session in sessions().items() if number in numbers),
    ]
    return sorted(found, key=lambda each: (each.starts_on, each.name))


def _meeting(chosen: FilterSet, noun: str) -> list[Any]:
    return conditions(FilterSet(noun, chosen.values))


def _one_a_review(letters: Iterable[StatementRecord]) -> Iterable[StatementRecord]:
    return {letter.review: letter for letter in reversed(list(letters))}.values()


@dataclass(frozen=True)
class _Writer:
    names: Names
    public_url: str

    def of_review(self, review: ReviewRecord) -> Iterator[Happening]:
        state, cycle = self._state(review.state_under_review), review.cycle
        session = sessions().get(review.session or 0)
        if review.date:
            yield self._of("reviews", review, "review", review.date, state=state, cycle=cycle)
        elif session:
            # The same name: it becomes the day when the day is known.
            days = session.starts_on, session.ends_on
            yield self._of("reviews", review, "review_in_session", days[0], ends_on=days[1], state=state, cycle=cycle)
        if review.adopted_on:
            yield self._of("reviews", review, "adoption", review.adopted_on, state=state, cycle=cycle)

    def of_adoption(self, hearing: HearingRecord) -> Happening:
        assert hearing.date is not None
        state = a_few([self._state(code) for code in hearing.states], self.names.language)
        return self._of("hearings", hearing, "council_adoption", hearing.date, state=state)

    def of_letter(self, letter: StatementRecord) -> Happening:
        year = letter.suggested_mid_term_year
        assert year is not None
        state = self._state(letter.state_under_review or "")
        last_day = datetime.date(year, 12, 31)
        return self._of("statements", letter, "mid_term", last_day, state=state, year=year)

    def of_session(self, session: Session) -> Happening:
        summary = phrases("calendar").say("summary.session", self.names.language, number=session.number)
        # Facts have no history: the session's own beginning is a moment that never changes.
        stamp = datetime.datetime.combine(session.starts_on, datetime.time(), datetime.UTC)
        name = f"session/{session.number}"
        return Happening(name, "session", summary, session.starts_on, session.ends_on, stamp, revision=1)

    def _of(
        self,
        noun: str,
        record: Stored,
        kind: str,
        starts_on: datetime.date,
        /,
        ends_on: datetime.date | None = None,
        **values: str | int,
    ) -> Happening:
        words, language = phrases("calendar"), self.names.language
        description = f"description.{kind}"
        record_id: str = record.id  # type: ignore[attr-defined]
        return Happening(
            name=f"{kind.removesuffix('_in_session')}/{record_id}",
            kind=kind,
            summary=words.say(f"summary.{kind}", language, **values),
            starts_on=starts_on,
            ends_on=ends_on or starts_on,
            stamp=record.updated_at.astimezone(datetime.UTC),
            revision=record.revision,
            url=permalink(self.public_url, noun, record_id),
            description=words.say(description, language) if description in words else None,
        )

    def _state(self, code: str) -> str:
        return self.names.state(code)["name"]


def write_calendar(found: Iterable[Happening], asked: Mapping[str, Any], names: Names, address: str) -> bytes:
    """An iCalendar object. `asked`: the filters, for its name; `address`: where it comes from."""
    words, language = phrases("calendar"), names.language
    name = words.say("calendar.name", language)
    if told := filters_in_words(asked, names):
        name = words.say("calendar.filtered", language, name=name, filters=told)
    calendar = Calendar()
    calendar.add("prodid", f"-//OpenUPR//OpenUPR {__version__}//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for title in ("name", "x-wr-calname"):  # RFC 7986, and what came before it
        calendar.add(title, name)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "P1D")
    calendar.add("source", address, parameters={"VALUE": "URI"})
    for each in found:
        calendar.add_component(_event(each))
    written: bytes = calendar.to_ical()
    return written


def _event(happening: Happening) -> Event:
    event = Event()
    event.add("uid", urn(f"calendar/{happening.name}").removeprefix("urn:uuid:"))
    event.add("dtstamp", happening.stamp)
    event.add("last-modified", happening.stamp)
    event.add("sequence", happening.revision - 1)
    event.add("dtstart", happening.starts_on)
    event.add("dtend", happening.ends_on + _ONE_DAY)
    event.add("summary", _UNPRINTABLE.sub("", happening.summary))
    event.add("categories", [happening.kind.removesuffix("_in_session")])
    event.add("transp", "TRANSPARENT")  # nobody is busy because a State is reviewed
    if happening.description:
        event.add("description", happening.description)
    if happening.url:
        event.add("url", happening.url)
    return event
