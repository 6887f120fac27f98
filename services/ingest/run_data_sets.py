"""Loads one export of a data set: a step for each share of it that is stored."""

import datetime
import gc
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets.base import DataSet, ReadObservation
from services.ingest.datasets.contents import Contents, with_as_of
from services.ingest.load import Loader, Within, nothing_more
from services.ingest.load_observations import Observed
from services.ingest.reading import ReadIssue

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 2
"""Reviews are independent of each other but for the labels they share, for which they take turns."""

_DOCUMENTS_AT_ONCE = 25
"""So many documents of other mechanisms share a transaction: most have some thirty observations."""


@dataclass
class Shared:
    """How far the loading of an export is: `done` of `shares` (reviews, and documents of other mechanisms).

    `told`: its rows of which something is stored.
    """

    shares: int
    told: int = 0
    done: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    samples: bool = False
    issues: tuple[ReadIssue, ...] = ()

    def refuse(self, error: UnreadableDocumentError) -> None:
        """Note a share that could not be stored; the others still come."""
        self.issues += (ReadIssue("error", error.code, error.detail),)


def load_data_set(
    loader: Loader,
    data_set: DataSet,
    path: Path,
    within: Within = nothing_more,
    *,
    since: datetime.date | None = None,
) -> Iterator[Shared]:
    """Read an export and store it, review by review, each in a transaction of its own.

    With `since`, only reviews and documents of which some row is as new as that are stored, each of them whole.
    An export that names no day of its own is as of the day on which its file was last written. Raises
    `UnreadableDocumentError` where it is damaged; then nothing of it is stored.
    """
    with _rare_collection(), Contents(data_set, path, since=since) as contents:
        as_of = contents.as_of or _written_on(path)
        so_far = Shared(contents.shares, contents.tally.stored, issues=(*contents.issues, *_unaccounted(contents)))
        if not contents.shares and contents.left_out:
            yield so_far
        of_day = (with_as_of(share, as_of) for share in contents.readings())
        for loaded in _side_by_side(lambda share: loader.load_share(share, within), of_day):
            so_far.done += 1
            if isinstance(loaded, UnreadableDocumentError):
                so_far.refuse(loaded)
            else:
                so_far.changes.update(loaded.counts)
                so_far.samples |= loaded.sample
            yield so_far
        observed = Observed(loader, data_set, as_of, within)
        for batch in _side_by_side(observed.load, _batched(contents.observations())):
            if isinstance(batch, UnreadableDocumentError):
                so_far.refuse(batch)
            else:
                so_far.done += batch[0]
                so_far.changes.update(batch[1])
            yield so_far


def _batched(documents: Iterator[list[ReadObservation]]) -> Iterator[list[list[ReadObservation]]]:
    while batch := list(itertools.islice(documents, _DOCUMENTS_AT_ONCE)):
        yield batch


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Let the garbage collector look less often: records hold no cycles, and looking took a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _side_by_side(load: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result | UnreadableDocumentError]:
    """Load items in two threads, each waiting for the database while the other works; results in their order."""

    def outcome(item: Item) -> Result | UnreadableDocumentError:
        try:
            return load(item)
        except UnreadableDocumentError as error:
            return error

    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="load")
    try:
        waiting: deque[Future[Result | UnreadableDocumentError]] = deque()
        for item in items:
            waiting.append(pool.submit(outcome, item))
            if len(waiting) > _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _unaccounted(contents: Contents) -> Iterator[ReadIssue]:
    """What the rows came to, and, should a reader lose any, that it did."""
    tally = contents.tally
    out = tally.kept_out.total()
    yield ReadIssue(
        "info",
        "rows_told",
        f"{tally.rows:,} rows: {tally.recommendations:,} of recommendations, {tally.pledges:,} of pledges, "
        f"{tally.observations:,} of other mechanisms, {out:,} kept out",
    )
    if contents.left_out:
        yield ReadIssue("info", "nothing_newer", f"{contents.left_out:,} reviews and documents tell nothing newer")
    if tally.told != tally.rows:
        yield ReadIssue("error", "rows_lost", f"{tally.rows:,} rows, but only {tally.told:,} of them told")


def _written_on(path: Path) -> str:
    return datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).date().isoformat()
