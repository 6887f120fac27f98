"""Why a row of UPR Info has no counterpart in what was read out of its report, by rule of thumb.

The rows are matched as the scorer does it that stands beside the data (`tools/score_extraction.py`). A class says whose
doing a difference most likely is; `ours` are the ones to read by eye.
"""

import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rapidfuzz import fuzz

from services.ingest.parsers.base import Content
from services.ingest.parsers.working_group_report.furniture import strip_furniture

SAME = 88
SESSION_GROUPS = ((1, 6), (7, 8), (9, 20))
_PRONOUN = re.compile(
    r"\b(?:it|its|them|their|they|this|these|that|those|such|thereto|therein|so|in this regard|the commission"
    r"|the programme|the country|the state)\b"
)
Row = dict[str, str]
Parsed = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A row that was missed (`found` is None) or found with another text, and its class."""

    file: str
    session: int
    state: str
    row: str
    found: str | None
    why: str


def scorer(tools: Path) -> ModuleType:
    """The scorer, as a module."""
    spec = importlib.util.spec_from_file_location("score_extraction", tools / "score_extraction.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Matching:
    """One report's rows against what was read, each parsed attribution used once."""

    def __init__(self, tools: ModuleType, line: dict[str, Any], rows: list[Row], session: int) -> None:
        self._letters, self._alpha2 = tools.letters, tools.alpha2
        self.file, self.session = line["file"], session
        self.used: dict[str, list[str]] = defaultdict(list)
        self.spare: dict[str, list[str]] = defaultdict(list)
        for recommendation in line["recommendations"]:
            for state in recommendation["recommending_states"]:
                self.spare[tools.alpha2_of3(state)].append(self._letters(recommendation["text"]))
        self.pairs = [(self._letters(row["Text"]), row, self._take(row)) for row in rows]

    def _take(self, row: Row) -> str | None:
        want, state = self._letters(row["Text"]), self._alpha2(row["From"]) or "?"
        compare = fuzz.partial_ratio if len(want) > 20 else fuzz.ratio
        scored = [
            ((compare if len(have) > 20 else fuzz.ratio)(want, have), -at, have)
            for at, have in enumerate(self.spare[state])
        ]
        best = max(scored, default=(0, 0, ""))
        if best[0] < SAME:
            return None
        self.spare[state].remove(best[2])
        self.used[state].append(best[2])
        return best[2]

    def differences(self, report: str) -> Iterator[Difference]:
        """The rows that were missed or have another text. `report` is the whole report's letters."""
        for want, row, have in self.pairs:
            if have is not None and fuzz.ratio(want, have) >= SAME:
                continue
            state = self._alpha2(row["From"]) or "?"
            why = self._why_missed(want, state, report) if have is None else self._why_different(want, have, report)
            yield Difference(self.file, self.session, row["From"], row["Text"], have, why)

    def _why_missed(self, want: str, state: str, report: str) -> str:
        if state == "?":
            return "UPR Info names no State"
        if any(fuzz.partial_ratio(want, have) >= SAME for have in self.used[state]):
            return "split by UPR Info"
        others = [have for other, texts in self.spare.items() if other != state for have in texts]
        if any(fuzz.ratio(want, have) >= SAME for have in others):
            return "another State in UPR Info"
        if any(fuzz.token_set_ratio(want, have) >= SAME and len(have) > len(want) for have in self.used[state]):
            return "split by UPR Info"
        near = max(self.spare[state], key=lambda have: fuzz.token_set_ratio(want, have), default="")
        if near and fuzz.token_set_ratio(want, near) >= 70:
            return self._why_different(want, near, report)
        return "ours: not found" if fuzz.partial_ratio(want, report) >= 95 else "paraphrased by UPR Info"

    def _why_different(self, want: str, have: str, report: str) -> str:
        if want.startswith("recommend") and not have.startswith("recommend"):
            return "UPR Info keeps the verb of the statement"
        ours_is_printed = fuzz.partial_ratio(have, report) >= 95
        theirs_is_printed = fuzz.partial_ratio(want, report) >= 95
        if len(have) > len(want) and fuzz.partial_ratio(want, have) >= SAME:
            return "split by UPR Info" if ours_is_printed else "ours: too much"
        if _PRONOUN.search(have) and len(_PRONOUN.findall(have)) > len(_PRONOUN.findall(want)):
            return "pronoun resolved by UPR Info"
        if len(have) < len(want) and fuzz.partial_ratio(have, want) >= SAME:
            return "ours: cut short" if theirs_is_printed else "joined by UPR Info"
        return "ours: put together otherwise" if theirs_is_printed else "paraphrased by UPR Info"


def differences(lines: list[dict[str, Any]], reports: Path, tools: Path) -> Iterator[Difference]:
    """The differences of all reports."""
    module = scorer(tools)
    reviews = module.truth()
    for line in lines:
        state = module.alpha2_of3(line["document"]["state_under_review"])
        session = line["document"]["session"]
        text = strip_furniture(Content("", (reports / line["file"]).read_bytes()).text)
        report = module.letters(" ".join(block.text for block in text.lines))
        yield from Matching(module, line, reviews.get((state, session), []), session).differences(report)


def table(found: list[Difference]) -> Iterator[str]:
    """Counts by class and group of sessions, the missed and the found with another text apart."""
    for title, some in (
        ("rows missed", [each for each in found if each.found is None]),
        ("rows found with another text", [each for each in found if each.found is not None]),
    ):
        yield f"{title}: {len(some)}"
        for why, count in Counter(each.why for each in some).most_common():
            groups = (
                f"{first}-{last}: {sum(each.why == why and first <= each.session <= last for each in some)}"
                for first, last in SESSION_GROUPS
            )
            yield f"  {count:4} {why} (sessions {', '.join(groups)})"
