"""The operating-system account that PostgreSQL runs as. It refuses to run as root, so root lends it another."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.core.domain.errors import SettingsError

DEDICATED_USER = "upr-postgres"
"""Made once per machine, by root only. A shared account such as `nobody` or the distribution's `postgres` would let
other services read our data, and ours theirs."""

_POWERLESS = 2
_CREATE_COMMANDS = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
     "--shell", "/usr/sbin/nologin", DEDICATED_USER),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", DEDICATED_USER),  # BusyBox
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """Who PostgreSQL runs as. `borrowed` tells that this is not the account of the present process."""

    uid: int
    gid: int
    name: str
    borrowed: bool

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` has to be told to run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}

    def can_read(self, paths: Sequence[Path]) -> bool:
        """Whether the account can read all of `paths`, tried in a child process (single-threaded callers only).

        Raises SettingsError if root may not become the account: a container without the capabilities for it.
        """
        if not self.borrowed:
            return all(os.access(path, os.R_OK) for path in paths)
        child = os.fork()
        if child == 0:
            self._answer_as_child(paths)
        answer = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if answer == _POWERLESS:
            raise SettingsError(
                f"PostgreSQL does not run as root, and root may not become the user {self.name} here: "
                "start as an ordinary user, or set UPR_DATABASE_URL."
            )
        return answer == 0

    def _answer_as_child(self, paths: Sequence[Path]) -> None:
        status = _POWERLESS
        try:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)
            status = 0 if all(os.access(path, os.R_OK) for path in paths) else 1
        finally:
            os._exit(status)


def account_for(folder: Path, cluster: Path) -> Account:
    """The account for the cluster at `cluster` in `folder`: whoever owns it, else `DEDICATED_USER`.

    An ordinary user always runs PostgreSQL under the own account. Raises SettingsError if the cluster is somebody
    else's, or if root can find no account to lend.
    """
    if os.geteuid() != 0:
        return _own_account(cluster)
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, _name(owner.st_uid) or str(owner.st_uid), borrowed=True)
    owner = folder.stat()
    if owner.st_uid != 0 and (name := _name(owner.st_uid)):
        return Account(owner.st_uid, owner.st_gid, name, borrowed=True)
    entry = _dedicated_user()
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name, borrowed=True)


def _own_account(cluster: Path) -> Account:
    uid = os.geteuid()
    if cluster.exists() and cluster.stat().st_uid != uid:
        owner = cluster.stat().st_uid
        raise SettingsError(
            f"The database in {cluster} belongs to the user {_name(owner) or owner}: "
            "start as that user or as root, or choose another UPR_DATA_DIR."
        )
    return Account(uid, os.getegid(), _name(uid) or str(uid), borrowed=False)


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _dedicated_user() -> pwd.struct_passwd:
    """The entry of `DEDICATED_USER`; created where it is missing (two processes may try at once)."""
    complaint = "neither useradd nor adduser was found"
    for pause in (0.0, 0.2, 1.0):
        try:
            return pwd.getpwnam(DEDICATED_USER)
        except KeyError:
            time.sleep(pause)
            complaint = _create_user() or complaint
    try:
        return pwd.getpwnam(DEDICATED_USER)
    except KeyError:
        raise SettingsError(
            f"PostgreSQL does not run as root, and the user {DEDICATED_USER} could not be created ({complaint}): "
            "create it, or start as an ordinary user, or set UPR_DATABASE_URL."
        ) from None


def _create_user() -> str:
    """Create the account; returns what went wrong, if anything. `/usr/sbin` is not on everybody's PATH."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    for program, *arguments in _CREATE_COMMANDS:
        if path := shutil.which(program, path=search):
            done = subprocess.run([path, *arguments], check=False, capture_output=True, text=True)  # noqa: S603
            return "" if done.returncode == 0 else done.stderr.strip()
    return ""
