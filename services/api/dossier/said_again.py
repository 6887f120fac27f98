"""Recommendations that say the same, or nearly the same, in several cycles."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from services.api.details.likeness import likeness, name_others, weights_of
from services.api.details.related import NEARLY_THE_SAME
from services.core.domain.identifiers import normalised_text
from services.core.store.recommendations import RecommendationRecord


def said_again(recommendations: Sequence[RecommendationRecord]) -> list[list[RecommendationRecord]]:
    """Groups of them, in the order of `recommendations`."""
    texts = {record.id: normalised_text(record.text) for record in recommendations}
    weights = weights_of(texts.values())
    words = {record_id: Counter(text.split()) for record_id, text in texts.items()}
    groups = _Groups(record.id for record in recommendations)
    for one, other in combinations(recommendations, 2):
        if one.text_language != other.text_language or not _may_be_alike(words[one.id], words[other.id]):
            continue
        alike = texts[one.id] == texts[other.id] or (
            not name_others(one.label_ids, other.label_ids)
            and likeness(words[one.id], words[other.id], weights) >= NEARLY_THE_SAME
        )
        if alike:
            groups.join(one.id, other.id)
    held = {record.id: record for record in recommendations}
    found = [[held[each] for each in ids] for ids in groups.several()]
    return [group for group in found if len({record.cycle for record in group}) > 1]


def _may_be_alike(some: Mapping[str, int], others: Mapping[str, int]) -> bool:
    """What is quick to see: two texts of which one has twice the other's words have too little in common."""
    fewer, more = sorted((len(some), len(others)))
    return fewer * 2 >= more


class _Groups:
    """What was found to belong together, directly or through others."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._group = {each: [each] for each in ids}

    def join(self, one: str, other: str) -> None:
        """Put two into one group, with all that are in theirs."""
        kept, given = self._group[one], self._group[other]
        if kept is not given:
            kept += given
            for each in given:
                self._group[each] = kept

    def several(self) -> list[list[str]]:
        """The groups of more than one, each in the order of the ids as they came."""
        place = {each: at for at, each in enumerate(self._group)}
        once = {id(group): group for group in self._group.values()}
        return [sorted(group, key=place.__getitem__) for group in once.values() if len(group) > 1]
