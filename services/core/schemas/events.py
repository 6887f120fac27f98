"""Changes: how two shapes become one, and how one becomes an event."""

from datetime import date
from typing import Any

from services.core.domain.changes import SINGULAR, Cause, Match
from services.core.schemas.shapes import Shape, content, moment_text, permalink, with_address
from services.core.schemas.terms import filter_terms
from services.core.store.changes import ChangeDraft, ChangeRecord
from services.core.store.recommendations import current_position
from services.core.store.reference import Reference


def draft_change(
    noun: str,
    before: Shape | None,
    after: Shape | None,
    *,
    cause: Cause,
    effective_on: date | None,
    reference: Reference,
    replaced: str | None = None,
    reason: str | None = None,
) -> ChangeDraft | None:
    """The one change that a transaction makes to a record; None if it says the same as before.

    `replaced` is the id the record bore before; `reason` why it was removed. Precedence: created or deleted, then
    replaced, then position_changed, then updated.
    """
    shape = after if after is not None else before
    assert shape is not None
    changed = field_changes(before, after)
    if before is not None and after is not None and not changed and replaced is None:
        return None
    if replaced is not None:
        changed = {"id": [replaced, shape["id"]], **changed}
    if reason is not None:
        changed = {"reason": [None, reason], **changed}
    return ChangeDraft(
        type=f"{SINGULAR[noun]}.{_verb(before, after, changed, cause, replaced)}",
        cause=cause,
        effective_on=effective_on,
        noun=noun,
        subject=shape["id"],
        data=shape,
        changed=changed,
        terms_before=filter_terms(noun, before, reference),
        terms_after=filter_terms(noun, after, reference),
    )


def field_changes(before: Shape | None, after: Shape | None) -> dict[str, list[Any]]:
    """Field by field what was and what is, for a record that was and is."""
    if before is None or after is None:
        return {}
    was, is_now = content(before), content(after)
    return {
        name: [was.get(name), is_now.get(name)]
        for name in is_now.keys() | was.keys()
        if was.get(name) != is_now.get(name)
    }


def shapes_of(change_type: str, data: Shape, changed: dict[str, list[Any]]) -> tuple[Shape | None, Shape | None]:
    """The record before a change and after it, from what the change holds. Its history is that of `data` in both."""
    verb = change_type.partition(".")[2]
    if verb == "created":
        return None, data
    if verb == "deleted":
        return data, None
    return {**data, **{name: sides[0] for name, sides in changed.items()}}, data


def _verb(
    before: Shape | None, after: Shape | None, changed: dict[str, Any], cause: Cause, replaced: str | None
) -> str:
    if after is None:
        return "deleted"
    if replaced is not None:
        return "replaced"
    if before is None:
        return "created"
    if "position" in changed and cause is not Cause.CORRECTION and _is_a_later_answer(before, after):
        return "position_changed"
    return "updated"


def _is_a_later_answer(before: Shape, after: Shape) -> bool:
    """Whether the State's answer changed in the world, and not only our knowledge of an earlier one.

    The history is ordered by the world's dates: an answer is later if it stands behind the one that held so far.
    """
    history = after["positions"]
    held, holds = current_position(before["positions"]), current_position(history)
    if held is None or holds is None:
        return True
    return held not in history or history.index(holds) > history.index(held)


def event(change: ChangeRecord, public_url: str, match: Match) -> dict[str, Any]:
    """The event as the feed and webhooks carry it. `match`: how it met what its reader asks for."""
    return {
        "id": change.id,
        "seq": change.seq,
        "type": change.type,
        "cause": str(change.cause),
        "match": str(match),
        "occurred_at": moment_text(change.occurred_at),
        "effective_on": change.effective_on.isoformat() if change.effective_on else None,
        "subject": {"id": change.subject, "url": permalink(public_url, change.noun, change.subject)},
        "data": with_address(change.noun, change.data, public_url),
        "changed": change.changed,
    }


def webhook_body(change: ChangeRecord, public_url: str, match: Match) -> dict[str, Any]:
    """The body of a webhook (Standard Webhooks: type, timestamp, data)."""
    return {
        "type": change.type,
        "timestamp": moment_text(change.occurred_at),
        "data": event(change, public_url, match),
    }
