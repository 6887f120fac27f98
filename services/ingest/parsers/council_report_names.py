"""Where one organisation's name ends and the next begins, in lists of speakers.

Names hold commas and "and": "Maat Foundation for Peace, Development and Human Rights". `organisations.csv` holds names
that are known to; of the others, the words and the order of the alphabet tell. Where neither does, the printed words
are given back as unclear, and nobody is made of them.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from services.ingest.normalise.states import folded_name, known_state

_COMMA, _AND = "\x00", "\x01and\x01"
_LAST = re.compile(r",? (?:and|et|y) (?=(?:the |la |le |el )?[A-ZÀ-Ý])")
_OPENS_SERIES = re.compile(r"\s(?:for|of|on|to|against|in|pour|para|por|des?|du|contre)\s+(?P<cause>[^()]+)$")
_WORD = re.compile(r"[^\s,()/]+")
_SORTED = 0.75
"""The least share of names in alphabetical order in a list that is sorted; some begin with "The" or an accent."""


@dataclass(frozen=True, slots=True)
class NameList:
    """The names of a list in printed order, and the runs of words of which it is not clear how many names they are."""

    names: tuple[str, ...]
    unclear: tuple[str, ...] = ()


def read_name_list(text: str, *, closed_by_and: bool = False) -> NameList:
    """Take a list of organisations apart. `closed_by_and`: its last two names may have "and" between them."""
    pieces = list(entries(masked(text)))
    if closed_by_and and pieces:
        pieces[-1:] = split_last_name(pieces[-1], in_list=len(pieces) > 1)
    names: list[str] = []
    unclear: list[str] = []
    for run in _runs(pieces):
        whole = unmasked(", ".join(run.pieces))
        (names if run.is_clear else unclear).append(whole)
    return NameList(tuple(names), tuple(unclear))


def split_last_name(entry: str, *, in_list: bool = False) -> list[str]:
    """The last entry of a list as two, where an "and" in it stands between names: "Free Press and Open Doors".

    `in_list`: others stand before it, so that its first half may be the rest of a name that is closed by an "and".
    """
    cuts = [
        cut
        for cut in _LAST.finditer(entry)
        if _outside_parentheses(entry, cut.start())
        and not is_cause(entry[cut.end() :].split(" and ", maxsplit=1)[0])
        and (not is_cause(entry[: cut.start()]) or (in_list and " and " in entry[: cut.start()]))
    ]
    if not cuts or known_state(entry):
        return [entry]
    certain = [cut for cut in cuts if known_state(entry[cut.end() :]) or entry.startswith("the ", cut.end())]
    cut = [*cuts, *certain][-1]
    return [entry[: cut.start()], entry[cut.end() :]]


def is_cause(words: str) -> bool:
    """Whether words name only what organisations work for, so that they are part of a name and no name."""
    told = [word.casefold().strip("‘’'\"") for word in _WORD.findall(unmasked(words))]
    joining, causes = _lexicon("joining"), _lexicon("causes")
    return bool(told) and all(word in causes or word in joining for word in told)


def names_a_body(name: str) -> bool:
    """Whether a name has a noun that only names of organisations have: union, council, UN-Women."""
    return any(word.casefold().strip("’'.") in _lexicon("bodies") for word in re.split(r"[\s,()/]+", name))


def entries(text: str) -> Iterator[str]:
    """The entries between commas that stand in no parenthesis."""
    depth, start = 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character in ",;" and depth <= 0:
            if text[start:at].strip():
                yield text[start:at].strip()
            start = at + 1
    if text[start:].strip():
        yield text[start:].strip()


def masked(text: str) -> str:
    """`text` with the commas and the "and" of names that we know hidden, so that it can be taken apart."""
    return _registered().sub(lambda name: name[0].replace(",", _COMMA).replace(" and ", _AND), text)


def unmasked(text: str) -> str:
    """`text` as it was before it was masked."""
    return text.replace(_COMMA, ",").replace(_AND, " and ")


def is_registered(name: str) -> bool:
    """Whether a name is one of the registry."""
    return _registered().fullmatch(name) is not None


@dataclass
class _Run:
    """Pieces between commas that are one name, or that may be."""

    pieces: list[str]
    is_clear: bool = True


def _runs(pieces: Sequence[str]) -> list[_Run]:
    in_order = _is_sorted(pieces)
    runs: list[_Run] = []
    for piece in pieces:
        held = runs[-1] if runs else None
        if held is None or not _may_continue(piece) or _is_complete(held.pieces[-1], piece):
            runs.append(_Run([piece]))
        else:
            held.is_clear = held.is_clear and _continues(held.pieces, piece, in_order=in_order)
            held.pieces.append(piece)
    return [_closed(run) for run in runs]


def _may_continue(piece: str) -> bool:
    """Whether a piece reads like the rest of the name before it."""
    return (
        _is_tail(piece) or is_cause(piece.split(" and ", maxsplit=1)[0]) or is_cause(piece.split(" & ", maxsplit=1)[0])
    )


def _is_complete(name: str, following: str) -> bool:
    """Whether a name is whole before a piece that could be a name itself: "… International, Women and Memory Forum"."""
    if _is_tail(following) or is_cause(following):
        return False
    last = unmasked(name).rsplit(" ", 1)[-1]
    return bool(re.search(r"\s(?:and|et|y|e|&)\s", unmasked(name))) or last.endswith(")") or names_a_body(last)


def _continues(before: Sequence[str], piece: str, *, in_order: bool) -> bool:
    """Whether such a piece surely is the rest: by its form, by the series it goes on with, or by the alphabet."""
    if _is_tail(piece):
        return True
    series = _OPENS_SERIES.search(unmasked(before[0]))
    if series and is_cause(series["cause"]):
        return True
    return in_order and folded_name(piece) < folded_name(before[0])


def _closed(run: _Run) -> _Run:
    """A series needs an "and" before its end: "Centre for Peace, Justice" may be two names."""
    last = run.pieces[-1]
    if len(run.pieces) > 1 and not (_is_tail(last) or re.search(r"\s(?:and|et|y|e|&)\s", unmasked(last))):
        run.is_clear = False
    return run


def _is_tail(piece: str) -> bool:
    """Whether a piece is a legal form ("Inc.") or goes on in lower case, as no name begins."""
    told = _lexicon_of_tails()
    lower = piece[:1].islower() and not re.match(r"(?:the|al|el|d[’']|e[-A-Z])\b", piece)
    return lower or unmasked(piece).strip() in told


def _is_sorted(pieces: Sequence[str]) -> bool:
    keys = [folded_name(piece) for piece in pieces if not _may_continue(piece)]
    steps = [before <= after for before, after in pairwise(keys)]
    return len(steps) > 1 and sum(steps) >= _SORTED * len(steps)


def _outside_parentheses(text: str, at: int) -> bool:
    return text[:at].count("(") == text[:at].count(")")


@cache
def _lexicon(name: str) -> frozenset[str]:
    return frozenset(str(_told()[name]).casefold().split())


@cache
def _lexicon_of_tails() -> frozenset[str]:
    return frozenset([*str(_told()["legal_forms"]).split(), *_told()["legal_phrases"]])


@cache
def _told() -> dict[str, Any]:
    path = files("services.ingest.parsers") / "council_report_names.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _registered() -> re.Pattern[str]:
    """Any name of the registry, the longest first."""
    with (files("services.ingest.parsers") / "organisations.csv").open(encoding="utf-8") as table:
        names = sorted((row["name"] for row in csv.DictReader(table)), key=len, reverse=True)
    known = "|".join(re.escape(name).replace("’", "[’']") for name in names)
    return re.compile(rf"(?<!\w)(?:{known})(?!\w)", re.IGNORECASE)
