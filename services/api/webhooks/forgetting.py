"""What the deliverer removes when it is old: changes that all have read, and what the log says of long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from services.api.settings import ApiSettings
from services.api.webhooks.fanout import forget_fanned_out
from services.core.store.webhooks import deliveries_table, replays_table


@dataclass(frozen=True, slots=True)
class KeptFor:
    """For how long changes, and deliveries that are settled, are kept. None: for ever."""

    changes: timedelta | None = None
    log: timedelta | None = None

    @classmethod
    def from_settings(cls, settings: ApiSettings) -> "KeptFor":
        """What the settings of this process say."""
        days = settings.changes_kept_days
        return cls(None if days is None else timedelta(days=days), timedelta(days=settings.webhook_log_kept_days))

    def forget(self, connection: Connection, now: datetime, *, limit: int) -> dict[str, int]:
        """Remove up to `limit` of each; answers how many of each."""
        gone = {}
        if self.changes is not None:
            gone["changes"] = forget_fanned_out(connection, now - self.changes, limit=limit)
        if self.log is not None:
            gone["deliveries"] = _forget_deliveries(connection, now - self.log, limit=limit)
            gone["replays"] = _forget_replays(connection, now - self.log)
        return gone


def _forget_deliveries(connection: Connection, before: datetime, *, limit: int) -> int:
    """With their attempts. What somebody is at stays for now."""
    columns = deliveries_table.c
    old = select(columns.id).where(columns.settled_at < before).limit(limit).with_for_update(skip_locked=True)
    chosen = select(old.cte("old").c.id)  # once: a subquery with a limit might be asked again for each row
    return connection.execute(delete(deliveries_table).where(columns.id.in_(chosen))).rowcount


def _forget_replays(connection: Connection, before: datetime) -> int:
    return connection.execute(delete(replays_table).where(replays_table.c.finished_at < before)).rowcount
