from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.webhooks.schedule import asked_wait, load_schedule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULE = load_schedule()
WAITS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


def wait(failed: int, chance: float = 0.5, retry_after: str | None = None) -> float:
    moment = SCHEDULE.next_try(failed, now=NOW, chance=lambda: chance, retry_after=retry_after)
    assert moment is not None
    return (moment - NOW).total_seconds()


def test_the_waits_are_those_of_the_schedule() -> None:
    assert [wait(failed) for failed in range(1, 10)] == WAITS
    assert sum(WAITS) == pytest.approx(75.6 * 3600, rel=0.01)  # a little more than three days


def test_the_spread_is_a_fifth_to_both_sides() -> None:
    assert [wait(failed, 0.0) for failed in range(1, 10)] == pytest.approx([seconds * 0.8 for seconds in WAITS])
    assert [wait(failed, 1.0) for failed in range(1, 10)] == pytest.approx([seconds * 1.2 for seconds in WAITS])


def test_after_the_last_wait_there_is_no_further_try() -> None:
    assert SCHEDULE.most_tries == 10
    for failed in (10, 11, 1000):
        assert SCHEDULE.next_try(failed, now=NOW, chance=lambda: 0.5) is None
        assert SCHEDULE.next_try(failed, now=NOW, chance=lambda: 0.5, retry_after="1") is None


def test_before_the_first_failure_there_is_nothing_to_plan() -> None:
    with pytest.raises(ValueError, match="failed"):
        SCHEDULE.next_try(0, now=NOW, chance=lambda: 0.5)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 300),
        ("400", 400),
        (" 400 ", 400),
        ("600", 600),
        ("601", 600),
        ("9" * 5000, 600),
        ("Sun, 01 Mar 2026 12:07:00 GMT", 420),
        ("Sunday, 01-Mar-26 12:07:00 GMT", 420),
        ("Sun Mar  1 12:07:00 2026", 420),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 300),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait_within_bounds(asked: str, seconds: float) -> None:
    assert wait(2, chance=0.9, retry_after=asked) == seconds


@pytest.mark.parametrize("asked", ["", "soon", "-5", "1.5", "٣", "Sun, 99 Mar 2026 12:07:00 GMT", "\0", "1e9"])
def test_what_cannot_be_read_leaves_the_schedule(asked: str) -> None:
    assert wait(2, chance=0.5, retry_after=asked) == 300


@given(st.text(), st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_no_header_moves_a_try_out_of_bounds(asked: str, failed: int, chance: float) -> None:
    assert 0.8 * WAITS[failed - 1] <= wait(failed, chance, asked) <= 2 * WAITS[failed - 1]


def test_dates_are_understood_in_any_zone() -> None:
    assert asked_wait("Sun, 01 Mar 2026 14:00:00 +0100", now=NOW) == timedelta(hours=1)
