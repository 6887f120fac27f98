"""Documents as the embedded engine writes them: JSON by the fields of its schema, made in whichever process.

Reading, projecting and analysing take most of the time of a build. Here is all of it that comes before tantivy.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from services.core.query.analysis import analyse_line
from services.search.engines.base import (
    TYPE,
    DocumentKey,
    IndexDocument,
    IndexLayout,
    Passage,
    Prepared,
    date_number,
    sort_text,
)
from services.search.engines.names import LONGEST_NAME, Name, line_text, names_in

GAP: Final = " ¶ "
"""Stands between passages, so that no phrase crosses them. Not a letter: never a word of a query."""
LACKS: Final = "lacks"
"""The field that tells, in one term (`Lacking`), of which filters a document has no value."""
_HELD, _LACKED = "0", "1"

SIZES: Final = ("8", "12", "16", "24", "40", "80", "200", "1000000000")
"""Words of texts: of two that match as well, the shorter one says more nearly what was asked for."""

_SHORT: Final = 80
"""Letters up to which lines are remembered: titles, and symbols of documents, stand in many."""
_REMEMBERED: Final = 50_000


class Lacking:
    """Writes which filters a document has no value of as one term, and reads it.

    Documents that lack the same filters are many: to count them is much less work than to write, for each filter, that
    there is nothing.
    """

    def __init__(self, filters: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(filters)}
        self._terms: dict[frozenset[str], str] = {}

    def term(self, held: Iterable[str]) -> str:
        """The term of documents that have values of just these filters."""
        key = frozenset(held)
        if key not in self._terms:
            self._terms[key] = "".join(_HELD if name in key else _LACKED for name in self._places)
        return self._terms[key]

    def count(self, name: str, terms: Iterable[tuple[str, int]]) -> int:
        """How many documents lack a filter, by how many bear each term."""
        place = self._places[name]
        return sum([documents for term, documents in terms if term[place] == _LACKED])


class _Line(NamedTuple):
    """A line's words with gaps between its passages, the same without gaps, its stems, and how it is asked for whole.

    Only short lines are: names, labels, titles.
    """

    parted: str
    words: str
    stems: frozenset[str]
    whole: str


class Preparation:
    """Makes documents of one layout ready to be written."""

    def __init__(self, layout: IndexLayout) -> None:
        self._ranked = layout.texts[:-1]
        self._texts = layout.texts
        self._names = layout.names
        self._filter_fields = {name: f"f_{name}" for name in layout.filters}
        self._lacking = Lacking(layout.filters)

    def __call__(self, document: IndexDocument) -> Prepared:
        """The document and its passages. Raises `DocumentsRefusedError` for a value that is too long."""
        key = key_text(document.key)
        texts, names = self._names_apart(document)
        own = self._analysed(texts, document.languages, document.id)
        filters = self._filters(document)
        made = {
            "key": key,
            "listing": f"{key}\0{document.revision}\0{len(document.passages)}",
            TYPE: document.type,
            "record": _bytes({"type": document.type, "id": document.id, "record": document.record}),
            "names": names,
            **self._text_fields(own, {}),
            **filters,
        }
        made |= {f"n_{name}": number for name, number in document.numbers.items()}
        made |= {f"s_{name}": sort_text(value) for name, value in document.sorts.items()}
        if not document.passages:
            return Prepared(document.key, (orjson.dumps(made),))
        made["group"] = _group(key)
        beside = {"names": [Name.of(term).beside.term for term in names], **filters}
        passages = (self._passage(document, passage, own, beside) for passage in document.passages)
        return Prepared(document.key, (orjson.dumps(made), *map(orjson.dumps, passages)))

    def _passage(
        self,
        document: IndexDocument,
        passage: Passage,
        own: Mapping[str, list[_Line]],
        beside: Mapping[str, Any],
    ) -> dict[str, Any]:
        """`own` are the texts of the record; `beside`, its names and filters, as they are to stand in the passage."""
        key = key_text(document.key)
        return {
            "part_of": key,
            "whole": base64.b64encode(key.encode()).decode(),
            "group": _group(key),
            TYPE: type_of_passages(document.type),
            "record": _bytes(passage.content),
            **self._text_fields(self._analysed(passage.texts, passage.languages), own),
            **beside,
        }

    def _names_apart(self, document: IndexDocument) -> tuple[dict[str, str], list[str]]:
        """The texts that are read word by word, and the terms of the names. What is too long is no name.

        Headings of passages are read, too: few documents share one.
        """
        texts = {field: text for field, text in document.texts.items() if field not in self._names}
        names: list[str] = []
        for field in self._names:
            if text := document.texts.get(field):
                short, long = _names_of(field, document.languages.get(field, ""), text)
                names += short
                if long:
                    texts[field] = long
        return texts, names

    def _filters(self, document: IndexDocument) -> dict[str, Any]:
        """The values of the filters that the document has, which it has none of, and its dates."""
        filters: dict[str, Any] = {}
        held: list[str] = []
        for name in document.filters:
            if name in self._filter_fields and (values := document.values(name)):
                filters[self._filter_fields[name]] = values[0] if len(values) == 1 else values
                held.append(name)
        filters[LACKS] = self._lacking.term(held)
        return filters | {f"d_{name}": date_number(date) for name, date in document.dates.items()}

    def _analysed(
        self, texts: Mapping[str, str], languages: Mapping[str, str], once: str = ""
    ) -> dict[str, list[_Line]]:
        """The lines of each field, in the order of the layout. What stands `once` alone is not kept."""
        return {
            name: [
                _short_line(line, languages.get(name))
                if len(line) <= _SHORT and line != once
                else _line(line, languages.get(name))
                for line in texts[name].splitlines()
            ]
            for name in self._texts
            if texts.get(name)
        }

    def _text_fields(
        self, texts: Mapping[str, Iterable[_Line]], beside: Mapping[str, Iterable[_Line]]
    ) -> dict[str, Any]:
        """`words` holds all fields with positions; each field but the last once more, to rank by.

        What stands `beside` is found, and does not count in ranking. `lines` are names and titles as a whole, `size` is
        that of the first field.
        """
        lines = [line for held in (texts, beside) for several in held.values() for line in several if line.parted]
        fields: dict[str, Any] = {
            "size": _size(texts.get(self._texts[0], ())),
            "words": GAP.join([line.parted for line in lines]),
            "stems": " ".join(frozenset().union(*[line.stems for line in lines])),
        }
        for name in self._ranked:
            if name in texts:
                fields[f"t_{name}"] = " ".join([line.words for line in texts[name]])
        if wholes := [line.whole for name in self._ranked for line in texts.get(name, ()) if line.whole]:
            fields["lines"] = list(dict.fromkeys(wholes))
        return fields


def key_text(key: DocumentKey) -> str:
    """`type:id`."""
    return f"{key.type}:{key.id}"


def type_of_passages(type_: str) -> str:
    """The type under which the passages of documents of a type stand in the index."""
    return f":{type_}"


def _size(lines: Iterable[_Line]) -> str:
    """How long a text is: the least of the sizes that holds its words."""
    words = sum(line.words.count(" ") + 1 for line in lines)
    return next(size for size in SIZES if words <= int(size))


def words_and_names_in(prepared: Prepared) -> tuple[set[str], set[str]]:
    """All words of a document and its passages, and the terms of their names."""
    words: set[str] = set()
    names: set[str] = set()
    for part in map(orjson.loads, prepared.parts):
        words.update(part["words"].split())
        names.update(part["names"])
    return words - {GAP.strip()}, names


def _line(line: str, language: str | None) -> _Line:
    analysed = analyse_line(line, language)
    if not analysed.passages:
        return _Line("", "", analysed.stems, "")
    passages = [" ".join(passage) for passage in analysed.passages]
    whole = line_text(analysed.passages[0]) if len(line) <= _SHORT else ""
    if len(passages) == 1:
        return _Line(passages[0], passages[0], analysed.stems, whole)
    return _Line(GAP.join(passages), " ".join(passages), analysed.stems, whole)


_short_line = lru_cache(maxsize=_REMEMBERED)(_line)


@lru_cache(maxsize=_REMEMBERED)
def _names_of(field: str, language: str, text: str) -> tuple[tuple[str, ...], str]:
    """The terms of the names of a field, and what in it is too long to be a name."""
    held = names_in(text)
    names = tuple(Name(field, language, name).term for name in held if len(name) <= LONGEST_NAME)
    return names, "\n".join(name for name in held if len(name) > LONGEST_NAME)


def _bytes(content: Mapping[str, Any]) -> str:
    """Bytes as tantivy reads them in JSON."""
    return base64.b64encode(orjson.dumps(content)).decode()


def _group(key: str) -> int:
    """A number that a record and its passages have in common, and no others: fast fields of text cannot be read."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1
