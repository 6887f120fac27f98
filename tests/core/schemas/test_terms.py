"""Terms of shapes that are not there or know little; `tests/core/store/test_filtering.py` holds them to the SQL."""

from services.core.query.filters import FILTERS
from services.core.schemas.examples import record_example
from services.core.schemas.models import RECORD_MODELS
from services.core.schemas.terms import filter_terms, filter_values, record_date
from services.core.store.reference import Reference, reference_of
from services.core.store.seed import sample_state_records

SAMPLES: Reference = reference_of({record.id: record for record in sample_state_records()}, {}, {})


def test_no_shape_has_no_terms() -> None:
    assert filter_terms("recommendations", None, SAMPLES) == ()


def test_terms_of_a_recommendation() -> None:
    terms = set(filter_terms("recommendations", record_example("recommendations"), SAMPLES))
    assert {
        "id:XCM-4-22.1",
        "state_under_review:XCM",
        "cycle:4",
        "session:48",
        "review:XCM-4",
        "position:supported",
        "sdg:16",
        "theme:death-penalty",
        "document:A-HRC-99-901",
        "language:en",
        "date:2025-01-28",
    } <= terms
    assert not [term for term in terms if term.startswith(("position_detail:", "kind:", "speaker:"))]


def test_every_value_stands_under_a_filter_of_the_noun() -> None:
    for noun in RECORD_MODELS:
        values = filter_values(noun, record_example(noun), SAMPLES)
        assert values["id"] == (record_example(noun)["id"],)
        assert all(noun in FILTERS[name].nouns for name in values)
        assert all(len(set(each)) == len(each) for each in values.values())


def test_official_translations_count_as_languages() -> None:
    shape = {**record_example("recommendations"), "translations": {"es": "Abolir"}}
    assert filter_values("recommendations", shape, SAMPLES)["language"] == ("en", "es")


def test_the_date_of_a_document_is_its_publication() -> None:
    assert record_date("documents", record_example("documents")) == record_example("documents")["published_on"]
    assert record_date("labels", record_example("labels")) is None


def test_an_unknown_state_is_in_no_group() -> None:
    shape = {**record_example("hearings"), "states": [{"code": "ZZZ", "name": "ZZZ"}]}
    values = filter_values("hearings", shape, SAMPLES)
    assert values["state_under_review"] == ("ZZZ",)
    assert "region" not in values
