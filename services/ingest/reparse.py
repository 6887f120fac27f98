"""When a parser's version rises, what it read is read again, from the bytes that were kept.

The queue is the readings themselves: whatever an older version of a parser read, and this version has not failed on, is
to be read. So nothing is ever queued twice, and a process that dies loses nothing. What fails keeps its old reading,
and is an Issue.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, and_, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.archive import Archive
from services.core.store.ingest import readings_table
from services.core.store.quarantine import failed_rereadings_table
from services.ingest.load import Loaded, Loader
from services.ingest.parsers import PARSERS
from services.ingest.quarantine import Quarantine
from services.ingest.reading import ReadIssue
from services.ingest.runs import RunSummary, Step, begin_run, end_run, keep_issues
from services.ingest.sandbox import ReadFile, Sandbox

SOURCE = "reparse"
"""What runs that read again are known by."""

_r, _f = readings_table.c, failed_rereadings_table.c


@dataclass(frozen=True)
class Stale:
    """A file that an older version of a parser read."""

    sha256: str
    name: str
    parser: str
    parser_version: str
    new_version: str


def stale(engine: Engine, parsers: Collection[str] = (), *, after: str = "", limit: int | None = None) -> list[Stale]:
    """What is to be read again, by hash, after the hash `after`. `parsers`: only what these read."""
    versions = {each.name: each.version for each in PARSERS if not parsers or each.name in parsers}
    query = (
        select(_r.sha256, _r.parser, func.min(_r.parser_version), func.min(_r.file["name"].astext))
        .where(_r.sha256 > after, or_(*(_is_older(name, version) for name, version in versions.items())))
        .group_by(_r.sha256, _r.parser)
        .order_by(_r.sha256)
        .limit(limit)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [Stale(sha256, name, parser, held, versions[parser]) for sha256, parser, held, name in rows]


def _is_older(parser: str, version: str) -> ColumnElement[bool]:
    """Versions are whole numbers: the longer one is the later."""
    older = or_(
        func.length(_r.parser_version) < len(version),
        and_(func.length(_r.parser_version) == len(version), _r.parser_version < version),
    )
    failed = exists().where(_f.sha256 == _r.sha256, _f.parser == parser, _f.parser_version == version)
    return and_(_r.parser == parser, older, not_(failed))


class Reparser:
    """Reads again what is stale. Two at once would do the same work: whoever comes second does nothing."""

    def __init__(self, engine: Engine, sandbox: Sandbox, archive: Archive, backfill_after: timedelta) -> None:
        self._engine = engine
        self._sandbox = sandbox
        self._archive = archive
        self._loader = Loader(engine, backfill_after)

    def read_again(
        self, parsers: Collection[str] = (), *, limit: int | None = None, stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Step]:
        """A step a file; a run if there is any. `stopped` is asked between files."""
        with _alone(self._engine) as alone:
            found = stale(self._engine, parsers, limit=limit) if alone else []
            if not found:
                return
            summary = RunSummary(begin_run(self._engine, SOURCE))
            status = "interrupted"
            try:
                by_path = {self._archive.path(each.sha256): each for each in found}
                for outcome in Quarantine(self._engine).read_all(self._sandbox, by_path):
                    yield self._one(by_path[outcome.path], outcome, summary)
                    if stopped():
                        return
                status = "finished"
            finally:
                end_run(self._engine, summary, status)

    def _one(self, old: Stale, outcome: ReadFile, summary: RunSummary) -> Step:
        summary.files += 1
        loaded: Loaded | None = None
        fault: UnreadableDocumentError | None = None
        issues: tuple[ReadIssue, ...] = ()
        if isinstance(outcome.result, UnreadableDocumentError):
            fault = outcome.result
        else:
            issues = outcome.result.issues
            try:
                loaded = self._loader.load(outcome.path, old.sha256, outcome.result, name=old.name)
            except UnreadableDocumentError as error:
                fault = error
        if fault is not None:
            self._remember(old, fault)
            issues = (ReadIssue("error", "not_read_again", _told(old, fault)),)
        elif self._is_still_stale(old):
            self._remember(old, UnreadableDocumentError("not_read_again", "another parser, or version, holds it"))
        _count(loaded, summary)
        summary.issues.update(issue.code for issue in issues)
        document = loaded.document if loaded else None
        keep_issues(self._engine, summary.run, Path(old.name), old.sha256, document=document, issues=issues)
        return Step(Path(old.name), loaded, fault, summary)

    def _is_still_stale(self, old: Stale) -> bool:
        query = select(_r.id).where(_r.sha256 == old.sha256, _is_older(old.parser, old.new_version)).limit(1)
        with self._engine.connect() as connection:
            return connection.scalar(query) is not None

    def _remember(self, old: Stale, why: UnreadableDocumentError) -> None:
        row = {"sha256": old.sha256, "parser": old.parser, "parser_version": old.new_version}
        told = insert(failed_rereadings_table).values(**row, code=why.code, detail=why.detail)
        with self._engine.begin() as connection:
            connection.execute(told.on_conflict_do_nothing())


def _count(loaded: Loaded | None, summary: RunSummary) -> None:
    if loaded is None:
        summary.failed += 1
        return
    summary.loaded += loaded.outcome == "loaded"
    summary.unchanged += loaded.outcome == "unchanged"
    summary.changes.update(loaded.counts)


def _told(old: Stale, error: UnreadableDocumentError) -> str:
    held = f"what version {old.parser_version} read stays"
    return f"{old.parser} {old.new_version} does not read it: {error.code}, {error.detail}; {held}"


@contextmanager
def _alone(engine: Engine) -> Iterator[bool]:
    """Whether nobody else reads again; nobody else will until the end. The database frees the lock of who dies."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.scalar(select(func.pg_try_advisory_lock(_LOCK))))
        try:
            yield held
        finally:
            if held:
                connection.execute(select(func.pg_advisory_unlock(_LOCK)))


_LOCK = 0x5550_5252_4541_4421
"""Any number that nothing else locks."""
