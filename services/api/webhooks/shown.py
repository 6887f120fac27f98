"""Events as a person reads them on a console."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

LONGEST_VALUE = 70
MOST_MEMBERS = 8
"""Of a list, those that are shown; of the others it is said how many they are."""
_INDENT = " " * 10
_NAMES = ("id", "position", "document", "code", "symbol", "name")
"""What members of lists are called by; the first that one has."""


def event_in_lines(event: Mapping[str, Any], *, verified: str, again: bool, at: datetime) -> str:
    """Several lines: when, what and who; whether it is to be believed; what was and what is, field by field; where.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for what is no event.
    """
    subject = event["subject"]
    head = [f"{at:%H:%M:%S}", typer.style(plain(event["type"]), bold=True), plain(subject["id"])]
    told = [f"seq {int(event['seq'])}", plain(event["cause"]), plain(event.get("match", "")), plain(event["id"])]
    lines = ["  ".join([*head, typer.style(verified, fg="green")]), ", ".join(filter(None, told))]
    if again:
        lines.append(typer.style("came before: the same webhook-id", fg="yellow"))
    if event["seq"] == 0:
        lines.append(typer.style("a test: about an invented record, with a seq that no change has", fg="yellow"))
    changed = sorted(event["changed"].items(), key=lambda item: _is_long(item[1]))  # what is short is what matters
    lines += [line for name, (before, after) in changed for line in _field(plain(name), before, after)]
    return f"\n{_INDENT}".join([*lines, plain(subject["url"])])


def plain(text: object) -> str:
    """Without what moves the cursor of a terminal or changes its colours."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def _is_long(sides: Sequence[Any]) -> bool:
    return any(isinstance(side, dict | list) for side in sides)


def _field(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, list) or isinstance(after, list):
        yield from _members(name, before or [], after or [])
    elif isinstance(before, dict) or isinstance(after, dict):
        was, is_now = before or {}, after or {}
        for key in dict.fromkeys([*was, *is_now]):
            if was.get(key) != is_now.get(key):
                yield from _field(f"{name}.{plain(key)}", was.get(key), is_now.get(key))
    else:
        yield f"{name}: {_value(before)} → {_value(after)}"


def _members(name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Such as `labels: + sdg:16, − topic:torture-prevention`; `~` where something within a member changed."""
    was, is_now = _named(before), _named(after)
    signs = [
        *(f"+ {each}" for each in is_now if each not in was),
        *(f"~ {each}" for each in is_now if each in was and was[each] != is_now[each]),
        *(f"− {each}" for each in was if each not in is_now),
    ]
    more = [f"and {len(signs) - MOST_MEMBERS} more"] if len(signs) > MOST_MEMBERS else []
    yield f"{name}: {', '.join([*signs[:MOST_MEMBERS], *more]) or 'in another order'}"


def _named(members: Sequence[Any]) -> dict[str, list[Any]]:
    """Members by what they are called; several may be called alike."""
    found: dict[str, list[Any]] = {}
    for each in members:
        called = next((each[name] for name in _NAMES if each.get(name)), each) if isinstance(each, dict) else each
        found.setdefault(_value(called), []).append(each)
    return found


def _value(value: Any) -> str:
    if value is None:
        return "–"
    text = plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
