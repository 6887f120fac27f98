"""How often one caller may ask."""

import pytest

from services.core.runtime.rate_limits import DEFAULT_LIMIT, RateLimiter, RateLimits, is_this_machine, network_of


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_all_at_once_then_evenly(clock: Clock) -> None:
    limiter = RateLimiter(6, clock)
    assert [limiter.take("a").remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = limiter.take("a")
    assert (refused.remaining, refused.wait, refused.whole_in) == (0, 10.0, 60.0)
    assert limiter.take("b").remaining == 5
    clock.now += 9.5
    assert limiter.take("a").wait == pytest.approx(0.5)
    clock.now += 0.5
    assert limiter.take("a").wait == 0
    assert limiter.take("a").wait == 10.0
    clock.now += 60
    assert limiter.take("a").remaining == 5


def test_refused_requests_cost_nothing(clock: Clock) -> None:
    limiter = RateLimiter(1, clock)
    limiter.take("a")
    waits = [limiter.take("a").wait for _ in range(100)]
    assert waits == [60.0] * 100


def test_headers(clock: Clock) -> None:
    limiter = RateLimiter(2, clock)
    assert limiter.take("a").headers() == {
        "RateLimit-Policy": '"requests";q=2;w=60',
        "RateLimit": '"requests";r=1;t=30',
    }
    limiter.take("a")
    clock.now += 0.2
    assert limiter.take("a").headers() == {
        "RateLimit-Policy": '"requests";q=2;w=60',
        "RateLimit": '"requests";r=0;t=60',
        "Retry-After": "30",
    }


def test_callers_with_a_whole_allowance_are_forgotten(clock: Clock) -> None:
    limiter = RateLimiter(60, clock)
    for number in range(30_000):
        limiter.take(f"caller {number}")
        clock.now += 0.01
    assert len(limiter._whole_at) < 20_100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("a socket", "a socket"),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


def test_this_machine() -> None:
    assert [is_this_machine(each) for each in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")] == [True] * 4
    assert [is_this_machine(each) for each in ("192.0.2.1", "2001:db8::1", "::2", "a socket")] == [False] * 4


def test_by_default_this_machine_is_free(clock: Clock) -> None:
    limits = RateLimits(None, 10, clock)
    assert limits.take("127.0.0.1", None) is None
    counted = limits.take("192.0.2.1", None)
    assert counted is not None
    assert counted.limit == DEFAULT_LIMIT


def test_a_limit_that_is_set_holds_for_all(clock: Clock) -> None:
    limits = RateLimits(3, 10, clock)
    counted = limits.take("127.0.0.1", None)
    assert counted is not None
    assert counted.limit == 3
    assert RateLimits(0, 10, clock).take("192.0.2.1", None) is None


def test_a_key_found_valid_has_its_own_limit_for_a_while(clock: Clock) -> None:
    limits = RateLimits(3, 10, clock)
    key = "Bearer upr_x"
    assert limits.take("192.0.2.1", key) == RateLimiter(3, clock).take("as anybody")
    limits.recognise(key, "key_x")
    assert limits.take("192.0.2.1", key) == RateLimiter(10, clock).take("the first with the key")
    second = limits.take("192.0.2.2", key)
    assert second is not None
    assert second.remaining == 8
    clock.now += 61
    later = limits.take("192.0.2.1", key)
    assert later is not None
    assert later.limit == 3
    unlimited = RateLimits(3, 0, clock)
    unlimited.recognise(key, "key_x")
    assert unlimited.take("192.0.2.1", key) is None
