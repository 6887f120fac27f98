"""Takes a document, or all that a data set says, out of the store: it was no document of the review, or never right.

What other sources tell as well stays, as they tell it; what nothing tells any longer is deleted. Every change has the
cause `correction`, so that nobody takes it for news. The file stays in the archive, and loading it brings all back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select

from services.core.domain import identifiers
from services.core.domain.documents import DATA_SETS
from services.core.domain.errors import NotFoundError
from services.core.store.ingest import readings_table
from services.ingest.load import Loader
from services.ingest.load_observations import withdraw_observations
from services.ingest.reading import ReadIssue
from services.ingest.runs import RunSummary, begin_run, end_run, keep_issues


@dataclass(frozen=True)
class Told:
    """What is to be withdrawn: a document or data set, its files by the place (a review, mostly) of which they tell."""

    name: str
    kind: str
    files: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.name in DATA_SETS:
            return f"all that {self.name} says, of {len(self.files)} reviews"
        places = ", ".join(sorted(self.files))
        files = {sha256 for held in self.files.values() for sha256 in held}
        return f"{self.name} ({self.kind}; {len(files)} file{'s' if len(files) > 1 else ''}) of {places}"


def find(engine: Engine, name: str, sha256: str | None = None) -> Told:
    """What is held of a document (its id, or its symbol), or of a data set (`upr_info`, `uhri`).

    `sha256`: of this file of it alone (the beginning of the hash is enough). Raises `NotFoundError`.
    """
    columns = readings_table.c
    query = select(columns.review, columns.sha256, columns.reading["document"]["kind"].astext.label("kind"))
    is_share = columns.source != columns.review  # documents of other mechanisms go with their data set
    if name in DATA_SETS:
        query = query.where(columns.reading["document"]["kind"].astext == name, is_share)
    else:
        query = query.where(columns.document == identifiers.document_id(name, ""), is_share)
    if sha256 is not None:
        query = query.where(columns.sha256.startswith(sha256, autoescape=True))
    told = Told(name, name)
    with engine.connect() as connection:
        for review, found, kind in connection.execute(query.order_by(columns.review, columns.sha256)):
            told.files.setdefault(review, []).append(found)
            told = Told(name, kind, told.files)
    if not told.files and name not in DATA_SETS:
        of_file = f" with a file {sha256}" if sha256 else ""
        raise NotFoundError(f"No document {name!r}{of_file} is held, and there is no such data set.")
    return told


def withdraw(engine: Engine, told: Told, *, only_try: bool = False) -> Iterator[Counter[str]]:
    """Withdraw it, review by review, each in a transaction; the changes of each by event type.

    `only_try`: write nothing, and answer what would change.
    """
    loader = Loader(engine, timedelta.max)
    for place, files in told.files.items():
        yield loader.withdraw(place, files, only_try=only_try)
    if told.name in DATA_SETS:
        yield from withdraw_observations(engine, told.name, only_try=only_try)


def run_withdrawal(engine: Engine, told: Iterable[Told], why: str) -> RunSummary:
    """Withdraw these as one run, which keeps why, as an issue with the code `withdrawn`."""
    summary = RunSummary(begin_run(engine, "withdraw"))
    status = "interrupted"
    try:
        for each in told:
            for changes in withdraw(engine, each):
                summary.changes.update(changes)
            issue = ReadIssue("info", "withdrawn", f"{each}: {why}")
            summary.issues[issue.code] += 1
            keep_issues(
                engine, summary.run, Path(each.name.replace("/", "-")), None, document=each.name, issues=(issue,)
            )
        status = "finished"
    finally:
        end_run(engine, summary, status)
    return summary
