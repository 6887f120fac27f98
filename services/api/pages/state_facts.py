"""Dated facts of a State as people read them: years of the same status in one row, names in the reader's language."""

from collections.abc import Iterable
from typing import Any

from services.core.pages.words import Words
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape

_TREATY = "treaty:"


def told_facts(facts: Iterable[Shape], words: Words, names: Names) -> list[dict[str, Any]]:
    """A row for each fact; for the same fact of several years, told by the same sources, one row."""
    rows: dict[Any, dict[str, Any]] = {}
    for place, fact in enumerate(facts):
        sources = tuple(source["document"] for source in fact["sources"])
        same = (fact["subject"], fact["value"], fact["detail"], sources if fact["year"] else place)
        if same not in rows:
            rows[same] = {
                "subject": _subject(fact["subject"], words, names),
                "value": _word("value", fact["value"], words),
                "detail": _word("detail", fact["detail"], words) if fact["detail"] else None,
                "date": fact["date"],
                "years": [],
                "sources": fact["sources"],
            }
        if fact["year"]:
            rows[same]["years"].append(fact["year"])
    return list(rows.values())


def _subject(subject: str, words: Words, names: Names) -> str:
    if subject.startswith(_TREATY):
        code = subject.removeprefix(_TREATY)
        name = names.of_filter_value("instrument", code.lower())
        return code if name == code.lower() else f"{name} ({code})"
    return _word("subject", subject.replace(":", "_"), words)


def _word(kind: str, value: str, words: Words) -> str:
    """What the interface calls it; what it has no word for stays as the source has it."""
    name = f"facts.{kind}_{value}"
    return words(name) if words.has(name) else value
