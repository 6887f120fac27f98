"""The words of the field: things that texts call by several names, in several languages.

A *concept* is a set of forms that mean the same: an abbreviation and what it stands for, a treaty's short names, a
State's names, one expression in English, Spanish and French. `concepts.toml`, `state_names.csv` and
`spoken_state_names.csv` hold them, each with its source or reason. A text in which a form stands gets the concept's
token beside its stems, and a query that types a form asks for the token too: so every form finds every other, on every
engine, without a word about it to the engine.

How a form is recognised:

- Forms of several words go by stems ("national preventive mechanisms"), in texts of every language.
- A single word goes by its stem in texts of its own language alone: French "arme" is no English "army".
- Abbreviations, and all names of States, are taken as they are, in every language; abbreviations also with a plural -s.
- Forms under `cased` count in capitals alone: "WHO" is no "who".
- Names (treaties, bodies, States) do not count inside a longer name: "Guinea" is not in "Equatorial Guinea".
"""

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import compress, count
from pathlib import Path
from typing import Any, TypeAlias, cast

_FOLDER = Path(__file__).parent
_EVERYWHERE = "any"
_MARK = "concept:"
_MOST_OPENINGS = 300_000

WordsOf = Callable[[str], Sequence[str]]
StemOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing and what it is called. `forms` by language (`any`: in every language alike); `cased` are among them.

    `is_name`: its forms do not count inside a longer name. `source`: where the forms stand, or why they mean the same.
    `apart`: texts that speak of something near and must not be found.
    """

    code: str
    forms: Mapping[str, tuple[str, ...]]
    is_name: bool
    source: str
    cased: frozenset[str] = frozenset()
    apart: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """What stands among the stems of a text that names it. No word or stem looks like it."""
        return token_of(self.code)

    @property
    def all_forms(self) -> tuple[str, ...]:
        """Every form, each once."""
        return tuple(dict.fromkeys(form for forms in self.forms.values() for form in forms))


def token_of(code: str) -> str:
    """The token of a concept."""
    return _MARK + code


@cache
def concepts() -> Mapping[str, Concept]:
    """All concepts by code; those of States are `state-PER`."""
    facts: dict[str, Any] = tomllib.loads((_FOLDER / "concepts.toml").read_text("utf-8"))
    known = {code: _concept(code, entry) for code, entry in facts.items()}
    return known | {concept.code: concept for concept in _states()}


@cache
def state_names() -> Mapping[str, tuple[str, ...]]:
    """The names of each State by its alpha-3 code, in English, Spanish, French and Portuguese.

    Those that documents print, and those that people say.
    """
    names: dict[str, dict[str, None]] = {}
    for table in ("state_names.csv", "spoken_state_names.csv"):
        for row in _rows(table):
            names.setdefault(row["state"], {})[row["name"]] = None
    return {state: tuple(several) for state, several in names.items()}


def _concept(code: str, entry: Mapping[str, Any]) -> Concept:
    forms = {language: tuple(entry[language]) for language in ("en", "es", "fr", _EVERYWHERE) if language in entry}
    apart = tuple(entry.get("apart", ()))
    return Concept(code, forms, entry["is"] == "name", entry["source"], frozenset(entry.get("cased", ())), apart)


def _states() -> Iterator[Concept]:
    cased = frozenset(row["name"] for row in _rows("spoken_state_names.csv") if row["cased"])
    for state, names in state_names().items():
        yield Concept(f"state-{state}", {_EVERYWHERE: names}, True, "state_names.csv", cased.intersection(names))


def _rows(table: str) -> list[dict[str, str]]:
    with (_FOLDER / table).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@dataclass(frozen=True, slots=True)
class Found:
    """A form found: the words `start` to `end` (without it) name these concepts."""

    start: int
    end: int
    codes: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """A step of the tree of forms: what may follow, and the concepts whose form ends here.

    `tokens` are those of the concepts, `is_name` says whether any is a name, `cased` what has to stand in capitals.
    """

    next: dict[str, "_Node"] = field(default_factory=dict)
    concepts: list[Concept] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    is_name: bool = False
    cased: str | None = None


_End: TypeAlias = tuple[int, int, _Node]


class Finder:
    """Finds the forms that count in texts of one language. Safe to use from many threads."""

    def __init__(self, language: str, words_of: WordsOf, stem_of: StemOf, only: frozenset[str] | None = None) -> None:
        """`words_of` cuts a form into folded words, `stem_of` gives a word's marked stem in this language.

        `only`: the codes of the concepts that are looked for. Names inside longer names are then found, too.
        """
        root = _Node()
        for concept in concepts().values() if only is None else (concepts()[code] for code in sorted(only)):
            for of, forms in concept.forms.items():
                for form in forms:
                    words = words_of(form)
                    if of in (language, _EVERYWHERE) or len(words) > 1:
                        _add(root, concept, form, words if of == _EVERYWHERE else list(map(stem_of, words)))
                        if of == _EVERYWHERE and len(words) == 1 and form.isupper() and not form.endswith("S"):
                            _add(root, concept, form, [f"{words[0]}s"])
        self._openings = _Openings(root.next, stem_of)

    def opens(self, word: str) -> bool:
        """Whether any form may begin with this word."""
        return bool(self._openings[word])

    def tokens(self, words: Sequence[str], stems: Sequence[str], line: str) -> Iterable[str]:
        """The tokens of the concepts that the words of a line name. `stems` are the words' own, in the same order."""
        ends = self._ends(words, stems, line)
        if sum([node.is_name for _, _, node in ends]) > 1:
            return [concept.token for end in ends for concept in _told(end, ends)]
        return [token for _, _, node in ends for token in node.tokens]

    def find(self, words: Sequence[str], stems: Sequence[str], line: str) -> list[Found]:
        """Where forms stand among the words of a line, in order; of those from one word on the shortest first."""
        ends = self._ends(words, stems, line)
        found = [(end, tuple(concept.code for concept in _told(end, ends))) for end in ends]
        return [Found(start, end, codes) for (start, end, _), codes in found if codes]

    def _ends(self, words: Sequence[str], stems: Sequence[str], line: str) -> list[_End]:
        """Every form, whatever stands around it. This runs for each word that is indexed."""
        ends: list[_End] = []
        last = len(words) - 1
        openings = list(map(self._openings.__getitem__, words))
        for at in compress(count(), openings):
            nodes, whole, steps = cast(_Opening, openings[at])
            for node in whole:
                ends += _end(at, at + 1, node, line)
            if at < last and (words[at + 1] in steps or stems[at + 1] in steps):
                ends += _ends_beyond(at, nodes, words, stems, line)
        return ends


_Opening: TypeAlias = tuple[tuple[_Node, ...], tuple[_Node, ...], frozenset[str]]
"""What a word may be the beginning of, what of that it is by itself, and the steps that may come next."""


class _Openings(dict[str, _Opening | None]):
    """The forms that may begin with a word, worked out when first asked for. Forgets all when it grows too large."""

    def __init__(self, first: Mapping[str, _Node], stem_of: StemOf) -> None:
        super().__init__()
        self._first = first
        self._stem_of = stem_of

    def __missing__(self, word: str) -> _Opening | None:
        if len(self) > _MOST_OPENINGS:
            self.clear()
        nodes = tuple(self._first[key] for key in dict.fromkeys((word, self._stem_of(word))) if key in self._first)
        whole = tuple(node for node in nodes if node.concepts)
        opening = (nodes, whole, frozenset(step for node in nodes for step in node.next)) if nodes else None
        if word.isalpha():  # others are numbers and ids, each of which stands in few texts
            self[word] = opening
        return opening


def _add(root: _Node, concept: Concept, form: str, steps: Iterable[str]) -> None:
    node = root
    for step in steps:
        node = node.next.setdefault(step, _Node())
    if concept not in node.concepts:
        node.concepts.append(concept)
        node.tokens.append(concept.token)
        node.is_name |= concept.is_name
        node.cased = form if form in concept.cased else None


def _end(at: int, end: int, node: _Node, line: str) -> tuple[_End, ...]:
    """The form that ends before the word `end`, if it stands there as it is to be written."""
    return ((at, end, node),) if node.cased is None or _stands(node.cased, line) else ()


def _ends_beyond(at: int, nodes: Sequence[_Node], words: Sequence[str], stems: Sequence[str], line: str) -> list[_End]:
    """The forms of several words that begin with the word `at`, whose steps are `nodes`."""
    found: list[_End] = []
    for end in range(at + 1, len(words)):
        word, stem = words[end], stems[end]
        steps = (word,) if word == stem else (word, stem)
        nodes = [node.next[step] for node in nodes for step in steps if step in node.next]
        if not nodes:
            break
        for node in nodes:
            if node.concepts:
                found += _end(at, end + 1, node, line)
    return found


def _told(end: _End, ends: Sequence[_End]) -> Sequence[Concept]:
    """The concepts of a form that count where it stands: no names inside a longer name."""
    first, last, node = end
    if node.is_name and any(
        other.is_name and start <= first and last <= stop and stop - start > last - first for start, stop, other in ends
    ):
        return [concept for concept in node.concepts if not concept.is_name]
    return node.concepts


def _stands(cased: str, line: str) -> bool:
    return cased in line and _as_a_word(cased).search(line) is not None


@cache
def _as_a_word(cased: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(cased)}(?!\w)")
