"""The public shape of paragraphs of documents."""

from pydantic import Field

from services.core.schemas.models import Public
from services.core.schemas.names import Names, StateName
from services.core.schemas.shapes import Shape, permalink
from services.core.store.paragraphs import ParagraphRecord


class CitedRecommendation(Public):
    """A number that a paragraph cites, and what it means."""

    printed: str = Field(examples=["116.17"])
    cycle: int | None = Field(description="Cycle in which it was made, where the document says so.")
    recommendations: list[str] = Field(
        description="Ids of the recommendations that are meant: several where a number has parts; none where it cannot "
        "be told, or where they are not held.",
        examples=[["PER-2-116.17"]],
    )


class Paragraph(Public):
    """A paragraph of a document that is read as text, or a row of a table in it. No record: it has no history."""

    id: str = Field(
        description="The document's id, the language of the file, and the printed number (`~` and the place where "
        "there is none). It may come to mean another paragraph when the document is read anew.",
        examples=["A-HRC-WG.6-28-PER-1.en.12"],
    )
    url: str = Field(description="Permalink.")
    document: str = Field(description="Id of the document.")
    document_kind: str = Field(examples=["national_report"])
    review: str = Field(examples=["PER-3"])
    state_under_review: StateName
    cycle: int
    language: str
    number: str | None = Field(description="As printed: of a paragraph, or of the row of a table.", examples=["12"])
    heading: str | None = Field(description="Heading under which it stands.")
    text: str
    page: int | None = Field(description="Page of the file; null where the format has none (Word).")
    citations: list[CitedRecommendation] = Field(description="Recommendations cited, here or in the heading.")
    file: str = Field(description="SHA-256 of the file.")
    parser: str
    parser_version: str
    sample: bool


def paragraph_permalink(public_url: str, document: str, paragraph: str) -> str:
    """`{public address}/documents/{id}/paragraphs/{language}.{anchor}`."""
    return f"{permalink(public_url, 'documents', document)}/paragraphs/{paragraph.removeprefix(f'{document}.')}"


def paragraph_shape(record: ParagraphRecord, names: Names, public_url: str) -> Shape:
    """The public shape of a paragraph, with its permalink."""
    return {
        "id": record.id,
        "url": paragraph_permalink(public_url, record.document, record.id),
        "document": record.document,
        "document_kind": record.document_kind,
        "review": record.review,
        "state_under_review": names.state(record.state_under_review),
        "cycle": record.cycle,
        "language": record.language,
        "number": record.number,
        "heading": record.heading,
        "text": record.text,
        "page": record.page,
        "citations": record.citations,
        "file": record.file,
        "parser": record.parser,
        "parser_version": record.parser_version,
        "sample": record.sample,
    }
