"""Makes the two keys of the search engine: one that answers searches, one that keeps the index. Safe to run again.

Meilisearch works out a key from its id and the master key, so that secrets.sh knows both before the server does. Needs
UPR_MEILI_URL, and the master key in the file `meili_master_key` of the folder UPR_SECRETS_DIR (/run/secrets).
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

READING = ["search", "documents.get", "indexes.get", "settings.get", "stats.get", "tasks.get"]
WRITING = ["search", "documents.*", "indexes.*", "settings.*", "stats.get", "tasks.get"]
KEYS = {
    "5ea7c000-0000-4000-8000-000000000001": ("OpenUPR search", READING),
    "1de00000-0000-4000-8000-000000000002": ("OpenUPR index", WRITING),
}


def main() -> None:
    """Make the keys that are missing. Ends with the server's words where it refuses."""
    server = os.environ["UPR_MEILI_URL"].rstrip("/")
    master = (Path(os.environ.get("UPR_SECRETS_DIR", "/run/secrets")) / "meili_master_key").read_text().strip()
    names = [f"{os.environ.get('UPR_MEILI_INDEX', 'openupr')}_*"]
    for uid, (name, actions) in KEYS.items():
        wanted = {"uid": uid, "name": name, "actions": actions, "indexes": names, "expiresAt": None}
        if asked("GET", f"{server}/keys/{uid}", master) is None:
            asked("POST", f"{server}/keys", master, wanted)
        sys.stdout.write(f"{name}: {', '.join(actions)} on {names[0]}\n")


def asked(method: str, address: str, key: str, body: object = None) -> object:
    """What the server answers; None where there is no such thing."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, content, headers, method=method)  # noqa: S310 - an operator's address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        if method == "GET" and refusal.code == 404:
            return None
        sys.exit(f"{method} {address}: {refusal.code} {refusal.read().decode(errors='replace')}")


if __name__ == "__main__":
    main()
