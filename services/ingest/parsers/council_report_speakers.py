"""Who speaks, in paragraphs and in lists of speakers of the Council's reports.

Names of organisations contain commas and "and": `organisations.csv` holds those that no rule would tell from a list.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.core.domain.identifiers import slug
from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import known_state
from services.ingest.parsers.working_group_report.statements import speaker_of

_VERB = re.compile(
    r"(?<=\s)(?:also |further |warmly |highly |strongly |deeply |fully |\w+ly )?"
    r"(?:[a-z]{2,}ed|said|spoke|took|put|made|drew|paid|gave|felt|sought|held|was|were|had|saw|found|thought|understood|"
    r"shared|believed|commended|is|has|congratulates)\b"
)
_TOGETHER = re.compile(
    r"[,\s(]*\b(?:speaking )?(?:(?:in|through) a joint statement (?:with|on behalf of)|jointly with|also on behalf of|"
    r"(?:making a statement )?on behalf of|together with)\s+(?:the )?",
    re.IGNORECASE,
)
_JOINTLY = re.compile(r"^In (?:a|their) joint statement,?\s+(?:the )?")
_NO_NAME = re.compile(r"(?:It|They|He|She|We|This|That|In|At|With|On|As|During|Regarding|Concerning)\b")
INSTITUTION = re.compile(
    r"\bombuds|\bhuman rights advocate\b|\bnational (?:human rights )?(?:council|commission|institution|centre)\b|"
    r"\bhuman rights institution\b|\bdefensor",
    re.IGNORECASE,
)
"""Names of national human rights institutions. "Human Rights Commission" alone is also in names of associations."""

_COMMA, _AND = "\x00", "\x01and\x01"
_ASIDE = re.compile(r"\s*\((?:by video|through a? ?video|video)[^()]*\)", re.IGNORECASE)
_FOOTNOTE = re.compile(r"(?<=[a-z)])\d{1,2}(?=\s*(?:[,;(]|$))")
_LONGEST_NAME = 220
_LONGEST_JOINT = 700


@dataclass(frozen=True, slots=True)
class Speaker:
    """A State by its code, or an organisation by its slug and name; and for whom it spoke as well."""

    code: str
    name: str | None = None
    on_behalf_of: tuple[str, ...] = ()

    @property
    def is_state(self) -> bool:
        """Whether a State speaks."""
        return self.name is None


def speaker_of_paragraph(text: str, state_under_review: str | None) -> Speaker | None:
    """The State or organisation whose name opens a paragraph; None where none does, or the State under review."""
    named = speaker_of(text, state_under_review)
    if named:
        return Speaker(named[0], None, _state_s_others(text[named[1] :]))
    joint = _JOINTLY.match(text)
    words = _masked(text[joint.end() :] if joint else text)
    verb = _VERB.search(words[: _LONGEST_JOINT if joint else _LONGEST_NAME])
    if verb is None:
        return None
    before = words[: verb.start()].strip(" ,")
    together = _TOGETHER.search(before)
    if together:
        verb_after = _VERB.search(words[: together.end() + _LONGEST_JOINT], together.end())
        before = words[: verb_after.start()] if verb_after else before
        return _organisation(before[: together.start()], _others(_clause(before[together.end() :])), state_under_review)
    first, *others = _named_jointly(before, certain=bool(joint))
    if known_state(first):
        return None  # the State under review
    return _organisation(first, tuple(others), state_under_review)


def _state_s_others(words: str) -> tuple[str, ...]:
    """On whose behalf a State speaks, where the words after its name say so."""
    behalf = _TOGETHER.match(words)
    if behalf is None:
        return ()
    verb = _VERB.search(words[: behalf.end() + _LONGEST_JOINT], behalf.end())
    return _others(_clause(words[behalf.end() : verb.start() if verb else None]))


def _named_jointly(names: str, *, certain: bool) -> list[str]:
    """The organisations that open a paragraph: several after "In a joint statement", or with "and the" between them."""
    pieces = list(_entries(names))
    if certain or len(pieces) > 1 or re.search(r" and the [A-Z]", names):
        pieces = list(_split_last(pieces))
    elif any(_registered().fullmatch(_unmasked(part)) for part in names.split(" and ")):
        pieces = names.split(" and ")
    bare = [_unmasked(re.sub(r"^[Tt]he\s+", "", piece.strip(" ,"))) for piece in pieces]
    return [piece for piece in bare if piece] or [names]


def read_speaker_list(text: str, *, states: bool) -> tuple[list[Speaker], list[str]]:
    """The speakers of a list, and what in it is no State we know. `states`: whether these are representatives of
    States."""
    speakers: list[Speaker] = []
    unknown: list[str] = []
    for entry in _entries(_masked(_FOOTNOTE.sub("", " ".join(text.split())).strip(" .;"))):
        name, _, aside = _ASIDE.sub("", entry).partition(" (also on behalf of ")
        if not aside:
            name, _, aside = name.partition(" (on behalf of ")
        others = _others(aside.removesuffix(")")) if aside else ()
        code = known_state(name)
        if code and states:
            speakers.append(Speaker(code, None, others))
        elif states and _is_region(name):
            unknown.append(name)
        elif organisation := _organisation(name, others):
            speakers.append(organisation)
        else:
            unknown.append(name)
    return speakers, unknown


def _is_region(name: str) -> bool:
    """Whether a name among representatives of States is none that an organisation bears."""
    return " " not in name.strip()


def _organisation(name: str, others: tuple[str, ...], of_state: str | None = None) -> Speaker | None:
    """An organisation by its name. An institution of the State under review (`of_state`) bears its code in the slug:
    its name alone ("the national council for human rights") may be another's too."""
    plain = _unmasked(" ".join(_ASIDE.sub("", name).split()).strip(" ,.;"))
    plain = re.sub(r"^[Tt]he (?=\S)", "", plain)
    own = of_state is not None and bool(INSTITUTION.search(plain))
    if own:
        plain = re.sub(r"^(?:President|Chair(?:person)?|Head) of the ", "", plain)
        plain = plain[:1].upper() + plain[1:]
    if not 3 <= len(plain) <= _LONGEST_NAME or not plain[0].isupper() or not slug(plain) or _NO_NAME.match(plain):
        return None
    return Speaker(slug(f"{of_state} {plain}" if own else plain), plain, others)


def _clause(words: str) -> str:
    """The names after "on behalf of", up to the end of their parenthesis."""
    depth = 0
    for at, character in enumerate(words):
        depth += character == "("
        depth -= character == ")"
        if depth < 0:
            return words[:at]
    return words.rstrip(" ,")


def _others(words: str) -> tuple[str, ...]:
    """On whose behalf: codes where all are States, else the printed names."""
    without = re.split(r",?\s+with the exception of\b", words)[0].strip(" ,.;")
    listed = read_state_list(without)
    if listed.states and not listed.unknown:
        return listed.states
    names: list[str] = []
    for name in _split_last(list(_entries(without))):
        plain = _unmasked(re.sub(r"^the\s+", "", name.strip()))
        names.append(known_state(plain) or plain)
    return tuple(dict.fromkeys(name for name in names if name))


def _split_last(entries: Sequence[str]) -> Iterator[str]:
    """The last entry of a list is two: "A, B and C"."""
    yield from entries[:-1]
    last = entries[-1] if entries else ""
    cuts = list(re.finditer(r",? and (?=the [A-Z]|[A-Z])", last))
    if not cuts:
        yield last
        return
    yield last[: cuts[-1].start()]
    yield last[cuts[-1].end() :]


def _entries(text: str) -> Iterator[str]:
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


def _masked(text: str) -> str:
    """`text` with the commas and the "and" of names that we know hidden, so that it can be taken apart."""
    return _registered().sub(lambda name: name[0].replace(",", _COMMA).replace(" and ", _AND), text)


def _unmasked(text: str) -> str:
    return text.replace(_COMMA, ",").replace(_AND, " and ")


@cache
def _registered() -> re.Pattern[str]:
    """Any name of the registry, the longest first."""
    with (files("services.ingest.parsers") / "organisations.csv").open(encoding="utf-8") as table:
        names = sorted((row["name"] for row in csv.DictReader(table)), key=len, reverse=True)
    return re.compile("|".join(re.escape(name).replace("’", "[’']") for name in names), re.IGNORECASE)
