"""From readings to the paragraphs of documents, and the links between them and recommendations.

A paragraph cites the recommendations of another review than its document's (a national report those of the cycle
before), and either may be loaded first. So the links of all documents on the State are looked at after every load that
touched one of the two; whoever does it holds the State's lock (`load.py`), or two loads would not see each other.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from services.core.store.paragraphs import citing_paragraphs, replace_paragraphs, set_citations
from services.core.store.recommendations import recommendations_table
from services.ingest.merge.citations import Lists, Numbered, resolved
from services.ingest.merge.paragraphs import paragraph_records
from services.ingest.merge.sources import SourceReading


def write_paragraphs(
    connection: Connection, review: str, readings: Iterable[SourceReading], *, sample: bool = False
) -> None:
    """Make the paragraphs of a review's documents those of these readings, and set all links of its State anew.

    The documents and recommendations of the review must be stored already.
    """
    replace_paragraphs(connection, review, paragraph_records(review, readings, sample=sample))
    _link(connection, review.partition("-")[0])


def _link(connection: Connection, state: str) -> None:
    paragraphs = citing_paragraphs(connection, state)
    if not paragraphs:
        return
    columns = recommendations_table.c
    numbered = select(columns.id, columns.cycle, columns.number, columns.part).where(
        columns.state_under_review == state, columns.number.is_not(None), ~columns.id.contains("~")
    )
    lists = Lists(Numbered(*row) for row in connection.execute(numbered))
    set_citations(connection, resolved(paragraphs, lists))
