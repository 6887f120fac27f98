"""What a page shows of a hit: a headline, what is known about it, and the text with what matched marked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.core.pages.words import Words
from services.core.schemas.names import Names


@dataclass(frozen=True)
class ShownHit:
    """One hit as people read it. `text` is escaped HTML with marks; `language` None where it is the page's own."""

    address: str
    headline: str
    kind: str
    text: str
    language: str | None
    facts: tuple[str, ...]
    position: tuple[str, str] | None
    passages: tuple[Mapping[str, Any], ...]
    sample: bool


def shown_hit(hit: Mapping[str, Any], words: Words, names: Names) -> ShownHit:
    """The hit of a search answer, in the words of the page."""
    record = hit["record"]
    language = record.get("text_language")
    return ShownHit(
        record["url"],
        _headline(hit["type"], record, words),
        names.of_filter_value("type", hit["type"]),
        hit["highlight"].get("text") or hit["highlight"].get("title") or _escaped(record),
        language if language and language != words.language else None,
        tuple(_facts(hit["type"], record, words, names)),
        _position(record, names),
        tuple(hit.get("passages", ())),
        bool(record.get("sample")),
    )


def _headline(kind: str, record: Mapping[str, Any], words: Words) -> str:
    state = record.get("state_under_review")
    told: list[str | None]
    match kind:
        case "recommendations":
            number = words("record.number", number=record["number"]) if record["number"] else None
            told = [_to(state, words), words("record.cycle", cycle=record["cycle"]), number]
        case "statements":
            told = [record["speaker"]["name"], _to(state, words)]
        case "documents":
            told = [record["symbol"], record["title"]]
        case "hearings":
            told = [record["title"] or record["id"]]
        case _:
            told = [state["name"] if state else record.get("symbol"), record["id"]]
    return " · ".join(part for part in told if part) or str(record["id"])


def _to(state: Mapping[str, str] | None, words: Words) -> str | None:
    return words("record.to", state=state["name"]) if state else None


def _facts(kind: str, record: Mapping[str, Any], words: Words, names: Names) -> Iterator[str]:
    if states := record.get("recommending_states"):
        yield words("record.recommended_by", states=", ".join(state["name"] for state in states))
    if kind in ("statements", "documents", "hearings", "observations") and record.get("kind"):
        yield names.of_filter_value("kind", record["kind"])
    if kind != "recommendations" and record.get("cycle"):
        yield words("record.cycle", cycle=record["cycle"])
    if record.get("paragraph"):
        yield words("record.paragraph", paragraph=record["paragraph"])
    if day := record.get("date") or record.get("published_on"):
        yield words.date(day)


def _position(record: Mapping[str, Any], names: Names) -> tuple[str, str] | None:
    """The value, which is its style, and what it is called."""
    position = record.get("position")
    if position is None:
        return None
    called = names.of_filter_value("position", position)
    detail = record.get("position_detail")
    return position, f"{called} ({names.of_filter_value('position_detail', detail)})" if detail else called


def _escaped(record: Mapping[str, Any]) -> str:
    """The text where nothing of it is marked; the template escapes it."""
    return str(record.get("text") or record.get("title") or "")
