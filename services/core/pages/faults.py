"""What a page says of an error: which message, and where else to look."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.core.domain.errors import UprError
from services.core.pages.addresses import Address
from services.core.query.analysis import words_of
from services.core.query.concepts import state_names

_MESSAGES = {
    400: "fault.unclear",
    404: "fault.not_found",
    406: "fault.not_acceptable",
    410: "fault.gone",
    429: "fault.too_many",
    503: "fault.unavailable",
}
_REVIEW = re.compile(r"([A-Za-z]{3})-([1-9]\d?)(?![A-Za-z0-9])")
"""How ids of reviews, and of what stands below them, begin."""
_MOST = 3
_MOST_VALUES = 8


@dataclass(frozen=True)
class Hints:
    """Where else to look.

    `words`: what to put into the search box. `places`: paths of pages that may be meant. `without`: the parameter at
    fault, and the address without it. `meant`: values that may be meant instead.
    """

    words: str
    places: tuple[str, ...]
    without: tuple[str, str] | None
    meant: tuple[str, ...]


def fault_in_words(error: UprError) -> str:
    """The name of the message that is the headline; beside it stands what to do (`{name}_help`)."""
    if error.code == "invalid_query":
        return "fault.query"
    return _MESSAGES.get(error.status, "fault.internal" if error.status >= 500 else "fault.title")


def hints(here: Address, error: UprError) -> Hints:
    """What an address and an error tell of what was looked for."""
    asked = dict(here.pairs)
    last = here.path.rpartition("/")[2]
    missing = error.status in (404, 410)
    name = error.extensions.get("parameter")
    at_fault = isinstance(name, str) and name != "q" and name in asked
    meant = error.extensions.get("suggestions")
    return Hints(
        words=asked.get("q", "") or (last.replace("-", " ") if missing and not _REVIEW.match(last) else ""),
        places=tuple(_places(last))[:_MOST] if missing else (),
        without=(str(name), str(here.setting(str(name), None))) if at_fault else None,
        meant=tuple(str(each["name"]) for each in meant)[:_MOST_VALUES] if isinstance(meant, list) else (),
    )


def _places(last: str) -> Iterator[str]:
    """Pages that the last part of an address may mean: by the id of a review, or the code or name of a State."""
    codes = state_names()
    if (found := _REVIEW.match(last)) and found[1].upper() in codes:
        review = f"{found[1].upper()}-{found[2]}"
        yield from (f"/reviews/{review}",) if review != last else ()
        yield f"/states/{found[1].upper()}"
    elif last.upper() in codes and last not in codes:
        yield f"/states/{last.upper()}"
    else:
        called = _words(last)
        for code, names in codes.items():
            if called and any(_words(name) == called for name in names):
                yield f"/states/{code}"


def _words(text: str) -> list[str]:
    return words_of(text.replace("-", " "))[0]
