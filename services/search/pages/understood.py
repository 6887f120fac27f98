"""How a query was understood, in the words of the page: corrections, other forms, fields, and what was put right."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.core.pages.words import Words
from services.core.query.concepts import concepts
from services.core.query.readings import Reading
from services.core.query.tree import Query, Word, words_below
from services.core.schemas.names import Names

_SHOWN = 6
"""Other forms of a concept, and readings of a misspelt word, that are named."""
_QUOTED = re.compile("“([^”]*)”")


def told_understanding(query: Query, readings: Mapping[Word, Reading], words: Words, names: Names) -> Iterator[str]:
    """A line for everything that was understood otherwise than it stands there."""
    named = query.concepts
    for word, reading in readings.items():
        if reading.corrections and word not in named:
            yield words("understood.read_as", word=word.text, others=words.listed(reading.corrections[:_SHOWN]))
    for synonym in query.synonyms:
        typed = " ".join(word.text for word in words_below(synonym.typed))
        forms = dict.fromkeys(form for code in synonym.concepts for form in concepts()[code].all_forms)
        others = [form for form in forms if form.casefold() != typed]
        if others:
            rest = len(others) - _SHOWN
            told = [*others[:_SHOWN], *([words("understood.more_forms", n=rest)] if rest > 0 else [])]
            yield words("understood.also", word=typed, others=words.listed(told))
    yield from _filters(query.interpreted["filters"], words, names)
    for notice in query.notices:
        quoted = words.listed([words("understood.quoted", word=word) for word in _QUOTED.findall(notice.detail)])
        yield words(f"understood.{notice.code}", quoted=quoted)


def _filters(filters: Mapping[str, Any], words: Words, names: Names) -> Iterator[str]:
    """What fields of the query (`from:Spain`) ask for."""
    for name, values in filters.items():
        for each in values if name == "any" else [{name: values}]:
            yield words("understood.field", asked=words.either(list(_named(each, words, names))))


def _named(filters: Mapping[str, Any], words: Words, names: Names) -> Iterator[str]:
    for name, values in filters.items():
        if name == "date":
            yield from (_days(each, words) for each in values)
        else:
            called = words.either([_called(name, value, names) for value in values])
            yield words("understood.filter", filter=words(f"filter.{name}"), values=called)


def _called(name: str, value: str, names: Names) -> str:
    """A value as people know it; all numbers from one on (`2..`) as `2+`."""
    return f"{value[:-2]}+" if value.endswith("..") else names.of_filter_value(name, value)


def _days(days: Mapping[str, str | None], words: Words) -> str:
    told = [
        words(f"understood.{end}", day=words.day(day))
        for end, day in (("since", days["from"]), ("until", days["to"]))
        if day
    ]
    return words.listed(told)
