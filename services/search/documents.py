"""What is indexed: records of the store as documents of the index."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from services.core.query.filters import FILTERS
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, shape_of
from services.core.schemas.terms import filter_values, record_date
from services.core.store.records import Stored
from services.core.store.reference import Reference
from services.core.store.tables import AGGREGATES
from services.search.engines.base import DocumentKey, IndexDocument, IndexLayout

INDEX_VERSION = "1"
"""Changes whenever the projection below would make other documents of the same records."""

SEARCHED_NOUNS = ("recommendations", "statements", "hearings", "documents", "pledges", "observations")

FILTER_NAMES = tuple(name for name, known in FILTERS.items() if not known.single and name != "scheme")

LAYOUT = IndexLayout(
    texts=("text", "labels", "names", "numbers"),
    filters=FILTER_NAMES,
    dates=("date",),
    sorts=("number",),
)

_ROWS_AT_ONCE = 2000


def all_documents(connection: Connection, reference: Reference) -> Iterator[IndexDocument]:
    """Every searched record of the store, read in portions on the connection's snapshot."""
    names = Names(reference)
    for noun in SEARCHED_NOUNS:
        aggregate = AGGREGATES[noun]
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(aggregate.table))
        for row in rows:
            yield index_document(noun, aggregate.from_row(row), names)


def documents_of(
    connection: Connection, keys: Iterable[DocumentKey], reference: Reference
) -> tuple[list[IndexDocument], list[DocumentKey]]:
    """The documents of these records, and the keys of those that are no more. A query a noun."""
    wanted: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        wanted.setdefault(key.type, []).append(key.id)
    names = Names(reference)
    found: list[IndexDocument] = []
    gone: list[DocumentKey] = []
    for noun, ids in wanted.items():
        records = AGGREGATES[noun].read(connection, ids)
        found.extend(index_document(noun, record, names) for record in records.values())
        gone.extend(DocumentKey(noun, record_id) for record_id in ids if record_id not in records)
    return found, gone


def index_document(noun: str, record: Stored, names: Names) -> IndexDocument:
    """One record as a document of the index."""
    shape = shape_of(noun, record, names)
    day = record_date(noun, shape)
    language: str | None = shape.get("text_language")
    return IndexDocument(
        type=noun,
        id=shape["id"],
        record=shape,
        texts={
            "text": _text(noun, shape),
            "labels": _label_names(shape, names.reference),
            "names": " ".join(_state_names(shape, names.reference)),
            "numbers": _numbers(noun, shape),
        },
        languages={} if language is None else {"text": language},
        filters={
            name: values for name, values in filter_values(noun, shape, names.reference).items() if name in FILTER_NAMES
        },
        dates={} if day is None else {"date": day},
        sorts={"number": str(getattr(record, "sort_key", shape["id"]))},
        revision=str(record.revision),
    )


def _text(noun: str, shape: Shape) -> str:
    match noun:
        case "hearings":
            return _lines(shape["title"], shape["kind"].replace("_", " "))
        case "documents":
            return _lines(shape["title"], shape["kind"].replace("_", " "))
        case "recommendations":
            return _lines(shape["text"], *shape["translations"].values())
        case _:
            return _lines(shape["text"])


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def _label_names(shape: Shape, reference: Reference) -> str:
    known = (reference.labels.get(label["id"]) for label in shape.get("labels", ()))
    return _lines(*(name for label in known if label for name in dict.fromkeys(label.names.values())))


def _state_names(shape: Shape, reference: Reference) -> Iterator[str]:
    """The names, in every language, of all States that the record names."""
    for code in dict.fromkeys(_codes(shape)):
        state = reference.states.get(code)
        yield from dict.fromkeys(state.names.values()) if state else [code]


def _codes(shape: Shape) -> Iterator[str]:
    for member in ("state_under_review", "speaker"):
        if shape.get(member):
            yield shape[member]["code"]
    for member in ("recommending_states", "states", "troika"):
        yield from (state["code"] for state in shape.get(member, ()))


def _numbers(noun: str, shape: Shape) -> str:
    """What people cite the record by: its id, its printed number, symbols."""
    cited: list[Any] = [shape["id"], shape.get("number"), shape.get("symbol"), *shape.get("aliases", ())]
    if noun == "recommendations":
        cited += dict.fromkeys(source["symbol"] for source in shape["sources"])
    return _lines(*cited)
