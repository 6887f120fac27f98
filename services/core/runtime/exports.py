"""Lists as files: CSV, NDJSON or a workbook, each row with its permalink.

An export is written to a temporary file before the first byte is sent: the database is read as fast as it can be,
however slow the reader's line, a fault is a problem document and never half a file, and memory does not grow with the
rows.
"""

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import IO, Any, Union, get_args, get_origin

import orjson
from fastapi import Response
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from services.core.domain.errors import InvalidParameterError, UnavailableError
from services.core.query.filters import FILTERS
from services.core.schemas.models import RECORD_MODELS
from services.core.schemas.names import LabelName
from services.core.schemas.shapes import Shape
from services.core.schemas.texts import SEARCHED_NOUNS

IN_MEMORY = 2_000_000
"""Bytes up to which an export needs no file."""
_AT_ONCE = threading.BoundedSemaphore(4)
_PATIENCE = 20.0
_CHUNK = 262_144
_ROWS_AT_ONCE = 500
_MOST_KNOWN = 20_000
_MOST_ROWS_OF_A_SHEET = 1_048_575
_LONGEST_CELL = 32_767
ANY = "records"
"""What a list is called whose rows are of several nouns."""
RECORD_TYPE = "record_type"
"""The member of a row of such a list that names its noun."""
_BETWEEN = "; "
_EMPTY = ("[]", "{}", "null")
_FORMULAS = frozenset("=+-@\t\r")
"""How texts begin that spreadsheets take for formulas."""

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Provenance:
    """What is exported, from which state of the data: it stands beside each row or in the file.

    `noun` is `ANY` where the rows are of several. `total` is how many rows there are, `found` of how many they are the
    first; None: they are all.
    """

    noun: str
    query: str
    version: str
    as_of: str
    total: int
    found: int | None = None


Write = Callable[[IO[bytes], Iterable[Shape], Provenance], None]


@dataclass(frozen=True)
class Format:
    """A format of exports. `suffix` ends the address and the file's name."""

    suffix: str
    media_type: str
    description: str
    write: Write


def write_export(form: Format, shapes: Iterable[Shape], provenance: Provenance) -> IO[bytes]:
    """The export as a file at its beginning.

    Raises `UnavailableError` where too many others are being written, `InvalidParameterError` where the format cannot
    hold so many rows.
    """
    if form is XLSX and provenance.total > _MOST_ROWS_OF_A_SHEET:
        raise InvalidParameterError(
            f"A sheet holds {_MOST_ROWS_OF_A_SHEET:,} rows, and these are {provenance.total:,}: take CSV or NDJSON.",
            parameter="format",
        )
    return written(lambda file: form.write(file, shapes, provenance))


def written(write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    """What `write` writes, as a file at its beginning; a few at once. Raises `UnavailableError` where too many wait."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise UnavailableError("Too many exports are being written at the moment.")
    try:
        return _spooled(write)
    finally:
        _AT_ONCE.release()


def _spooled(write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - who sends it closes it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file's bytes; then it is closed."""
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def file_answer(file: IO[bytes], media_type: str, headers: dict[str, str]) -> Response:
    """A file, which is closed in the end, however much of it the reader took."""
    size = file.seek(0, 2)
    file.seek(0)
    headers |= {"Content-Length": str(size)}
    return StreamingResponse(
        chunks(file), headers=headers, media_type=media_type, background=BackgroundTask(file.close)
    )


def _write_ndjson(file: IO[bytes], shapes: Iterable[Shape], provenance: Provenance) -> None:  # noqa: ARG001
    for shape in shapes:
        file.write(orjson.dumps(shape, option=orjson.OPT_APPEND_NEWLINE))


def _write_csv(file: IO[bytes], shapes: Iterable[Shape], provenance: Provenance) -> None:
    columns = columns_of(provenance.noun)
    names: list[Cell] = [name for column in columns for name in column.names]
    said: list[Cell] = [provenance.version, provenance.query]
    rows = chain([[*names, "dataset_version", "query"]], (_cells(columns, shape) + said for shape in shapes))
    while lines := [csv_line(row) for row in islice(rows, _ROWS_AT_ONCE)]:
        file.write("".join(lines).encode())


def csv_line(cells: Sequence[Cell]) -> str:
    """A line of CSV (RFC 4180), as the module `csv` writes it.

    That one looks at each letter by itself, and took a third of an export.
    """
    return ",".join([_csv_field(cell) for cell in cells]) + "\r\n"


def _csv_field(cell: Cell) -> str:
    if cell.__class__ is not str:
        return "" if cell is None else str(cell)
    text = str(cell)
    if text[:1] in _FORMULAS:  # documents are not to be trusted with what a spreadsheet would take for a formula
        text = f"'{text}"
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if "," in text or "\n" in text or "\r" in text else text


def _write_xlsx(file: IO[bytes], shapes: Iterable[Shape], provenance: Provenance) -> None:
    import xlsxwriter  # noqa: PLC0415 - 17 MB, which a service that writes no workbook does without

    columns = columns_of(provenance.noun)
    options = {"constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
    with xlsxwriter.Workbook(file, {**options, "strings_to_numbers": False}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(provenance.noun)
        names = [name for column in columns for name in column.names]
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(names) - 1, 18)
        sheet.autofilter(0, 0, provenance.total, len(names) - 1)
        sheet.write_row(0, 0, names, bold)
        for row, shape in enumerate(shapes, 1):
            sheet.write_row(row, 0, [_fitting(cell) for cell in _cells(columns, shape)])
        _write_about(book, provenance)


def _write_about(book: Any, provenance: Provenance) -> None:
    sheet = book.add_worksheet("about")
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 100)
    told: dict[str, Cell] = {
        "dataset version": provenance.version,
        "as of": provenance.as_of,
        "query": provenance.query,
        "rows": provenance.total,
    }
    if provenance.found is not None:
        told["found"] = provenance.found
        told["note"] = f"These are the first {provenance.total:,} of {provenance.found:,} records."
    for row, (name, value) in enumerate(told.items()):
        sheet.write_row(row, 0, [name, value])


def _fitting(cell: Cell) -> Cell:
    return f"{cell[: _LONGEST_CELL - 1]}…" if isinstance(cell, str) and len(cell) > _LONGEST_CELL else cell


# From shapes to rows


@dataclass(frozen=True)
class Column:
    """Members of a shape as columns: a named thing has its code and its name. `plain`: a cell as it is."""

    names: tuple[str, ...]
    cells: Callable[[Shape], Sequence[Cell]]
    plain: bool = False


def columns_of(noun: str) -> list[Column]:
    """The columns of a noun's rows; the same whatever the rows hold. `ANY` has those of all nouns that are searched."""
    if noun == ANY:
        return [_columns_of_any()]
    fields = RECORD_MODELS[noun].model_fields
    columns = [column for name, field in fields.items() for column in _columns(name, field.annotation)]
    return [
        together
        for plain, neighbours in groupby(columns, attrgetter("plain"))
        for together in (_taken_at_once(list(neighbours)) if plain else neighbours)
    ]


@cache
def _columns_of_any() -> Column:
    of = {noun: columns_of(noun) for noun in SEARCHED_NOUNS}
    names_of = {noun: [name for column in columns for name in column.names] for noun, columns in of.items()}
    names = tuple(dict.fromkeys([RECORD_TYPE, *chain.from_iterable(names_of.values())]))

    def cells(shape: Shape) -> Sequence[Cell]:
        noun = shape[RECORD_TYPE]
        told = dict(zip(names_of[noun], _cells(of[noun], shape), strict=True))
        return [noun, *(told.get(name) for name in names[1:])]

    return Column(names, cells)


def _taken_at_once(columns: list[Column]) -> list[Column]:
    names = tuple(name for column in columns for name in column.names)
    return [Column(names, itemgetter(*names), plain=True)] if len(names) > 1 else columns


def _cells(columns: Sequence[Column], shape: Shape) -> list[Cell]:
    cells: list[Cell] = []
    for column in columns:
        cells += column.cells(shape)
    return cells


def _columns(name: str, annotation: Any) -> list[Column]:
    kind = _without_none(annotation)
    if get_origin(kind) is list:
        (of,) = get_args(kind)
        return _columns_of_list(name, of)
    if _is_named(kind):
        return [Column((name, f"{name}_name"), lambda shape: _code_and_name(shape[name]))]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        members = tuple(kind.model_fields)
        names = tuple(f"{name}_{member}" for member in members)
        return [Column(names, lambda shape: [(shape[name] or {}).get(member) for member in members])]
    if get_origin(kind) is dict:
        return [Column((name,), lambda shape: [_json(shape[name])])]
    return [Column((name,), lambda shape: [shape[name]], plain=True)]


def _columns_of_list(name: str, of: Any) -> list[Column]:
    if of is LabelName:
        return [_labels(name)]
    if _is_named(of):
        return [Column((name, f"{name}_names"), lambda shape: _codes_and_names(shape[name]))]
    if of is str:
        return [Column((name,), lambda shape: [_BETWEEN.join(shape[name])])]
    return [Column((name,), lambda shape: [_json(shape[name])])]


def _labels(name: str) -> Column:
    """A column of codes and one of names for each vocabulary that has a filter."""
    schemes = {known.scheme: known.name for known in FILTERS.values() if known.scheme}
    places = {scheme: 2 * place for place, scheme in enumerate(schemes)}
    known: dict[tuple[str, ...], list[Cell]] = {}

    def cells(shape: Shape) -> Sequence[Cell]:
        labels = shape[name]
        key = tuple([label["id"] for label in labels])
        told = known.get(key)
        if told is None:
            told = _cells_of_labels(labels, places)
            if len(known) < _MOST_KNOWN:  # most rows carry labels that others carry, too
                known[key] = told
        return told

    return Column(tuple(each for column in schemes.values() for each in (column, f"{column}_names")), cells)


def _cells_of_labels(labels: Sequence[Shape], places: Mapping[str, int]) -> list[Cell]:
    found: dict[int, dict[str, str]] = {}
    for label in labels:
        if label["scheme"] in places:
            found.setdefault(places[label["scheme"]], {})[label["code"]] = label["name"]
    cells: list[Cell] = [""] * (2 * len(places))
    for place, named in found.items():
        cells[place : place + 2] = [_BETWEEN.join(named), _BETWEEN.join(dict.fromkeys(named.values()))]
    return cells


def _code_and_name(named: Shape | None) -> Sequence[Cell]:
    return [named["code"], named["name"]] if named else [None, None]


def _codes_and_names(named: Sequence[Shape]) -> Sequence[Cell]:
    return [_BETWEEN.join([entry["code"] for entry in named]), _BETWEEN.join([entry["name"] for entry in named])]


def _json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return "" if text in _EMPTY else text


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = [each for each in get_args(annotation) if each is not NoneType]
    return annotation


def _is_named(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and set(kind.model_fields) == {"code", "name"}


CSV = Format("csv", "text/csv; charset=utf-8; header=present", "Comma-separated values, UTF-8.", _write_csv)
NDJSON = Format("ndjson", "application/x-ndjson", "A record a line, in the shape of the JSON API.", _write_ndjson)
XLSX = Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "A workbook.", _write_xlsx)
FORMATS = (CSV, NDJSON, XLSX)
"""The formats of exports, in the order in which they are preferred where a reader takes several alike."""
