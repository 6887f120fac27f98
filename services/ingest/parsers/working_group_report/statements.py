"""Section I.B: one paragraph per speaking State in the interactive dialogue."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import leading_state
from services.ingest.parsers.working_group_report.furniture import without_footnote_marks
from services.ingest.parsers.working_group_report.skeleton import Paragraph
from services.ingest.reading import ReadStatement

_ON_BEHALF = re.compile(r"^[,\s]*(?:speaking )?on behalf of (?P<whom>[^,]{3,80}),?\s", re.IGNORECASE)
_FRONTED = re.compile(
    r"^(?:According to|While|Whilst|In |On |With|As |Having|Given|Despite|After|Although|Like|By |Together|"
    r"Encouraged|Concerned|Impressed|Pleased|Aware|Conscious|Mindful|[A-Z][a-z]+ing\b)"
)
_MAIN_CLAUSE = re.compile(r",\s+(?=[A-Z]|the [A-Z])")
_SPEAKS = re.compile(
    r"^[,\s]*(?:[^.]{0,60}?,\s)?(?:\w+ly\s|also\s|further\s|had\s|has\s)*(?:[a-z]+(?:ed|s)|said|spoke|took|put|made|drew|paid|gave|felt|"
    r"sought|held|was|were|had|saw|found|thought|understood)\b"
)


def read_statements(paragraphs: Iterable[Paragraph], state_under_review: str | None) -> Iterator[ReadStatement]:
    """The statements of other States: paragraphs that open with a State's name, or with a clause and then the name.

    Neighbouring paragraphs of one State are one statement.
    """
    last: ReadStatement | None = None
    for statement in _spoken(paragraphs, state_under_review):
        if last and last.speaker == statement.speaker and _neighbours(last, statement):
            last = replace(last, text=f"{last.text}\n{statement.text}")
            continue
        if last:
            yield last
        last = statement
    if last:
        yield last


def _neighbours(first: ReadStatement, second: ReadStatement) -> bool:
    return int(second.paragraph or 0) == int(first.paragraph or 0) + 1


def _spoken(paragraphs: Iterable[Paragraph], state_under_review: str | None) -> Iterator[ReadStatement]:
    for paragraph in paragraphs:
        text = without_footnote_marks(paragraph.text)
        speaker = speaker_of(text, state_under_review)
        if speaker is None:
            continue
        code, end = speaker
        behalf = _ON_BEHALF.match(text[end:])
        yield ReadStatement(
            speaker=code,
            kind="dialogue",
            text=text,
            paragraph=str(paragraph.number),
            page=paragraph.page,
            on_behalf_of=read_state_list(behalf["whom"]).states if behalf else (),
        )


def speaker_of(text: str, state_under_review: str | None = None) -> tuple[str, int] | None:
    """The State that speaks in a paragraph of the dialogue, and where its name ends; never the one under review."""
    named = leading_state(text)
    if named:
        return None if named[0] == state_under_review else named
    if not _FRONTED.match(text):
        return None
    for clause in list(_MAIN_CLAUSE.finditer(text[:400]))[:4]:
        named = leading_state(text[clause.end() :])
        if named and _SPEAKS.match(text[clause.end() + named[1] :]):
            return None if named[0] == state_under_review else (named[0], clause.end() + named[1])
    return None
