"""Ask whether a pinned package has a known fault, and say plainly of each file what was asked and what was not.

pip-audit asks PyPI's own database of faults; packages that it says nothing of are asked of OSV. Its path is the first
argument. The exit status is 1 where a fault is known, and where a package could not be audited at all.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SERVICES = ("pypi", "osv")
_SHOWN = 5
_SECONDS = 600


def asked(pip_audit: str, pins: Path, service: str) -> list[dict[str, Any]] | str:
    """What a database says of each package of a file; or why it was not to be had, in one line."""
    options = ["--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip"]
    command = [pip_audit, *options, "--vulnerability-service", service, "--requirement", str(pins)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"
    except (ValueError, KeyError):
        return (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]
    return dependencies


def told(pip_audit: str, pins: Path) -> tuple[list[str], bool]:
    """The lines that tell of one file, and whether all is well."""
    lines: list[str] = []
    without: set[str] = set()
    for service in SERVICES:
        answer = asked(pip_audit, pins, service)
        if isinstance(answer, str):
            lines.append(f"  {service}: not asked: {answer}")
            continue
        wanted = without or {each["name"] for each in answer}
        audited = {each["name"] for each in answer if "vulns" in each} & wanted
        without = wanted - audited
        faults = [(each, fault) for each in answer for fault in each.get("vulns", ())]
        lines += [f"  FAULT {each['name']} {each['version']}: {fault['id']}" for each, fault in faults]
        if faults:
            return lines, False
        if audited:
            lines.append(f"  {service}: {len(audited)} packages audited, no known fault; {len(without)} unknown to it")
        else:
            lines.append(f"  {service}: knows none of the {len(wanted)} packages: it has no database of faults")
        if not without:
            return lines, True
    names = sorted(without)
    lines.append(f"  NOT AUDITED: {', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}" if names else
                 "  NOT AUDITED: no database answered")  # fmt: skip
    return lines, False


def main(pip_audit: str, pins: list[Path]) -> int:
    """Ask about all files; the exit status."""
    well = True
    for path in pins:
        lines, good = told(pip_audit, path)
        well = well and good
        sys.stdout.write("\n".join([str(path.relative_to(ROOT)), *lines]) + "\n")
        sys.stdout.flush()
    sys.stdout.write(
        "audit: no known fault in what is pinned\n" if well else "audit: see above: not all is known to be well\n"
    )
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sorted((ROOT / "requirements").glob("*.txt"))))
