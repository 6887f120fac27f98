"""The query language: what a person types into the search box, understood once for every engine.

    torture prevention          all words must match; typing errors, plurals, accents and case are forgiven
    tort                        the last word may be the beginning of one, unless a blank follows it
    "death penalty"             words as written, side by side (accents and case aside)
    -domestic  NOT domestic     without
    women OR children           either
    women AND children          both; binds closer than OR, which binds closer than words side by side
    (women OR children) -Asia   brackets
    A/HRC/22/15  116.17         symbols and numbers are exact
    from:Spain  cycle:2..4      fields; one that is repeated side by side means either, as with filters
    to:El Salvador              a value that is a name goes on to the end of the longest name there is
    FGM                         a form of a concept finds all of its forms, in all languages

Little words ("the", "de la") say nothing by themselves and are left out where other words stand beside them. What is
within quotation marks is left as it is: neither concepts nor little words. Engines execute the tree (`Query.root`) and
the filters; users see `Query.interpreted`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from services.core.domain.errors import InvalidQueryError
from services.core.query.analysis import Token, composed, concepts_in, is_exact, is_little, tokenise
from services.core.query.fields import Asked, field_called, is_value, read_field
from services.core.query.filters import Vocabulary
from services.core.query.tree import (
    And,
    Dates,
    Either,
    Field,
    Node,
    Not,
    Notice,
    Or,
    Phrase,
    Query,
    Synonym,
    Word,
    joined,
)

MAX_CHARACTERS = 2_000
MAX_WORDS = 32
MAX_PHRASES = 8
MAX_DEPTH = 8
"""Bounds of one query. Beyond them a query is refused, never cut short (Meilisearch ignores words beyond ten)."""


def parse_query(
    text: str, vocabulary: Vocabulary | None = None, noun: str | None = None, *, strict: bool = False
) -> Query:
    """Understand a query.

    With a `vocabulary` fields are read: those that apply to records of `noun`, or to any where it is None. Without one
    a colon parts words. `strict`: the last word is a whole one, whatever stands behind it.
    Raises `InvalidQueryError` for NUL and lone surrogates, for more than `MAX_CHARACTERS`, `MAX_WORDS`, `MAX_PHRASES`
    or `MAX_DEPTH`, and for a value that a field cannot have. Whatever else a user may type is understood as well as it
    can be, and `notices` say what was put right.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidQueryError(f"the query is longer than {MAX_CHARACTERS} characters")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidQueryError("the query holds a character that is no text (NUL or a lone surrogate)")
    parser = _Parser(composed(text), vocabulary, noun, strict=strict)
    root = parser.parse()
    if root is None and text.strip():
        parser.note("no_words", "the query holds no words, so it leaves nothing out: the filters alone decide")
    return _with_filters(text, root, tuple(parser.notices))


def _with_filters(text: str, root: Node | None, notices: tuple[Notice, ...]) -> Query:
    """The query, with the fields that all records must meet as filters, where each stands once."""
    nodes = root.nodes if isinstance(root, And) else (root,) if root else ()
    names = Counter(name for node in nodes for name in _filters_of(node))
    filters: list[Field] = []
    dates: list[Dates] = []
    either: list[Either] = []
    rest: list[Node] = []
    for node in nodes:
        if isinstance(node, Dates):
            dates.append(node)
        elif isinstance(node, Field) and names[node.name] == 1:
            filters.append(node)
        elif isinstance(node, Either) and all(names[name] == 1 for name in node.names):
            either.append(node)
        else:
            rest.append(node)
    return Query(text, joined(rest), notices, tuple(filters), tuple(dates), tuple(either))


def _filters_of(node: Node) -> tuple[str, ...]:
    return (node.name,) if isinstance(node, Field) else node.names if isinstance(node, Either) else ()


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str  # "word", "phrase", "field", "(", ")", "-", "AND", "OR"
    tokens: tuple[Token, ...] = ()
    open_ended: bool = False  # the last thing in the query, with nothing behind its last letter
    text: str = ""
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """Words side by side, neither quoted nor joined by an operator: among them forms of concepts are looked for."""

    words: tuple[Word, ...]
    text: str


_Operand: TypeAlias = Node | _Run | Asked

_QUOTES = '"“”„‟«»＂'
_MINUS = "-−–"
_LEXEMES = re.compile(
    rf"""(?P<blank>\s+)
    | (?<![^\s({_MINUS}])(?P<name>[^\W\d_]\w{{0,30}}):
      (?P<value>(?:[{_QUOTES}][^{_QUOTES}]*+[{_QUOTES}]?|[^\s{_QUOTES}()]++)++)
    | [{_QUOTES}](?P<phrase>[^{_QUOTES}]*)(?P<closed>[{_QUOTES}]?)
    | (?P<open>(?<![^\s({_MINUS}])\()
    | (?P<close>\)(?=[\s)]|$))
    | (?P<minus>(?<![^\s(])[{_MINUS}]+(?=[^\s]))
    | (?P<run>[^\s{_QUOTES}()]+)
    | (?P<mark>.)""",
    re.VERBOSE,
)


_FURTHER = re.compile(
    rf"\s+(?![{_MINUS}]|(?:AND|OR|NOT)(?:\s|$))(?P<word>[^\s{_QUOTES}(),:]++)(?P<list>,?)(?=[\s,()]|$)"
)
"""A word behind the value of a field that may belong to its name: no operator, no other field."""
_NEXT_VALUE = re.compile(rf",[^\s{_QUOTES}()]+")
_MOST_FURTHER = 12
_PIECES = re.compile(rf"[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)(?P<closed>[{_QUOTES}]?)|(?P<bare>[^{_QUOTES}]+)")


class _Parser:
    """Recursive descent: a sequence of alternatives, of which each joins by OR what AND joins."""

    def __init__(self, text: str, vocabulary: Vocabulary | None, noun: str | None, *, strict: bool) -> None:
        self._text = text
        self._strict = strict
        self._vocabulary = vocabulary
        self._noun = noun
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
        return joined(nodes)

    def _read(self) -> Iterator[_Lexeme]:
        at = 0
        while found := _LEXEMES.match(self._text, at):
            at = self._end_of(found)
            yield from self._lexeme(found, at)

    def _end_of(self, found: re.Match[str]) -> int:
        """Where a lexeme ends: the value of a field with the longest name that begins there, "to:El Salvador"."""
        end = found.end()
        field = field_called(found["name"]) if found.lastgroup == "value" and self._vocabulary else None
        while field and (further := self._end_of_name(field, found.start("value"), end)):
            listed = _NEXT_VALUE.match(self._text, further)
            end = listed.end() if listed else further
        return end

    def _end_of_name(self, field: str, start: int, end: int) -> int | None:
        """Where the longest name ends that begins with the last of these values; None where no word behind it does."""
        value = self._text[start:end].rpartition(",")[2]
        longest, at = None, end
        for _ in range(_MOST_FURTHER):
            word = _FURTHER.match(self._text, at)
            if not value or value[-1] in _QUOTES or word is None or self._vocabulary is None:
                break
            at = word.end("word")
            if is_value(field, value + self._text[end:at], self._vocabulary, self._noun):
                longest = at
            if word["list"]:
                break
        return longest

    def _lexeme(self, found: re.Match[str], end: int) -> Iterator[_Lexeme]:
        kind = found.lastgroup
        if kind in {"open", "close", "minus"}:
            yield _Lexeme({"open": "(", "close": ")", "minus": "-"}[kind])
        elif kind == "closed":
            yield from self._phrase(found["phrase"], found["closed"])
        elif kind == "value":
            yield from self._field(found["name"], self._text[found.start("value") : end], end)
        elif kind == "run" and found.group() in {"AND", "OR", "NOT"}:
            yield _Lexeme("-" if found.group() == "NOT" else found.group())
        elif kind == "run":
            if self._vocabulary and found.group().endswith(":") and field_called(found.group()[:-1]):
                self.note("field_without_value", f"“{found.group()}” was searched as text: a value follows at once")
            yield from self._run(found.group(), found.end())

    def _run(self, text: str, end: int) -> Iterator[_Lexeme]:
        tokens = tuple(tokenise(text))
        if tokens:
            ends = end == len(self._text) and tokens[-1].end == len(text)
            yield _Lexeme("word", tokens, ends and not self._strict, text)

    def _field(self, name: str, value: str, end: int) -> Iterator[_Lexeme]:
        pieces = list(_PIECES.finditer(value))
        field = field_called(name) if self._vocabulary else None
        if field and self._vocabulary:
            if any(piece["quoted"] is not None and not piece["closed"] for piece in pieces):
                self.note("unbalanced_quote", "a quotation mark was not closed: the value runs to the end")
            texts = [
                text
                for piece in pieces
                for text in ((piece["quoted"],) if piece["bare"] is None else piece["bare"].split(","))
            ]
            yield _Lexeme("field", asked=read_field(field, texts, self._vocabulary, self._noun))
            return
        if self._vocabulary:
            self.note("unknown_field", f"“{name}:” is no field: it was searched as text")
        if pieces[0]["bare"] is None:
            yield from self._run(name, -1)
        for at, piece in enumerate(pieces):
            if piece["bare"] is None:
                yield from self._phrase(piece["quoted"], piece["closed"])
            else:
                text = f"{name}:{piece['bare']}" if at == 0 else piece["bare"]
                yield from self._run(text, end if piece is pieces[-1] else -1)

    def _phrase(self, text: str, closed: str) -> Iterator[_Lexeme]:
        if not closed:
            self.note("unbalanced_quote", "a quotation mark was not closed: the phrase runs to the end")
        if tokens := tuple(tokenise(text)):
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
        operands: list[_Operand] = []
        while self._kind() not in {None, ")"}:
            if operand := self._operands("OR"):
                operands.append(operand)
        return joined(self._without_little(_understood(operands)))

    def _operands(self, operator: str) -> _Operand | None:
        """`a OR b OR c`, whose operands are `a AND b AND c`. An operator without an operand is left out."""
        operands: list[_Operand] = []
        while True:
            operand = self._operands("AND") if operator == "OR" else self._unary()
            if operand:
                operands.append(operand)
            else:
                self._dangling(operator)
            if not self._take(operator):
                break
        if len(operands) < 2:
            return operands[0] if operands else None
        if operator == "OR" and (same := _of_one_field(operands)):
            return same
        nodes = [node for operand in operands if (node := joined(_understood([operand])))]
        return Or(tuple(nodes)) if operator == "OR" else joined(nodes)

    def _dangling(self, operator: str) -> None:
        if self._kind() in {None, ")", "AND", "OR"}:
            before = self._lexemes[self._at - 1].kind if self._at else None
            if self._kind() == operator or before == operator:
                self.note("dangling_operator", f"{operator} without words on both sides was left out")

    def _unary(self) -> _Operand | None:
        minus = False
        while self._take("-"):
            minus = True
        if not minus:
            return self._atom()
        node = self._excluded()
        if node is None:
            self.note("dangling_operator", "a minus or NOT without a word behind it was left out")
        return Not(node) if node else None

    def _atom(self) -> _Operand | None:
        if self._take("("):
            return self._group()
        lexeme = self._take("word", "phrase", "field")
        if lexeme is None:
            return None
        self._count(lexeme)
        if lexeme.kind == "phrase":
            return self._as_phrase(lexeme)
        if lexeme.asked:
            return lexeme.asked
        last = len(lexeme.tokens) - 1
        return _Run(
            tuple(
                Word(token.word, prefix=lexeme.open_ended and at == last and not is_exact(token.word))
                for at, token in enumerate(lexeme.tokens)
            ),
            lexeme.text,
        )

    def _excluded(self) -> Node | None:
        """What stands behind a minus. Words that marks join are side by side: "-mid-term" leaves "mid" and "term"."""
        operand = self._atom()
        if not isinstance(operand, _Run):
            return operand.node if isinstance(operand, Asked) else operand
        words = tuple(word.text for word in operand.words)
        typed: Node = Word(words[0]) if len(words) == 1 else self._phrase_of(words)
        codes = _forms(words, operand.text).get((0, len(words)))
        return Synonym(typed, codes) if codes else typed

    def _as_phrase(self, lexeme: _Lexeme) -> Phrase:
        return self._phrase_of(tuple(token.word for token in lexeme.tokens))

    def _phrase_of(self, words: tuple[str, ...]) -> Phrase:
        self._phrases += 1
        if self._phrases > MAX_PHRASES:
            raise InvalidQueryError(f"the query has more than {MAX_PHRASES} phrases")
        return Phrase(words)

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
        self._words += max(1, len(lexeme.tokens))
        if self._words > MAX_WORDS:
            raise InvalidQueryError(f"the query has more than {MAX_WORDS} words")

    def _without_little(self, nodes: list[Node]) -> list[Node]:
        """The nodes of a sequence without its little words, where others stand beside them."""
        little = [node for node in nodes if isinstance(node, Word) and is_little(node.text)]
        if not any(isinstance(node, Word | Phrase | Synonym | And | Or) and node not in little for node in nodes):
            return nodes
        if little:
            shown = ", ".join(dict.fromkeys(f"“{node.text}”" for node in little))
            self.note("little_words", f"{shown}: left out, since it says little; quotation marks keep it")
        return [node for node in nodes if node not in little]


def _of_one_field(operands: Sequence[_Operand]) -> Asked | None:
    """What all of it asks for, where all of it is values of one field: `from:Spain OR from:France`."""
    first, *others = operands
    for other in others:
        if not (isinstance(first, Asked) and isinstance(other, Asked) and first.field == other.field):
            return None
        first = first.or_(other)
    return first if isinstance(first, Asked) else None


def _understood(operands: Sequence[_Operand]) -> list[Node]:
    """What stands side by side: words with the concepts they name, and of each field all that it is asked for."""
    nodes: list[Node] = []
    fields: dict[str, Asked] = {}
    run = _Run((), "")
    for operand in operands:
        if isinstance(operand, _Run):
            run = _Run(run.words + operand.words, f"{run.text} {operand.text}")
        elif isinstance(operand, Asked):
            held = fields.get(operand.field)
            fields[operand.field] = held.or_(operand) if held else operand
        else:
            nodes += [*_with_concepts(run), operand]
            run = _Run((), "")
    return [*nodes, *_with_concepts(run), *(asked.node for asked in fields.values())]


def forms_among(words: Sequence[str], text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The words in order, by their numbers (first, beyond): those that are a form of concepts together, with the codes,
    in any language; from the left, the longest form counts. All others one by one. `text` is what they stand in.
    """
    forms = _forms(words, text)
    at = 0
    while at < len(words):
        end, codes = max(((end, codes) for (start, end), codes in forms.items() if start == at), default=(at + 1, ()))
        yield at, end, codes
        at = end


def _with_concepts(run: _Run) -> Iterator[Node]:
    """The words of a run, those that are forms of concepts together."""
    spaced = tuple(_spaced(run.words))
    for first, beyond, codes in forms_among([word.text for word in run.words], run.text):
        words = spaced[first:beyond]
        telling = [word for word in words if not is_little(word.text)] or words
        typed = joined(list(telling))
        if codes and typed:
            yield Synonym(typed, codes)
        else:
            yield from words


def _spaced(words: Sequence[Word]) -> Iterator[Word]:
    """Words that know how many little ones stand before them, for the ranking: those may be left out."""
    gap = 0
    for word in words:
        yield replace(word, gap=gap) if gap else word
        gap = gap + 1 if is_little(word.text) else 0


def _forms(words: Sequence[str], text: str) -> dict[tuple[int, int], tuple[str, ...]]:
    """The concepts that words are forms of, in any language, by where they stand."""
    forms: dict[tuple[int, int], dict[str, None]] = {}
    for found in concepts_in(words, text):
        forms.setdefault((found.start, found.end), {}).update(dict.fromkeys(found.codes))
    return {span: tuple(codes) for span, codes in forms.items()}
