from datetime import UTC, datetime
from typing import Any

import pytest

from services.api.webhooks.shown import event_in_lines

AT = datetime(2026, 11, 22, 9, 15, 2, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "seq": 12,
    "type": "recommendation.updated",
    "cause": "merge",
    "subject": {"id": "PER-2-116.17", "url": "https://upr.example.org/recommendations/PER-2-116.17"},
    "changed": {},
}


def lines(**members: Any) -> list[str]:
    return event_in_lines({**EVENT, **members}, verified="verified", again=False, at=AT).splitlines()


def fields(changed: dict[str, Any]) -> list[str]:
    return [line.strip() for line in lines(changed=changed)[2:-1]]


def test_an_event_begins_with_what_and_who_and_ends_with_where() -> None:
    coloured = event_in_lines(EVENT, verified="verified", again=True, at=AT)
    assert coloured.startswith("09:15:02  \x1b[1mrecommendation.updated")
    assert coloured.splitlines()[1:] == [
        "          seq 12, merge, evt_1",
        "          \x1b[33mcame before: the same webhook-id\x1b[0m",
        "          https://upr.example.org/recommendations/PER-2-116.17",
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("pending", "noted", "x: pending → noted"),
        (None, 3, "x: – → 3"),
        (True, None, "x: true → –"),
        ("a" * 71, "b" * 70, f"x: {'a' * 69}… → {'b' * 70}"),
        (["MEX", "ESP"], ["ESP", "FRA"], "x: + FRA, − MEX"),
        (["MEX", "ESP"], ["ESP", "MEX"], "x: in another order"),
        (None, [{"name": "One"}, {"code": "2", "name": "Two"}], "x: + One, + 2"),
        ([{"id": "sdg:16", "n": 1}, 4], [{"id": "sdg:16", "n": 2}, {"y": 1}], 'x: + {"y": 1}, ~ sdg:16, − 4'),
        ([], list(range(10)), "x: + 0, + 1, + 2, + 3, + 4, + 5, + 6, + 7, and 2 more"),
        ([{"document": "d", "n": 1}], [{"document": "d", "n": 1}, {"document": "d", "n": 2}], "x: ~ d"),
    ],
)
def test_what_was_and_what_is(before: Any, after: Any, told: str) -> None:
    assert fields({"x": [before, after]}) == [told]


def test_members_of_members_are_told_by_their_path_and_short_ones_first() -> None:
    changed = {"translations": [{"en": "a", "es": "b"}, {"en": "a", "es": "c", "fr": "d"}], "position": [None, "noted"]}
    assert fields(changed) == ["position: – → noted", "translations.es: b → c", "translations.fr: – → d"]


def test_nothing_moves_the_terminals_cursor() -> None:
    wrong = "\x1b[2J\u202e"
    told = "\n".join(lines(changed={wrong: [wrong, [wrong]]}, cause=wrong, subject={"id": wrong, "url": wrong}))
    assert "\x1b[2J" not in told
    assert "\u202e" not in told


@pytest.mark.parametrize("members", [{"seq": "x"}, {"subject": None}, {"changed": {"x": 1}}, {"changed": []}])
def test_what_is_no_event_is_said_to_be_none(members: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        lines(**members)
