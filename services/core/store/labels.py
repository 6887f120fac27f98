"""Labels: the vocabularies that records are labelled with."""

from dataclasses import dataclass

from sqlalchemy import Column, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class LabelRecord(Stored):
    """One entry of a vocabulary. `printed_codes` are codes that documents print beside it (`A12`)."""

    id: str
    scheme: str
    code: str
    names: dict[str, str]
    printed_codes: tuple[str, ...] = ()


labels_table = Table(
    "labels",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("scheme", plain_text(), nullable=False),
    Column("code", plain_text(), nullable=False),
    Column("names", JSONB, nullable=False),
    Column("printed_codes", texts(), nullable=False),
    *row_history(),
)
Index(None, labels_table.c.scheme, labels_table.c.code, unique=True)
LABELS = Aggregate("labels", labels_table, LabelRecord)
