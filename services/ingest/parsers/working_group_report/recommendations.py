"""From the groups of section II to recommendations with their States and positions."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from services.ingest.normalise.attributions import find_attributions, misread_attribution
from services.ingest.normalise.positions import PrintedPosition, read_position
from services.ingest.parsers.working_group_report.furniture import (
    Footnote,
    footnote_marks,
    without_footnote_marks,
)
from services.ingest.parsers.working_group_report.groups import Group, Item
from services.ingest.parsers.working_group_report.languages import in_all_languages
from services.ingest.parsers.working_group_report.parts import Part, split_entry
from services.ingest.parsers.working_group_report.references import read_references, without_numbered
from services.ingest.reading import ReadIssue, ReadRecommendation

_CLOSING = re.compile(
    r"\b" + in_all_languages("closing", r"All (?:the )?conclusions and\s?/?\s?(?:or)? ?recommendations") + r"\b",
    re.IGNORECASE,
)
_CONCLUSIONS_ONLY = re.compile(
    r"\bfollowing conclusions (?:were|have been)\b(?!.*recommend)", re.IGNORECASE | re.DOTALL
)
_POINTS_ELSEWHERE = re.compile(
    r"recommendations?,? (?:noted|contained|made|reflected|mentioned|set out|found)?\b.{0,40}?"
    r"\bin (?:the (?:present )?report,? )?(?:in |at )?(?:the )?paragraphs?\s*\d"
    r"|recommendations?\s+(?:Nos?\.?\s*)?\d{1,3}\s*\([a-z]",
    re.IGNORECASE | re.DOTALL,
)
_EXPLANATION = re.compile(
    r"^(?:[A-Z][\w’'-]+(?: [\w’'-]+){0,6}?|The (?:Government|delegation|State)) "
    r"(?:explained|indicated|considers|stated|rejects|recalled|noted|is of the view|believes)\b"
)
_COMMENT = re.compile(r"\b(?:The country|[A-Z]\w+) offered the following comments")
_LETTERED = re.compile(r"(?:^|(?<=[;.)]))\s*\(?([a-z])\)\s+(?=[A-Z\w])")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The recommendations of section II and what was odd about them."""

    recommendations: tuple[ReadRecommendation, ...]
    issues: tuple[ReadIssue, ...]


def read_recommendations(
    groups: Sequence[Group], footnotes: Sequence[Footnote], state_under_review: str | None = None
) -> Recommendations:
    """Read every group that lists recommendations; comments and references to section I are left to others."""
    issues: list[ReadIssue] = []
    read: list[ReadRecommendation] = []
    for place, group in enumerate(groups):
        if _CLOSING.search(group.lead_in) or _CONCLUSIONS_ONLY.search(group.lead_in) or points_elsewhere(group):
            continue
        entries = group.items or list(_unnumbered(group))
        if not entries:
            continue
        stated = _position_of(groups, place, issues)
        for entry in entries:
            read += _of_entry(entry, group, stated, footnotes, issues, state_under_review=state_under_review)
    read_from = {r.paragraph for r in read}
    issues += _sequence_issues([group for group in groups if _paragraph_of(group) in read_from])
    return Recommendations(tuple(read), tuple(issues))


def points_elsewhere(group: Group) -> bool:
    """Whether a paragraph is about recommendations that stand in section I ("noted in the report in paragraphs …")."""
    return bool(_POINTS_ELSEWHERE.search(group.lead_in)) and not _lists(group)


def _lists(group: Group) -> bool:
    """Whether most of a group's items end in an attribution."""
    ending = sum(bool(re.search(r"\)\W*$", without_footnote_marks(item.text))) for item in group.items)
    return ending * 2 > len(group.items) > 0


def _unnumbered(group: Group) -> Iterator[Item]:
    """What stands in the paragraph itself, after the colon: one recommendation, or a lettered list of them."""
    _, colon, words = group.lead_in.partition(":")
    words = _COMMENT.split(words)[0]
    if not colon or not find_attributions(words) or not read_position(group.lead_in):
        return
    letters = [
        found for found in _LETTERED.finditer(words) if find_attributions(words[: found.start()]) or found[1] == "a"
    ]
    if not letters or letters[0][1] != "a":
        yield Item(str(group.paragraph), group.page, [words.strip()], group.page)
        return
    ends = [found.start() for found in letters[1:]] + [len(words)]
    for found, end in zip(letters, ends, strict=True):
        number = f"{group.paragraph}.{found[1]}"
        yield Item(number, group.page, [words[found.end() : end].strip()], group.page)


def _position_of(groups: Sequence[Group], place: int, issues: list[ReadIssue]) -> PrintedPosition:
    """The position in a group's lead-in; where that leaves it open, in a later paragraph without a list."""
    group = groups[place]
    printed = read_position(group.lead_in.partition(":")[0] if group.items else group.lead_in)
    if printed and printed.position:
        return printed
    for distance, after in enumerate(groups[place + 1 :]):
        if after.items or _CLOSING.search(after.lead_in):
            continue
        named = any(reference.paragraph == group.paragraph for reference in read_references(after.lead_in))
        if named or (not distance and not points_elsewhere(after)):
            later = read_position(without_numbered(after.lead_in))
            if later and later.position:
                return later
    if printed is None:
        words = group.lead_in[:200] or "the document has no lead-in"
        detail = f"Paragraph {group.paragraph or 'unknown'}: {words}"
        issues.append(ReadIssue("warning", "unknown_position_lead_in", detail, group.page))
    return printed or PrintedPosition(None, None, "")


def _of_entry(
    entry: Item,
    group: Group,
    stated: PrintedPosition,
    footnotes: Sequence[Footnote],
    issues: list[ReadIssue],
    *,
    state_under_review: str | None,
) -> Iterator[ReadRecommendation]:
    words = without_footnote_marks(entry.text)
    if _is_explanation(words):
        return
    split = split_entry(words, state_under_review)
    if split.comment:
        issues.append(ReadIssue("info", "comment_after_recommendation", f"{entry.number}: {split.comment}", entry.page))
    parts = [_named(part, entry, issues) for part in split.parts]
    for place, part in enumerate(parts):
        yield ReadRecommendation(
            number=_number(entry, group),
            part=_LETTERS[place % 26] * (place // 26 + 1) if len(parts) > 1 else None,
            text=part.text,
            recommending_states=part.states,
            position=stated.position.value if stated.position else None,
            position_detail=stated.detail.value if stated.detail else None,
            position_phrase=stated.phrase or None,
            position_paragraph=_paragraph_of(group) if stated.phrase else None,
            page=entry.page,
            paragraph=_paragraph_of(group),
            footnotes=_footnotes_of(entry, footnotes),
        )


def _paragraph_of(group: Group) -> str | None:
    return str(group.paragraph) if group.paragraph else None


def _number(entry: Item, group: Group) -> str:
    """The number as users know it: items of a plain list carry their paragraph's number before their own."""
    plain = "." not in entry.number and group.items and group.paragraph
    return f"{group.paragraph}.{entry.number}" if plain else entry.number


def _is_explanation(words: str) -> bool:
    return bool(_EXPLANATION.match(words)) and not find_attributions(words)


def _named(part: Part, entry: Item, issues: list[ReadIssue]) -> Part:
    """A part whose States were not found: perhaps its last parenthesis names one that we do not know."""
    if part.states:
        return part
    listed = misread_attribution(part.text)
    if listed is None:
        issues.append(ReadIssue("warning", "no_attribution", f"{entry.number}: {part.text[-120:]}", entry.page))
        return part
    names = ", ".join(listed.unknown)
    issues.append(ReadIssue("warning", "unknown_state", f"{entry.number}: {names}", entry.page))
    return replace(part, text=part.text[: part.text.rindex("(")].strip(), states=listed.states)


def _footnotes_of(entry: Item, footnotes: Sequence[Footnote]) -> tuple[str, ...]:
    first, last = entry.page or 0, entry.last_page or entry.page or 0
    marks = footnote_marks(entry.text)
    return tuple(note.text for note in footnotes if note.mark in marks and first <= note.page <= last)


def _sequence_issues(groups: Iterable[Group]) -> Iterator[ReadIssue]:
    """Every gap, repetition and stranger in the printed numbers, and lists that print none."""
    for group in groups:
        if counted := sum(item.counted for item in group.items):
            detail = f"Paragraph {group.paragraph or 'unknown'}: {counted} items print no number and were counted"
            yield ReadIssue("warning", "numbers_lost", detail, group.page)
        last = 0
        for item in group.items:
            paragraph, _, printed = item.number.rpartition(".")
            number = int(printed)
            if paragraph and paragraph != str(group.paragraph):
                detail = f"{item.number} is printed where {group.paragraph}.{last + 1} is due"
                yield ReadIssue("warning", "misprinted_number", detail, item.page)
            if number <= last:
                detail = f"{item.number} is printed again, after {group.paragraph}.{last}"
                yield ReadIssue("warning", "repeated_number", detail, item.page)
            if number > last + 1:
                missing = str(last + 1) if number == last + 2 else f"{last + 1} to {number - 1}"
                detail = f"Paragraph {group.paragraph}: {missing} missing before {item.number}"
                yield ReadIssue("warning", "gap_in_numbers", detail, item.page)
            last = max(last, number)
