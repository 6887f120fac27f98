"""What a reader would rather have: a format by `Accept`, a language by `Accept-Language` (RFC 9110, 12.5)."""

from collections.abc import Sequence

_LONGEST = 2_000
"""Characters of a header that are looked at."""


def preferred_media_type(header: str | None, offers: Sequence[str]) -> str | None:
    """The one of `offers` that `Accept` likes best; of those it likes alike the first. None where it takes none.

    The media types of `offers` come without parameters. Without a header everything is liked.
    """
    if not header:
        return offers[0]
    ranges = _weighed(header)
    liked = {offer: _weight_of(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: (liked[offer], -offers.index(offer)))
    return best if liked[best] > 0 else None


def preferred_language(header: str | None, offers: Sequence[str]) -> str | None:
    """The one of `offers` (two-letter codes) that `Accept-Language` likes best; None where it likes none of them."""
    liked: dict[str, float] = {}
    for name, weight in _weighed(header or ""):
        code = name.partition("-")[0]
        liked[code] = max(weight, liked.get(code, 0.0))
    best = max(offers, key=lambda offer: (liked.get(offer, 0.0), -offers.index(offer)))
    return best if liked.get(best, 0.0) > 0 else None


def _weight_of(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """By the most specific range that the offer is in."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        for name, weight in ranges:
            if name == pattern:
                return weight
    return 0.0


def _weighed(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header[:_LONGEST].split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name:
            found.append((name, _quality(parameters)))
    return found


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
