"""From the words of a report's lead-in paragraph to the State's position."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.core.domain.positions import Position, PositionDetail

_CLAUSE_END = re.compile(r"[,.:;]| which | who | and (?:would|considers?) |$")
_SENTENCE_END = re.compile(r"(?<=[a-z\d)])[.:;]\s+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class PrintedPosition:
    """A position with the words that state it. `position` is None where the words leave it open ("were made")."""

    position: Position | None
    detail: PositionDetail | None
    phrase: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]
    position: Position | None
    detail: PositionDetail | None


def read_position(lead_in: str) -> PrintedPosition | None:
    """What `lead_in` says of the recommendations under it; None where it uses words that we do not know.

    The first sentence that says something decides: reports add others about other recommendations.
    """
    undecided = None
    for sentence in (*_SENTENCE_END.split(" ".join(lead_in.split())), lead_in):
        printed = _of_sentence(sentence)
        if printed and printed.position:
            return printed
        undecided = undecided or printed
    return undecided


def _of_sentence(sentence: str) -> PrintedPosition | None:
    phrases, details = _table()
    for phrase in phrases:
        if found := phrase.pattern.search(sentence):
            detail = phrase.detail or next((d for p, d in details if p.search(sentence)), None)
            if phrase.position is None or phrase.position is Position.PENDING:
                detail = None
            return PrintedPosition(phrase.position, detail, _clause(sentence, found))
    return None


def read_detail(text: str) -> PositionDetail | None:
    """What `text` adds to a position: already implemented, or in the process of it."""
    return next((detail for pattern, detail in _table()[1] if pattern.search(text)), None)


def _clause(sentence: str, found: re.Match[str]) -> str:
    end = _CLAUSE_END.search(sentence, found.end())
    return sentence[found.start() : end.start() if end else None].strip()


@cache
def _table() -> tuple[list[_Phrase], list[tuple[re.Pattern[str], PositionDetail]]]:
    source = files("services.ingest.normalise.lookups") / "position_phrases.toml"
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    phrases = [
        _Phrase(
            re.compile(row["pattern"], re.IGNORECASE),
            None if row["position"] == "none" else Position(row["position"]),
            PositionDetail(row["detail"]) if "detail" in row else None,
        )
        for row in table["phrase"]
    ]
    details = [(re.compile(row["pattern"], re.IGNORECASE), PositionDetail(row["detail"])) for row in table["detail"]]
    return phrases, details
