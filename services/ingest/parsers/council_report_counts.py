"""Numbers in the Council's reports: how many speak, and how the President counts recommendations."""

import re

from services.ingest.parsers.addendum_totals import whole_number

_SPEAKERS = (
    r"(?:national human rights institutions?|(?:(?:other|relevant|member|observer|following|more) )*"
    r"(?:delegations?|stakeholders?|States|speakers?|organi[sz]ations?|non-governmental organi[sz]ations?))"
)
_NUMBER = r"(?:\d{1,3}|[a-z]+(?:-[a-z]+)?)"
_ANNOUNCED = re.compile(
    rf"(?P<counts>\b{_NUMBER} {_SPEAKERS}(?:(?:,| and|, and) {_NUMBER} {_SPEAKERS})*) (?:made|delivered|took)",
    re.IGNORECASE,
)
_ONE_COUNT = re.compile(rf"\b(?P<n>{_NUMBER}) {_SPEAKERS}", re.IGNORECASE)
_COUNTED = (
    r"(\d{1,3}|all|none|no|(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-)?"
    r"(?:one|two|three|four|five|six|seven|eight|nine)|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
_RECEIVED = re.compile(
    rf"\b(?:out )?of (?:a total of |the |all )*{_COUNTED} recommendations|"
    rf"\b{_COUNTED} recommendations? (?:had been |were )?(?:received|made)|"
    rf"\breceived (?:a total of )?{_COUNTED} recommendations|all of the {_COUNTED} recommendations",
    re.IGNORECASE,
)
_SUPPORTED = re.compile(
    rf"(?:supported|accepted)\s+{_COUNTED}\b|"
    rf"\b{_COUNTED} (?:recommendations? )?(?:had |have |has )?(?:enjoy(?:ed|s)?|received) (?:the|its) support|"
    rf"\b{_COUNTED} (?:recommendations? )?(?:had been|were|have been) (?:supported|accepted)",
    re.IGNORECASE,
)
_NOTED = re.compile(
    rf"\bnoted\s+{_COUNTED}\b|\b{_COUNTED} (?:recommendations? )?(?:had been|were|was|have been|are) (?:\w+ly )?noted|"
    rf"\btaken note of\s+{_COUNTED}\b|\btook note of\s+{_COUNTED}\b",
    re.IGNORECASE,
)
_IN_PART = re.compile(
    rf"\badditional (?:clarification|information) (?:had been |was |were |has been |is )?(?:provided )?"
    rf"(?:on|regarding|concerning|for) (?:the )?(?:remaining |other )?{_COUNTED}\b|"
    rf"\b{_COUNTED} (?:recommendations? )?(?:had |have )?(?:been )?(?:partially|partly) (?:supported|accepted)|"
    rf"\b(?:partially|partly) (?:supported|accepted)\s+{_COUNTED}\b",
    re.IGNORECASE,
)


def totals_said(president: str) -> tuple[int | None, int | None, int | None]:
    """Received, supported, noted, as the President counted them."""
    found = _RECEIVED.search(president)
    received = _count(found, None)
    supported, noted = (_count(pattern.search(president), received) for pattern in (_SUPPORTED, _NOTED))
    if received is not None and noted == received and supported is None:
        supported = 0
    if received is not None and supported == received and noted is None:
        noted = 0
    return received, supported, noted


def _count(found: re.Match[str] | None, received: int | None) -> int | None:
    words = next((group for group in found.groups() if group), None) if found else None
    if words is None:
        return None
    plain = words.casefold()
    return received if plain == "all" else 0 if plain in ("none", "no") else whole_number(plain)


def announced_speakers(text: str) -> int | None:
    """How many speakers a paragraph announces: "one national human rights institution and 10 other stakeholders"."""
    found = _ANNOUNCED.search(text[:400])
    if found is None:
        return None
    words = [count["n"].casefold() for count in _ONE_COUNT.finditer(found["counts"])]
    counts = [0 if word == "no" else whole_number(word) for word in words]
    return sum(count for count in counts if count is not None) if None not in counts else None


def counts_recommendations(words: str) -> bool:
    """Whether words of the President say how many recommendations were received."""
    return _RECEIVED.search(words) is not None


def supported_in_part(words: str, received: int | None) -> int | None:
    """Of how many recommendations the President says that they were supported in part."""
    return _count(_IN_PART.search(words), received)
