"""How well and how fast Working Group reports are read, in one run.

    python benchmarks/extraction.py [--data ../shared/data] [--worst 15]

Prints the score against UPR Info's hand-coded rows (by the scorer that stands beside the data), comparisons with the
golden values (troikas, counts by paragraph, announced delegations, Slovenia's matrices), the Issues by code, and the
time of reading over the time of pypdfium2's `get_text_range` on the same pages, one core each.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.normalise.attributions import find_attributions, read_state_list
from services.ingest.parsers.base import Content
from services.ingest.parsers.working_group_report import WorkingGroupReport

ROUNDS = 3
MATRICES = {
    "slovenia/cycle2/g1423930.pdf": "slovenia_c2_matrix_A_HRC_28_15.csv",
    "slovenia/cycle4/g2502644.pdf": "slovenia_c4_matrix_A_HRC_59_15.csv",
}
Line = dict[str, Any]


def parsed(path: Path) -> Line:
    content = Content(path.name, path.read_bytes())
    try:
        return WorkingGroupReport().read(content).as_line(path.name)
    except UnreadableDocumentError as error:
        return {"file": path.name, "error": {"code": error.code, "detail": error.detail}}


def plain_text(path: Path) -> None:
    document = pypdfium2.PdfDocument(path.read_bytes())
    for page in document:
        text_page = page.get_textpage()
        text_page.get_text_range()
        text_page.close()
        page.close()
    document.close()


def seconds(work: Callable[[Path], object], paths: list[Path]) -> float:
    """The best of some rounds: the machine is shared."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for path in paths:
            work(path)
        rounds.append(time.perf_counter() - start)
    return min(rounds)


def golden_differences(lines: dict[str, Line], golden: Path) -> Iterator[str]:
    expected = json.loads((golden / "wg_reports_expected.json").read_text())
    for name, facts in expected.items():
        if name.startswith("_"):
            continue
        line = lines.get(f"{name}.pdf")
        if line is None or "error" in line:
            yield f"{name}: not read"
            continue
        hearing, document = line["hearings"][0], line["document"]
        read = {
            "symbol": document["symbol"],
            "wg_session": document["session"],
            "iso3": document["state_under_review"],
            "delegations": str(hearing["announced_speakers"]),
            "troika": sorted(hearing["troika"]),
            "groups": {p: len({n for n in numbers_of(line) if n.startswith(f"{p}.")}) for p in facts["groups"]},
        }
        golden_facts = facts | {"troika": sorted(read_state_list(facts["troika"]).states)}
        yield from (
            f"{name}: {key} is {read[key]}, not {golden_facts[key]}" for key in read if read[key] != golden_facts[key]
        )


def numbers_of(line: Line) -> list[str]:
    return [recommendation["number"] for recommendation in line["recommendations"]]


def intervention_counts(lines: dict[str, Line]) -> str:
    hearings = [(line["hearings"][0]["announced_speakers"], len(line["statements"])) for line in lines.values()]
    announced = [(said, found) for said, found in hearings if said]
    equal = sum(said == found for said, found in announced)
    return f"{equal} of {len(announced)} reports hold as many statements as they announce"


def matrix_differences(data: Path) -> Iterator[str]:
    for report, matrix in MATRICES.items():
        line = parsed(data / report)
        with (data / "golden" / matrix).open(encoding="utf-8", newline="") as table:
            rows = {row["number"]: row["text_with_attribution"] for row in csv.DictReader(table)}
        states: dict[str, set[str]] = {}
        for recommendation in line["recommendations"]:
            states.setdefault(recommendation["number"], set()).update(recommendation["recommending_states"])
        yield f"{report}: {len(states)} numbers, matrix {len(rows)}, {len(states.keys() ^ rows.keys())} differ"
        for number, text in rows.items():
            expected = {state for found in find_attributions(text) for state in found.states}
            if states.get(number) != expected:
                yield f"  {number}: {sorted(states.get(number, ()))} in the report, {sorted(expected)} in the matrix"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    arguments.add_argument("--worst", type=int, default=15)
    options = arguments.parse_args()
    reports = sorted((options.data / "wg_reports").glob("*.pdf"))
    if not reports:
        sys.exit(f"not run: no reports at {options.data / 'wg_reports'}")
    lines = {path.name: parsed(path) for path in reports}
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as handle:
        handle.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines.values())
        handle.flush()
        scorer = options.data.parent / "tools" / "score_extraction.py"
        subprocess.run([sys.executable, str(scorer), handle.name, "--worst", str(options.worst)], check=True)
    read = {name: line for name, line in lines.items() if "error" not in line}
    print(
        "\n".join(["golden values:", *(f"  {fault}" for fault in golden_differences(lines, options.data / "golden"))])
    )
    print(intervention_counts(read))
    print("\n".join(matrix_differences(options.data)))
    print("issues:", dict(Counter(issue["code"] for line in read.values() for issue in line["issues"]).most_common()))
    plain, full = seconds(plain_text, reports), seconds(parsed, reports)
    print(f"reading {full:.2f} s, get_text_range {plain:.2f} s: {full / plain:.2f} times (may be 4 at most)")


if __name__ == "__main__":
    main()
