"""What a data set is: somebody's database of recommendations, exported to one file.

A document tells of one review; an export tells of hundreds, in rows of any order, and may have 400 MB. So a data set is
not parsed into one `Reading`: its rows are read one after the other, sorted by review on disk (`shelves.py`), and leave
as one `Reading` a review. What is no recommendation of the review but of another mechanism leaves as `ReadObservation`.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.archives import refuse_long_directory
from services.ingest.reading import ReadIssue

HEAD_BYTES = 2**16
"""So much of a file decides what it is."""


RowLabel = tuple[str, str, str | None]
"""Scheme, name and code of a label on a row, as `ReadLabel` has them."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One row that tells of a recommendation to, or a pledge of, the State under review.

    `symbol`: the document that it was taken from, where the row says. `changed`: the day on which the database last
    changed the row, ISO 8601.
    """

    state: str
    cycle: int
    text: str
    session: int | None = None
    states: tuple[str, ...] = ()
    position: str | None = None
    position_detail: str | None = None
    position_phrase: str | None = None
    labels: tuple[RowLabel, ...] = ()
    number: str | None = None
    paragraph: str | None = None
    external_id: str | None = None
    language: str = "en"
    is_pledge: bool = False
    symbol: str | None = None
    changed: str | None = None


@dataclass(frozen=True, slots=True)
class ReadObservation:
    """One row that tells of a recommendation or concern of another mechanism. `group` is the document it stands in.

    `changed`: the day on which the database last changed the row, ISO 8601.
    """

    external_id: str
    group: str
    kind: str
    body: str
    text: str
    symbol: str | None = None
    states: tuple[str, ...] = ()
    language: str = "en"
    date: str | None = None
    labels: tuple[RowLabel, ...] = ()
    changed: str | None = None


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A row of which nothing is stored, and why."""

    issue: ReadIssue


Row = ReviewRow | ReadObservation | KeptOut


@dataclass
class Tally:
    """Where the rows of a data set went. Every row is in exactly one of the four."""

    rows: int = 0
    recommendations: int = 0
    pledges: int = 0
    observations: int = 0
    kept_out: Counter[str] = field(default_factory=Counter)

    @property
    def stored(self) -> int:
        """The rows of which something is stored."""
        return self.recommendations + self.pledges + self.observations

    @property
    def told(self) -> int:
        """All rows that are accounted for; the same as `rows`, or a reader has a fault."""
        return self.stored + self.kept_out.total()


_MOST_ISSUES = 1000


@dataclass
class Remarks:
    """What was not understood, said once for all rows that it concerns."""

    _counts: Counter[ReadIssue] = field(default_factory=Counter)

    def add(self, issue: ReadIssue) -> None:
        """Note it for one more row. Beyond a thousand different ones only their codes are kept."""
        if issue not in self._counts and len(self._counts) >= _MOST_ISSUES:
            issue = ReadIssue(issue.severity, issue.code, "others like these")
        self._counts[issue] += 1

    def warn(self, code: str, detail: str) -> None:
        """Note a warning for one more row."""
        self.add(ReadIssue("warning", code, detail))

    def issues(self) -> tuple[ReadIssue, ...]:
        """The issues, each with the number of its rows."""
        return tuple(
            ReadIssue(issue.severity, issue.code, f"{issue.detail} ({count} row{'s' if count > 1 else ''})")
            for issue, count in sorted(self._counts.items(), key=lambda each: (-each[1], each[0].code, each[0].detail))
        )


@dataclass
class Notes:
    """What a reader learns beside its rows. `as_of`: the newest day that the rows name, ISO 8601."""

    remarks: Remarks = field(default_factory=Remarks)
    as_of: str | None = None

    def seen(self, day: str | None) -> None:
        """A day that a row names as its last change."""
        if day and (self.as_of is None or day > self.as_of):
            self.as_of = day


@dataclass(frozen=True)
class Head:
    """The beginning of a file, by which data sets are recognised. Names of files decide nothing."""

    path: Path
    data: bytes

    @classmethod
    def of(cls, path: Path) -> "Head":
        """Raises `OSError` where the file cannot be read."""
        with path.open("rb") as stream:
            return cls(path, stream.read(HEAD_BYTES))

    @cached_property
    def text(self) -> str:
        """The beginning as text; bytes that are no UTF-8 do not matter for what a file is."""
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self.data.decode("utf-16", "replace")
        return self.data.decode("utf-8-sig", "replace")

    @cached_property
    def columns(self) -> frozenset[str]:
        """The folded names of the columns, where the file is a table of text; else empty."""
        if "\x00" in self.text[:4] or self.is_json or self.data.startswith(b"PK"):
            return frozenset()
        line = next(iter(self.text.splitlines()), "")
        return frozenset(map(folded_column, split_header(line)))

    @property
    def is_json(self) -> bool:
        """Whether it begins as JSON does."""
        return self.text.lstrip()[:1] in ("[", "{")

    @cached_property
    def workbook(self) -> str:
        """The beginning of a workbook's texts and of its first sheet; empty where the file is no workbook."""
        if not self.data.startswith(b"PK\x03\x04"):
            return ""
        try:
            with self.path.open("rb") as stream:
                refuse_long_directory(stream)
            with zipfile.ZipFile(self.path) as archive:
                names = set(archive.namelist())
                if not any(name.startswith("xl/workbook") for name in names):
                    return ""
                parts = [name for name in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml") if name in names]
                return "".join(_member_head(archive, name) for name in parts)
        except (*ZIP_DAMAGE, UnreadableDocumentError):
            return ""


def _member_head(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return ""  # the other ways to pack may ask for any amount of memory, and this is not the sandbox
    with archive.open(name) as stream:
        return stream.read(HEAD_BYTES).decode("utf-8", "replace")


def split_header(line: str) -> list[str]:
    """The names in the first line of a table of text, whatever separates them."""
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter_of(line)), [])
    except csv.Error:
        return []


def delimiter_of(line: str) -> str:
    """The separator that a header has most of."""
    return max(",;\t", key=line.count)


def folded_column(name: str) -> str:
    """A column's name without what exports spell differently: case, blanks, underscores, dashes."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class DataSet(Protocol):
    """Reads the exports of one database in one format."""

    name: str
    """The kind of document that its readings are (`upr_info`, `uhri`)."""

    title: str
    parser: str
    version: str

    def recognises(self, head: Head) -> bool:
        """Whether a file that begins so is one of its exports. Never raises on odd bytes."""
        ...

    def rows(self, path: Path, notes: Notes) -> Iterator[Row]:
        """The rows of a file, one after the other. Raises `UnreadableDocumentError` where the file is damaged."""
        ...


Json = dict[str, Any]
