"""The words of the field: every form of every concept finds every other, and nothing that is only near."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.query.analysis import LANGUAGES, analyse, concepts_in, languages_of, stems_of, words_of
from services.core.query.concepts import Concept, concepts, state_names

HERE = Path("services/core/query")
FIELD = [concept for concept in concepts().values() if not concept.code.startswith("state-")]
STATES = [concept for concept in concepts().values() if concept.code.startswith("state-")]


def _named(text: str, language: str | None = None) -> set[str]:
    """The concepts that a text names."""
    stems = analyse(text, language).stems
    return {stem.removeprefix("concept:") for stem in stems if stem.startswith("concept:")}


def _asked(text: str) -> set[str]:
    """The concepts that words name whose language nobody knows, such as a query's."""
    return {code for found in concepts_in(words_of(text)[0], text) for code in found.codes}


def _forms(concept: Concept) -> Iterator[tuple[str, str]]:
    for language, forms in concept.forms.items():
        for form in forms:
            yield from ((form, each) for each in (LANGUAGES if language == "any" else (language,)))


@pytest.mark.parametrize("concept", FIELD, ids=lambda concept: concept.code)
def test_a_concept_is_known_by_each_of_its_forms(concept: Concept) -> None:
    for form, language in _forms(concept):
        assert concept.code in _named(f"— {form}, 2012.", language), (form, language)
        assert concept.code in _asked(form), form
        if form not in concept.cased:
            assert concept.code in _named(form.upper(), language), form
            assert concept.code in _named(form.lower(), language), form


@pytest.mark.parametrize("concept", FIELD, ids=lambda concept: concept.code)
def test_a_concept_is_not_what_is_only_near(concept: Concept) -> None:
    assert concept.apart
    for text in concept.apart:
        guessed = languages_of(words_of(text)[0])
        assert concept.code not in _named(text, guessed[0] if len(guessed) == 1 else "en"), text


@pytest.mark.parametrize("concept", STATES, ids=lambda concept: concept.code)
def test_a_state_is_known_by_each_of_its_names_and_no_other_is(concept: Concept) -> None:
    for name in concept.all_forms:
        for language in LANGUAGES:
            assert _named(f"to {name}, and", language) & {state.code for state in STATES} == {concept.code}, name


def test_every_state_has_names_in_three_languages() -> None:
    names = state_names()
    assert len(names) >= 195
    for said, code in (
        ("Ivory Coast", "CIV"), ("Burma", "MMR"), ("Swaziland", "SWZ"), ("Bolivia", "BOL"), ("Reino Unido", "GBR"),
        ("Holanda", "NLD"), ("UK", "GBR"), ("USA", "USA"), ("EE. UU.", "USA"), ("EEUU", "USA"), ("US", "USA"),
        ("RDC", "COD"), ("Corea del Sur", "KOR"), ("Birmanie", "MMR"), ("Cabo Verde", "CPV"), ("Allemagne", "DEU"),
    ):  # fmt: skip
        assert _asked(said) == {f"state-{code}"}, said


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Equatorial Guinea and Papua New Guinea", "state-GIN"),
        ("Optional Protocol to the Convention against Torture", "cat"),
        ("aid to us and to children who work", "state-USA"),
        ("aid to us and to children who work", "who"),
        ("South Sudan", "state-SDN"),
        ("Democratic Republic of the Congo", "state-COG"),
        ("République populaire démocratique de Corée", "state-KOR"),
        ("l'eau potable", "state-ARE"),
        ("international aids", "hiv"),
    ],
)
def test_a_longer_name_or_another_word_hides_what_looks_like_it(text: str, concept: str) -> None:
    assert concept not in _named(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("national human rights institutions", {"nhri", "human-rights", "word-right"}),
        ("NPMs and NHRIs", {"npm", "nhri"}),
        ("cárceles hacinadas", {"prison", "overcrowding"}),
        ("Equatorial Guinea, Guinea", {"state-GNQ", "state-GIN"}),
    ],
)
def test_terms_count_inside_longer_ones_and_plurals_are_known(text: str, codes: set[str]) -> None:
    assert _named(text) == codes


def test_the_table_is_wide_and_every_line_has_its_reason() -> None:
    table = tomllib.loads((HERE / "concepts.toml").read_text("utf-8"))
    assert len(table) >= 120
    for code, entry in table.items():
        assert entry.keys() <= {"is", "en", "es", "fr", "any", "cased", "source", "apart"}, code
        assert entry["is"] in {"name", "term"}
        assert entry["source"].strip()
        forms = [form for key in ("en", "es", "fr", "any") for form in entry.get(key, ())]
        assert len(set(forms)) >= 2, code
        assert set(entry.get("cased", ())) <= set(forms)


def test_no_form_belongs_to_two_concepts() -> None:
    owners: dict[tuple[str, str], set[str]] = {}
    for concept in concepts().values():
        for form, language in _forms(concept):
            if form in concept.cased:  # in capitals it is this one: "EAU" are the Emirates, "eau" is water
                continue
            owners.setdefault((language, " ".join(words_of(form)[0])), set()).add(concept.code)
    assert {key: codes for key, codes in owners.items() if len(codes) > 1} == {}


def test_no_two_concepts_of_the_field_meet_by_their_stems() -> None:
    owners: dict[tuple[str, ...], set[str]] = {}
    for concept in FIELD:
        for form, language in _forms(concept):
            if form not in concept.forms.get("any", ()):
                stems = (stem for word in words_of(form)[0] for stem in stems_of(word, (language,)))
                owners.setdefault((language, *stems), set()).add(concept.code)
    assert {key: codes for key, codes in owners.items() if len(codes) > 1} == {}
