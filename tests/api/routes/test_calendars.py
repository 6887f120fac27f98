"""The dates of reviews as iCalendar."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace

import httpx
import pytest
from icalendar import Calendar, Event
from sqlalchemy import Engine

from services.api.calendars import Happening, sessions, write_calendar
from services.core.schemas.names import LANGUAGES, Names
from services.core.store.hearings import HEARINGS
from services.core.store.reference import reference_of
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.statements import STATEMENTS
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import RecordMaker, fill

REVIEW = ReviewRecord(
    id="PER-2",
    state_under_review="PER",
    cycle=2,
    session=14,
    date=datetime.date(2012, 11, 1),
    adopted_on=datetime.date(2012, 11, 6),
)


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    """Peru's second review with all its dates and two letters, a review whose session alone is known, and others."""
    maker = RecordMaker(seed=81, states=("FRA", "ESP"))
    with engine.begin() as connection:
        fill(connection, seed=82, each=10)
        for table in ("recommendations", "pledges", "statements", "hearings", "reviews"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        later = replace(REVIEW, id="CHL-2", state_under_review="CHL", session=18, date=None, adopted_on=None)
        french = replace(REVIEW, id="FRA-2", state_under_review="FRA", session=15, date=datetime.date(2013, 1, 21))
        REVIEWS.insert(connection, [REVIEW, later, french])
        maker.reviews = [REVIEW]
        adoption = replace(
            maker.hearing(),
            id="hrc-22-PER",
            kind="council_adoption",
            date=datetime.date(2013, 3, 14),
            states=("PER",),
            review="PER-2",
        )
        HEARINGS.insert(connection, [adoption, replace(adoption, id="iachr-1", kind="thematic_hearing")])
        letter = replace(
            maker.statement(),
            id="PER-2.ohchr.letter.1",
            kind="letter",
            review="PER-2",
            state_under_review="PER",
            suggested_mid_term_year=2015,
            sort_key="1",
        )
        STATEMENTS.insert(
            connection,
            [
                letter,
                replace(letter, id="PER-2.ohchr.letter.2", sort_key="2"),
                replace(letter, id="PER-2.ohchr.letter.3", sort_key="3", suggested_mid_term_year=None),
            ],
        )
    with open_site(database_url) as site:
        yield site


def events(answer: httpx.Response) -> Sequence[Event]:
    """The events of an answer, held to RFC 5545."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert b"\n" not in b"".join(lines)
    calendar = Calendar.from_ical(answer.content)
    assert calendar["version"] == "2.0"
    assert calendar["prodid"]
    assert "method" not in calendar  # with one, DTSTAMP would mean something else
    found = calendar.events
    for event in found:
        assert not event.errors
        assert event["dtstamp"].dt.utcoffset() == datetime.timedelta(0)
        assert isinstance(event["dtstart"].dt, datetime.date)
        assert not isinstance(event["dtstart"].dt, datetime.datetime)
        assert event["dtend"].dt > event["dtstart"].dt
    assert len({event["uid"] for event in found}) == len(found)
    return found


def told(found: Sequence[Event]) -> list[tuple[str, str, str | None]]:
    """Day, summary and where it leads."""
    return [
        (str(each["dtstart"].dt), str(each["summary"]), str(each["url"]) if "url" in each else None) for each in found
    ]


def test_all_dates_of_a_states_reviews(site: Site) -> None:
    review = f"{PUBLIC}/reviews/PER-2"
    found = events(site.get("/v1/calendar.ics?state_under_review=PER"))
    assert told(found) == [
        ("2012-10-22", "Session 14 of the UPR Working Group", None),
        ("2012-11-01", "Review of Peru, cycle 2", review),
        ("2012-11-06", "Report on Peru adopted by the Working Group, cycle 2", review),
        (
            "2013-03-14",
            "Outcome of the review of Peru adopted by the Human Rights Council",
            f"{PUBLIC}/hearings/hrc-22-PER",
        ),
        ("2015-12-31", "Mid-term report of Peru hoped for by 2015", f"{PUBLIC}/statements/PER-2.ohchr.letter.1"),
    ]
    assert found[0]["dtend"].dt == datetime.date(2012, 11, 6)  # the day after the last one
    assert found[1]["dtend"].dt == datetime.date(2012, 11, 2)
    assert "voluntary" in found[-1]["description"]
    assert all("overdue" not in each.to_ical().decode() for each in found)


def test_by_region_and_bloc_and_without_filters(site: Site) -> None:
    regional = events(site.get("/v1/calendar.ics?region=grulac"))
    assert {str(each["summary"]).rpartition(",")[0] for each in regional if "Review of" in each["summary"]} == {
        "Review of Peru",
        "Review of Chile",
    }
    everything = events(site.get("/v1/calendar.ics"))
    assert len(everything) == len(sessions()) + 7
    european = events(site.get("/v1/calendar.ics?bloc=eu"))
    assert [str(each["summary"]) for each in european if "Review of" in each["summary"]] == [
        "Review of France, cycle 2"
    ]


def test_a_review_without_a_day_takes_its_session_and_keeps_its_uid(engine: Engine, site: Site) -> None:
    def review() -> Event:
        (found,) = [
            each
            for each in events(site.get("/v1/calendar.ics?state_under_review=CHL"))
            if str(each.get("url")) == f"{PUBLIC}/reviews/CHL-2"
        ]
        return found

    before, session = review(), sessions()[18]
    assert before["dtstart"].dt == session.starts_on
    assert before["dtend"].dt == session.ends_on + datetime.timedelta(days=1)
    with engine.begin() as connection:
        known = replace(
            REVIEW, id="CHL-2", state_under_review="CHL", session=18, date=session.starts_on, adopted_on=None
        )
        REVIEWS.update(connection, [known])
        connection.exec_driver_sql("UPDATE change_head SET seq = seq + 1")
    after = review()
    assert after["uid"] == before["uid"]
    assert after["summary"] == "Review of Chile, cycle 2"
    assert after["sequence"] == before["sequence"] + 1
    assert after["dtstamp"].dt >= before["dtstamp"].dt


def test_in_every_language_with_the_same_uids(site: Site) -> None:
    found = {
        language: events(site.get(f"/v1/calendar.ics?state_under_review=PER&lang={language}")) for language in LANGUAGES
    }
    assert len({tuple(each["uid"] for each in several) for several in found.values()}) == 1
    assert told(found["es"])[1][1] == "Examen: Perú, ciclo 2"
    calendar = Calendar.from_ical(site.get("/v1/calendar.ics?state_under_review=PER&lang=es").content)
    assert calendar["x-wr-calname"] == "Examen periódico universal (Estado examinado: Perú)"


def test_what_is_held_is_not_sent_again(site: Site) -> None:
    first = site.get("/v1/calendar.ics?region=grulac")
    assert first.headers["cache-control"] == "public, no-cache"
    held = site.client.get("/v1/calendar.ics?region=grulac", headers={"If-None-Match": first.headers["etag"]})
    assert held.status_code == 304


def test_the_number_of_queries(site: Site) -> None:
    site.get("/v1/calendar.ics")
    for query in ("", "?state_under_review=PER", "?region=grulac&bloc=oas"):
        with site.counted() as statements:
            site.get(f"/v1/calendar.ics{query}")
        assert len(statements) == 4


def test_hostile_names_stay_on_their_line() -> None:
    day = datetime.date(2020, 1, 1)
    stamp = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    hostile = "a, b; c\\ \r\nEND:VEVENT\r\n\x07" + "é" * 200
    written = write_calendar(
        [Happening("x", "review", hostile, day, day, stamp, 1)],
        {},
        Names(reference_of({}, {}, {})),
        "https://x.example",
    )
    (event,) = Calendar.from_ical(written).events
    assert "".join(str(event["summary"]).split()) == "".join(hostile.replace("\x07", "").split())
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state_under_review=PERU", "invalid_parameter"),
        ("region=moon", "invalid_parameter"),
        ("lang=de", "invalid_parameter"),
        ("cycle=2", "unknown_parameter"),
        ("limit=5", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked(site: Site, query: str, code: str) -> None:
    problem(site.get(f"/v1/calendar.ics?{query}"), 400, code)
