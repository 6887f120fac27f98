"""How each source is: whether it is being run, when it is due, what its last run came to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from services.ingest.pipeline.held import files_and_records
from services.ingest.pipeline.lock import is_free
from services.ingest.run_lists import Run, list_runs
from services.ingest.schedule import next_due
from services.ingest.scheduler import pasts_of
from services.ingest.sources import Source


@dataclass(frozen=True)
class SourceState:
    """One source at this moment. `next_due`: None where it is not scheduled, or due at once."""

    source: Source
    scheduled: bool
    due: bool
    next_due: datetime | None
    running: bool
    files_held: int
    last_run: Run | None


def states_of(engine: Engine, known: Mapping[str, Source], scheduled: Collection[str]) -> list[SourceState]:
    """The states of sources, in their order."""
    pasts = pasts_of(engine, {name: source.description.cadence for name, source in known.items()})
    now = datetime.now(UTC)
    states = []
    for name, source in known.items():
        due = next_due(name, source.description.cadence, pasts[name]) if name in scheduled else None
        states.append(
            SourceState(
                source=source,
                scheduled=name in scheduled,
                due=name in scheduled and (due is None or due <= now),
                next_due=due,
                running=not is_free(engine, name),
                files_held=files_and_records(engine, name)[0],
                last_run=next(iter(list_runs(engine, source=name, limit=1).runs), None),
            )
        )
    return states
