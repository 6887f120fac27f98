"""From the words of an addendum to the State's answer."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.positions import Position, PositionDetail

_RECOMMENDATION = re.compile(r"\brec(?:ommendation)?s?\b", re.IGNORECASE)
_SPEAKS_OF_ONE = re.compile(
    r"\b(?:this|these|the|above|said|such|both|all) (?:\w+ )?recommendations?\b|^\W*recommendations?\b|"
    r"\brecommendations? (?:is|are|has|have|enjoys?)\b",
    re.IGNORECASE,
)
_LIKE = re.compile(
    r"\bsee (?:also )?(?:the )?(?:comments?|response|recommendation|information|answer|above)", re.IGNORECASE
)
_LONGEST_PHRASE = 160


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the words that give it. `position` is None where the words speak of implementation alone."""

    position: Position | None
    detail: PositionDetail | None
    phrase: str


def read_answer(words: str) -> Answer | None:
    """What a heading, a lead-in or a sentence answers; None where it holds no such words."""
    table = _table()
    words = " ".join(words.split())
    implementation = next((detail for pattern, detail in table.implementations if pattern.search(words)), None)
    for each in table.answers:
        found = each.pattern.search(words)
        if found is None or (each.needs and not each.needs.search(words)) or (each.bars and each.bars.search(words)):
            continue
        detail = each.detail or (implementation if each.position is Position.SUPPORTED else None)
        return Answer(each.position, detail, words[:_LONGEST_PHRASE].strip(" :;,."))
    return Answer(None, implementation, words[:_LONGEST_PHRASE].strip()) if implementation else None


def is_ambiguous(words: str) -> bool:
    """Whether words answer both yes and no ("217 are supported and 37 noted"): totals do, lead-ins do not."""
    lowered = words.casefold()
    yes = re.search(r"\b(?:accepted|supported|accepts|supports|enjoyed|enjoys?)\b", lowered)
    no = re.search(r"\b(?:noted|notes|rejected|rejects)\b", lowered)
    return bool(yes and no) and not re.search(r"\b(?:not|cannot|partial\w*)\b", lowered)


def speaks_of_recommendations(words: str) -> bool:
    """Whether the words name recommendations at all."""
    return bool(_RECOMMENDATION.search(words))


def opening_answer(words: str) -> Answer | None:
    """The answer that opens a reply: "Accepted.", "Position: Noted", "Does not enjoy the support of …"."""
    found = _table().opening.match(words)
    return read_answer(found["answer"]) if found else None


def whole_answer(line: str) -> Answer | None:
    """The answer that is all a line holds, as in the column of a table."""
    found = _table().opening.match(line)
    if found is None or len(line) > 60:
        return None
    rest = line[found.end() :].strip(" .;:*-–—")
    return read_answer(line) if not rest or re.fullmatch(r"(?:by|of) [\w ]{2,40}", rest) else None


def cell_answer(words: str) -> Answer | None:
    """The answer whose capital letter inside a sentence tells that it opens the next cell of a table's row."""
    found = _table().cell.search(words)
    return read_answer(found[0]) if found else None


def sentence_answer(sentence: str) -> Answer | None:
    """The answer of a sentence about the recommendation at hand: "Kenya accepts this recommendation."."""
    if not _SPEAKS_OF_ONE.search(sentence) or _LIKE.search(sentence):
        return None
    return read_answer(sentence)


@dataclass(frozen=True, slots=True)
class _Pattern:
    pattern: re.Pattern[str]
    position: Position
    detail: PositionDetail | None
    needs: re.Pattern[str] | None
    bars: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Table:
    answers: tuple[_Pattern, ...]
    implementations: tuple[tuple[re.Pattern[str], PositionDetail], ...]
    opening: re.Pattern[str]
    cell: re.Pattern[str]


@cache
def _table() -> _Table:
    told = tomllib.loads((files("services.ingest.parsers") / "addendum.toml").read_text(encoding="utf-8"))
    words = "|".join(told["reply"]["words"])
    return _Table(
        tuple(_pattern(row) for row in told["answer"]),
        tuple((_compiled(row["pattern"]), PositionDetail(row["detail"])) for row in told["implementation"]),
        _compiled(rf"^[\W\d]*{told['reply']['lead']}\W*(?P<answer>{words})(?!\w)"),
        re.compile(rf"(?<=[\w)\]”’.;,:] )(?:{'|'.join(told['reply']['cells'])})(?=[.,;:/–—-]|\s+[A-Z(]|\W*$)"),
    )


def _pattern(row: dict[str, Any]) -> _Pattern:
    return _Pattern(
        _compiled(row["pattern"]),
        Position(row["position"]),
        PositionDetail(row["detail"]) if "detail" in row else None,
        _compiled(row["needs"]) if "needs" in row else None,
        _compiled(row["except"]) if "except" in row else None,
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
