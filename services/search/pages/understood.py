"""How a query was understood, in the words of the page: corrections, other forms, fields, and what was put right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.core.pages.words import Words
from services.core.query.concepts import concepts
from services.core.query.matcher import typos_between
from services.core.query.tree import Query, Word, words_below
from services.core.schemas.names import Names
from services.search.engines.base import Engine

_SHOWN = 6
"""Other forms of a concept, and readings of a misspelt word, that are named."""
_QUOTED = re.compile("“([^”]*)”")


def told_understanding(
    query: Query, found_words: frozenset[str], engine: Engine, words: Words, names: Names
) -> Iterator[str]:
    """A line for everything that was understood otherwise than it stands there.

    `found_words` are the words of the index that the engine took for those of the query; empty where it took none.
    """
    for word in dict.fromkeys(query.words):
        if read_as := _read_as(word, found_words, engine):
            yield words("understood.read_as", word=word.text, others=words.listed(read_as[:_SHOWN]))
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


def _read_as(word: Word, found_words: frozenset[str], engine: Engine) -> Sequence[str]:
    """For what a word was taken that the index does not hold, the nearest first; none where it holds it."""
    if word.exact or engine.words(word.text, 1):
        return ()
    typos = {other: typos_between(word.text, other) for other in found_words if other != word.text}
    near = [(number, other) for other, number in typos.items() if number]
    return [other for number, other in sorted(near) if number == min(near)[0]]


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
