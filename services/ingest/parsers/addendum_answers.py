"""From the words of an addendum to the State's answer."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.positions import Position, PositionDetail
from services.ingest.parsers.addendum_words import compiled

_RECOMMENDATION = compiled(r"\b<recommendation>")
_SPEAKS_OF_ONE = compiled(
    r"\b<this> (?:[\w-]+ )?<recommendation>|^\W*<recommendation>|\b<recommendation> <after_recommendation>\b"
)
_SPEAKS_OF_SEVERAL = compiled(r"\b<these> ?(?:[\w-]+ )?<recommendations>\b")
_NAME = r"(?-i:[A-ZÀ-Þ])[\w'-]+(?: (?-i:[A-ZÀ-Þ])[\w'-]+){0,3}"
_VERDICT = compiled(
    r"^\W*(?:(?:the |el |la |le |l')?(?:[a-zà-ÿ]+ ){0,2}?<government>(?: (?:of|de|du|des) (?:the |la )?[\w' -]{2,50}?)?"
    rf"|(?:the |el |la |le )?{_NAME}|<pronoun>)(?: <verdict_adverb>)* <verdict>(?: (?:pas|<in_part>))?"
    r"(?=\s*(?:$|[.;:,(])| (?:with |to )?<verdict_object>)"
)
_SPEAKS_OF_THIS = compiled(r"\b(?:<this_one>|<these> ?(?:[\w-]+ )?<recommendations>)\b")
_LOOSE = compiled(r"^(?:\([^()]*\)\W*)+|^(?:and|but|y|et|pero|mais)\s+|(?:\s+<loose_end>)+$")
_LIKE = compiled(r"\b<answers_like_another>\b")
_FRONTED = compiled(r"\s*<concession>\b[^,]*,")
_LONGEST_PHRASE = 160
_LONGEST_CELL = 60


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
    bare = plain(words)
    for mask in table.masks:
        bare = mask.sub(" … ", bare)
    implementation = next((detail for pattern, detail in table.implementations if pattern.search(bare)), None)
    for each in table.answers:
        found = each.pattern.search(bare)
        if found is None or (each.needs and not each.needs.search(bare)) or (each.bars and each.bars.search(bare)):
            continue
        detail = each.detail or (implementation if each.position is Position.SUPPORTED else None)
        return Answer(each.position, detail, _phrase(words))
    return Answer(None, implementation, _phrase(words)) if implementation else None


def _phrase(words: str) -> str:
    """The words that answer, without States in front and an article left over at the end."""
    return _LOOSE.sub("", words.strip(" :;,.\n"))[:_LONGEST_PHRASE].strip(" :;,.")


def plain(words: str) -> str:
    """Words with the one apostrophe that the patterns know."""
    return words.replace("’", "'").replace("‘", "'")


def is_ambiguous(words: str) -> bool:
    """Whether words answer both yes and no ("217 are supported and 37 noted"): totals do, lead-ins do not."""
    lowered = words.casefold()
    yes = re.search(r"\b(?:accepte?d?|supported|accepts|supports|enjoyed|enjoys?|acepta\w*|acceptée?s?)\b", lowered)
    no = re.search(r"\b(?:noted|notes|rejected|rejects|rechaza\w*|nota|rejetée?s?|refusée?s?|notée?s?)\b", lowered)
    return bool(yes and no) and not re.search(r"\b(?:not|cannot|partial\w*|no|parcial\w*|non|partiel\w*)\b", lowered)


def speaks_of_recommendations(words: str) -> bool:
    """Whether the words name recommendations at all."""
    return bool(_RECOMMENDATION.search(words))


def speaks_of_several(words: str) -> bool:
    """Whether the words are about several recommendations together: "these recommendations"."""
    return bool(_SPEAKS_OF_SEVERAL.search(words))


def speaks_of_this(words: str) -> bool:
    """Whether the words point to a recommendation, or several, that stands above them."""
    return bool(_SPEAKS_OF_THIS.search(words))


def opening_answer(words: str) -> Answer | None:
    """The answer that opens a reply: "Accepted.", "Position: Noted", "Does not enjoy the support of …"."""
    found = _table().opening.match(plain(words))
    return read_answer(words[found.start("answer") : found.end("answer")]) if found else None


def whole_answer(line: str) -> Answer | None:
    """The answer that is all a line holds, as in the column of a table."""
    found = _table().opening.match(plain(line))
    if found is None or len(line) > _LONGEST_CELL:
        return None
    rest = line[found.end() :].strip(" .;:*-–—")
    return read_answer(line) if not rest or re.fullmatch(r"(?:by|of|por|de|par) [\w ]{2,40}", rest) else None


def cell_answer(words: str) -> Answer | None:
    """The answer whose capital letter inside a sentence tells that it opens the next cell of a table's row."""
    found = _table().cell.search(words)
    return read_answer(found[0]) if found else None


def sentence_answer(sentence: str) -> Answer | None:
    """The answer of a sentence about the recommendation at hand: "Kenya accepts this recommendation."."""
    bare = plain(" ".join(sentence.split()))
    if _LIKE.search(bare) or not (_SPEAKS_OF_ONE.search(bare) or _VERDICT.match(bare)):
        return None
    return read_answer(_main_clause(sentence))


def codes_named_in(words: str) -> Mapping[str, Answer]:
    """Answers of one letter or word ("Y", "No") that the head of a table, or a key ("A = Accepted"), names."""
    told = {
        code: Answer(position, detail, code)
        for named, codes in _table().codes
        if named.search(words)
        for code, (position, detail) in codes.items()
    }
    for key in re.finditer(r"(?<!\w)([A-Z]{1,3})\s*(?:=|:|–)\s*([A-Z][\w ]{3,30}?)(?=[,.;)\n]|$)", words):
        answer = whole_answer(key[2])
        if answer and answer.position:
            told[key[1]] = answer
    return told


def _main_clause(sentence: str) -> str:
    """A sentence without the clause that concedes something in front: "While it supports the aim, Kenya rejects …"."""
    fronted = _FRONTED.match(sentence)
    return sentence[fronted.end() :] if fronted and read_answer(sentence[fronted.end() :]) else sentence


@dataclass(frozen=True, slots=True)
class _Pattern:
    pattern: re.Pattern[str]
    position: Position
    detail: PositionDetail | None
    needs: re.Pattern[str] | None
    bars: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Table:
    masks: tuple[re.Pattern[str], ...]
    answers: tuple[_Pattern, ...]
    implementations: tuple[tuple[re.Pattern[str], PositionDetail], ...]
    opening: re.Pattern[str]
    cell: re.Pattern[str]
    codes: tuple[tuple[re.Pattern[str], dict[str, tuple[Position, PositionDetail | None]]], ...]


@cache
def _table() -> _Table:
    told = tomllib.loads((files("services.ingest.normalise.lookups") / "answers.toml").read_text(encoding="utf-8"))
    words = "|".join(told["reply"]["words"])
    return _Table(
        tuple(_compiled(row["pattern"]) for row in told["mask"]),
        tuple(_pattern(row) for row in told["answer"]),
        tuple((_compiled(row["pattern"]), PositionDetail(row["detail"])) for row in told["implementation"]),
        _compiled(rf"^[\W\d]*+{told['reply']['lead']}\W*+(?P<answer>{words})(?!\w)"),
        re.compile(rf"(?<=[\w)\]”’.;,:] )(?:{'|'.join(told['reply']['cells'])})(?=[.,;:/–—-]|\s+[A-Z(]|\W*$)"),
        tuple((_compiled(row["named"]), _codes(row["codes"])) for row in told["code"]),
    )


def _codes(row: Mapping[str, str]) -> dict[str, tuple[Position, PositionDetail | None]]:
    refused = (Position.NOTED, PositionDetail.NOT_SUPPORTED)
    return {code: refused if word == "not_supported" else (Position(word), None) for code, word in row.items()}


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
