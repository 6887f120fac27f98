"""The query language: what a person types into the search box, understood once for every engine.

    torture prevention          all words must match; typing errors, plurals, accents and case are forgiven
    tort                        the last word may be the beginning of one, unless a blank follows it
    "death penalty"             words as written, side by side (accents and case aside)
    -domestic  NOT domestic     without
    women OR children           either
    women AND children          both; binds closer than OR, which binds closer than words side by side
    (women OR children) -Asia   brackets
    A/HRC/22/15  116.17         symbols and numbers are exact

Engines execute the tree (`Query.root`); users see `Query.interpreted`. Field prefixes (`from:Spain`) will be a further
node of the tree; today a colon parts words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.core.domain.errors import InvalidQueryError
from services.core.query.analysis import Token, composed, is_exact, tokenise

MAX_CHARACTERS = 2_000
MAX_WORDS = 32
MAX_PHRASES = 8
MAX_DEPTH = 8
"""Bounds of one query. Beyond them a query is refused, never cut short (Meilisearch ignores words beyond ten)."""

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """One folded word. `prefix`: it may be the beginning of a longer one."""

    text: str
    prefix: bool = False

    @property
    def exact(self) -> bool:
        """True for symbols and numbers, which are never corrected."""
        return is_exact(self.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Folded words side by side, as written: neither stems nor typing errors."""

    words: tuple[str, ...]


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


Node: TypeAlias = Word | Phrase | Not | And | Or


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in the text that was put right or left out. `code` is stable."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query as understood. `root` is None where nothing is asked for: everything matches."""

    text: str
    root: "Node | None"
    notices: tuple[Notice, ...] = ()

    @property
    def interpreted(self) -> Json:
        """What was understood, in plain JSON, for the user to see."""
        return {
            "query": _as_json(self.root) if self.root else None,
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


def parse_query(text: str) -> Query:
    """Understand a query.

    Raises `InvalidQueryError` for NUL and lone surrogates, and for more than `MAX_CHARACTERS`, `MAX_WORDS`,
    `MAX_PHRASES` or `MAX_DEPTH`. Whatever else a user may type is understood as well as it can be, and `notices` say
    what was put right.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidQueryError(f"the query is longer than {MAX_CHARACTERS} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQueryError("the query holds a character that is no text (NUL or a lone surrogate)")
    parser = _Parser(composed(text))
    root = parser.parse()
    if root is None and text.strip():
        parser.note("no_words", "the query holds no words, so it leaves nothing out: the filters alone decide")
    return Query(text, root, tuple(parser.notices))


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str  # "word", "phrase", "(", ")", "-", "AND", "OR"
    tokens: tuple[Token, ...] = ()
    open_ended: bool = False  # the last thing in the query, with nothing behind its last letter


_QUOTES = '"“”„‟«»＂'
_MINUS = "-−–"
_LEXEMES = re.compile(
    rf"""(?P<blank>\s+)
    | [{_QUOTES}](?P<phrase>[^{_QUOTES}]*)(?P<closed>[{_QUOTES}]?)
    | (?P<open>(?<![^\s({_MINUS}])\()
    | (?P<close>\)(?=[\s)]|$))
    | (?P<minus>(?<![^\s(])[{_MINUS}]+(?=[^\s]))
    | (?P<run>[^\s{_QUOTES}()]+)
    | (?P<mark>.)""",
    re.VERBOSE,
)


class _Parser:
    """Recursive descent: a sequence of alternatives, of which each joins by OR what AND joins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.notices: list[Notice] = []
        self._lexemes = list(self._read())
        self._at = 0
        self._words = self._phrases = self._depth = 0

    def note(self, code: str, detail: str) -> None:
        """Remember what was put right, once."""
        notice = Notice(code, detail)
        if notice not in self.notices:
            self.notices.append(notice)

    def parse(self) -> Node | None:
        """The whole text. A closing bracket too many is left out."""
        nodes: list[Node] = []
        while self._kind() is not None:
            if node := self._sequence():
                nodes.append(node)
            if self._take(")"):
                self.note("unbalanced_bracket", "a closing bracket without an opening one was left out")
        return _joined(nodes)

    def _read(self) -> Iterator[_Lexeme]:
        for found in _LEXEMES.finditer(self._text):
            yield from self._lexeme(found)

    def _lexeme(self, found: re.Match[str]) -> Iterator[_Lexeme]:
        kind = found.lastgroup
        if kind in {"open", "close", "minus"}:
            yield _Lexeme({"open": "(", "close": ")", "minus": "-"}[kind])
        elif kind == "closed":
            yield from self._phrase(found)
        elif kind == "run" and found.group() in {"AND", "OR", "NOT"}:
            yield _Lexeme("-" if found.group() == "NOT" else found.group())
        elif kind == "run":
            tokens = tuple(tokenise(found.group()))
            at_end = found.end() == len(self._text) and bool(tokens) and tokens[-1].end == len(found.group())
            if tokens:
                yield _Lexeme("word", tokens, at_end)

    def _phrase(self, found: re.Match[str]) -> Iterator[_Lexeme]:
        if not found["closed"]:
            self.note("unbalanced_quote", "a quotation mark was not closed: the phrase runs to the end")
        if tokens := tuple(tokenise(found["phrase"])):
            yield _Lexeme("phrase", tokens)
        else:
            self.note("empty_phrase", "a phrase without words was left out")

    def _kind(self) -> str | None:
        return self._lexemes[self._at].kind if self._at < len(self._lexemes) else None

    def _take(self, *kinds: str) -> _Lexeme | None:
        if self._kind() not in kinds:
            return None
        self._at += 1
        return self._lexemes[self._at - 1]

    def _sequence(self) -> Node | None:
        nodes: list[Node] = []
        while self._kind() not in {None, ")"}:
            if node := self._operands("OR"):
                nodes.append(node)
        return _joined(nodes)

    def _operands(self, operator: str) -> Node | None:
        """`a OR b OR c`, whose operands are `a AND b AND c`. An operator without an operand is left out."""
        nodes: list[Node] = []
        while True:
            node = self._operands("AND") if operator == "OR" else self._unary()
            if node:
                nodes.append(node)
            else:
                self._dangling(operator)
            if not self._take(operator):
                break
        if len(nodes) < 2:
            return nodes[0] if nodes else None
        return Or(tuple(nodes)) if operator == "OR" else _joined(nodes)

    def _dangling(self, operator: str) -> None:
        if self._kind() in {None, ")", "AND", "OR"}:
            before = self._lexemes[self._at - 1].kind if self._at else None
            if self._kind() == operator or before == operator:
                self.note("dangling_operator", f"{operator} without words on both sides was left out")

    def _unary(self) -> Node | None:
        minus = False
        while self._take("-"):
            minus = True
        if minus:
            node = self._atom(negated=True)
            if node is None:
                self.note("dangling_operator", "a minus or NOT without a word behind it was left out")
            return Not(node) if node else None
        return self._atom(negated=False)

    def _atom(self, *, negated: bool) -> Node | None:
        if self._take("("):
            return self._group()
        lexeme = self._take("word", "phrase")
        if lexeme is None:
            return None
        self._count(lexeme)
        texts = tuple(token.word for token in lexeme.tokens)
        if lexeme.kind == "phrase" or (negated and len(texts) > 1):
            self._count_phrase()
            return Phrase(texts)
        last = len(texts) - 1
        return _joined(
            [
                Word(word, prefix=lexeme.open_ended and not negated and at == last and not is_exact(word))
                for at, word in enumerate(texts)
            ]
        )

    def _group(self) -> Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidQueryError(f"brackets are nested more than {MAX_DEPTH} deep")
        node = self._sequence()
        self._depth -= 1
        if not self._take(")"):
            self.note("unbalanced_bracket", "an opening bracket was not closed: it runs to the end")
        return node

    def _count(self, lexeme: _Lexeme) -> None:
        self._words += len(lexeme.tokens)
        if self._words > MAX_WORDS:
            raise InvalidQueryError(f"the query has more than {MAX_WORDS} words")

    def _count_phrase(self) -> None:
        self._phrases += 1
        if self._phrases > MAX_PHRASES:
            raise InvalidQueryError(f"the query has more than {MAX_PHRASES} phrases")


def _joined(nodes: list[Node]) -> Node | None:
    """All of `nodes`, without a level of its own for one, or for an `And` inside."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, And) else (node,))
    if len(flat) < 2:
        return flat[0] if flat else None
    return And(tuple(flat))


def _asked_for(node: "Node | None") -> Iterator[Word | Phrase]:
    if isinstance(node, Word | Phrase):
        yield node
    elif isinstance(node, And | Or):
        for child in node.nodes:
            yield from _asked_for(child)


def _as_json(node: Node) -> Json:
    match node:
        case Word(text, prefix):
            return {"word": text, "match": "exact" if node.exact else "prefix" if prefix else "word"}
        case Phrase(words):
            return {"phrase": list(words)}
        case Not(child):
            return {"not": _as_json(child)}
        case And(nodes):
            return {"all": [_as_json(child) for child in nodes]}
        case Or(nodes):
            return {"any": [_as_json(child) for child in nodes]}
