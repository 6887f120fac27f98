"""Children that read somebody's file have all they need before they may do nothing more."""

import os
import subprocess
import sys
from pathlib import Path

import openpyxl

ROOT = Path(__file__).parents[2]
FORK_SERVER_OF_OTHERS = """
import multiprocessing.forkserver, sys
from pathlib import Path
from services.ingest.sandbox import Sandbox

if __name__ == "__main__":
    multiprocessing.get_context("forkserver").set_forkserver_preload([])
    multiprocessing.forkserver.ensure_running()
    with Sandbox(1) as sandbox:
        [read] = sandbox.read_all([Path(sys.argv[1])])
    print(read.result.code)
"""


def test_workbooks_are_read_also_where_the_fork_server_was_started_for_others(tmp_path: Path) -> None:
    program, workbook = tmp_path / "reads.py", tmp_path / "table.xlsx"
    program.write_text(FORK_SERVER_OF_OTHERS)
    openpyxl.Workbook().save(workbook)
    done = subprocess.run(
        [sys.executable, program, workbook],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "unknown_kind"  # another where openpyxl cannot be loaded
