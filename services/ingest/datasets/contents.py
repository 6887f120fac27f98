"""An export as readings: one a review, whatever the order of its rows."""

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from services.core.domain.documents import SYMBOL_IN_TEXT
from services.core.domain.identifiers import normalised_text
from services.ingest.datasets.apart import DOCUMENT, REVIEW, ExportLimits, ExportReader
from services.ingest.datasets.base import DataSet, Json, ReadObservation, ReviewRow
from services.ingest.datasets.shelves import Shelves
from services.ingest.reading import ReadDocument, Reading, ReadLabel, ReadPledge, ReadRecommendation


class Contents:
    """What a data set's export says. Creating it reads the file once; a context manager, since it keeps rows on disk.

    `tally` accounts for every row, `issues` says what was not understood, `as_of` is the newest day that the export
    names, if it names any. With `since`, only reviews and documents leave of which some row changed on that day or
    later, or does not tell when; but each of them whole, since what a data set says of a review stands for all it
    says. `left_out` counts the others. Raises `UnreadableDocumentError` where the file is damaged or beyond `limits`.
    """

    def __init__(
        self,
        data_set: DataSet,
        path: Path,
        limits: ExportLimits | None = None,
        *,
        since: datetime.date | None = None,
    ) -> None:
        self.data_set = data_set
        self._shelves = Shelves()
        try:
            with ExportReader(data_set, path, limits) as reader:
                for shelf, row in reader.rows():
                    self._shelves.put(shelf, row)
            names = self._shelves.sort()
        except BaseException:
            self._shelves.close()
            raise
        assert reader.end is not None
        self.tally, self.issues, self.as_of = reader.end.tally, reader.end.issues, reader.end.as_of
        wanted = [name for name in names if since is None or reader.end.newest[name] >= since.isoformat()]
        self.left_out = len(names) - len(wanted)
        self._reviews = [name for name in wanted if name.startswith(REVIEW)]
        self._documents = [name for name in wanted if name.startswith(DOCUMENT)]

    def __enter__(self) -> Self:
        """The rows are there already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the rows from disk."""
        self.close()

    def close(self) -> None:
        """Remove the rows from disk."""
        self._shelves.close()

    @property
    def shares(self) -> int:
        """How many reviews and documents of other mechanisms there are to come."""
        return len(self._reviews) + len(self._documents)

    def readings(self) -> Iterator[Reading]:
        """What the export says of each review in each language: its recommendations, then its pledges."""
        for shelf in self._reviews:
            rows = [_review_row(stored) for stored in self._shelves.rows(shelf)]
            for is_pledge in (False, True):
                of_a_kind = [row for row in rows if row.is_pledge is is_pledge]
                if of_a_kind:
                    yield _reading(self.data_set, of_a_kind, self.as_of)

    def observations(self) -> Iterator[list[ReadObservation]]:
        """What the export says of other mechanisms, document by document."""
        for shelf in self._documents:
            yield [_observation(stored) for stored in self._shelves.rows(shelf)]


def _review_row(stored: Json) -> ReviewRow:
    return ReviewRow(**{**stored, "states": tuple(stored["states"]), "labels": tuple(map(tuple, stored["labels"]))})


def _observation(stored: Json) -> ReadObservation:
    return ReadObservation(
        **{**stored, "states": tuple(stored["states"]), "labels": tuple(map(tuple, stored["labels"]))}
    )


def _reading(data_set: DataSet, rows: list[ReviewRow], as_of: str | None) -> Reading:
    """The reading of rows of one review, all recommendations or all pledges."""
    first = rows[0]
    groups = sorted(_groups(rows).items())
    told = [group for _, group in groups]
    what = "voluntary pledges" if first.is_pledge else "recommendations"
    sessions = Counter(row.session for row in rows if row.session)
    return Reading(
        parser=data_set.parser,
        parser_version=data_set.version,
        document=ReadDocument(
            kind=data_set.name,
            title=f"{data_set.title}: {what}",
            language=first.language,
            published_on=as_of,
            state_under_review=first.state,
            session=min(sessions, key=lambda session: (-sessions[session], session)) if sessions else None,
            cycle=first.cycle,
            cites=tuple(sorted({symbol for row in rows if (symbol := _symbol(row))})),
        ),
        recommendations=() if first.is_pledge else tuple(map(_recommendation, told)),
        pledges=tuple(ReadPledge(text=group[0].text) for group in told) if first.is_pledge else (),
        labels=tuple(_labels(told, is_pledge=first.is_pledge)),
    )


def _symbol(row: ReviewRow) -> str | None:
    """The document that a row was taken from, if what it names is a symbol of the review's documents."""
    symbol = "".join((row.symbol or "").split())
    return symbol if SYMBOL_IN_TEXT.fullmatch(symbol) else None


GroupKey = tuple[str, str, str, tuple[tuple[str, str, str], ...]]


def _groups(rows: Iterable[ReviewRow]) -> dict[GroupKey, list[ReviewRow]]:
    """Rows that are one recommendation: the same words, number, answer and labels, for several States.

    The key also puts them in an order that does not depend on that of the rows.
    """
    groups: dict[GroupKey, list[ReviewRow]] = {}
    for row in sorted(rows, key=lambda row: (row.text, row.states, row.external_id or "")):
        answer = f"{row.position} {row.position_detail} {row.position_phrase}"
        labels = tuple(sorted((scheme, label, code or "") for scheme, label, code in row.labels))
        groups.setdefault((row.number or "", normalised_text(row.text), answer, labels), []).append(row)
    return groups


def _recommendation(group: list[ReviewRow]) -> ReadRecommendation:
    first = group[0]
    return ReadRecommendation(
        number=first.number,
        text=first.text,
        recommending_states=_in_order(group),
        position=first.position,
        position_detail=first.position_detail,
        position_phrase=first.position_phrase,
        paragraph=first.paragraph,
        external_ids=tuple(sorted({row.external_id for row in group if row.external_id})),
    )


def _in_order(group: list[ReviewRow]) -> tuple[str, ...]:
    """The States of a group: as the row has them where it is one row, else sorted, for rows come in any order."""
    if len(group) == 1:
        return group[0].states
    return tuple(sorted({state for row in group for state in row.states}))


def _labels(groups: list[list[ReviewRow]], *, is_pledge: bool) -> Iterator[ReadLabel]:
    for place, group in enumerate(groups, 1):
        row, pledge = (None, place) if is_pledge else (place, None)
        for scheme, label, code in group[0].labels:
            yield ReadLabel(group[0].number, scheme, label, code=code, row=row, pledge=pledge)


def with_as_of(reading: Reading, day: str | None) -> Reading:
    """The reading as of another day."""
    return dataclasses.replace(reading, document=dataclasses.replace(reading.document, published_on=day))
