"""Pages make up the list: each row once, in order, also while others write; and cursors are bound to their list."""

import base64
import hashlib
import random
import threading
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event, func, literal, update

from services.core.domain.errors import InvalidCursorError, InvalidParameterError
from services.core.query.filters import FilterSet
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.engine import single_queries
from services.core.store.paging import MAX_LIMIT, Page, list_page, sorts_of
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.records import Stored
from services.core.store.reference import read_reference
from services.core.store.tables import AGGREGATES
from tests.records import RecordMaker, fill

EVERYTHING = {noun: FilterSet(noun) for noun in AGGREGATES}
NOTED = FilterSet("recommendations", {"position": ("noted", "supported")})
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def stock(engine: Engine) -> Engine:
    with engine.begin() as connection:
        fill(connection, seed=11, each=45)
        _scatter_updates(connection)
    return engine


def _scatter_updates(connection: Connection) -> None:
    """A few moments for many rows, so that `updated_at` has ties."""
    for aggregate in AGGREGATES.values():
        hour = func.mod(func.abs(func.hashtext(aggregate.key_column)), 7)
        connection.execute(update(aggregate.table).values(updated_at=func.now() - hour * literal(timedelta(hours=1))))


def ids(records: Sequence[Stored]) -> list[str]:
    return [record.id for record in records]  # type: ignore[attr-defined]


def pages(engine: Engine, filters: FilterSet, sort: str | None, limit: int) -> list[Page]:
    """All pages, each read in a transaction of its own."""
    found: list[Page] = []
    while not found or found[-1].next_cursor:
        cursor = found[-1].next_cursor if found else None
        with engine.connect() as connection:
            found.append(list_page(connection, filters, sort=sort, cursor=cursor, limit=limit))
    return found


def paged(engine: Engine, filters: FilterSet, sort: str | None, limit: int) -> list[str]:
    return [record_id for page in pages(engine, filters, sort, limit) for record_id in ids(page.records)]


@pytest.mark.parametrize("noun", AGGREGATES)
def test_pages_make_up_the_list(stock: Engine, noun: str) -> None:
    filters = EVERYTHING[noun]
    with stock.connect() as connection:
        expected = ids(AGGREGATES[noun].where(connection))
    for sort in sorts_of(noun):
        with stock.connect() as connection:
            whole = ids(list_page(connection, filters, sort=sort, limit=10_000).records)
        assert sorted(whole) == expected, sort
        for limit in (1, 7, len(expected)):
            found = pages(stock, filters, sort, limit)
            assert [record_id for page in found for record_id in ids(page.records)] == whole, (sort, limit)
            assert {page.total for page in found} == {len(expected)}
            assert all(len(page.records) == limit for page in found[:-1])
        turned = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        assert paged(stock, filters, turned, 20) == whole[::-1], sort


def test_numbers_are_ordered_as_people_count(stock: Engine) -> None:
    with stock.connect() as connection:
        found = list_page(connection, FilterSet("recommendations"), limit=10_000).records
    keys = [(record.state_under_review, record.cycle, record.number) for record in found]  # type: ignore[attr-defined]
    for (state, cycle, number), (other_state, other_cycle, other_number) in pairwise(keys):
        assert (state, cycle) <= (other_state, other_cycle)
        if (state, cycle) == (other_state, other_cycle) and number and other_number:
            assert [int(part) for part in number.split(".")] <= [int(part) for part in other_number.split(".")]


def test_records_without_a_date_stand_before_all_days(stock: Engine) -> None:
    days = [record.date for record in pages(stock, FilterSet("recommendations"), "date", 200)[0].records]  # type: ignore[attr-defined]
    assert None in days
    assert days == sorted(days, key=lambda day: (day is not None, day))


def test_a_filtered_list_has_the_filtered_total(stock: Engine) -> None:
    found = pages(stock, NOTED, "-date", 4)
    records = [record for page in found for record in page.records]
    assert {record.position for record in records} == {"noted", "supported"}  # type: ignore[attr-defined]
    assert {page.total for page in found} == {len(records)}


@pytest.mark.parametrize("sort", sorts_of("recommendations"))
def test_no_untouched_row_is_skipped_or_repeated_while_others_write(engine: Engine, sort: str) -> None:
    with engine.begin() as connection:
        maker = fill(connection, seed=5, each=10, recommendations=400)
    with engine.connect() as connection:
        before = RECOMMENDATIONS.where(connection)
    chance = random.Random(sort)
    touched = chance.sample(before, 200)
    stop = threading.Event()
    writer = threading.Thread(target=_write_on, args=(engine, maker, [each.id for each in touched], stop))
    writer.start()
    try:
        rounds = [paged(engine, EVERYTHING["recommendations"], sort, 9) for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    untouched = {each.id for each in before} - {each.id for each in touched}
    for found in rounds:
        assert sorted(each for each in found if each in untouched) == sorted(untouched)
        if "updated_at" not in sort:  # an updated row moves there, and may be met again
            assert len(found) == len(set(found))


def _write_on(engine: Engine, maker: RecordMaker, touched: list[str], stop: threading.Event) -> None:
    """Insert new rows, update and delete some of the old ones, until told to stop."""
    while not stop.is_set():
        with engine.begin() as connection:
            RECOMMENDATIONS.insert(connection, [maker.recommendation() for _ in range(2)])
            for record_id in maker.chance.sample(touched, 2):
                changed = RECOMMENDATIONS.key_column == record_id
                connection.execute(update(RECOMMENDATIONS.table).where(changed).values(updated_at=func.now()))
            if len(touched) > 20 and maker.chance.random() < 0.5:
                RECOMMENDATIONS.delete(connection, [touched.pop()])


def cursor_of(engine: Engine, filters: FilterSet = NOTED, sort: str | None = "number") -> str:
    with engine.connect() as connection:
        cursor = list_page(connection, filters, sort=sort, limit=3).next_cursor
    assert cursor is not None
    return cursor


def refuse(engine: Engine, cursor: str, filters: FilterSet = NOTED, sort: str | None = "number") -> str:
    with engine.connect() as connection, pytest.raises(InvalidCursorError) as told:
        list_page(connection, filters, sort=sort, cursor=cursor, limit=3)
    return told.value.detail


def test_a_cursor_is_bound_to_its_filters_and_order(stock: Engine) -> None:
    cursor = cursor_of(stock)
    turned_round = FilterSet("recommendations", {"position": ("supported", "noted")})
    with stock.connect() as connection:  # filters that mean the same, and the default order by its name
        assert list_page(connection, turned_round, cursor=cursor, limit=3).records
    assert "other filters" in refuse(stock, cursor, sort="-number")
    assert "other filters" in refuse(stock, cursor, sort="date")
    assert "other filters" in refuse(stock, cursor, FilterSet("recommendations", {"position": ("noted",)}))
    assert "other filters" in refuse(stock, cursor, FilterSet("pledges"))


@MANY
@given(text=st.one_of(st.text(max_size=80), st.from_regex(r"\A[A-Za-z0-9_-]{0,80}\Z")))
def test_what_is_no_cursor_is_refused(stock: Engine, text: str) -> None:
    refuse(stock, text)


@MANY
@given(place=st.integers(0, 10_000), letter=st.sampled_from("AZaz09-_ =%é\x00"))
def test_a_cursor_with_one_other_letter_is_refused(stock: Engine, place: int, letter: str) -> None:
    cursor = cursor_of(stock)
    place %= len(cursor) + 1
    for tampered in (cursor[:place] + letter + cursor[place + 1 :], cursor[:place] + letter + cursor[place:]):
        if tampered != cursor:
            refuse(stock, tampered)


@MANY
@given(
    sort=st.sampled_from(sorts_of("recommendations")),
    value=st.one_of(st.none(), st.integers(-(2**63), 2**64 - 1), st.text(), st.just("\x00"), st.lists(st.text())),
    record_id=st.one_of(st.none(), st.integers(0, 9), st.text(), st.just("\x00"), st.lists(st.text())),
)
def test_a_forged_cursor_is_a_place_or_refused(stock: Engine, sort: str, value: object, record_id: object) -> None:
    """Who writes cursors by the same rules gets an empty page at worst, never a fault."""
    held = base64.urlsafe_b64decode(cursor_of(stock, sort=sort) + "==")
    place = orjson.dumps([orjson.loads(held[6:])[0], value, record_id])
    forged = base64.urlsafe_b64encode(hashlib.sha256(place).digest()[:6] + place).decode().rstrip("=")
    with stock.connect() as connection:
        try:
            list_page(connection, NOTED, sort=sort, cursor=forged, limit=3)
        except InvalidCursorError as error:
            told = error.detail
        else:
            return
    assert "not one that this list gave out" in told


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "2012-01-01"])
def test_moments_at_the_end_of_time(stock: Engine, value: str) -> None:
    held = base64.urlsafe_b64decode(cursor_of(stock, sort="updated_at") + "==")
    place = orjson.dumps([orjson.loads(held[6:])[0], value, "PER"])
    forged = base64.urlsafe_b64encode(hashlib.sha256(place).digest()[:6] + place).decode().rstrip("=")
    with stock.connect() as connection:
        assert list_page(connection, NOTED, sort="updated_at", cursor=forged, limit=3).total > 0


def test_an_unknown_order_is_named(stock: Engine) -> None:
    with stock.connect() as connection, pytest.raises(InvalidParameterError, match="`sort` cannot be “size”"):
        list_page(connection, NOTED, sort="size")


def test_a_page_is_one_query_whatever_it_holds_and_an_empty_one_two(stock: Engine) -> None:
    told: list[str] = []
    with stock.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: told.append(given[2]))
        for limit in (1, MAX_LIMIT):
            list_page(connection, EVERYTHING["recommendations"], limit=limit)
        assert len(told) == 2
        empty = list_page(connection, FilterSet("recommendations", {"id": ("none",)}))
    assert (len(told), empty.total, empty.records, empty.next_cursor) == (4, 0, (), None)


@pytest.mark.parametrize("noun", list(AGGREGATES))
def test_records_that_are_only_shown_make_the_same_json(stock: Engine, noun: str) -> None:
    names = Names(read_reference(stock))
    with stock.connect() as connection:
        plain, shown = (
            [
                orjson.loads(orjson.dumps(shape_of(noun, record, names)))
                for record in list_page(connection, FilterSet(noun), limit=MAX_LIMIT, shown=shown).records
            ]
            for shown in (False, True)
        )
    assert plain
    assert plain == shown


def test_what_comes_while_a_list_is_found_empty_is_on_the_page(engine: Engine) -> None:
    with engine.begin() as connection:
        record = fill(connection, seed=3, each=4).recommendation()
    written: list[str] = []

    def write_in_between(*_: object) -> None:
        if not written:
            written.append(record.id)
            with engine.begin() as other:
                RECOMMENDATIONS.insert(other, [record])

    with single_queries(engine) as connection:
        event.listen(connection, "after_cursor_execute", write_in_between)
        page = list_page(connection, FilterSet("recommendations", {"id": (record.id,)}))
    assert (ids(page.records), page.total) == (written, 1)
