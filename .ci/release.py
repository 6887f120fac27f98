"""Check that a tag, the version in pyproject.toml and CHANGELOG.md say the same; print what the changelog says of it.

python3 .ci/release.py v0.1.0
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^## (\S+) \((\S+)\)\n", re.MULTILINE)


def main(tag: str, root: Path = ROOT) -> int:
    """The exit status; the notes on standard output, what is wrong on standard error."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        return refused(f"the tag is {tag}, but pyproject.toml says {version}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = {found[1]: found for found in HEADING.finditer(changelog)}
    if version not in entries:
        return refused(f"CHANGELOG.md has no entry for {version}: ## {version} (2026-12-31)")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", entries[version][2]):
        return refused(f"CHANGELOG.md says {version} ({entries[version][2]}): put the day there")
    following = HEADING.search(changelog, entries[version].end())
    sys.stdout.write(changelog[entries[version].end() : following.start() if following else None].strip() + "\n")
    return 0


def refused(fault: str) -> int:
    """Tell what does not hold."""
    sys.stderr.write(f"release: {fault}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
