from datetime import UTC, datetime, timedelta

from services.ingest.schedule import FIRST_RETRY, JITTER, LONGEST_JITTER, Past, due_now, next_due

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_source_is_due_a_cadence_after_its_last_run_began_and_a_little_later() -> None:
    due = next_due("uhri", DAY, Past(begun=NOON))
    assert due is not None
    assert NOON + DAY <= due <= NOON + DAY + LONGEST_JITTER
    assert due == next_due("uhri", DAY, Past(begun=NOON))
    assert due != next_due("upr_info", DAY, Past(begun=NOON))
    hourly = next_due("uhri", HOUR, Past(begun=NOON))
    assert hourly is not None
    assert hourly <= NOON + HOUR * (1 + JITTER)


def test_a_source_that_was_never_run_or_was_stopped_is_due_at_once() -> None:
    assert next_due("uhri", DAY, Past()) is None
    assert next_due("uhri", DAY, Past(begun=NOON, stopped=True)) is None


def test_after_failures_the_wait_doubles_up_to_the_cadence() -> None:
    waits = []
    for failures in (1, 2, 3, 20, 10_000):
        due = next_due("uhri", DAY, Past(begun=NOON - DAY, failures=failures, failed=NOON))
        assert due is not None
        waits.append(due - NOON)
    assert [wait // FIRST_RETRY for wait in waits[:3]] == [1, 2, 4]
    assert all(DAY <= wait <= DAY + LONGEST_JITTER for wait in waits[3:])


def test_after_downtime_each_source_is_due_once_whatever_it_missed() -> None:
    clock, cadences = NOON, {"hourly": HOUR, "daily": DAY, "new": DAY}
    pasts = {"hourly": Past(begun=NOON - 100 * DAY), "daily": Past(begun=NOON - 90 * DAY)}
    assert due_now(clock, cadences, pasts) == ["new", "hourly", "daily"]
    pasts = {name: Past(begun=clock) for name in cadences}
    assert due_now(clock, cadences, pasts) == []
    assert due_now(clock + 1.2 * HOUR, cadences, pasts) == ["hourly"]


def test_a_year_of_the_calendar_keeps_to_the_cadences() -> None:
    clock, cadences, pasts = NOON, {"hourly": HOUR, "daily": DAY}, {}
    runs = {"hourly": 0, "daily": 0}
    while clock < NOON + timedelta(days=60):
        for source in due_now(clock, cadences, pasts):
            pasts[source] = Past(begun=clock)
            runs[source] += 1
        clock += timedelta(minutes=5)
    assert 58 <= runs["daily"] <= 60
    assert 60 * 24 / 1.2 <= runs["hourly"] <= 60 * 24
