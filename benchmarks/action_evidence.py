"""Derives the evidence for action categories from UPR Info's coding of sessions 1 to 17.

    python -m benchmarks.action_evidence

A softmax regression over what `action_category.features` sees, by stochastic gradient descent (Adagrad); evidence that
is rare or that hardly tells one category from another is left out. The result is the same at every run. Sessions 18 to
20 are never read here: `benchmarks.labelling` measures on them.
"""

import csv
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.ingest.normalise.action_category import ALWAYS, CATEGORIES, features

UPR_INFO = Path(__file__).parents[2] / "shared/data/upr_info"
TABLE = Path(__file__).parents[1] / "services/ingest/normalise/lookups/action_evidence.csv"
LEARNED_SESSIONS = range(1, 18)
LEAST_OFTEN = 5
LEAST_TELLING = 0.6
ROUNDS = 4
RATE = 0.15
DECAY = 2e-3
SCALE = 10

Example = tuple[list[str], int]


def upr_info_rows() -> Iterator[dict[str, str]]:
    """The rows of UPR Info's recommendations (not its pledges): mac_roman, lines ended by CR."""
    for file in sorted(UPR_INFO.glob("[0-9]*.csv")):
        with file.open(encoding="mac_roman", newline="") as lines:
            yield from csv.DictReader(lines)


def learn(rows: Iterable[dict[str, str]]) -> dict[str, list[int]]:
    """The weights of each evidence for each category, in tenths."""
    examples = [(sorted(features(row["Text"])), int(row["Action"]) - 1) for row in rows]
    often = Counter(feature for names, _ in examples for feature in names)
    kept = [
        ([*(name for name in names if often[name] >= LEAST_OFTEN), ALWAYS], category) for names, category in examples
    ]
    weights = _descend(kept)
    return {
        name: [round(weight * SCALE) for weight in weights[name]]
        for name in sorted(weights)
        if name == ALWAYS or max(weights[name]) - min(weights[name]) >= LEAST_TELLING
    }


def _descend(examples: list[Example]) -> dict[str, list[float]]:
    weights: dict[str, list[float]] = {name: [0.0] * len(CATEGORIES) for names, _ in examples for name in names}
    moved = {name: [1e-2] * len(CATEGORIES) for name in weights}
    order = random.Random(1)
    for _ in range(ROUNDS):
        order.shuffle(examples)
        for names, category in examples:
            slope = _likelihoods([weights[name] for name in names])
            slope[category] -= 1
            for name in names:
                _move(weights[name], moved[name], slope)
    return weights


def _likelihoods(weights: list[list[float]]) -> list[float]:
    scores = [sum(column) for column in zip(*weights, strict=True)]
    raised = [math.exp(score - max(scores)) for score in scores]
    return [each / sum(raised) for each in raised]


def _move(weights: list[float], moved: list[float], slope: list[float]) -> None:
    for at, rise in enumerate(slope):
        step = rise + DECAY * weights[at]
        moved[at] += step * step
        weights[at] -= RATE * step / math.sqrt(moved[at])


def main() -> None:
    rows = [row for row in upr_info_rows() if int(row["Session"]) in LEARNED_SESSIONS]
    learned = learn(rows)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["evidence", *(f"action_{category}" for category in CATEGORIES)])
        table.writerows([name, *weights] for name, weights in learned.items())
    print(f"{len(learned)} rows from {len(rows)} recommendations of sessions 1-17")


if __name__ == "__main__":
    main()
