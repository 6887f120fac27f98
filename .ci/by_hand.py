"""Take the steps of "By hand" in docs/operations.md as they are written there: nothing installed becomes a service.

Each block of the section is run in the order of the page, by one shell, as a new user with an empty home, in a copy of
what git holds. Where we are root, that user is another account, and after the installation the network is one of its
own, so that no port can be taken. Packages of Debian are not installed; what is missing is told.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/operations.md"
USER = 65534
MISSING = 77
"""Exit status where a package of Debian is missing."""


def blocks() -> list[str]:
    """The commands of the section, block by block."""
    section = re.search(r"^## By hand$(.*?)^## ", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert section
    return re.findall(r"^```sh\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)


def missing_packages(install: str) -> list[str]:
    """Of the packages that the first block installs, those that are not there."""
    wanted = install.split("--yes", 1)[1].split()
    told = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Status}\\n", *wanted], check=False, capture_output=True
    )
    held = told.stdout.decode().count("install ok installed")
    return [] if held == len(wanted) else [f"one of {' '.join(wanted)}"]


def main() -> int:
    """Run the section; the exit status."""
    install, environment, *rest = blocks()
    if missing := missing_packages(install):
        sys.stdout.write(f"by hand: not run: {', '.join(missing)} is not installed\n")
        return MISSING
    with tempfile.TemporaryDirectory(prefix="upr-by-hand-") as name:
        home = Path(name)
        shutil.copytree(_copy(home), home / "release", dirs_exist_ok=True)
        (home / "environment.sh").write_text(f"set -euxo pipefail\n{environment}")
        (home / "serve.sh").write_text("set -euxo pipefail\n" + "".join(rest))
        _own(home)
        alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] if os.geteuid() == 0 else []
        for before, script in (([], "environment.sh"), (alone, "serve.sh")):
            done = _run([*before, *_as_user(), "bash", str(home / script)], home)
            if done:
                return done
    sys.stdout.write("by hand: every command of the section works as written\n")
    return 0


def _copy(home: Path) -> Path:
    copy = home / "copy"
    copy.mkdir()
    held = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for path in filter(None, held.split("\0")):
        if (ROOT / path).is_file():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy / path)
    return copy


def _own(home: Path) -> None:
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)


def _as_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def _run(command: list[str], home: Path) -> int:
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "http", "HTTP"))}
    environment = {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", **kept}
    return subprocess.run(command, check=False, cwd=home / "release", env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
