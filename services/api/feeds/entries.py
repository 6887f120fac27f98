"""From changes to entries that a person understands."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.phrases import a_few, phrases
from services.core.schemas.names import Names

URNS = uuid.UUID("6f1d8a5e-2f0c-4d5c-9b0e-0b6a7a3e51c4")
"""The namespace of what OpenUPR names by a UUID (RFC 9562, version 5). It is never to change: readers would see all
entries, and calendars all events, a second time."""

Shape = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One change in words. `id` stays the same whatever the address and the language; moments are RFC 3339."""

    id: str
    title: str
    text: str
    url: str
    moment: str
    event: str
    seq: int
    type: str
    subject: str


@dataclass(frozen=True)
class News:
    """The latest changes that meet some filters.

    `address` is the feed's, `page` that of the part of it which this is; `next_page` is where the older ones are.
    """

    title: str
    address: str
    page: str
    next_page: str | None
    home: str
    updated: str
    language: str
    entries: Sequence[Entry]


def urn(name: str) -> str:
    """The name of a thing for machines, `urn:uuid:…`: the same in every installation, under every address."""
    return uuid.uuid5(URNS, name).urn


def entry_of(event: Shape, names: Names) -> Entry:
    """The entry of an event whose shape is in the reader's language already."""
    return Entry(
        id=urn(event["id"]),
        title=_title(event, names),
        text="\n".join(_lines(event, names)),
        url=event["subject"]["url"],
        moment=event["occurred_at"],
        event=event["id"],
        seq=event["seq"],
        type=event["type"],
        subject=event["subject"]["id"],
    )


def _title(event: Shape, names: Names) -> str:
    noun, _, verb = event["type"].partition(".")
    if noun == "recommendation" and _state_of(event["data"]):
        return _title_of_recommendation(event["data"], verb, names)
    words, language = phrases("feeds"), names.language
    said = {"verb": f"verb.{verb}", "noun": f"noun.{noun}"}
    known = {name: words.say(key, language) if key in words else key for name, key in said.items()}
    name = _NAMES[noun](event["data"], names) if noun in _NAMES else None
    return words.say("form.title", language, **known, name=name or event["subject"]["id"])


def _title_of_recommendation(shape: Shape, verb: str, names: Names) -> str:
    words, language = phrases("feeds"), names.language
    by = a_few([state["name"] for state in shape.get("recommending_states") or ()], language)
    phrase = f"recommendation.{verb}"
    if verb == "position_changed":
        position, detail = shape.get("position"), shape.get("position_detail")
        phrase = f"recommendation.{position}_{detail}"
        if phrase not in words:
            phrase = f"recommendation.{position}"
    return words.say(
        phrase if phrase in words else "recommendation.updated",
        language,
        state=_state_of(shape),
        by=by or words.say("recommendation.nobody", language),
        number=f" {shape['number']}" if shape.get("number") else "",
    )


def _lines(event: Shape, names: Names) -> list[str]:
    """The text of the record, and what changed."""
    changed = event["changed"]
    lines = [event["data"].get("text") or ""]
    if "position" in changed:
        before, after = (names.of_filter_value("position", each) for each in changed["position"])
        lines.append(phrases("feeds").say("form.position", names.language, before=before, after=after))
    if "id" in changed:
        lines.append(" → ".join(changed["id"]))
    if fields := [_field(name, names.language) for name in sorted(changed) if name not in _TOLD_OTHERWISE]:
        lines.append(phrases("feeds").say("form.changed", names.language, fields=", ".join(fields)))
    return [line for line in lines if line] or [event["subject"]["id"]]


_TOLD_OTHERWISE = frozenset({"id", "reason", "position", "positions", "aliases"})


def _field(name: str, language: str) -> str:
    words = phrases("feeds")
    return words.say(f"field.{name}", language) if f"field.{name}" in words else name.replace("_", " ")


def _state_of(shape: Shape) -> str | None:
    state = shape.get("state_under_review")
    return state["name"] if state else None


def _review(shape: Shape, names: Names) -> str:
    return phrases("feeds").say("form.cycle", names.language, state=_state_of(shape), cycle=shape.get("cycle"))


def _document(shape: Shape, names: Names) -> str:  # noqa: ARG001 - one shape for all
    told = ", ".join(filter(None, (shape["symbol"], shape["title"]))) or shape["id"]
    state = _state_of(shape)
    return told if state is None or state in told else f"{told} ({state})"


def _states(shape: Shape, names: Names) -> str:
    return a_few([state["name"] for state in shape.get("states", ())], names.language)


def _observation(shape: Shape, names: Names) -> str:
    return ": ".join(filter(None, (shape.get("body"), _states(shape, names))))


def _hearing(shape: Shape, names: Names) -> str:
    return ", ".join(filter(None, (shape.get("title") or _states(shape, names), shape.get("date"))))


def _statement(shape: Shape, names: Names) -> str | None:  # noqa: ARG001
    state = _state_of(shape)
    speaker: str | None = shape.get("speaker", {}).get("name")
    return f"{speaker} ({state})" if speaker and state else speaker


def _organisation(shape: Shape, names: Names) -> str | None:  # noqa: ARG001
    return next((each["name"] for each in reversed(shape.get("names", ())) if each.get("name")), None)


_NAMES: Mapping[str, Callable[[Shape, Names], str | None]] = {
    "state": lambda shape, _: shape.get("name"),
    "review": _review,
    "document": _document,
    "pledge": lambda shape, _: _state_of(shape),
    "observation": _observation,
    "hearing": _hearing,
    "statement": _statement,
    "organisation": _organisation,
    "label": lambda shape, _: shape.get("name"),
}
"""What to call a record of each noun. The feed keeps events for ever: a shape of old may lack what one has today."""
