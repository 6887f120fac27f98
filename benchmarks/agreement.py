"""Whether what several documents tell of the same review agrees to the last number.

    python -m benchmarks.agreement [--data ../shared/data]

Slovenia's two reviews (report, addendum, matrix, and the golden table of the matrix), Egypt's matrix beside its golden
table, and the totals and speakers that the Council's report announces beside what was read of them.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading

SLOVENIA = {
    "cycle 2": (
        "slovenia/cycle2/g1423930.pdf",
        "slovenia/cycle2/g1504261.pdf",
        "slovenia/cycle2/UPR20__Slovenia_ThematicListRecommendations_E.docx",
        "slovenia_c2_matrix_A_HRC_28_15.csv",
    ),
    "cycle 4": (
        "slovenia/cycle4/g2502644.pdf",
        "slovenia/cycle4/g2505828.pdf",
        "slovenia/cycle4/upr48-slovenia-thematic-list-of-recommendatio.docx",
        "slovenia_c4_matrix_A_HRC_59_15.csv",
    ),
}
EGYPT = ("matrices/EgyptMatriceRecommendations.docx", "egypt_c2_matrix_A_HRC_28_16.csv")
COUNCIL = "council_reports/A_HRC_28_2.pdf"
POSITIONS = {"Supported": "supported", "Noted": "noted", "Supported/Noted": "noted"}
Answers = Mapping[str, str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    data: Path = arguments.parse_args().data
    if not data.exists():
        print(f"not run: there is no {data}")
        return
    print("\n".join([*slovenia(data), *egypt(data), *council(data)]))


def read(path: Path) -> Reading:
    return read_document(Content(path.name, path.read_bytes()))


def golden(data: Path, name: str) -> dict[str, dict[str, str]]:
    with (data / "golden" / name).open(encoding="utf-8", newline="") as table:
        return {row["number"]: row for row in csv.DictReader(table)}


def answers(reading: Reading) -> dict[str, str]:
    """The position of each printed number; of several parts, those that differ stand together."""
    told: dict[str, set[str]] = {}
    for each in (*reading.recommendations, *reading.positions):
        if each.number and each.position:
            told.setdefault(each.number, set()).add(each.position)
    return {number: "+".join(sorted(positions)) for number, positions in told.items()}


def counted(told: Answers) -> str:
    return f"{len(told)} numbers, " + ", ".join(
        f"{count} {name}" for name, count in Counter(told.values()).most_common()
    )


def slovenia(data: Path) -> Iterator[str]:
    for cycle, (report, addendum, matrix, table) in SLOVENIA.items():
        printed, answered, listed = (answers(read(data / name)) for name in (report, addendum, matrix))
        expected = {number: POSITIONS[row["position"]] for number, row in golden(data, table).items()}
        yield f"Slovenia, {cycle}: report {counted(printed)}; addendum {counted(answered)}; matrix {counted(listed)}"
        yield (
            f"  differing numbers: report and addendum {len(printed.keys() ^ answered.keys())}, "
            f"report and matrix {len(printed.keys() ^ listed.keys())}; "
            f"differing answers: addendum and matrix {_differing(answered, listed)}, matrix and golden table "
            f"{_differing(listed, expected)}"
        )


def _differing(one: Answers, other: Answers) -> int:
    return sum(one.get(number) != other.get(number) for number in one.keys() | other.keys())


def egypt(data: Path) -> Iterator[str]:
    matrix, table = EGYPT
    reading, expected = read(data / matrix), golden(data, table)
    told = answers(reading)
    partly = {each.number for each in reading.recommendations if each.position_detail == "partial"}
    states: dict[str, set[str]] = {}
    for each in reading.recommendations:
        states.setdefault(each.number or "", set()).update(each.recommending_states)
    named = {
        number: {state for found in find_attributions(row["text_with_attribution"]) for state in found.states}
        for number, row in expected.items()
    }
    both = {number for number, row in expected.items() if row["position"] == "Supported/Noted"}
    yield (
        f"Egypt, cycle 2: matrix {counted(told)}; in part {len(partly)} (golden table {len(both)}, "
        f"{len(partly ^ both)} differ)"
    )
    differing = _differing(told, {number: POSITIONS[row["position"]] for number, row in expected.items()})
    other_states = sum(states.get(number) != named[number] for number in expected)
    yield f"  differing from the golden table: answers {differing}, States {other_states}"


def council(data: Path) -> Iterator[str]:
    reading = read(data / COUNCIL)
    adoptions = [hearing for hearing in reading.hearings if hearing.kind == "council_adoption"]
    whole = [
        hearing
        for hearing in adoptions
        if (hearing.supported_said or 0) + (hearing.noted_said or 0) == (hearing.recommendations_said or 0) > 0
    ]
    speakers = Counter(told.hearing for told in reading.statements if told.kind == "comment")
    told = [hearing for hearing in adoptions if hearing.announced_speakers is not None]
    equal = sum(speakers[hearing.id] == hearing.announced_speakers for hearing in told)
    yield (
        f"{reading.document.symbol}: {len(adoptions)} adoptions, totals that add up {len(whole)}; as many speakers as "
        f"announced in {equal} of {len(told)}; statements {len(reading.statements)}"
    )
    yield from (f"  {issue.code}: {issue.detail}" for issue in reading.issues)


if __name__ == "__main__":
    main()
