"""Reads documents without a database: what `upr ingest parse` prints."""

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets import data_set_for
from services.ingest.datasets.base import DataSet
from services.ingest.datasets.contents import Contents
from services.ingest.reading import ReadDocument, Reading, ReadPosition, ReadRecommendation
from services.ingest.sandbox import ReadFile, Sandbox


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """One file's outcome, ready to be shown. `failed` decides the exit status."""

    file: str
    result: Reading | UnreadableDocumentError

    @property
    def failed(self) -> bool:
        """Whether the file could not be read."""
        return isinstance(self.result, UnreadableDocumentError)

    def as_ndjson(self) -> bytes:
        """The line of `--format ndjson` (docs/ingest.md)."""
        return orjson.dumps(self._line(), option=orjson.OPT_APPEND_NEWLINE)

    def as_text(self) -> str:
        """A short summary for people."""
        if isinstance(self.result, UnreadableDocumentError):
            return f"{self.file}\n  not read: {self.result.detail} [{self.result.code}]"
        return "\n  ".join([self.file, *_summary(self.result)])

    def _line(self) -> dict[str, Any]:
        if isinstance(self.result, UnreadableDocumentError):
            return {"file": self.file, "error": {"code": self.result.code, "detail": self.result.detail}}
        return self.result.as_line(self.file)


def parse_files(paths: Iterable[Path], sandbox: Sandbox) -> Iterator[ParsedFile]:
    """Read files, and folders with all they hold, in `sandbox`; outcomes in the order of `files_under`.

    The export of a data set has an outcome for each review it tells of; what was not understood is with the first.
    """
    for data_set, files in itertools.groupby(files_under(paths), key=data_set_for):
        if data_set is None:
            yield from map(_shown, sandbox.read_all(files))
        else:
            yield from (share for path in files for share in _shares(data_set, path))


def _shares(data_set: DataSet, path: Path) -> Iterator[ParsedFile]:
    name = os.fsencode(path).decode("utf-8", "replace")
    try:
        with Contents(data_set, path) as contents:
            issues = contents.issues
            for reading in itertools.chain(contents.readings(), _of_no_review(contents)):
                yield ParsedFile(name, replace(reading, issues=issues))
                issues = ()
    except UnreadableDocumentError as error:
        yield ParsedFile(name, error)


def _of_no_review(contents: Contents) -> Iterator[Reading]:
    """An outcome for an export that tells of other mechanisms alone. Raises `UnreadableDocumentError` if of nothing."""
    tally, data_set = contents.tally, contents.data_set
    if tally.recommendations or tally.pledges:
        return
    if not tally.observations:
        told = ", ".join(f"{issue.code}: {issue.detail}" for issue in contents.issues[:3])
        raise UnreadableDocumentError("no_recommendations", f"no row of the data set is understood; {told}".strip("; "))
    document = ReadDocument(data_set.name, title=data_set.title, published_on=contents.as_of)
    yield Reading(data_set.parser, data_set.version, document)


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    """The files in `paths`: those named as they are, folders recursively and sorted, without hidden ones.

    A path that does not exist, or a folder without files, is handed on as it is, so that it gets its error.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        held = False
        for file in _files_in(path):
            held = True
            yield file
        if not held:
            yield path


def _files_in(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent) / name


def _shown(outcome: ReadFile) -> ParsedFile:
    # A file name need not be UTF-8; JSON has to be.
    return ParsedFile(os.fsencode(outcome.path).decode("utf-8", "replace"), outcome.result)


def _summary(reading: Reading) -> Iterator[str]:
    document = reading.document
    facts = [
        document.symbol,
        document.kind.replace("_", " "),
        document.state_under_review,
        f"session {document.session}" if document.session else None,
        f"cycle {document.cycle}" if document.cycle else None,
        document.published_on,
    ]
    yield ", ".join(fact for fact in facts if fact)
    others = {
        "statements": reading.statements,
        "pledges": reading.pledges,
        "labels": reading.labels,
        "organisations": reading.organisations,
        "paragraphs": reading.paragraphs,
    }
    counted = ", ".join(f"{len(records)} {name}" for name, records in others.items() if records)
    if reading.positions:
        yield f"{len(reading.positions)} positions{_positions(reading.positions)}"
    elif reading.recommendations or not (counted or reading.hearings):
        yield f"{len(reading.recommendations)} recommendations{_positions(reading.recommendations)}"
    if counted:
        yield counted
    if reading.issues:
        codes = Counter(issue.code for issue in reading.issues)
        yield "issues: " + ", ".join(f"{count} {code}" for code, count in sorted(codes.items()))


def _positions(answered: Iterable[ReadRecommendation | ReadPosition]) -> str:
    counts = Counter(record.position or "without a position" for record in answered)
    told = ", ".join(f"{count} {position}" for position, count in counts.most_common())
    return f": {told}" if told else ""
