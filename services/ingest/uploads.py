"""Documents that somebody sends: kept on disk, read in the background, and what became of them.

An upload is known by its bytes: the same ones, sent again by whomever, are the same upload with the same outcome,
unless something that could read them has a newer version since. Workers claim uploads for a while; whoever dies loses
the claim, and whoever lost it settles nothing.
"""

import re
import secrets
import shutil
import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.core.store.archive import Archive
from services.core.store.quarantine import quarantine_table
from services.core.store.uploads import uploads_table
from services.ingest.quarantine import HARM, REFUSAL
from services.ingest.readers import HEAD_BYTES, Readers, readers_of
from services.ingest.runs import Step, run_files
from services.ingest.sandbox import Sandbox

FOLDER = "uploads"
"""Where uploads wait, in the data folder."""

SOURCE = "uploads"
"""What runs that read uploads are known by."""

LEASE = timedelta(minutes=10)
MOST_TRIES = 5
_LONGEST_NAME_BYTES = 200
_ARRIVING = "arriving"
_ARRIVES_WITHIN = 86_400.0

_c = uploads_table.c


@dataclass(frozen=True)
class Received:
    """A file that has arrived whole, with the hash of its bytes."""

    path: Path
    sha256: str
    size: int
    name: str


class Uploads:
    """The uploads of one store; their files wait in `folder`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    def new_file(self) -> Path:
        """Where to write what is arriving."""
        arriving = self._folder / _ARRIVING
        arriving.mkdir(parents=True, exist_ok=True)
        return arriving / secrets.token_hex(16)

    def forget_unfinished(self) -> None:
        """Remove what began to arrive long ago and never came to its end, since its process died."""
        for file in (self._folder / _ARRIVING).glob("*"):
            if time.time() - file.stat().st_mtime > _ARRIVES_WITHIN:
                file.unlink(missing_ok=True)

    def take(self, received: Received, owner: str) -> Mapping[str, Any]:
        """Put a file in the queue, or throw it away where its bytes are known; the upload."""
        with received.path.open("rb") as stream:
            readers = readers_of(stream.read(HEAD_BYTES))
        new = {"id": f"upl_{secrets.token_hex(10)}", "sha256": received.sha256, "name": storable_name(received.name)}
        place = self._place(new["id"], new["name"])
        place.parent.mkdir(parents=True)
        received.path.rename(place)
        row = insert(uploads_table).values(**new, bytes=received.size, owner=owner, readers=readers)
        with self._engine.begin() as connection:
            # What is known is locked, so that nobody settles it meanwhile.
            same = row.on_conflict_do_update(index_elements=[_c.sha256], set_={"sha256": received.sha256})
            held = dict(connection.execute(same.returning(uploads_table)).one()._mapping)
            if held["id"] != new["id"] and _may_end_otherwise(connection, held, readers):
                self._place(held["id"], held["name"]).parent.mkdir(exist_ok=True)
                place.rename(self._place(held["id"], held["name"]))
                again = {"status": "waiting", "readers": readers, "tries": 0, "leased_until": None}
                nothing = dict.fromkeys(("code", "detail", "document", "run", "finished_at"))
                changed = update(uploads_table).where(_c.id == held["id"]).values(**again, **nothing)
                held = dict(connection.execute(changed.returning(uploads_table)).one()._mapping)
        if held["id"] != new["id"]:
            shutil.rmtree(place.parent)
        return held

    def find(self, upload_id: str) -> Mapping[str, Any] | None:
        """The upload with this id, if there is one."""
        with self._engine.connect() as connection:
            row = connection.execute(select(uploads_table).where(_c.id == upload_id)).one_or_none()
        return None if row is None else dict(row._mapping)

    def claim(self) -> "Claim | None":
        """The upload that waits longest and is nobody's, for a while; None where there is none."""
        free = or_(_c.leased_until.is_(None), _c.leased_until < func.now())
        oldest = (
            select(_c.id)
            .where(_c.status == "waiting", free)
            .order_by(_c.created_at, _c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        claimed = update(uploads_table).where(_c.id == oldest.scalar_subquery())
        values = {"leased_until": func.now() + LEASE, "tries": _c.tries + 1}
        with self._engine.begin() as connection:
            row = connection.execute(claimed.values(values).returning(uploads_table)).one_or_none()
        return None if row is None else Claim(row.id, self._place(row.id, row.name), row.tries)

    def renew(self, claim: "Claim") -> None:
        """Keep a claim for another while."""
        held = update(uploads_table).where(_c.id == claim.id, _c.tries == claim.tries)
        with self._engine.begin() as connection:
            connection.execute(held.values(leased_until=func.now() + LEASE))

    def settle(self, claim: "Claim", outcome: Mapping[str, Any]) -> bool:
        """Note what became of an upload, and remove its file. False where the claim was lost to somebody else."""
        held = update(uploads_table).where(_c.id == claim.id, _c.tries == claim.tries, _c.status == "waiting")
        settled = held.values(**outcome, leased_until=None, finished_at=func.now())
        with self._engine.begin() as connection:
            mine = connection.execute(settled.returning(_c.id)).one_or_none() is not None
        if mine:
            shutil.rmtree(claim.path.parent, ignore_errors=True)
        return mine

    def _place(self, upload_id: str, name: str) -> Path:
        return self._folder / upload_id / name


def _may_end_otherwise(connection: Connection, held: Mapping[str, Any], readers: Readers) -> bool:
    """Whether an upload was settled, and there is a reason to read it again: a newer reader, or a person's word."""
    if held["status"] == "waiting":
        return False
    apart = select(quarantine_table.c.sha256).where(quarantine_table.c.sha256 == held["sha256"])
    released = held["status"] == "quarantined" and connection.scalar(apart) is None
    return released or held["readers"] != readers


@dataclass(frozen=True)
class Claim:
    """An upload that is this worker's for a while. `tries` tells it from the claims of others."""

    id: str
    path: Path
    tries: int


class UploadReader:
    """Reads uploads, one a step."""

    def __init__(self, uploads: Uploads, engine: Engine, sandbox: Sandbox, archive: Archive, backfill_after: timedelta):
        self._uploads = uploads
        self._engine = engine
        self._sandbox = sandbox
        self._archive = archive
        self._backfill_after = backfill_after

    def step(self) -> bool:
        """Read the upload that waits longest; whether there was any."""
        claim = self._uploads.claim()
        if claim is None:
            return False
        if claim.tries > MOST_TRIES:
            detail = f"reading it was begun {MOST_TRIES} times and never came to an end"
            self._uploads.settle(claim, {"status": "quarantined", "code": "parse_crashed", "detail": detail})
            return True
        with self._renewed(claim):
            steps = run_files(
                self._engine, [claim.path], self._sandbox, self._archive,
                source=SOURCE, backfill_after=self._backfill_after,
            )  # fmt: skip
            *_, last = steps
        self._uploads.settle(claim, _outcome(last))
        return True

    @contextmanager
    def _renewed(self, claim: Claim) -> Iterator[None]:
        """The claim holds as long as it takes: an export takes longer than any lease should."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(LEASE.total_seconds() / 4):
                self._uploads.renew(claim)

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _outcome(step: Step) -> dict[str, Any]:
    told = {"run": step.summary.run}
    if step.error is not None:
        apart = step.error.code in HARM or step.error.code == REFUSAL
        status = "quarantined" if apart else "refused"
        return {**told, "status": status, "code": step.error.code, "detail": step.error.detail}
    document = step.loaded.document if step.loaded else None
    return {**told, "status": "loaded" if step.summary.loaded else "read", "document": document}


_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def storable_name(name: str) -> str:
    """A name that is no path, no more than a file system takes, and that shows as what it is."""
    name = "".join(each for each in name if unicodedata.category(each) not in _UNPRINTABLE)
    name = re.split(r"[/\\]", name)[-1].strip(" .")
    stem, dot, extension = name.rpartition(".")
    if dot and len(extension) <= 8:
        return _cut(stem, _LONGEST_NAME_BYTES - len(extension.encode()) - 1) + dot + extension
    return _cut(name, _LONGEST_NAME_BYTES) or "document"


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
