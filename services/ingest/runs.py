"""Runs: one loading of files, what it did, and what it did not understand."""

import hashlib
import itertools
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.archive import Archive
from services.core.store.ingest import issues_table, runs_table
from services.ingest.datasets import data_set_for
from services.ingest.datasets.base import DataSet
from services.ingest.load import Loaded, Loader
from services.ingest.quarantine import Quarantine
from services.ingest.reading import Reading, ReadIssue
from services.ingest.run_data_sets import Shared, load_data_set
from services.ingest.sandbox import ReadFile, Sandbox


@dataclass
class RunSummary:
    """What a run did so far."""

    run: str
    files: int = 0
    loaded: int = 0
    unchanged: int = 0
    failed: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    issues: Counter[str] = field(default_factory=Counter)
    samples: bool = False
    findings: set[ReadIssue] = field(default_factory=set)
    """What merging brought to light; each document of a review finds it anew."""

    def counts(self) -> dict[str, Any]:
        """As the run keeps it in the store."""
        return {
            "files": self.files,
            "loaded": self.loaded,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "changes": dict(sorted(self.changes.items())),
            "issues": dict(sorted(self.issues.items())),
        }


@dataclass(frozen=True)
class Step:
    """One file of a run is done, or a share of it. `error` says why nothing of it was stored."""

    path: Path
    loaded: Loaded | None
    error: UnreadableDocumentError | None
    summary: RunSummary
    share: tuple[int, int] | None = None
    """How far a data set is, and how far it has to go; the file is done with the step that does not say."""


def run_files(
    engine: Engine,
    files: Iterable[Path],
    sandbox: Sandbox,
    archive: Archive,
    *,
    source: str,
    backfill_after: timedelta,
) -> Iterator[Step]:
    """Read and load files one after the other; a step a file. What fails is an Issue, and the others still come."""
    run = begin_run(engine, source)
    summary = RunSummary(run)
    loader = Loader(engine, backfill_after)
    status = "interrupted"
    try:
        # Neighbours of one kind go together, so that the sandbox reads ahead.
        for data_set, paths in itertools.groupby(files, key=data_set_for):
            if data_set is None:
                for outcome in Quarantine(engine).read_all(sandbox, paths):
                    yield _one(engine, loader, archive, outcome, summary)
            else:
                for path in paths:
                    yield from _data_set(engine, loader, archive, (data_set, path), summary)
        status = "finished"
    finally:
        end_run(engine, summary, status)


def _one(engine: Engine, loader: Loader, archive: Archive, outcome: ReadFile, summary: RunSummary) -> Step:
    path, sha256, result = outcome
    summary.files += 1
    loaded: Loaded | None = None
    error: UnreadableDocumentError | None = None
    issues: tuple[ReadIssue, ...] = ()
    if isinstance(result, UnreadableDocumentError):
        error = result
    else:
        assert sha256 is not None
        try:
            loaded = _keep_and_load(loader, archive, path, sha256, result)
            issues = (*result.issues, *_news(loaded.issues, summary))
        except UnreadableDocumentError as unreadable:
            error = unreadable
    if error is not None:
        summary.failed += 1
        issues = (ReadIssue("error", error.code, error.detail),)
    if loaded is not None:
        summary.loaded += loaded.outcome == "loaded"
        summary.unchanged += loaded.outcome == "unchanged"
        summary.changes.update(loaded.counts)
        summary.samples |= loaded.sample
    summary.issues.update(issue.code for issue in issues)
    keep_issues(engine, summary.run, path, sha256, document=loaded.document if loaded else None, issues=issues)
    return Step(path, loaded, error, summary)


def _news(found: tuple[ReadIssue, ...], summary: RunSummary) -> tuple[ReadIssue, ...]:
    """What this run had not found before."""
    new = tuple(issue for issue in found if issue not in summary.findings)
    summary.findings.update(new)
    return new


def _data_set(
    engine: Engine, loader: Loader, archive: Archive, export: tuple[DataSet, Path], summary: RunSummary
) -> Iterator[Step]:
    """Load an export, with a step for every share that is stored and one for the whole."""
    data_set, path = export
    quarantine = Quarantine(engine)
    if (kept_apart := quarantine.refusal(path)) is not None:
        yield _one(engine, loader, archive, kept_apart, summary)
        return
    summary.files += 1
    before = Counter(summary.changes)
    so_far: Shared | None = None
    error: UnreadableDocumentError | None = None
    sha256 = _digest_of(path)
    try:
        for so_far in load_data_set(loader, data_set, path):
            summary.changes = before + so_far.changes
            yield Step(path, None, None, summary, (min(so_far.done, so_far.shares), so_far.shares))
        if so_far is not None:
            archive.keep(path, sha256)
    except UnreadableDocumentError as unreadable:
        error = unreadable
    if so_far is None and error is None:
        error = UnreadableDocumentError("no_recommendations", "no row of the data set is understood")
    quarantine.note(path, sha256, error)
    _settle(engine, (path, sha256), so_far, error, summary)
    yield Step(path, None, error, summary)


def _settle(
    engine: Engine,
    file: tuple[Path, str],
    so_far: Shared | None,
    error: UnreadableDocumentError | None,
    summary: RunSummary,
) -> None:
    """Count an export that is done, and keep what was not understood."""
    issues = so_far.issues if so_far is not None else ()
    if error is not None:
        summary.failed += 1
        issues = (*issues, ReadIssue("error", error.code, error.detail))
    elif so_far is not None:
        summary.loaded += bool(so_far.changes)
        summary.unchanged += not so_far.changes
        summary.samples |= so_far.samples
    summary.issues.update(issue.code for issue in issues)
    keep_issues(engine, summary.run, *file, issues=issues)


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _keep_and_load(loader: Loader, archive: Archive, path: Path, sha256: str, reading: Reading) -> Loaded:
    archive.keep(path, sha256)
    return loader.load(path, sha256, reading)


def begin_run(engine: Engine, source: str) -> str:
    """Note that a run begins; its id."""
    run = f"run_{secrets.token_hex(8)}"
    with engine.begin() as connection:
        connection.execute(insert(runs_table).values(id=run, source=source, counts={}))
    return run


def end_run(engine: Engine, summary: RunSummary, status: str) -> None:
    """Note how a run ended, and what it did."""
    with engine.begin() as connection:
        connection.execute(
            update(runs_table)
            .where(runs_table.c.id == summary.run)
            .values(status=status, finished_at=func.now(), counts=summary.counts())
        )


def keep_issues(
    engine: Engine,
    run: str,
    path: Path,
    sha256: str | None,
    *,
    document: str | None = None,
    issues: tuple[ReadIssue, ...],
) -> None:
    """Keep what a run did not understand in a file."""
    if not issues:
        return
    rows = [
        {
            "run": run,
            "file": path.name,
            "sha256": sha256,
            "document": document,
            "severity": issue.severity,
            "code": issue.code,
            "detail": issue.detail,
            "page": issue.page,
        }
        for issue in issues
    ]
    with engine.begin() as connection:
        connection.execute(insert(issues_table), rows)


def recent_runs(engine: Engine, limit: int = 20) -> list[dict[str, Any]]:
    """The latest runs, newest first."""
    query = select(runs_table).order_by(runs_table.c.started_at.desc(), runs_table.c.id).limit(limit)
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def issues_of(
    engine: Engine, *, run: str | None = None, code: str | None = None, limit: int = 100, after: int = 0
) -> list[dict[str, Any]]:
    """Issues in the order they were found, after the one with the number `after`."""
    columns = issues_table.c
    query = select(issues_table).where(columns.id > after).order_by(columns.id).limit(limit)
    if run is not None:
        query = query.where(columns.run == run)
    if code is not None:
        query = query.where(columns.code == code)
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]
