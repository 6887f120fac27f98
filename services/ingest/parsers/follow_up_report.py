"""Mid-term reports and implementation plans: what a State, its institutions and others write between two reviews.

They come from capitals, in any layout and mostly without a symbol, and are known by what their title page calls them.
"""

from collections.abc import Iterator

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.base import Content
from services.ingest.parsers.follow_up_passages import read_passages
from services.ingest.parsers.follow_up_title import FollowUpTitle, kind_of, read_follow_up_title
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.reading import ReadDocument, Reading, ReadIssue

_NAMES = {
    DocumentKind.MID_TERM_REPORT: "mid-term report",
    DocumentKind.IMPLEMENTATION_PLAN: "implementation plan",
}


class FollowUpReport:
    """Reads mid-term reports and implementation plans in English, Spanish and French, PDF and Word."""

    name = "follow_up_report"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the title page calls it one of the two, and speaks of the Universal Periodic Review."""
        try:
            return 0.985 if kind_of(content.text) else 0.0
        except UnreadableDocumentError:
            return 0.0

    def read(self, content: Content) -> Reading:
        """Read the document. Raises `UnreadableDocumentError`: `unknown_kind`, `unknown_state`, `unknown_review` where
        it does not tell whose review it follows up, or of which cycle; `no_paragraphs`."""
        kind = kind_of(content.text)
        if kind is None:
            raise UnreadableDocumentError("unknown_kind", "The title page names neither a mid-term report nor a plan")
        title = read_follow_up_title(content.text, kind)
        _check(title)
        paragraphs = read_passages(content.text, title)
        if not paragraphs:
            raise UnreadableDocumentError("no_paragraphs", f"The {_NAMES[kind]} holds no text after its title page")
        return Reading(
            parser=self.name,
            parser_version=self.version,
            document=_document(title, content.text),
            paragraphs=paragraphs,
            issues=tuple(_issues(title)),
        )


def _check(title: FollowUpTitle) -> None:
    """Raises `UnreadableDocumentError` where it is not told which review the document follows up."""
    name = _NAMES[title.kind]
    if title.state is None:
        detail = f"The title page of the {name} does not name the one State whose review it follows up"
        raise UnreadableDocumentError("unknown_state", detail)
    if title.cycle is None:
        detail = (
            f"The {name} of {title.state} names no cycle, no session and no document of one review that it follows up"
        )
        raise UnreadableDocumentError("unknown_review", detail)


def _document(title: FollowUpTitle, text: DocumentText) -> ReadDocument:
    return ReadDocument(
        kind=title.kind.value,
        language=title.language,
        title=title.title,
        published_on=title.published_on,
        state_under_review=title.state,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
        author=title.author,
        author_kind=title.author_kind,
    )


def _issues(title: FollowUpTitle) -> Iterator[ReadIssue]:
    if title.published_on is None:
        yield ReadIssue("warning", "no_date", "The title page bears no full date (day, month and year)")
    if title.author_kind is None:
        yield ReadIssue(
            "warning", "no_author", "The title page does not tell whether the State or somebody else wrote it"
        )
