"""OHCHR's Universal Human Rights Index: every recommendation of the UPR, the treaty bodies and the special procedures.

Its export is one JSON array of some 250,000 objects (400 MB), or a table of 16 columns (CSV, XLSX). Rows of the UPR
become recommendations of their review, all others observations. `uhri.toml` holds the names of columns and values.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.ingest.datasets import tables
from services.ingest.datasets.base import Head, KeptOut, Notes, ReadObservation, ReviewRow, Row, RowLabel
from services.ingest.datasets.cleaning import clean
from services.ingest.datasets.json_rows import json_rows
from services.ingest.datasets.uhri_fields import (
    Named,
    facts,
    first,
    group_labels,
    named_states,
    place_of,
    sdg_labels,
    theme_labels,
    values,
    when_of,
)
from services.ingest.reading import ReadIssue

_REVIEW_BODY = "UPR"
_RESPONSE = "response of"
_NEEDED = frozenset({"text", "countriesconcerned", "reccomendingbody"})
_MOST_UNDECIDED = 10_000

Fields = Mapping[str, Any]


@dataclass
class _Reports:
    """Whose reports symbols are, as rows that name one State tell; and rows that wait to learn it."""

    states: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    undecided: list[tuple[ReviewRow, str, tuple[str, ...]]] = field(default_factory=list)


class Uhri:
    """Reads UHRI's exports."""

    name = "uhri"
    title = "Universal Human Rights Index"
    parser = "uhri"
    version = "2"

    def recognises(self, head: Head) -> bool:
        """By the keys of its objects, or by its misspelled columns."""
        if head.is_json:
            return head.text.lstrip().startswith("[") and '"AnnotationId"' in head.text and '"Body"' in head.text
        if head.workbook:
            return all(name in head.workbook for name in ("Countries Concerned", "OHCHR Annotation Id"))
        return {_mended(name) for name in head.columns} >= _NEEDED

    def rows(self, path: Path, notes: Notes) -> Iterator[Row]:
        """One row an annotation.

        Raises `UnreadableDocumentError`: `damaged_json`, `damaged_table`, `zip_bomb`, `unknown_columns`.
        """
        reports = _Reports()
        for fields in _fields(path):
            yield from _row(fields, notes, reports)
        yield from _decided(reports)


def _fields(path: Path) -> Iterator[Fields]:
    """The rows by our own names of their fields, whatever the format."""
    head = Head.of(path)
    if head.is_json:
        keys: dict[str, str] = facts()["keys"]
        for row in json_rows(path, "item"):
            yield {ours: row.get(theirs) for ours, theirs in keys.items()}
        return
    columns: dict[str, str] = facts()["columns"]
    rows = tables.workbook_rows(path, _NEEDED) if head.workbook else tables.text_rows(path)
    for cells in rows:
        mended = {_mended(name): cell for name, cell in cells.items() if name is not None}
        yield {ours: mended.get(theirs) for ours, theirs in columns.items()}


def _mended(column: str) -> str:
    spelling: str = facts()["other_spellings"].get(column, column)
    return spelling


def _row(fields: Fields, notes: Notes, reports: _Reports) -> Iterator[Row]:
    body, text = first(fields["body"]), clean(fields["text"])
    notes.seen(tables.day_of(fields["changed"]))
    if not text or not body:
        yield _out("empty_row", "a row has no text or no body")
    elif body.upper() == _REVIEW_BODY:
        yield from _recommendation(fields, text, notes, reports)
    else:
        yield _observation(fields, body, text, notes)


def _recommendation(fields: Fields, text: str, notes: Notes, reports: _Reports) -> Iterator[Row]:
    symbol = first(fields["symbol"])
    when = when_of(first(fields["sessions"]), first(fields.get("cycle")), symbol)
    countries = named_states(fields["countries"])
    kind, language = _type(fields, notes)
    place = place_of(text)
    if place.text.lower().startswith(_RESPONSE):
        yield _out("response_row", "a row is the State's response, not a recommendation", "info")
    elif kind == "concern":
        yield _out("not_a_recommendation", f"a row of the UPR is of type {first(fields['type'])!r}")
    elif not countries.states:
        yield _out("unknown_state", f"State under review {', '.join(countries.unknown)!r}")
    elif when is None:
        yield _out("unknown_session", f"session {first(fields['sessions'])!r} of {symbol!r}")
    else:
        row = ReviewRow(
            state=countries.states[0],
            cycle=when.cycle,
            session=when.session,
            text=place.text,
            number=place.number,
            paragraph=place.paragraph,
            states=_recommending(place.states, named_states(fields["states"]), notes),
            labels=tuple(_labels(fields, notes)),
            external_id=_external_id(fields),
            language=language,
            symbol=symbol or None,
            changed=tables.day_of(fields["changed"]),
        )
        yield from _of_whom(_answered(row, fields, notes), symbol, countries.states, reports)


def _of_whom(row: ReviewRow, symbol: str, states: tuple[str, ...], reports: _Reports) -> Iterator[Row]:
    """The row, if it names one State under review; else it waits until the other rows of its report have told."""
    if len(states) == 1:
        if symbol:
            reports.states[symbol][row.state] += 1
        yield row
    elif len(reports.undecided) < _MOST_UNDECIDED:
        reports.undecided.append((row, symbol, states))
    else:
        yield _several(symbol, states)


def _decided(reports: _Reports) -> Iterator[Row]:
    for row, symbol, states in reports.undecided:
        named = [state for state in states if reports.states[symbol][state]]
        joint = [each["review"] for each in facts()["joint"] if _is_joint(each, row, states)]
        reviewed = named if len(named) == 1 else joint
        yield replace(row, state=reviewed[0]) if reviewed else _several(symbol, states)


def _is_joint(known: Mapping[str, Any], row: ReviewRow, states: Iterable[str]) -> bool:
    return bool(known["cycle"] == row.cycle and set(known["states"]) == set(states))


def _several(symbol: str, states: Iterable[str]) -> KeptOut:
    return _out("several_states_under_review", f"{symbol!r} is said to be of {', '.join(states)}")


def _recommending(printed: tuple[str, ...], listed: Named, notes: Notes) -> tuple[str, ...]:
    """Who recommended: as the text's own attribution says, else as the field does."""
    for name in listed.unknown:
        notes.remarks.warn("unknown_state", f"recommending State {name[:100]!r}")
    if printed and listed.states and set(printed) != set(listed.states):
        notes.remarks.add(ReadIssue("info", "states_differ", "the field names other States than the text"))
    return printed or listed.states


def _answered(row: ReviewRow, fields: Fields, notes: Notes) -> ReviewRow:
    """The row with its position. Several values, supported and noted, are an answer in part."""
    said = values(fields["positions"])
    known: dict[str, dict[str, str]] = facts()["positions"]
    for value in said:
        if value.lower() not in known:
            notes.remarks.warn("unknown_position", f"position {value[:100]!r}")
    answers = {answer["position"]: answer for value in said if (answer := known.get(value.lower()))}
    if not answers:
        return row
    answer = known["supported/noted"] if len(answers) > 1 else next(iter(answers.values()))
    return replace(
        row, position=answer["position"], position_detail=answer.get("detail"), position_phrase="/".join(said)
    )


def _observation(fields: Fields, body: str, text: str, notes: Notes) -> Row:
    annotation = first(fields["annotation"])
    if not annotation:
        return _out("no_annotation_id", "a row of another mechanism has no id")
    countries = named_states(fields["countries"])
    if countries.unknown and not countries.states:
        return _out("unknown_state", f"State concerned {', '.join(countries.unknown)!r}")
    for name in countries.unknown:
        notes.remarks.warn("unknown_state", f"State concerned {name[:100]!r}")
    kind, language = _type(fields, notes)
    symbol = first(fields["symbol"])
    return ReadObservation(
        external_id=f"uhri-{annotation}",
        group=symbol or first(fields.get("document")) or annotation,
        kind=kind,
        body=body,
        text=text,
        symbol=symbol or None,
        states=countries.states,
        language=language,
        date=tables.day_of(fields["published"]),
        labels=tuple(_labels(fields, notes)),
        changed=tables.day_of(fields["changed"]),
    )


def _type(fields: Fields, notes: Notes) -> tuple[str, str]:
    """Kind and language of a row. Some 3,000 rows have no type, or one that only its id names."""
    said = first(fields["type"])
    known = facts()["types"].get(said.lower())
    if known is None:
        notes.remarks.add(ReadIssue("info", "unknown_type", "a row has no type, or one that we do not know"))
        return "unknown", "en"
    return known["kind"], known["language"]


def _labels(fields: Fields, notes: Notes) -> Iterator[RowLabel]:
    found: dict[RowLabel, None] = {}
    found |= dict.fromkeys(theme_labels(fields["themes"]))
    found |= dict.fromkeys(group_labels(fields["persons"]))
    by_code: dict[tuple[str, str | None], RowLabel] = {}
    for label in sdg_labels(fields["sdgs"], notes):
        by_code.setdefault((label[0], label[2]), label)
    yield from found
    yield from by_code.values()


def _external_id(fields: Fields) -> str | None:
    annotation = first(fields["annotation"])
    return f"uhri:{annotation}" if annotation else None


def _out(code: str, detail: str, severity: Any = "warning") -> KeptOut:
    return KeptOut(ReadIssue(severity, code, detail[:300]))
