"""Everything that the values of filters are called: their names in all languages, other spellings, codes."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from services.core.query.concepts import concepts, state_names
from services.core.query.filters import FILTERS
from services.core.query.value_names import fixed_names
from services.core.schemas.names import LANGUAGES
from services.core.store.reference import Reference
from services.core.store.vocabularies import vocabulary
from services.search.naming import Name, NameIndex, name_words

_STATES = frozenset({"state_under_review", "recommending_state", "speaker"})
_GROUPS = frozenset({"region", "recommending_region", "bloc", "recommending_bloc", "speaker"})


def names_of(
    reference: Reference, facet: str, value: str, printed: str | None = None
) -> Iterator[tuple[str, str | None]]:
    """The names of a value, each with its language, if it is of one. `printed`: what documents call it."""
    yield value, None
    if printed:
        yield printed, None
    if facet == "document":
        yield value.replace("-", "/"), None  # the symbol, as printed (`document_id` puts hyphens in place of slashes)
    scheme = FILTERS[facet].scheme if facet in FILTERS else None
    if scheme is not None:
        yield from _of_label(reference, f"{scheme}:{value}")
    if facet in _STATES and (state := reference.states.get(value)):
        yield from _of_languages(state.names)
        yield from ((name, None) for name in state_names().get(value, ()))
    if facet in _GROUPS and (group := reference.groups.get(value)):
        yield from _of_languages(group.names)
    yield from _of_languages(fixed_names().get(facet, {}).get(value, {}))


def _of_label(reference: Reference, label_id: str) -> Iterator[tuple[str, str | None]]:
    """What a label is called, also by the words of the field that mean the same: OPCAT, FGM."""
    names: list[tuple[str, str | None]] = []
    if label := reference.labels.get(label_id):
        names += _of_languages(label.names)
        names += ((code, None) for code in label.printed_codes)
    if entry := vocabulary().get(label_id):
        names += ((alias, None) for alias in entry.aliases)
    yield from names
    for code in dict.fromkeys(_concepts_by_form().get(name_words(name)) for name, _ in names):
        if code is not None:
            yield from ((form, None) for form in concepts()[code].all_forms)


@cache
def _concepts_by_form() -> Mapping[tuple[str, ...], str]:
    """The concept that has a form of these words, where it is the only one."""
    found: dict[tuple[str, ...], str | None] = {}
    for code, concept in concepts().items():
        for form in concept.all_forms:
            words = name_words(form)
            found[words] = code if found.get(words, code) == code else None
    return {words: code for words, code in found.items() if code is not None}


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
