"""What a run comes to, counted where it is kept: so a run that was stopped counts nothing twice."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from services.core.store.ingest import held_table, issues_table, staged_table
from services.ingest.pipeline.checks import Figures
from services.ingest.pipeline.held import Outcome, files_and_records
from services.ingest.pipeline.staging import State
from services.ingest.pipeline.task import NOT_SEARCHED, Task

OTHER_CONTENT = frozenset({"wrong_type", "login_needed", "no_content"})
"""Codes of `NotFetchedError` that tell of other content at an address, not of a server that could not be asked."""


def figures_of(task: Task) -> Figures:
    """What the checks look at."""
    states = task.staging.states()
    found = sum(states.values())
    not_got = sum(states.get(each, 0) for each in (State.FOUND, State.MISSING, State.REFUSED))
    files_held, records_held = files_and_records(task.engine, task.source.name)
    gone, changed = _records(task)
    return Figures(
        found=found,
        files_got=found - not_got,
        files_read=found - not_got - states.get(State.UNREADABLE, 0),
        files_held=files_held,
        files_gone=_files_gone(task),
        records_held=records_held,
        records_gone=gone,
        records_changed=changed,
    )


def _files_gone(task: Task) -> int:
    held, staged = held_table.c, staged_table.c
    lost = (State.MISSING, State.UNREADABLE)
    there = select(staged.address).where(
        staged.run == task.run.id,
        staged.state.not_in(lost),
        staged.code.is_(None) | staged.code.not_in(OTHER_CONTENT),
    )
    query = select(func.count()).where(
        held.source == task.source.name,
        held.outcome == Outcome.LOADED,
        held.gone_since.is_(None),
        held.address.not_in(there),
    )
    with task.engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def _records(task: Task) -> tuple[int, int]:
    """How many records would be gone, and how many would change because a file that was held did.

    What a file tells less than before counts as gone, whatever became of its records: others may tell of them. That one
    document stands for another is neither.
    """
    staged, held = staged_table.c, held_table.c
    same = (held.source == task.source.name) & (held.address == staged.address) & (held.outcome == Outcome.LOADED)
    query = (
        select(staged.would, staged.told, held.told.label("told_before"))
        .join_from(staged_table, held_table, same, isouter=True)
        .where(staged.run == task.run.id, staged.state == State.COMPARED)
    )
    gone = changed = 0
    with task.engine.connect() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query):
            would = _sums({name: count for name, count in row.would.items() if not name.startswith("document.")})
            less = row.told_before - row.told if row.told_before is not None and row.told is not None else 0
            gone += max(would["deleted"], less)
            if row.told_before is not None:
                changed += sum(
                    count for name, count in row.would.items() if not name.endswith((".created", ".deleted"))
                )
    return gone, changed


def report(task: Task, since: float) -> dict[str, Any]:
    """What the run keeps of itself. `since`: when it was begun or taken up, by the monotonic clock.

    `seconds` are those in which it worked. A dry run counts what would change.
    """
    states, (sent, fetched) = task.staging.states(), _sent(task)
    changes = _changes(task)
    unreadable, refused = states.get(State.UNREADABLE, 0), states.get(State.REFUSED, 0)
    issues = _issues(task)
    return {
        "files": sum(states.values()),
        "found": sum(states.values()),
        "fetched": fetched,
        "unchanged": states.get(State.UNCHANGED, 0),
        "missing": states.get(State.MISSING, 0),
        "refused": refused,
        "parsed": sum(states.get(each, 0) for each in (State.READ, State.COMPARED, State.LOADED)),
        "unreadable": unreadable,
        "loaded": states.get(State.LOADED, 0),
        "not_searched": issues.get(NOT_SEARCHED, 0),
        "failed": unreadable + refused + issues.get(NOT_SEARCHED, 0),
        "gone": issues.get("gone", 0),
        **_sums(changes),
        "changes": dict(sorted(changes.items())),
        "issues": issues,
        "bytes": sent,
        "seconds": round(task.run.counts.get("seconds", 0) + time.monotonic() - since, 3),
    }


def _sums(changes: Mapping[str, int]) -> dict[str, int]:
    sums = Counter({"inserted": 0, "updated": 0, "deleted": 0})
    for name, count in changes.items():
        sums[{"created": "inserted", "deleted": "deleted"}.get(name.rpartition(".")[2], "updated")] += count
    return dict(sums)


def _sent(task: Task) -> tuple[int, int]:
    """The bytes that were sent to us, and how many files are in them that we did not have."""
    columns = staged_table.c
    is_new = (columns.sha256.is_not(None)) & (columns.state != State.UNCHANGED)
    query = select(func.coalesce(func.sum(columns.bytes), 0), func.count().filter(is_new))
    with task.engine.connect() as connection:
        sent, fetched = connection.execute(query.where(columns.run == task.run.id)).one()
        return int(sent), int(fetched)


def _changes(task: Task) -> Counter[str]:
    columns = staged_table.c
    which = columns.would if task.run.options.dry_run else columns.changes
    query = select(which).where(columns.run == task.run.id, which.is_not(None))
    changes: Counter[str] = Counter()
    with task.engine.connect() as connection:
        for counts in connection.execution_options(yield_per=1000).scalars(query):
            changes.update(counts)
    return changes


def _issues(task: Task) -> dict[str, int]:
    columns = issues_table.c
    query = select(columns.code, func.count().label("times")).where(columns.run == task.run.id).group_by(columns.code)
    with task.engine.connect() as connection:
        return {row.code: row.times for row in connection.execute(query.order_by(columns.code))}
