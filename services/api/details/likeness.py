"""How like two recommendations are by their words: what "nearly the same" means here."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

_INSTRUMENT = "instrument:"


def weights_of(texts: Iterable[str]) -> Mapping[str, float]:
    """How much each word tells: what many recommendations say tells little."""
    several = [frozenset(text.split()) for text in texts]
    held = Counter(word for words in several for word in words)
    return {word: math.log(1 + len(several) / count) for word, count in held.items()}


def likeness(some: Counter[str], others: Counter[str], weights: Mapping[str, float]) -> float:
    """Sørensen and Dice's coefficient of the words, by weight."""
    common = sum(weights.get(word, 0.0) * count for word, count in (some & others).items())
    everything = sum(weights.get(word, 0.0) * count for words in (some, others) for word, count in words.items())
    return round(2 * common / everything, 3) if everything else 0.0


def name_others(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether both name instruments, and none in common: to ratify one is not to ratify another."""
    named, named_there = _instruments(some), _instruments(others)
    return bool(named and named_there) and named.isdisjoint(named_there)


def _instruments(labels: Iterable[str]) -> set[str]:
    return {label for label in labels if label.startswith(_INSTRUMENT)}
