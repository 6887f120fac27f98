"""The command `upr match`."""

import csv
import datetime
import io
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from services.core.domain.errors import InvalidParameterError, UnreadableDocumentError
from services.core.domain.reviews import CYCLE_LAST_SESSIONS
from services.core.runtime.database import ready_store
from services.core.schemas.shapes import permalink
from services.ingest.match import Answer, Held, Reason, held_recommendations, match_rows
from services.ingest.match_list import ROLES, ListRow, TrackerList, list_rows, named_state, read_list
from services.ingest.settings import IngestSettings

app = typer.Typer(add_completion=False)

COLUMNS = (
    *("upr_id", "upr_url", "upr_position", "upr_position_detail", "upr_confidence", "upr_reason"),
    *("upr_differs", "upr_candidates", "upr_shared_with"),
)
_SHOWN_PROBLEMS = 10


class ListFormat(StrEnum):
    """How the rows are written."""

    CSV = "csv"
    NDJSON = "ndjson"


def _column(meaning: str) -> Any:
    return typer.Option(help=f"Column that holds {meaning}: its name, or its place from 1.", metavar="COLUMN")


@app.command()
def match(
    file: Annotated[Path, typer.Argument(help="The list: an XLSX workbook or a CSV.", metavar="LIST")],
    *,
    state: Annotated[
        str | None, typer.Option(help="State under review where the list does not tell: a code (PER) or a name.")
    ] = None,
    cycle: Annotated[
        int | None, typer.Option(min=1, max=max(CYCLE_LAST_SESSIONS), help="Cycle where the list does not tell.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    output: Annotated[ListFormat, typer.Option("--format", help="Format to write.")] = ListFormat.CSV,
    bom: Annotated[bool, typer.Option("--bom", help="Begin with the mark by which spreadsheets know UTF-8.")] = False,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook; the first if not given.")] = None,
    text_column: Annotated[str | None, _column("the texts")] = None,
    number_column: Annotated[str | None, _column("the numbers, or our ids")] = None,
    state_column: Annotated[str | None, _column("the State under review")] = None,
    recommending_column: Annotated[str | None, _column("the recommending States")] = None,
    cycle_column: Annotated[str | None, _column("the cycle")] = None,
    session_column: Annotated[str | None, _column("the session of the Working Group")] = None,
    position_column: Annotated[str | None, _column("the position that the list knows")] = None,
) -> None:
    """Find the recommendations that your own list means: their ids, what the States answered, and how sure it is.

    The list's rows and columns stay as they are; columns named upr_… are added. The exit status is 1 if a row could
    not be read.
    """
    given = (
        number_column,
        text_column,
        state_column,
        recommending_column,
        cycle_column,
        session_column,
        position_column,
    )
    named = {role: name for role, name in zip(ROLES, given, strict=True) if name is not None}
    code = _state(state)
    tracker = read_list(file, sheet=sheet, named=named)
    rows = list_rows(tracker, state=code, cycle=cycle)
    settings = IngestSettings()
    with ready_store(settings, name="upr-match") as engine, engine.connect() as connection:
        held = held_recommendations(connection, _states_of(rows))
    answers = match_rows(rows, held)
    written = _csv(tracker, answers, settings.public_url, bom=bom) if output is ListFormat.CSV else None
    _write(written or _ndjson(tracker, answers, settings.public_url), out)
    _summary(tracker, rows, answers)
    _unread(rows, held)
    if any(row.problem for row in rows):
        raise typer.Exit(1)


def _state(name: str | None) -> str | None:
    if name is None:
        return None
    code = named_state(name.upper() if len(name) == 3 else name) or named_state(name)
    if code is None:
        raise InvalidParameterError(f"There is no State {name!r}.")
    return code


def _states_of(rows: Sequence[ListRow]) -> set[str] | None:
    """The States under review that rows name; None where one does not tell, and may mean any."""
    read = [row for row in rows if not (row.is_blank or row.problem)]
    meant = {row.record_id[:3] if row.record_id else row.state for row in read}
    named = {row.state for row in read if row.state} | {state for state in meant if state}
    return None if None in meant else named


def _values(answer: Answer, public_url: str) -> dict[str, Any]:
    held = answer.held
    return {
        "upr_id": held.id if held else None,
        "upr_url": permalink(public_url, "recommendations", held.id) if held else None,
        "upr_position": held.position if held else None,
        "upr_position_detail": held.position_detail if held else None,
        "upr_confidence": round(answer.confidence, 2),
        "upr_reason": str(answer.reason),
        "upr_differs": answer.differs,
        "upr_candidates": list(answer.candidates),
        "upr_shared_with": list(answer.shared_with),
    }


def _csv(tracker: TrackerList, answers: Sequence[Answer], public_url: str, *, bom: bool) -> Iterator[bytes]:
    """The rows above the header as they were, the header, then every row with our columns after its own."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if bom:
        buffer.write("\ufeff")
    writer.writerows([_shown(cell) for cell in row] for row in tracker.preamble)
    writer.writerow([*tracker.columns, *COLUMNS])
    for row, answer in zip(tracker.rows, answers, strict=True):
        values = _values(answer, public_url)
        values["upr_differs"] = "; ".join(f"{name}: {held}" for name, held in answer.differs.items())
        values["upr_candidates"] = " ".join(answer.candidates)
        values["upr_shared_with"] = " ".join(map(str, answer.shared_with))
        writer.writerow([*map(_shown, row), *(values[name] for name in COLUMNS)])
        if buffer.tell() > 2**20:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    written = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return written


def _ndjson(tracker: TrackerList, answers: Sequence[Answer], public_url: str) -> Iterator[bytes]:
    for row, answer in zip(tracker.rows, answers, strict=True):
        cells = dict(zip(tracker.columns, map(_plain, row), strict=True))
        yield orjson.dumps({**cells, **_values(answer, public_url)}, option=orjson.OPT_APPEND_NEWLINE)


def _shown(cell: object) -> str:
    """A cell as a CSV has it; Excel keeps every number as one with a fraction."""
    plain = _plain(cell)
    return "" if plain is None else str(plain)


def _plain(cell: object) -> str | int | float | bool | None:
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return cell if isinstance(cell, str | int | float | None) else str(cell)


def _write(chunks: Iterator[bytes], out: Path | None) -> None:
    """Write everything or nothing: a file that is there is replaced only by a whole one."""
    if out is None:
        sys.stdout.buffer.writelines(chunks)
        sys.stdout.buffer.flush()
        return
    written: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        written = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(chunks)
        written.chmod(0o666 & ~_mask())
        written.replace(out)
    except OSError as error:
        if written is not None:
            with suppress(OSError):
                written.unlink()
        raise UnreadableDocumentError("file_not_writable", f"{out}: {error.strerror or error}") from error


def _unread(rows: Sequence[ListRow], held: Sequence[Held]) -> None:
    """Name the reviews of which nothing is held: rows of an unread review are not rows that match nothing."""
    known = {key for each in held for key in ((each.state, each.cycle), (each.state, None))}
    unread = Counter((row.state, row.cycle) for row in rows if row.state and (row.state, row.cycle) not in known)
    if unread:
        names = ", ".join(f"{state}-{cycle}" if cycle else str(state) for (state, cycle), _ in unread.most_common(10))
        more = f" and {len(unread) - 10} more" if len(unread) > 10 else ""
        typer.echo(f"{unread.total()} rows are of reviews of which nothing is held: {names}{more}", err=True)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _summary(tracker: TrackerList, rows: Sequence[ListRow], answers: Sequence[Answer]) -> None:
    found = Counter(answer.reason for answer in answers)
    columns = ", ".join(f"{role} = {tracker.columns[place]}" for role, place in tracker.roles.items())
    sure = sum(answer.held is not None and answer.confidence >= 0.9 for answer in answers)
    typer.echo(f"columns: {columns}", err=True)
    reasons = ", ".join(f"{found[reason]} {reason}" for reason in Reason if found[reason])
    led = sum(answer.held is not None for answer in answers)
    typer.echo(f"{len(rows)} rows: {led} matched, {sure} with a confidence of 0.9 or more ({reasons})", err=True)
    if any(answer.held and "language" in answer.differs for answer in answers):
        typer.echo("Some texts are in a language that is not held: matched by number and States alone.", err=True)
    problems = [(place, row.problem) for place, row in enumerate(rows, 1) if row.problem]
    for place, problem in problems[:_SHOWN_PROBLEMS]:
        typer.echo(f"row {place} was not read: {problem}", err=True)
    if len(problems) > _SHOWN_PROBLEMS:
        typer.echo(f"{len(problems) - _SHOWN_PROBLEMS} more rows were not read", err=True)
