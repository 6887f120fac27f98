"""A query as understood: a tree of conditions, and filters beside it. Engines execute it, people see it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.core.query.analysis import is_exact
from services.core.query.concepts import concepts
from services.core.query.readings import Reading

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """One folded word. `prefix`: it may be the beginning of a longer one. `gap`: little words typed before it."""

    text: str
    prefix: bool = False
    gap: int = field(default=0, compare=False)

    @property
    def exact(self) -> bool:
        """True for symbols and numbers, which are never corrected."""
        return is_exact(self.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Folded words side by side, as written: neither stems nor typing errors."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synonym:
    """Words that are a form of these concepts: they match as typed, and wherever another form of one stands."""

    typed: "Node"
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """Records that have any of these values under a filter.

    `asked`: the same as it was asked for, where that is shorter ("3.." stands for all numbers from 3).
    """

    name: str
    values: tuple[str, ...]
    asked: tuple[str, ...] = field(default=(), compare=False)

    @property
    def shown(self) -> list[str]:
        """The values for people to see."""
        return list(self.asked or self.values)


@dataclass(frozen=True, slots=True)
class Dates:
    """Records of these days, both included. A year or a month alone is its beginning or its end; None is open."""

    first: str | None
    last: str | None

    def holds(self, day: str) -> bool:
        """Whether a day (or month, or year) lies within."""
        return (self.first is None or day >= self.first) and (self.last is None or day[: len(self.last)] <= self.last)


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but what `node` matches. Words below it match with their inflections, without typing errors."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either(Or):
    """What one field asks for that means several filters, or several ranges of dates: its nodes are those."""

    @property
    def names(self) -> tuple[str, ...]:
        """The filters it asks for; those of dates have no name here."""
        return tuple(node.name for node in self.nodes if isinstance(node, Field))

    @property
    def shown(self) -> Json:
        """It in plain JSON: records meet any of these."""
        dates = [_days(node) for node in self.nodes if isinstance(node, Dates)]
        return {node.name: node.shown for node in self.nodes if isinstance(node, Field)} | (
            {"date": dates} if dates else {}
        )


Node: TypeAlias = Word | Phrase | Synonym | Field | Dates | Not | And | Or


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in the text that was put right or left out. `code` is stable."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query as understood. `root` is None where no condition is set but the filters: everything that meets them.

    `filters` are those of the text that all records must meet, each name once; `dates` are all of its ranges of dates;
    of `either` all records must meet one filter of each.
    """

    text: str
    root: "Node | None"
    notices: tuple[Notice, ...] = ()
    filters: tuple[Field, ...] = ()
    dates: tuple[Dates, ...] = ()
    either: tuple[Either, ...] = ()

    @property
    def whole(self) -> "Node | None":
        """The conditions and the filters, as one tree."""
        return joined([*([self.root] if self.root else []), *self.filters, *self.dates, *self.either])

    @property
    def interpreted(self) -> Json:
        """What was understood, in plain JSON, for the user to see."""
        return self.interpreted_with({})

    def interpreted_with(self, readings: Mapping[Word, Reading]) -> Json:
        """The same, with what an engine read the words asked for as."""
        filters: Json = {field.name: field.shown for field in self.filters}
        if self.dates:
            filters["date"] = [_days(dates) for dates in self.dates]
        if self.either:
            filters["any"] = [each.shown for each in self.either]
        return {
            "query": _as_json(self.root, readings) if self.root else None,
            "filters": filters,
            "notices": [{"code": notice.code, "detail": notice.detail} for notice in self.notices],
        }

    @property
    def words(self) -> tuple[Word, ...]:
        """The words asked for (not those excluded), in order."""
        return tuple(node for node in _asked_for(self.root) if isinstance(node, Word))

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """The phrases asked for (not those excluded), in order."""
        return tuple(node for node in _asked_for(self.root) if isinstance(node, Phrase))

    @property
    def synonyms(self) -> tuple[Synonym, ...]:
        """The words asked for that are forms of concepts, in order."""
        return tuple(node for node in _asked_for(self.root) if isinstance(node, Synonym))

    @property
    def concepts(self) -> dict[Word, tuple[str, ...]]:
        """The concepts that words asked for are a form of, or a part of one."""
        return {word: synonym.concepts for synonym in self.synonyms for word in words_below(synonym.typed)}


def joined(nodes: Sequence[Node]) -> Node | None:
    """All of `nodes`, without a level of its own for one, or for an `And` inside."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, And) else (node,))
    if len(flat) < 2:
        return flat[0] if flat else None
    return And(tuple(flat))


def nodes_below(node: "Node | None") -> Iterator[Node]:
    """A node and all below it."""
    if node is None:
        return
    yield node
    match node:
        case And(nodes) | Or(nodes):
            for child in nodes:
                yield from nodes_below(child)
        case Not(child) | Synonym(child, _):
            yield from nodes_below(child)


def words_below(node: Node) -> Iterator[Word]:
    """The words of a node and of all below it."""
    return (each for each in nodes_below(node) if isinstance(each, Word))


def asks_words(node: "Node | None") -> bool:
    """Whether any words are asked for or excluded, and not filters alone."""
    return any(isinstance(each, Word | Phrase) for each in nodes_below(node))


def _asked_for(node: "Node | None") -> Iterator[Node]:
    if node is None or isinstance(node, Not):
        return
    yield node
    if isinstance(node, And | Or):
        for child in node.nodes:
            yield from _asked_for(child)
    elif isinstance(node, Synonym):
        yield from _asked_for(node.typed)


def _as_json(node: Node, readings: Mapping[Word, Reading]) -> Json:
    match node:
        case Not(child):
            return {"not": _as_json(child, {})}
        case And(nodes):
            return {"all": [_as_json(child, readings) for child in nodes]}
        case Or(nodes):
            return {"any": [_as_json(child, readings) for child in nodes]}
        case Synonym(typed, codes):
            also = dict.fromkeys(form for code in codes for form in concepts()[code].all_forms)
            return {**_as_json(typed, readings), "also": list(also)}
        case Word():
            read_as = {"read_as": readings[node].shown} if node in readings else {}
            return _leaf_as_json(node) | read_as
    return _leaf_as_json(node)


def _leaf_as_json(node: Word | Phrase | Field | Dates) -> Json:
    match node:
        case Word(text, prefix):
            return {"word": text, "match": "exact" if node.exact else "prefix" if prefix else "word"}
        case Phrase(words):
            return {"phrase": list(words)}
        case Field(name):
            return {"filter": name, "values": node.shown}
        case Dates():
            return {"filter": "date", **_days(node)}


def _days(dates: Dates) -> Json:
    return {"from": dates.first, "to": dates.last}
