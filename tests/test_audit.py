"""What `make audit` says of what its databases answer; pip-audit is a stand-in."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
main = runpy.run_path(str(ROOT / ".ci" / "audit.py"))["main"]
KNOWN, UNKNOWN = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}
FAULTY = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}
FOUND_LATER = {"name": "b", "version": "1", "vulns": []}


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        ({"pypi": [KNOWN]}, 0, "pypi: 1 packages audited, no known fault; 0 unknown to it"),
        ({"pypi": [KNOWN, FAULTY]}, 1, "FAULT a 1: CVE-1"),
        ({"pypi": [KNOWN, UNKNOWN], "osv": [KNOWN, FOUND_LATER]}, 0, "osv: 1 packages audited, no known fault"),
        ({"pypi": [UNKNOWN]}, 1, "pypi: knows none of the 1 packages"),
        ({"pypi": [UNKNOWN]}, 1, "osv: not asked: no route\n  NOT AUDITED: b\n"),
        ({}, 1, "NOT AUDITED: no database answered"),
    ],
)
def test_it_says_what_was_asked_and_what_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, Any], status: int, told: str
) -> None:
    stand_in = tmp_path / "pip-audit"
    stand_in.write_text(
        f"#!{sys.executable}\nimport json, sys\nanswers = json.loads({json.dumps(answers)!r})\n"
        "found = answers.get(sys.argv[sys.argv.index('--vulnerability-service') + 1])\n"
        "sys.exit('no route') if found is None else print(json.dumps({'dependencies': found}))\n"
    )
    stand_in.chmod(0o755)
    assert main(str(stand_in), [ROOT / "requirements/build.txt"]) == status
    assert told in capsys.readouterr().out
