"""How well and how fast Working Group reports are read, in one run.

    python -m benchmarks.extraction [--data ../shared/data] [--worst 15] [--misses]

Prints the score against UPR Info's hand-coded rows (by the scorer that stands beside the data), by group of sessions,
with the class of every row missed; comparisons with the golden values (troikas, counts by paragraph, announced
delegations, Slovenia's matrices), the drafts' counts, pledges, gaps, the Issues by code; the time of reading over the
time of pypdfium2's `get_text_range` on the same pages, one core each, and two workers against one.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
from rapidfuzz import fuzz

from benchmarks.extraction_misses import SESSION_GROUPS, Difference, differences, scorer, table
from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.cores import usable_cores
from services.ingest.normalise.attributions import find_attributions, read_state_list
from services.ingest.parsers.base import Content
from services.ingest.parsers.working_group_report import WorkingGroupReport
from services.ingest.sandbox import Sandbox

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
    hearings = [(line["hearings"][0]["announced_speakers"], speakers_of(line)) for line in lines.values()]
    announced = [(said, found) for said, found in hearings if said]
    equal = sum(said == found for said, found in announced)
    return f"{equal} of {len(announced)} reports hold statements of as many delegations as they announce"


def speakers_of(line: Line) -> int:
    """How many other States speak in the dialogue: one may take the floor again (a right of reply)."""
    return len({statement["speaker"] for statement in line["statements"] if statement["kind"] == "dialogue"})


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


def session_groups(lines: list[Line], found: list[Difference], tools: Path) -> Iterator[str]:
    """Recall, precision and strict text by group of sessions."""
    module = scorer(tools)
    reviews = module.truth()
    for first, last in SESSION_GROUPS:
        some = [line for line in lines if first <= line["document"]["session"] <= last]
        states = [(module.alpha2_of3(line["document"]["state_under_review"]), line) for line in some]
        rows = sum(len(reviews[state, line["document"]["session"]]) for state, line in states)
        parsed_rows = sum(len(r["recommending_states"]) for line in some for r in line["recommendations"])
        here = [each for each in found if first <= each.session <= last]
        missed = sum(each.found is None for each in here)
        hits = rows - missed
        yield (
            f"sessions {first}-{last}: recall {hits / rows:.4f} precision {hits / parsed_rows:.4f} "
            f"strict {1 - (len(here) - missed) / hits:.4f}"
        )


def gaps(lines: list[Line]) -> Iterator[str]:
    """Every gap in printed numbers, and the Issue that tells of it."""
    for line in lines:
        numbers: dict[str, set[int]] = defaultdict(set)
        for recommendation in line["recommendations"]:
            paragraph, _, item = recommendation["number"].rpartition(".")
            if item.isdecimal() and paragraph.isdecimal():
                numbers[paragraph].add(int(item))
        missing = sum(max(items) - min(items) + 1 - len(items) for items in numbers.values())
        told = [i["detail"] for i in line["issues"] if i["code"] in ("gap_in_numbers", "misprinted_number")]
        if missing:
            yield f"  {line['file']}: {missing} missing: {'; '.join(told) or 'the State numbers its comments alike'}"
    yield "  (the scorer also counts the paragraphs of section I that rejected recommendations stand in)"


def drafts(data: Path) -> Iterator[str]:
    """The counts of the drafts, by paragraph and position."""
    for path in sorted((data / "wg_drafts_session52").glob("*.docx")):
        line = parsed(path)
        if "error" in line:
            yield f"  {path.name}: {line['error']}"
            continue
        document = line["document"]
        counts = Counter(f"{r['paragraph']} {r['position'] or 'unknown'}" for r in line["recommendations"])
        yield (
            f"  {path.name.split(' ')[0]}: {document['kind']}, {document['state_under_review']}, session "
            f"{document['session']}: {len(line['recommendations'])} = {dict(counts)}"
        )


def pledges(lines: list[Line], data: Path, tools: Path) -> str:
    """How UPR Info's pledges and ours agree where the report itself has a section of them."""
    module = scorer(tools)
    theirs: dict[tuple[str, int], list[str]] = defaultdict(list)
    with (data / "upr_info" / "voluntary.csv").open(encoding="mac-roman", newline="") as table_of_pledges:
        for row in csv.DictReader(table_of_pledges):
            theirs[module.alpha2(row["To"]), int(row["Session"])].append(module.letters(row["Text"]))
    ours = found = told = 0
    for line in lines:
        state = module.alpha2_of3(line["document"]["state_under_review"])
        rows = theirs[state, line["document"]["session"]]
        texts = [module.letters(pledge["text"]) for pledge in line["pledges"]]
        ours += len(texts)
        found += sum(any(fuzz.partial_ratio(text, row) >= 85 for row in rows) for text in texts)
        told += sum(any(fuzz.partial_ratio(row, text) >= 85 for text in texts) for row in rows)
    return f"pledges: {ours} read, {found} of them in UPR Info; {told} of its rows found (others stand in addenda)"


def workers(paths: list[Path]) -> str:
    """How much faster two workers read than one."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):  # in turn: the load of a shared machine comes and goes
        for count, rounds in times.items():
            with Sandbox(count) as sandbox:
                list(sandbox.read_all(paths[:4]))
                start = time.perf_counter()
                list(sandbox.read_all(paths))
                rounds.append(time.perf_counter() - start)
    one, two = min(times[1]), min(times[2])
    return (
        f"one worker {one:.2f} s, two {two:.2f} s: {one / two:.2f} times "
        f"(shall be 1.7; {usable_cores()} cores, load {os.getloadavg()[0]:.1f})"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    arguments.add_argument("--worst", type=int, default=15)
    arguments.add_argument("--misses", action="store_true", help="print every row missed or found with another text")
    options = arguments.parse_args()
    reports = sorted((options.data / "wg_reports").glob("*.pdf"))
    if not reports:
        sys.exit(f"not run: no reports at {options.data / 'wg_reports'}")
    lines = {path.name: parsed(path) for path in reports}
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson", encoding="utf-8") as handle:
        handle.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines.values())
        handle.flush()
        tools = options.data.parent / "tools"
        script = str(tools / "score_extraction.py")
        subprocess.run([sys.executable, script, handle.name, "--worst", str(options.worst)], check=True)
    read = {name: line for name, line in lines.items() if "error" not in line}
    found = list(differences(list(read.values()), options.data / "wg_reports", tools))
    print("\n".join([*session_groups(list(read.values()), found, tools), *table(found)]))
    if options.misses:
        for each in found:
            print(f"{each.why} | {each.file} | {each.state}\n   UPR Info: {each.row}\n   read:     {each.found}")
    print("\n".join(["gaps in numbers:", *gaps(list(read.values()))]))
    print(
        "\n".join(["golden values:", *(f"  {fault}" for fault in golden_differences(lines, options.data / "golden"))])
    )
    print(intervention_counts(read))
    print("\n".join(matrix_differences(options.data)))
    print("\n".join(["drafts:", *drafts(options.data)]))
    print(pledges(list(read.values()), options.data, tools))
    print("issues:", dict(Counter(issue["code"] for line in read.values() for issue in line["issues"]).most_common()))
    plain, full = seconds(plain_text, reports), seconds(parsed, reports)
    print(f"reading {full:.2f} s, get_text_range {plain:.2f} s: {full / plain:.2f} times (may be 4 at most)")
    print(workers(reports))


if __name__ == "__main__":
    main()
