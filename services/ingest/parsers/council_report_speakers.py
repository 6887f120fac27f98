"""Who speaks, in paragraphs and in lists of speakers of the Council's reports."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.core.domain.organisations import organisation_id
from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import known_state, leading_state
from services.ingest.parsers.council_report_names import (
    entries,
    is_cause,
    is_registered,
    masked,
    names_a_body,
    read_name_list,
    split_last_name,
    unmasked,
)
from services.ingest.parsers.working_group_report.statements import speaker_of

_VERB = re.compile(
    r"(?<=\s)(?:also |further |warmly |highly |strongly |deeply |fully |\w+ly )?"
    r"(?:[a-z]{2,}ed|said|spoke|took|put|made|drew|paid|gave|felt|sought|held|was|were|had|saw|found|thought|understood|"
    r"shared|believed|commended|is|has|congratulates)\b"
)
_TOGETHER = re.compile(
    r"[,\s(]*\b(?:(?:also )?speaking (?:also )?)?(?:(?:in|through|by) a joint statement (?:with|on behalf of)|"
    r"jointly with|also on behalf of|(?:making a statement )?on behalf (?:also )?of|together with)\s+(?:the )?",
    re.IGNORECASE,
)
_JOINTLY = re.compile(r"^(?:In (?:a|their) joint statement,?|A joint statement by)\s+(?:the )?")
_JOINTLY_AFTER = re.compile(r",?\s+in (?:a|their) joint statement\W*$")
_BEHALF_LISTED = re.compile(r"\s*\((?:also )?(?:speaking )?(?:also )?on behalf (?:also )?of (?:the )?")
_BEHALF_FIRST = re.compile(r"^(?:Also )?(?:speaking )?(?:also )?on behalf (?:also )?of (?:the )?", re.IGNORECASE)
_NO_NAME = re.compile(r"(?:It|They|He|She|We|This|That|In|At|With|On|As|During|Regarding|Concerning)\b")
INSTITUTION = re.compile(
    r"\bombuds|\bhuman rights advocate\b|"
    r"\bnational (?:human rights )?(?:council|commission|committee|institution|centre|center|institute)\b|"
    r"\bhuman rights institution\b|\bdefensor[ií]a\b|\bdefensor del pueblo\b|\bprocuradur[ií]a para la defensa\b|"
    r"\b(?:commission|conseil|comit[eé]) national(?:e)? (?:consultative )?des droits\b|\bcomisi[oó]n nacional de\b|"
    r"\bprovedor\w* d",
    re.IGNORECASE,
)
"""Names of national human rights institutions. "Human Rights Commission" alone is also in names of associations."""

_OF_COUNTRY = re.compile(
    r"\b(?:human rights (?:commission|council|committee|institute|institution|centre|center)|ombuds\w+|defensor\w*|"
    r"advocate|institution|procurad\w+|droits de l[’']homme|derechos humanos)\b.*?"
    r"\b(?:of|for|in|de|du|del) (?:the |la |el |l[’'])?(?P<state>[A-Z][^()]+?)\s*(?:\([^()]*\))?$",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\s*\((?:by |via |through |in |per )?(?:an? )?(?:pre-?recorded )?(?:video|tele|online|virtual|remote)[^()]*\)",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"(?<=[a-zà-ÿ)”])\d{1,2}(?=\s*(?:[,;(]|$))|[*†]+(?=\s*(?:[,;(]|$))")
_LONGEST_NAME = 220
_LONGEST_JOINT = 700
_MOST_OTHERS = 60


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


@dataclass(frozen=True, slots=True)
class SpeakerList:
    """The speakers of a list; what in it is no State we know; and words of which it is not clear how many names they
    are."""

    speakers: tuple[Speaker, ...]
    unknown: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


def speaker_of_paragraph(text: str, state_under_review: str | None) -> Speaker | None:
    """The State or organisation whose name opens a paragraph; None where none does, or the State under review, or
    where the names before the verb cannot be told apart."""
    text = _ASIDE.sub("", text)
    if for_others := _state_after_its_group(text, state_under_review):
        return for_others
    named = speaker_of(text, state_under_review)
    if named:
        others = _state_s_others(text[named[1] :])
        return Speaker(named[0], None, tuple(other for other in others if other != named[0]))
    joint = _JOINTLY.match(text)
    words = masked(text[joint.end() :] if joint else text)
    verb = _VERB.search(words[: _LONGEST_JOINT if joint else _LONGEST_NAME])
    if verb is None:
        return None
    before = words[: verb.start()].strip(" ,")
    together = _TOGETHER.search(before)
    if together:
        verb_after = _VERB.search(words[: together.end() + _LONGEST_JOINT], together.end())
        before = words[: verb_after.start()] if verb_after else before
        others, _ = _others(_clause(before[together.end() :]))
        return _organisation(before[: together.start()], others, state_under_review)
    names = _named_jointly(_JOINTLY_AFTER.sub("", before), certain=bool(joint or _JOINTLY_AFTER.search(before)))
    if not names or known_state(names[0]):
        return None  # nobody who can be named, or the State under review
    return _organisation(names[0], tuple(names[1:]), state_under_review)


def _state_after_its_group(text: str, state_under_review: str | None) -> Speaker | None:
    """A State before whose name stands on whose behalf it speaks."""
    behalf = _BEHALF_FIRST.match(text)
    if behalf is None:
        return None
    for comma in list(re.finditer(r",\s+", text[:_LONGEST_JOINT]))[:_MOST_OTHERS]:
        named = leading_state(text[comma.end() :])
        if named and _VERB.match(text, comma.end() + named[1] + 1):
            others, _ = _others(text[behalf.end() : comma.start()])
            own = named[0] == state_under_review
            return None if own else Speaker(named[0], None, tuple(each for each in others if each != named[0]))
    return None


def _state_s_others(words: str) -> tuple[str, ...]:
    """On whose behalf a State speaks, where the words after its name say so."""
    behalf = _TOGETHER.match(words)
    if behalf is None:
        return ()
    verb = _VERB.search(words[: behalf.end() + _LONGEST_JOINT], behalf.end())
    return _others(_clause(words[behalf.end() : verb.start() if verb else None]))[0]


def _named_jointly(names: str, *, certain: bool) -> list[str]:
    """The organisations that open a paragraph: several after "In a joint statement", or with "and the" between them.

    None where it is not clear how many they are.
    """
    plain = unmasked(names)
    several = certain or re.search(r" and the [A-Z]", names) is not None
    if not several and any(is_registered(part) for part in plain.split(" and ")):
        several = True
    read = read_name_list(plain, closed_by_and=several or "," in names)
    if read.unclear:
        return []
    bare = [re.sub(r"^[Tt]he\s+", "", name.strip(" ,")) for name in read.names]
    return [name for name in bare if name]


def read_speaker_list(text: str, *, states: bool) -> SpeakerList:
    """The speakers of a list. `states`: whether these are representatives of States."""
    words = _ASIDE.sub("", _FOOTNOTE.sub("", " ".join(text.split()))).strip(" .;:")
    return _states_listed(words) if states else _organisations_listed(words)


def _states_listed(words: str) -> SpeakerList:
    speakers: list[Speaker] = []
    unknown: list[str] = []
    unclear: list[str] = []
    for entry in _states_apart(words):
        name, others, doubtful = _with_others(entry)
        unclear += doubtful
        code = known_state(name)
        if code:
            speakers.append(Speaker(code, None, tuple(other for other in others if other != code)))
        elif names_a_body(name) and (organisation := _organisation(name, others)):
            speakers.append(organisation)
        else:
            unknown.append(name)
    return SpeakerList(tuple(speakers), tuple(unknown), tuple(unclear))


def _states_apart(words: str) -> Iterator[str]:
    """The entries of a list of States: "A and B" is two unless it is a State's name."""
    for entry in entries(words):
        halves = [entry] if known_state(entry) else split_last_name(entry)
        yield from halves if any(known_state(half) for half in halves) else [entry]


def _organisations_listed(words: str) -> SpeakerList:
    read = read_name_list(words, closed_by_and=True)
    speakers: list[Speaker] = []
    unclear = list(read.unclear)
    for entry in read.names:
        name, others, doubtful = _with_others(entry)
        unclear += doubtful
        organisation = _organisation(name, others)
        if organisation:
            speakers.append(organisation)
        else:
            unclear.append(name)
    return SpeakerList(tuple(speakers), (), tuple(unclear))


def _with_others(entry: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A listed name, on whose behalf it speaks, and what of that is not clear."""
    behalf = _BEHALF_LISTED.search(entry)
    if behalf is None:
        return entry, (), ()
    others, unclear = _others(_clause(entry[behalf.end() :]))
    return entry[: behalf.start()], others, unclear


def _organisation(name: str, others: tuple[str, ...], of_state: str | None = None) -> Speaker | None:
    """An organisation by its name. An institution of the State under review (`of_state`) bears its code in the slug:
    its name alone ("the national council for human rights") may be another's too."""
    plain = unmasked(" ".join(_ASIDE.sub("", name).split()).strip(" ,.;"))
    plain = re.sub(r"^[Tt]he (?=\S)", "", plain)
    own = institution_of(plain, of_state)
    if own:
        plain = re.sub(r"^(?:President|Chair(?:person)?|Head|Director|Representative) of the ", "", plain)
        plain = plain[:1].upper() + plain[1:]
    if not 3 <= len(plain) <= _LONGEST_NAME or not plain[0].isupper() or _NO_NAME.match(plain):
        return None
    if is_cause(plain) and not is_registered(plain):
        return None
    return Speaker(organisation_id(plain, own), plain, others)


def is_institution(name: str, of_state: str | None = None) -> bool:
    """Whether a name is that of a national human rights institution, or of `of_state`'s own: "Human Rights Commission
    of Malaysia"."""
    return bool(INSTITUTION.search(name)) or (of_state is not None and _country_named(name) == of_state)


def institution_of(name: str, of_state: str | None) -> str | None:
    """Whose national human rights institution a name is: that of the State it names, else of `of_state`; None where it
    is none's."""
    if not is_institution(name, of_state):
        return None
    return _country_named(name) or of_state


def _country_named(name: str) -> str | None:
    """The State at the end of an institution's name: "Office of the Ombudsman of Peru"."""
    country = _OF_COUNTRY.search(name)
    return known_state(country["state"]) if country else None


def _clause(words: str) -> str:
    """The names after "on behalf of", up to the end of their parenthesis."""
    depth = 0
    for at, character in enumerate(words):
        depth += character == "("
        depth -= character == ")"
        if depth < 0:
            return words[:at]
    return words.rstrip(" ,")


def _others(words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """On whose behalf: codes where all are States, else the printed names; and what of them is not clear."""
    without = re.split(r",?\s+(?:with the exception of|except(?: for)?)\b", unmasked(words))[0].strip(" ,.;")
    listed = read_state_list(without)
    if listed.states and not listed.unknown:
        return listed.states, ()
    read = read_name_list(without, closed_by_and=True)
    named = [known_state(name) or name for name in map(_bare, read.names)]
    return tuple(dict.fromkeys(name for name in named if name)), read.unclear


def _bare(name: str) -> str:
    return re.sub(r"^the\s+", "", name.strip(" .;"))
