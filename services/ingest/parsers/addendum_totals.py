"""How many recommendations an addendum says it supports and notes, and whether that is what was read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from services.core.domain.positions import Position
from services.ingest.parsers.addendum_answers import read_answer, speaks_of_recommendations
from services.ingest.parsers.addendum_numbers import Numbering, find_runs
from services.ingest.parsers.addendum_sentences import is_about_earlier_reviews
from services.ingest.parsers.addendum_words import compiled
from services.ingest.parsers.working_group_report.number_words import cardinal
from services.ingest.reading import ReadIssue, ReadPosition, ReadTotals

_COUNT_FIRST = compiled(
    r"\b(?P<n><count>)(?:\s*\([^()]{1,20}\))?\s+(?:<of_them>\s+)?(?:<recommendations>\s*)?(?:\([^()]{1,30}\)\s*)?"
    r"(?:(?:which|that|que|qui)\s+|,\s*)?(?:<passive>\s+)*(?P<answer><answered>)\b"
)
_ANSWER_FIRST = compiled(
    r"\b(?P<answer><answering>)\s+<of_all>*(?P<n><count>)\b"
    r"(?=\s*(?:\(\d+\)\s*)?(?:of\b|de\b|des\b|<recommendation>|autres\b|out\b|,|\.|;|and\b|y\b|et\b|$))"
)
_ALL = compiled(
    r"\b<received>\s+(?:a total of\s+|un total de\s+)?(?P<n><count>)\s+<recommendations>"
    r"|\b(?:of|de|des|sur)\s+(?:the |las |les )?(?:a total of |total de )?(?P<of><count>) <recommendations>"
)
_IN_PART = compiled(r"\b<of_them>,?\s+(?P<n><count>)\s+(?:<passive>\s+)*(?:only )?<in_part>\b")
_LEAST = 2


def read_totals(paragraphs: Iterable[str], numbering: Numbering) -> ReadTotals:
    """The first counts that are given in sentences about recommendations. `paragraphs` are in their order."""
    said: dict[str, int] = {}
    for words in paragraphs:
        plain = _without_citations(" ".join(words.split()), numbering)
        if not speaks_of_recommendations(plain):
            continue
        for sentence in re.split(r"(?<=[a-zà-ÿ\d)])\.\s+(?=[A-ZÀ-Þ])", plain):
            if is_about_earlier_reviews(sentence):
                continue
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
    if said[Position.SUPPORTED] and (partly := _IN_PART.search(sentence)) and (part := whole_number(partly["n"])):
        # "accepts 150, of which 12 partially": what is accepted in part is not among the supported
        said[Position.SUPPORTED] -= part
        if said[Position.NOTED] and partly.start("n") not in places:
            said[Position.NOTED] += part
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
