"""A process that writes as the ingest does, one turn for each line it reads: `python -m tests.api.writer URL FOLDER`.

It prints a line when the store is ready, and one after each turn: the changes made. The same turns do the same.

Each report has recommendations that every reading of it holds as they are, and others that come, go, and change their
words and answers. Addenda are loaded and withdrawn; so are reports that drafts became, whose ids replace others.
"""

import hashlib
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from services.core.store.engine import make_engine
from services.ingest.load import Loader
from services.ingest.reading import Reading, ReadRecommendation
from tests.readings import TEXTS, addendum, recommendation, report

READ_AGAIN = ("ARG", "BEN", "GAB", "LKA", "PER", "ZMB")
WITH_DRAFT = ("CHE", "UKR")
"""States that were reviewed in session 14, between the others in the order of the list."""
_LONG_AGO = timedelta(days=36_500)


def main(url: str, folder: Path) -> None:
    """Fill the store, then write at each line that comes."""
    engine = make_engine(url, pool_size=2, name="writer")
    writer = Writer(Loader(engine, _LONG_AGO), folder)
    writer.begin()
    _say("ready")
    for turn, _ in enumerate(sys.stdin, 1):
        _say(json.dumps(writer.write(turn)))
    engine.dispose()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Writer:
    """Loads readings, and takes them away."""

    def __init__(self, loader: Loader, folder: Path) -> None:
        self._loader = loader
        self._folder = folder
        self._there: set[str] = set()

    def begin(self) -> None:
        """The first reading of every report, and the drafts."""
        for state in READ_AGAIN:
            self._load(f"{state}.pdf", _report(state, 0))
        for state in WITH_DRAFT:
            self._load(f"{state}.docx", _draft(state))

    def write(self, turn: int) -> Mapping[str, int]:
        """Another reading of a report; or an addendum, or the report that a draft became, or it is taken away."""
        chance = random.Random(turn)
        state = chance.choice((*READ_AGAIN, *WITH_DRAFT, *WITH_DRAFT))
        if state in WITH_DRAFT:
            return self._load_or_withdraw(state, f"{state}.pdf", _report(state, 0))
        if chance.random() < 0.5:
            return self._load(f"{state}.pdf", _report(state, turn))
        return self._load_or_withdraw(state, f"{state} addendum.pdf", _addendum(state))

    def _load_or_withdraw(self, state: str, name: str, reading: Reading) -> Mapping[str, int]:
        self._there ^= {name}
        if name in self._there:
            return self._load(name, reading)
        return self._loader.withdraw(f"{state}-2", [_sha256(name)])

    def _load(self, name: str, reading: Reading) -> Mapping[str, int]:
        file = self._folder / name
        file.write_text(name)
        return self._loader.load(file, _sha256(name), reading).counts


def _sha256(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _report(state: str, turn: int) -> Reading:
    """Of the odd numbers all say the same in each turn; of the even ones half are there."""
    chance = random.Random(f"{state} {turn}")
    same = [recommendation(f"116.{n}", _text(n), position="pending") for n in range(1, 40, 2)]
    others = [
        recommendation(
            f"116.{n}",
            f"{_text(n)}{chance.choice(('', ', without delay', ' by law'))}",
            position=chance.choice(("supported", "noted", "pending")),
        )
        for n in sorted(chance.sample(range(2, 41, 2), 10))
    ]
    return _of(state, [*same, *others], f"A/HRC/22/{_place(state)}", str(turn + 1))


def _draft(state: str) -> Reading:
    told = [recommendation(f"6.{n}", _text(n)) for n in range(1, 40, 3)]
    return _of(state, told, f"A/HRC/WG.6/14/L.{_place(state)}", "1", kind="working_group_draft")


def _addendum(state: str) -> Reading:
    answers = [(f"116.{n}", "noted" if n % 4 else "supported") for n in range(2, 41, 2)]
    made = addendum(answers, symbol=f"A/HRC/22/{_place(state)}/Add.1")
    return replace(made, document=replace(made.document, state_under_review=state))


def _of(
    state: str, told: list[ReadRecommendation], symbol: str, version: str, kind: str = "working_group_report"
) -> Reading:
    made = report(told, symbol=symbol, kind=kind, version=version)
    (hearing,) = made.hearings
    return replace(
        made,
        document=replace(made.document, state_under_review=state),
        hearings=(replace(hearing, id=f"upr-14-{state}"),),
    )


def _place(state: str) -> int:
    return 1 + (*READ_AGAIN, *WITH_DRAFT).index(state)


def _text(n: int) -> str:
    return f"{TEXTS[n % len(TEXTS)]}, as point {n} of the plan says"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
