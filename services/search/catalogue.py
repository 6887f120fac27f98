"""Everything that the values of filters are called: their names in all languages, other spellings, codes."""

from collections.abc import Iterable, Iterator, Mapping

from services.core.query.filters import FILTERS
from services.core.schemas.names import LANGUAGES
from services.core.store.reference import Reference
from services.core.store.vocabularies import vocabulary
from services.search.naming import Name, NameIndex

_STATES = frozenset({"state_under_review", "recommending_state", "speaker"})
_GROUPS = frozenset({"region", "recommending_region", "bloc", "recommending_bloc", "speaker"})


def names_of(
    reference: Reference, facet: str, value: str, printed: str | None = None
) -> Iterator[tuple[str, str | None]]:
    """The names of a value, each with its language, if it is of one. `printed`: what documents call it."""
    yield value, None
    if printed:
        yield printed, None
    scheme = FILTERS[facet].scheme if facet in FILTERS else None
    if scheme is not None:
        yield from _of_label(reference, f"{scheme}:{value}")
    if facet in _STATES and (state := reference.states.get(value)):
        yield from _of_languages(state.names)
    if facet in _GROUPS and (group := reference.groups.get(value)):
        yield from _of_languages(group.names)


def _of_label(reference: Reference, label_id: str) -> Iterator[tuple[str, str | None]]:
    if label := reference.labels.get(label_id):
        yield from _of_languages(label.names)
        yield from ((code, None) for code in label.printed_codes)
    if entry := vocabulary().get(label_id):
        yield from ((alias, None) for alias in entry.aliases)


def _of_languages(names: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    yield from ((names[language], language) for language in LANGUAGES if language in names)


def values_called(
    reference: Reference, facet: str, values: Iterable[str], typed: str, labels: Mapping[str, str]
) -> frozenset[str]:
    """Which of the values of a facet may be meant by what somebody types. `labels`: what they are shown as."""
    known = list(values)
    named = (
        Name(at, text)
        for at, value in enumerate(known)
        for text, _ in names_of(reference, facet, value, labels.get(value))
    )
    return frozenset(known[owner] for owner in NameIndex(named).owners(typed))
