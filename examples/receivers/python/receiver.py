"""Receives webhooks of OpenUPR: verifies them, keeps each once, answers at once, and works on them afterwards.

    pip install standardwebhooks
    UPR_WEBHOOK_SECRET=whsec_… python receiver.py

`INBOX` names the SQLite file that events are kept in, `PORT` where it listens.
"""

import json
import os
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 10_000_000
Event = dict[str, Any]


def work(event: Event) -> None:
    """Yours. Here it takes as long as it takes: the webhook has been answered."""
    print(event["seq"], event["type"], event["subject"]["id"], json.dumps(event["changed"]), flush=True)


class Inbox:
    """The events that arrived, each once, in a file that outlives a crash."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._changed = threading.Condition()
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS events"
            " (id TEXT PRIMARY KEY, record TEXT, seq INTEGER, event TEXT, done INTEGER DEFAULT 0)"
        )

    def put(self, message_id: str, event: Event) -> None:
        """Keep an event; one that is there already changes nothing."""
        row = (message_id, event["subject"]["id"], event["seq"], json.dumps(event))
        with self._changed, self._db:
            self._db.execute("INSERT OR IGNORE INTO events (id, record, seq, event) VALUES (?, ?, ?, ?)", row)
            self._changed.notify()

    def wait(self) -> tuple[str, Event]:
        """The oldest event that is still to be worked on, as soon as there is one."""
        with self._changed:
            while not (row := self._oldest()):
                self._changed.wait()
        return row[0], json.loads(row[1])

    def _oldest(self) -> Any:
        return self._db.execute("SELECT id, event FROM events WHERE NOT done ORDER BY seq, id LIMIT 1").fetchone()

    def is_overtaken(self, event: Event) -> bool:
        """Whether a newer event of the same record was worked on before: it came earlier, and said all there is."""
        newer = "SELECT 1 FROM events WHERE record = ? AND seq > ? AND done LIMIT 1"
        with self._changed:
            return self._db.execute(newer, (event["subject"]["id"], event["seq"])).fetchone() is not None

    def settle(self, message_id: str) -> None:
        """It was worked on."""
        with self._changed, self._db:
            self._db.execute("UPDATE events SET done = 1 WHERE id = ?", (message_id,))


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 when an event is kept, 400 for what is none of ours. Without an answer it is sent again."""

    timeout = 20

    def do_POST(self) -> None:
        """Verify the body as it came, byte by byte."""
        try:
            body = self.rfile.read(min(int(self.headers["Content-Length"] or 0), LARGEST_BODY))
            event = webhook.verify(body, dict(self.headers))["data"]
        except (WebhookVerificationError, ValueError) as fault:
            self._answer(400, str(fault))
        else:
            inbox.put(self.headers["webhook-id"], event)
            self._answer(204)

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        if text:
            self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    webhook = Webhook(os.environ["UPR_WEBHOOK_SECRET"])
    inbox = Inbox(os.environ.get("INBOX", "inbox.sqlite"))
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:  # what fails ends the program, and is worked on when it starts again
        message_id, event = inbox.wait()
        if not inbox.is_overtaken(event):
            work(event)
        inbox.settle(message_id)
