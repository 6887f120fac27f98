"""How many recommendations an addendum says it supports and notes, and whether that is what was read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from services.ingest.parsers.addendum_answers import read_answer
from services.ingest.parsers.addendum_numbers import Numbering, find_runs
from services.ingest.parsers.working_group_report.number_words import cardinal
from services.ingest.reading import ReadIssue, ReadPosition, ReadTotals

_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
_NUMBER = (
    rf"(?:\d{{1,3}}|(?:{_WORD}[- ])?hundred(?:[- ]and)?(?:[- ]{_WORD}(?:[- ]{_WORD})?)?"
    rf"|{_WORD}(?:[- ]{_WORD})?)"
)
_ANSWERED = (
    r"(?:not (?:been )?(?:accepted|supported)|partially (?:accepted|supported)|accepted|supported|noted|rejected|"
    r"(?:its |the |their |full )*support)"
)
_COUNT_FIRST = re.compile(
    rf"\b(?P<n>{_NUMBER})(?:\s*\([^()]{{1,20}}\))?\s+(?:of (?:which|them|these|those|the)\s+)?(?:recommendations\s*)?"
    r"(?:\([^()]{1,30}\)\s*)?(?:which\s+|that\s+|,\s*)?"
    r"(?:(?:are|is|were|was|have|has|had|been|be|being|could|can|thus|also|fully|enjoy(?:ed|s)?|receive[ds]?)\s+)*"
    rf"(?P<answer>{_ANSWERED})\b",
    re.IGNORECASE,
)
_ANSWER_FIRST = re.compile(
    r"\b(?P<answer>(?:does not |do not |did not |cannot |partially )?(?:accept(?:s|ed)?|support(?:s|ed)?|note[sd]?|"
    r"tak(?:es?|en|ing) note of|took note of|reject(?:s|ed)?))\s+(?:a total of |the |all |of )*"
    rf"(?P<n>{_NUMBER})\b(?=\s*(?:\(\d+\)\s*)?(?:of\b|recommendations?|out\b|,|\.|;|and\b|$))",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"\b(?:received|contains?|total of|receiving|examined|considered|all|the|made)\s+(?:a total of\s+)?"
    rf"(?P<n>{_NUMBER})\s+recommendations"
    rf"|\bof (?:the |a total of )?(?P<of>{_NUMBER}) recommendations",
    re.IGNORECASE,
)
_LEAST = 2


def read_totals(paragraphs: Iterable[str], numbering: Numbering) -> ReadTotals:
    """The first counts that are given in sentences about recommendations. `paragraphs` are in their order."""
    said: dict[str, int] = {}
    for words in paragraphs:
        plain = _without_citations(" ".join(words.split()), numbering)
        if "recommendation" not in plain.casefold():
            continue
        for sentence in re.split(r"(?<=[a-z\d)])\.\s+(?=[A-Z])", plain):
            for position, count in _of_sentence(sentence).items():
                said.setdefault(position, count)
    return ReadTotals(said.get("recommendations"), said.get("supported"), said.get("noted"))


def total_issues(said: ReadTotals, positions: Iterable[ReadPosition]) -> Iterator[ReadIssue]:
    """An Issue, `totals_differ`, for each count that is not what was read."""
    told = list(positions)
    read = Counter(each.position for each in told)
    if any(each.number is None for each in told):
        return  # "all other recommendations": only the report knows how many those are
    for name, count in (("supported", said.supported), ("noted", said.noted)):
        if count is not None and count != read[name]:
            detail = f"The addendum speaks of {count} {name} recommendations; {read[name]} were read"
            yield ReadIssue("warning", "totals_differ", detail)
    if said.recommendations is not None and None in (said.supported, said.noted):
        answered = sum(read.values())
        if answered != said.recommendations:
            detail = f"The addendum speaks of {said.recommendations} recommendations; answers to {answered} were read"
            yield ReadIssue("info", "totals_differ", detail)


def whole_number(words: str) -> int | None:
    """`163`, `twenty-one` or `one hundred and sixty-three` as a number."""
    plain = re.sub(r"[\s-]+", " ", words.strip().casefold())
    if "hundred" not in plain:
        return cardinal(plain)
    hundreds, _, rest = plain.partition("hundred")
    rest = rest.strip().removeprefix("and ").strip()
    below = cardinal(rest) if rest else 0
    count = cardinal(hundreds.strip()) if hundreds.strip() else 1
    return None if below is None or count is None else count * 100 + below


def _without_citations(words: str, numbering: Numbering) -> str:
    for run in reversed(find_runs(words, numbering)):
        words = f"{words[: run.start]}#{words[run.end :]}"
    return words


def _of_sentence(sentence: str) -> dict[str, int]:
    """What one sentence counts: by position, and under `recommendations` all of them."""
    said = Counter[str]()
    places = []
    for position, count, place in _counts(sentence):
        said[position] += count
        places.append(place)
    for total in _ALL.finditer(sentence):
        group = "n" if total["n"] else "of"
        number = whole_number(total[group])
        if number and number >= _LEAST and total.start(group) not in places:
            return {**said, "recommendations": number}
    return dict(said)


def _counts(sentence: str) -> Iterator[tuple[str, int, int]]:
    taken: list[tuple[int, int]] = []
    for pattern in (_ANSWER_FIRST, _COUNT_FIRST):
        for found in pattern.finditer(sentence):
            start, end = found.span("n")
            if any(a < end and start < b for a, b in taken):
                continue
            number, answer = whole_number(found["n"]), read_answer(found["answer"])
            if number and answer and answer.position:
                taken.append((start, end))
                yield answer.position.value, number, start
