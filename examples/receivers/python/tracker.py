"""Keeps a copy of OpenUPR's recommendations that is whole again after any crash or outage.

    pip install standardwebhooks httpx
    UPR_WEBHOOK_SECRET=whsec_… UPR_FILTERS='state_under_review=PER' python tracker.py

Webhooks bring changes at once. The feed brings what they did not: at the start, and every few minutes. Both are taken
alike, in any order and any number of times. `UPR_FILTERS` are those of the webhook endpoint, which asks for the type
`recommendations` and for all causes.

`UPR_API` is the address of the API, `COPY` the SQLite file, `PORT` where it listens, `CATCH_UP_SECONDS` how often it
reads the feed.
"""

import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 10_000_000
Record = dict[str, Any]
Event = dict[str, Any]


class Copy:
    """The records, and up to which change all is known, in one file. Each method is one transaction."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A record without text is gone. It is remembered until the feed has passed, so that an older event that comes
        # late does not bring it back.
        self._db.execute("CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, seq INTEGER, record TEXT)")
        self._db.execute("CREATE TABLE IF NOT EXISTS feed (cursor INTEGER)")

    @property
    def cursor(self) -> int | None:
        """Everything up to this change is known; None: nothing is."""
        with self._lock:
            return self._cursor()

    def _cursor(self) -> int | None:
        row = self._db.execute("SELECT cursor FROM feed").fetchone()
        return row[0] if row else None

    def take(self, events: Sequence[Event], cursor: int | None = None) -> None:
        """Take events from a webhook or the feed. Only the feed, which leaves nothing out, moves the cursor."""
        with self._lock, self._db:
            known = self._cursor() or 0
            for event in events:
                if event["seq"] > known:  # the samples of tests have the number 0
                    self._apply(event)
            if cursor is not None:
                self._move(cursor)

    def _apply(self, event: Event) -> None:
        verb, record_id = event["type"].removeprefix("recommendation."), event["subject"]["id"]
        if verb not in ("created", "updated", "position_changed", "replaced", "deleted"):
            return
        gone = event["match"] == "left"  # deleted, or it no longer meets the filters
        self._put(record_id, event["seq"], None if gone else json.dumps(event["data"]))
        if verb == "replaced":
            self._put(event["changed"]["id"][0], event["seq"], None)

    def _put(self, record_id: str, seq: int, record: str | None) -> None:
        """What is newer wins, whichever came first."""
        self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET seq = excluded.seq, record = excluded.record WHERE excluded.seq > records.seq",
            (record_id, seq, record),
        )

    def start_anew(self, records: Iterable[Record], cursor: int) -> None:
        """Begin with an export, which says all up to its cursor. What webhooks brought since stays."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM records WHERE seq <= ?", (cursor,))
            for record in records:
                self._put(record["id"], cursor, json.dumps(record))
            self._move(cursor)

    def _move(self, cursor: int) -> None:
        self._db.execute("DELETE FROM feed")
        self._db.execute("INSERT INTO feed VALUES (?)", (cursor,))
        self._db.execute("DELETE FROM records WHERE record IS NULL AND seq <= ?", (cursor,))


class Feed:
    """Brings a copy up to date from the API. `filters`: those of the webhook endpoint."""

    def __init__(self, api: httpx.Client, filters: httpx.QueryParams) -> None:
        self._api = api
        self._filters = filters

    def catch_up(self, copy: Copy) -> None:
        """Read on from the cursor, page by page. Raises `httpx.HTTPError`; what was read until then is kept."""
        cursor = copy.cursor
        while cursor is not None:
            asked = self._filters.merge({"type": "recommendations", "after": cursor, "limit": 200})
            answer = self._api.get("/v1/changes", params=asked)
            if answer.status_code == httpx.codes.GONE:  # we were away for longer than changes are kept
                break
            page = answer.raise_for_status().json()
            following = page["page"]["next"]
            cursor = int(httpx.URL(following).params["after"]) if following else page["dataset"]["cursor"]
            copy.take(page["data"], cursor)
            if not following:
                return
        self._start_anew(copy)

    def _start_anew(self, copy: Copy) -> None:
        with tempfile.TemporaryFile() as file:  # so that webhooks need not wait while it is on its way
            with self._api.stream("GET", "/v1/recommendations.ndjson", params=self._filters) as answer:
                answer.raise_for_status()
                for part in answer.iter_bytes():
                    file.write(part)
            file.seek(0)
            copy.start_anew(map(json.loads, file), int(answer.headers["OpenUPR-Dataset"].partition("-")[0]))


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 when an event is in the copy, 400 for what is none of ours. Without an answer it is sent again."""

    timeout = 20

    def do_POST(self) -> None:
        """Verify the body as it came, byte by byte."""
        try:
            body = self.rfile.read(min(int(self.headers["Content-Length"] or 0), LARGEST_BODY))
            event = webhook.verify(body, dict(self.headers))["data"]
        except (WebhookVerificationError, ValueError):
            self.send_response(400)
        else:
            copy.take([event])
            self.send_response(204)
        self.end_headers()


def seconds_to_wait(fault: httpx.HTTPError) -> float:
    """Until the feed is asked again after a failure: as long as the API says, if it does."""
    if isinstance(fault, httpx.HTTPStatusError) and fault.response.headers.get("Retry-After", "").isdigit():
        return float(fault.response.headers["Retry-After"])
    return 10


if __name__ == "__main__":
    webhook = Webhook(os.environ["UPR_WEBHOOK_SECRET"])
    copy = Copy(os.environ.get("COPY", "recommendations.sqlite"))
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = httpx.Client(base_url=os.environ.get("UPR_API", "http://127.0.0.1:8000"), timeout=60)
    feed = Feed(api, httpx.QueryParams(os.environ.get("UPR_FILTERS", "")))
    while True:
        try:
            feed.catch_up(copy)
        except httpx.HTTPError as fault:
            print(f"the feed cannot be read: {fault}", flush=True)
            time.sleep(seconds_to_wait(fault))
        else:
            print(f"all is known up to change {copy.cursor}", flush=True)
            time.sleep(float(os.environ.get("CATCH_UP_SECONDS", "300")))
