"""Documents in the store, for adapters that ask what is held."""

from typing import Any

from sqlalchemy import Engine

from services.core.store.documents import DOCUMENTS, DocumentRecord


def hold(engine: Engine, symbol: str | None, kind: str, **more: Any) -> None:
    """Put a document into the store, without files."""
    name = (symbol or f"doc-{kind}").replace("/", "-")
    with engine.begin() as connection:
        DOCUMENTS.insert(connection, [DocumentRecord(id=name, symbol=symbol, kind=kind, files=[], **more)])
