"""Parts of documents, of organisations and of recommendations that are other records, or how many there are."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from pydantic import Field
from sqlalchemy import ARRAY, Connection, Table, func, select, true

from services.api.details.briefs import DocumentBrief, documents_named
from services.api.details.parts import Part, Setting
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.documents import DocumentRecord
from services.core.store.filtering import as_array, column_of
from services.core.store.hearings import hearings_table
from services.core.store.organisations import OrganisationRecord
from services.core.store.paragraphs import paragraphs_table
from services.core.store.pledges import pledges_table
from services.core.store.recommendations import RecommendationRecord, recommendations_table
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import statements_table


class ListHeld(Public):
    """How many there are, and where their list is."""

    count: int
    url: str


class RecordsOfDocument(Public):
    """What a document tells of, by noun."""

    recommendations: ListHeld
    pledges: ListHeld
    hearings: ListHeld
    statements: ListHeld
    paragraphs: ListHeld


class RecordsOfOrganisation(Public):
    """What is held of an organisation, besides itself."""

    statements: ListHeld
    hearings: ListHeld = Field(description="Hearings of the Inter-American Commission that it asked for.")


class RecordsOfReview(Public):
    """What is held of a review, by noun."""

    recommendations: ListHeld
    statements: ListHeld
    pledges: ListHeld


_TELLING: Mapping[str, Table] = {
    "recommendations": recommendations_table,
    "pledges": pledges_table,
    "hearings": hearings_table,
    "statements": statements_table,
}


def _records_of_documents(setting: Setting, documents: Sequence[DocumentRecord]) -> Mapping[str, Shape]:
    ids = [document.id for document in documents]
    counts = {noun: _count_by_filter(setting.connection, table, "document", ids) for noun, table in _TELLING.items()}
    paragraphs = _count_by(setting.connection, paragraphs_table, "document", ids)
    return {
        document: {
            **{noun: _held(setting, noun, counts[noun].get(document, 0), document=document) for noun in _TELLING},
            "paragraphs": {
                "count": paragraphs.get(document, 0),
                "url": setting.address(f"documents/{document}/paragraphs"),
            },
        }
        for document in ids
    }


def _count_by_filter(connection: Connection, table: Table, name: str, values: Sequence[str]) -> Mapping[str, int]:
    looked_at = column_of(table, name)
    if not isinstance(looked_at.type, ARRAY):
        return _count_by(connection, table, looked_at.name, values)
    wanted = as_array(list(values))
    each = func.unnest(looked_at).table_valued("id", name="each").render_derived()
    query = select(each.c.id, func.count()).select_from(table.join(each, true())).where(looked_at.overlap(wanted))
    return {row[0]: row[1] for row in connection.execute(query.group_by(each.c.id))}


def _count_by(connection: Connection, table: Table, name: str, values: Sequence[str]) -> Mapping[str, int]:
    looked_at = table.c[name]
    query = select(looked_at, func.count()).where(looked_at == func.any(as_array(list(values)))).group_by(looked_at)
    return {row[0]: row[1] for row in connection.execute(query)}


def _records_of_organisations(setting: Setting, organisations: Sequence[OrganisationRecord]) -> Mapping[str, Shape]:
    ids = [organisation.id for organisation in organisations]
    statements = _count_by(setting.connection, statements_table, "speaker", ids)
    hearings = _count_by_filter(setting.connection, hearings_table, "organisation", ids)
    return {
        each: {
            "statements": _held(setting, "statements", statements.get(each, 0), speaker=each),
            "hearings": _held(setting, "hearings", hearings.get(each, 0), organisation=each),
        }
        for each in ids
    }


def _records_of_reviews(setting: Setting, reviews: Sequence[ReviewRecord]) -> Mapping[str, Shape]:
    ids = [review.id for review in reviews]
    tables = {"recommendations": recommendations_table, "statements": statements_table, "pledges": pledges_table}
    counts = {noun: _count_by(setting.connection, table, "review", ids) for noun, table in tables.items()}
    return {
        review: {noun: _held(setting, noun, counts[noun].get(review, 0), review=review) for noun in tables}
        for review in ids
    }


def _held(setting: Setting, noun: str, count: int, **filters: str) -> Shape:
    return {"count": count, "url": setting.address(f"{noun}?{urlencode(filters)}")}


def documents_of_recommendations(
    setting: Setting, recommendations: Sequence[RecommendationRecord]
) -> Mapping[str, list[Shape]]:
    """The short forms of the documents that tell of recommendations."""
    return documents_named(setting, ((each.id, each.documents) for each in recommendations))


DOCUMENT_PARTS = (
    Part("records", RecordsOfDocument, "How many records it tells of, and their lists.", _records_of_documents, 5),
)
ORGANISATION_PARTS = (
    Part("records", RecordsOfOrganisation, "What it said, and hearings it asked for.", _records_of_organisations, 2),
)
RECORDS_OF_REVIEWS = Part(
    "records", RecordsOfReview, "How many records it has, and their lists.", _records_of_reviews, 3
)
DOCUMENTS_OF_RECOMMENDATIONS = Part(
    "documents", list[DocumentBrief], "The documents that tell of it.", documents_of_recommendations, 1
)
