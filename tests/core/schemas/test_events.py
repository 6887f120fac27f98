"""How two shapes become one change: which verb wins, and what is news."""

from typing import Any

import pytest

from services.core.domain.changes import Cause, Match
from services.core.schemas.events import draft_change, event, field_changes, webhook_body
from services.core.schemas.examples import event_example, record_example
from services.core.schemas.models import Event
from services.core.store.changes import ChangeDraft, ChangeRecord
from services.core.store.reference import reference_of
from services.core.store.seed import sample_state_records
from tests.core.schemas.test_dataset import MOMENT

REFERENCE = reference_of({record.id: record for record in sample_state_records()}, {}, {})
HELD: dict[str, Any] = {key: value for key, value in record_example("recommendations").items() if key != "url"}
BEFORE: dict[str, Any] = {**HELD, "position": "pending", "positions": HELD["positions"][:1]}


def change(
    before: dict[str, Any] | None, after: dict[str, Any] | None, cause: Cause = Cause.PUBLICATION, **more: str
) -> ChangeDraft | None:
    return draft_change("recommendations", before, after, cause=cause, effective_on=None, reference=REFERENCE, **more)


def verb(*given: Any, **more: Any) -> str | None:
    drafted = change(*given, **more)
    return drafted.type.partition(".")[2] if drafted else None


def test_verbs() -> None:
    assert verb(None, HELD) == "created"
    assert verb(HELD, None, reason="not_in_final") == "deleted"
    assert verb(BEFORE, HELD) == "position_changed"
    assert verb(BEFORE, HELD, Cause.CORRECTION) == "updated"
    assert verb(HELD, {**HELD, "text": "Other"}) == "updated"
    assert verb({**BEFORE, "id": "XCM-4~0"}, HELD, replaced="XCM-4~0") == "replaced"
    assert verb(HELD, HELD) is None


def test_history_alone_is_no_news() -> None:
    assert verb(HELD, {**HELD, "revision": 9, "updated_at": "2027-01-01T00:00:00Z"}) is None


def test_an_earlier_answer_found_late_is_no_new_answer() -> None:
    """What was known stands at the end of the history still: we only learnt what was before it."""
    answered = {**HELD, "positions": HELD["positions"][1:], "position": "noted"}
    assert verb(answered, HELD) == "updated"


def test_what_a_change_says() -> None:
    drafted = change(BEFORE, HELD)
    assert drafted is not None
    assert drafted.changed["position"] == ["pending", "supported"]
    assert drafted.changed.keys() == {"position", "positions"}
    assert ("position:pending" in drafted.terms_before, "position:supported" in drafted.terms_after) == (True, True)
    removed = change(HELD, None, reason="not_in_final")
    assert removed is not None
    assert (removed.changed, removed.terms_after, removed.data) == ({"reason": [None, "not_in_final"]}, (), HELD)
    replaced = change({**HELD, "id": "XCM-4~0"}, HELD, replaced="XCM-4~0")
    assert replaced is not None
    assert (replaced.subject, replaced.changed["id"]) == ("XCM-4-22.1", ["XCM-4~0", "XCM-4-22.1"])
    assert "id:XCM-4~0" in replaced.terms_before


def test_members_that_come_and_go_are_told() -> None:
    assert field_changes({"id": "a", "old": 1}, {"id": "a", "new": 2}) == {"old": [1, None], "new": [None, 2]}
    assert field_changes(None, HELD) == {} == field_changes(HELD, None)


@pytest.mark.parametrize("public_url", ["https://upr.example.org", "https://upr.example.org/"])
def test_an_event_and_its_webhook(public_url: str) -> None:
    drafted = change(BEFORE, HELD)
    assert drafted is not None
    record = ChangeRecord(seq=7, id="evt_1", occurred_at=MOMENT, **vars(drafted))
    told = event(record, public_url, Match.STAYED)
    assert told["match"] == "stayed"
    Event.model_validate(told)
    assert told.keys() == event_example().keys()
    assert told["subject"] == {"id": "XCM-4-22.1", "url": "https://upr.example.org/recommendations/XCM-4-22.1"}
    assert told["data"]["url"] == told["subject"]["url"]
    assert webhook_body(record, public_url, Match.STAYED) == {
        "type": record.type,
        "timestamp": told["occurred_at"],
        "data": told,
    }
