"""Drafts that are cut down to their lists of recommendations: no title page, no introduction, no lead-ins.

States get such files before a report is adopted. Whose review it is stands nowhere; it can be told where the
recommendations name their addressee, for a State under review makes none itself. (Tried on the recommendations of 60
reports of sessions 1 to 20: 56 States told, all rightly; 4 not told.)
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.core.domain.documents import DocumentKind, read_symbol
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.normalise.attributions import find_attributions
from services.ingest.normalise.states import folded_name, leading_state
from services.ingest.parsers.council_sessions import session_adopted_at
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.working_group_report.groups import ends_in_attribution
from services.ingest.parsers.working_group_report.introduction import Introduction
from services.ingest.reading import ReadIssue, ReadRecommendation

_LEAST_RECOMMENDATIONS = 10
_LEAST_SHARE = 0.8
_LEAST_MENTIONS = 2
_CLEARLY = 2 / 3
"""So much of what the recommendations name must be one State."""

_CAPITALISED = re.compile(r"(?<![\w’'-])[A-ZÀ-Þ][\w’'-]+")
_DEMONYM_ENDS = ("an", "ese", "ish", "i", "er", "ic", "ch", "iote", "ino")
_STEM = 5
"""So many letters, or all of a shorter name, are in its people's name too ("Mozambique", "Mozambican")."""


@dataclass(frozen=True, slots=True)
class _Named:
    """What the recommendations' own words name: States, and other capitalised words."""

    states: Counter[str]
    spelled: dict[str, set[str]]
    others: tuple[str, ...]


def is_bare_list(text: DocumentText) -> bool:
    """Whether a Word document is a list of recommendations and nothing else, or nearly."""
    if text.pages is not None or text.tables:
        return False
    paragraphs = [" ".join(block.text.split()) for block in text.blocks if block.text.strip()]
    ending = sum(ends_in_attribution(paragraph) for paragraph in paragraphs)
    return ending >= _LEAST_RECOMMENDATIONS and ending >= _LEAST_SHARE * len(paragraphs)


def introduce_list(recommendations: Sequence[ReadRecommendation], symbol: str) -> Introduction:
    """What can be told of the review: its State by the words, its session by the `symbol` reserved for the report.

    Raises `UnreadableDocumentError` (`unknown_state`) where the words do not tell whose review it is.
    """
    state, mentions = _state_under_review(recommendations)
    council = read_symbol(symbol).council_session if symbol else None
    session = session_adopted_at(council) if council else None
    told = Introduction(kind=DocumentKind.WORKING_GROUP_DRAFT.value, state=state, session=session)
    detail = f"Nothing says whose review this is; its recommendations name {state} {mentions} times, and it makes none"
    told.issues.append(ReadIssue("warning", "state_under_review_inferred", detail))
    if session is None:
        told.issues.append(ReadIssue("error", "no_session", "No symbol in the page header tells the session"))
    return told


def list_lines(lines: Iterable[Block]) -> Iterator[Block]:
    """The lines of the list: what stands before its first entry is left out."""
    begun = False
    for line in lines:
        begun = begun or bool(re.match(r"\d", line.text)) or ends_in_attribution(line.text)
        if begun:
            yield line


def _state_under_review(recommendations: Sequence[ReadRecommendation]) -> tuple[str, int]:
    recommending = {state for each in recommendations for state in each.recommending_states}
    named = _named_in(dict.fromkeys(each.text for each in recommendations))
    states = Counter({state: count for state, count in named.states.items() if state not in recommending})
    for state in states:
        states[state] += sum(any(_is_demonym(word, name) for name in named.spelled[state]) for word in named.others)
    if not states:
        raise UnreadableDocumentError("unknown_state", "Nothing in the draft names the State under review")
    [(state, mentions), *_] = states.most_common(1)
    if mentions < _LEAST_MENTIONS or mentions < _CLEARLY * states.total():
        candidates = ", ".join(sorted(states))
        raise UnreadableDocumentError("unknown_state", f"The draft does not tell whose review it is of: {candidates}?")
    return state, mentions


def _named_in(texts: Iterable[str]) -> _Named:
    states: Counter[str] = Counter()
    spelled: dict[str, set[str]] = defaultdict(set)
    others: list[str] = []
    for text in texts:
        attributed = {found.start for found in find_attributions(text)}
        at = 0
        for word in _CAPITALISED.finditer(text):
            if word.start() < at or word.start() - 1 in attributed:
                continue
            found = leading_state(text[word.start() :])
            if found is None:
                others.append(word[0])
                continue
            states[found[0]] += 1
            at = word.start() + found[1]
            spelled[found[0]].add(text[word.start() : at])
    return _Named(states, spelled, tuple(others))


def _is_demonym(word: str, name: str) -> bool:
    person, state = folded_name(word), folded_name(name)
    stem = state[:_STEM]
    return person.startswith(stem) and len(person) > len(stem) and person.endswith(_DEMONYM_ENDS)
