"""Documents as the embedded engine writes them: JSON by the fields of its schema, made in whichever process.

Reading, projecting and analysing take most of the time of a build. Here is all of it that comes before tantivy.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from services.core.query.analysis import analyse
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
UNLABELLED: Final = ""

SIZES: Final = ("8", "12", "16", "24", "40", "80", "200", "1000000000")
"""Words of texts: of two that match as well, the shorter one says more nearly what was asked for."""

_SHORT: Final = 80
"""Letters up to which lines are remembered: names of States and labels stand in thousands of documents."""


@dataclass(frozen=True, slots=True)
class _Line:
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
        self._unlabelled = dict.fromkeys(self._filter_fields.values(), UNLABELLED)

    def __call__(self, document: IndexDocument) -> Prepared:
        """The document and its passages. Raises `DocumentsRefusedError` for a value that is too long."""
        key = key_text(document.key)
        texts, names = self._names_apart(document)
        own = self._analysed(texts, document.languages)
        filters = self._filters(document)
        made = {
            "key": key,
            "listing": f"{key}\0{document.revision}\0{len(document.passages)}",
            TYPE: document.type,
            "record": _bytes({"type": document.type, "id": document.id, "record": document.record}),
            **({"group": _group(key)} if document.passages else {}),
            "names": [name.term for name in names],
            **self._text_fields(own, {}),
            **self._unlabelled,
            **filters,
            **{f"n_{name}": number for name, number in document.numbers.items()},
            **{f"s_{name}": sort_text(value) for name, value in document.sorts.items()},
        }
        beside = {"names": [name.beside.term for name in names], **filters} if document.passages else {}
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

    def _names_apart(self, document: IndexDocument) -> tuple[dict[str, str], list[Name]]:
        """The texts that are read word by word, and the names, which stand as wholes. What is too long is no name.

        Headings of passages are read, too: few documents share one.
        """
        texts, names = dict(document.texts), []
        for field in self._names:
            held = names_in(texts.pop(field, ""))
            language = document.languages.get(field, "")
            if too_long := [name for name in held if len(name) > LONGEST_NAME]:
                texts[field] = "\n".join(too_long)
            names += [_name(field, language, name) for name in held if len(name) <= LONGEST_NAME]
        return texts, names

    def _filters(self, document: IndexDocument) -> dict[str, Any]:
        """The values of the filters that the document has, and its dates."""
        fields = ((name, self._filter_fields[name]) for name in document.filters if name in self._filter_fields)
        filters: dict[str, Any] = {field: values for name, field in fields if (values := document.values(name))}
        return filters | {f"d_{name}": date_number(date) for name, date in document.dates.items()}

    def _analysed(self, texts: Mapping[str, str], languages: Mapping[str, str]) -> dict[str, list[_Line]]:
        """The lines of each field, in the order of the layout."""
        return {
            name: [
                _short_line(line, languages.get(name)) if len(line) <= _SHORT else _line(line, languages.get(name))
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
        ranked = [line for name in self._ranked for line in texts.get(name, ())]
        return {
            "lines": list(dict.fromkeys(line.whole for line in ranked if line.whole)),
            "size": _size(texts.get(self._texts[0], ())),
            **{f"t_{name}": " ".join([line.words for line in texts[name]]) for name in self._ranked if name in texts},
            "words": GAP.join([line.parted for line in lines]),
            "stems": " ".join(frozenset().union(*[line.stems for line in lines])),
        }


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
    analysed = analyse(line, language)
    passages = [" ".join(passage) for passage in analysed.passages]
    whole = line_text(analysed.passages[0]) if passages and len(line) <= _SHORT else ""
    return _Line(GAP.join(passages), " ".join(passages), analysed.stems, whole)


_name = lru_cache(maxsize=50_000)(Name)
_short_line = lru_cache(maxsize=50_000)(_line)


def _bytes(content: Mapping[str, Any]) -> str:
    """Bytes as tantivy reads them in JSON."""
    return base64.b64encode(orjson.dumps(content)).decode()


def _group(key: str) -> int:
    """A number that a record and its passages have in common, and no others: fast fields of text cannot be read."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1
