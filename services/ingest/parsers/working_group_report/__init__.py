"""Reports of the Working Group on the Universal Periodic Review, all four cycles.

They are read best in English; of the Spanish and French ones not all words were seen (`languages.toml`).
"""

import re

from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import review_hearing_id
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.working_group_report.bare_list import introduce_list, is_bare_list, list_lines
from services.ingest.parsers.working_group_report.furniture import strip_furniture
from services.ingest.parsers.working_group_report.groups import read_groups
from services.ingest.parsers.working_group_report.introduction import (
    Introduction,
    read_announced,
    read_introduction,
)
from services.ingest.parsers.working_group_report.languages import in_all_languages, language_of
from services.ingest.parsers.working_group_report.pledges import read_pledges
from services.ingest.parsers.working_group_report.recommendations import read_recommendations
from services.ingest.parsers.working_group_report.references import read_pointed_at, with_references
from services.ingest.parsers.working_group_report.skeleton import Paragraph, find_skeleton, read_paragraphs
from services.ingest.parsers.working_group_report.statements import opens_dialogue, read_statements
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue, ReadStatement

_TITLE = re.compile(
    in_all_languages("title", r"report\s+of\s+the\s+working\s+group\s+on\s+the\s+universal\s+periodic\s+review"),
    re.IGNORECASE,
)
_OPENING = re.compile(
    in_all_languages("first_sentence", r"1\.\s+The Working Group on the Universal Periodic Review.{0,200}?held"),
    re.DOTALL | re.IGNORECASE,
)
_OPENING_BLOCKS = 200
_PLACEHOLDER = re.compile(r"^\[\s*to be (?:completed|inserted|added|finalized|issued)\b.*\]$", re.IGNORECASE)
"""What drafts print where the summary of the proceedings is to stand."""


class WorkingGroupReport:
    """Reads reports whose recommendations are numbered `116.17` (2011 on) or in plain lists (2008 to 2010)."""

    name = "working_group_report"
    version = "5"

    def bid(self, content: Content) -> float:
        """High where the first pages carry the report's title and first sentence, or where there is but its list."""
        try:
            opening = "\n".join(_opening_lines(content.text))
        except UnreadableDocumentError:
            return 0.0
        title, first = bool(_TITLE.search(opening)), bool(_OPENING.search(opening))
        if not first and is_bare_list(content.text):
            return 0.9
        return 0.95 if title and first else 0.6 if first else 0.3 if title else 0.0

    def read(self, content: Content) -> Reading:
        """Read the report.

        Raises `UnreadableDocumentError`: `no_recommendations` where it lists none, `unknown_state` where a draft is cut
        down to its lists and does not tell whose review it is.
        """
        return read_report(content.text)


def read_report(text: DocumentText) -> Reading:
    """Read a report's text. Raises what `WorkingGroupReport.read` raises."""
    if is_bare_list(text):
        return _read_bare_list(text)
    printed = strip_furniture(text)
    skeleton = find_skeleton(printed.lines)
    introduction = read_introduction(printed.symbol, skeleton.masthead, skeleton.introduction)
    paragraphs = read_paragraphs(skeleton.proceedings, first=3)
    groups = read_groups(skeleton.conclusions)
    listed = read_recommendations(groups, printed.footnotes, introduction.state)
    reference_issues: list[ReadIssue] = []
    pointed_at = tuple(read_pointed_at(groups, paragraphs, reference_issues))
    recommendations = (*with_references(listed.recommendations, groups), *pointed_at)
    if not recommendations:
        raise UnreadableDocumentError("no_recommendations", "The report's section II lists no recommendations")
    announced, presented, dialogue = _dialogue(paragraphs, introduction.state)
    statements = tuple(read_statements(presented, dialogue, introduction.state))
    pledge_issues: list[ReadIssue] = []
    pledges = tuple(read_pledges(skeleton.pledges, pledge_issues))
    unfinished = [line for line in printed.lines if _PLACEHOLDER.match(line.text)]
    issues = (
        *introduction.issues,
        *listed.issues,
        *reference_issues,
        *pledge_issues,
        *(ReadIssue("info", "to_be_completed", line.text, line.page) for line in unfinished),
        *([] if unfinished else _speaker_issues(announced, statements)),
    )
    return Reading(
        parser=WorkingGroupReport.name,
        parser_version=WorkingGroupReport.version,
        document=_document(introduction, text.pages, language_of(_opening_lines(text))),
        hearings=_hearings(introduction, announced),
        recommendations=recommendations,
        statements=statements,
        pledges=pledges,
        issues=issues,
    )


def _read_bare_list(text: DocumentText) -> Reading:
    printed = strip_furniture(text)
    listed = read_recommendations(read_groups(list_lines(printed.lines)), printed.footnotes)
    introduction = introduce_list(listed.recommendations, printed.symbol or printed.reserved_symbol)
    return Reading(
        parser=WorkingGroupReport.name,
        parser_version=WorkingGroupReport.version,
        document=_document(introduction, text.pages),
        hearings=_hearings(introduction, None),
        recommendations=listed.recommendations,
        issues=(*introduction.issues, *listed.issues),
    )


def _dialogue(paragraphs: list[Paragraph], state: str | None) -> tuple[int | None, list[Paragraph], list[Paragraph]]:
    """How many delegations are announced, the paragraphs before the announcement, and those after it.

    Without a number the dialogue begins where another State speaks.
    """
    for place, paragraph in enumerate(paragraphs):
        if announced := read_announced(paragraph.text):
            return announced, paragraphs[:place], paragraphs[place + 1 :]
    first = next((place for place, each in enumerate(paragraphs) if opens_dialogue(each, state)), len(paragraphs))
    return None, paragraphs[:first], paragraphs[first:]


def _opening_lines(text: DocumentText) -> list[str]:
    return [block.text for block in text.blocks[:_OPENING_BLOCKS]]


def _document(introduction: Introduction, pages: int | None, language: str = "en") -> ReadDocument:
    name = introduction.state_name
    return ReadDocument(
        kind=introduction.kind,
        symbol=introduction.symbol,
        language=language,
        title=f"Report of the Working Group on the Universal Periodic Review: {name}" if name else None,
        published_on=introduction.published_on,
        state_under_review=introduction.state,
        session=introduction.session,
        cycle=_cycle(introduction.session),
        pages=pages,
    )


def _cycle(session: int | None) -> int | None:
    return cycle_of_session(session) if session and session <= LAST_KNOWN_SESSION else None


def _hearings(introduction: Introduction, announced: int | None) -> tuple[ReadHearing, ...]:
    if introduction.session is None or introduction.state is None:
        return ()
    return (
        ReadHearing(
            id=review_hearing_id(introduction.session, introduction.state),
            kind="working_group_review",
            date=introduction.reviewed_on,
            announced_speakers=announced,
            troika=introduction.troika,
            adopted_on=introduction.adopted_on,
        ),
    )


def _speaker_issues(announced: int | None, statements: tuple[ReadStatement, ...]) -> list[ReadIssue]:
    spoken = len({statement.speaker for statement in statements if statement.kind == "dialogue"})
    if announced is None or announced == spoken:
        return []
    detail = f"The report announces {announced} delegations; statements of {spoken} were found"
    return [ReadIssue("info", "announced_speakers_differ", detail)]
