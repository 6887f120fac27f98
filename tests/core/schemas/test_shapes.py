"""Every built shape: valid against its model, unharmed by JSONB, the same whichever way it is translated."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from services.core.query.filters import FILTERS
from services.core.schemas.models import RECORD_MODELS
from services.core.schemas.names import LANGUAGES, Names, in_language
from services.core.schemas.shapes import permalink, shape_of, with_address
from services.core.store.engine import make_engine
from services.core.store.records import Stored
from services.core.store.reference import Reference, read_reference
from services.core.store.tables import AGGREGATES
from tests.records import fill


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        fill(connection, seed=3, each=30)
    yield engine
    engine.dispose()


def stored(engine: Engine) -> tuple[Reference, list[tuple[str, Stored]]]:
    with engine.connect() as connection:
        records = [(noun, record) for noun, each in AGGREGATES.items() for record in each.where(connection)]
    return read_reference(engine), records


def test_shapes_are_what_the_models_say(engine: Engine) -> None:
    reference, records = stored(engine)
    for language in LANGUAGES:
        names = Names(reference, language)
        for noun, record in records:
            shape = with_address(noun, shape_of(noun, record, names), "https://upr.example.org/")
            model = RECORD_MODELS[noun].model_validate(shape)
            assert list(shape) == _in_the_order_of(RECORD_MODELS[noun], shape), noun
            assert model.url == f"https://upr.example.org/{noun}/{shape['id']}"


def _in_the_order_of(model: type[Any], shape: dict[str, Any]) -> list[str]:
    """`id` and `url` first, history last, and everything that the model names."""
    history = ["revision", "created_at", "updated_at"]
    own = [name for name in model.model_fields if name not in ("id", "url", *history)]
    return ["id", "url", *own, *history]


def test_shapes_come_back_from_jsonb_as_they_were(engine: Engine) -> None:
    reference, records = stored(engine)
    shapes = [shape_of(noun, record, Names(reference)) for noun, record in records]
    with engine.connect() as connection:
        assert connection.scalar(select(literal(shapes, JSONB))) == shapes


@pytest.mark.parametrize("language", LANGUAGES)
def test_localising_is_building_in_that_language(engine: Engine, language: str) -> None:
    reference, records = stored(engine)
    names = Names(reference, language)
    for noun, record in records:
        shape = shape_of(noun, record, Names(reference))
        assert names.localise(shape) == shape_of(noun, record, names), noun
        assert names.localise({"data": [shape]}) == {"data": [shape_of(noun, record, names)]}


def test_a_text_in_another_language_takes_the_place_of_the_first_one() -> None:
    texts = {"es": "Abolir", "fr": "Abolir la peine"}
    assert in_language("en", "Abolish", "en", texts) == ("Abolish", "en", texts)
    assert in_language("pt", "Abolish", "en", texts) == ("Abolish", "en", texts)
    assert in_language("pt", "Abolir", "es", {"en": "Abolish"}) == ("Abolish", "en", {"es": "Abolir"})
    assert in_language("pt", "Abolir", "es", {"fr": "Abolir la peine"}) == ("Abolir", "es", {"fr": "Abolir la peine"})
    assert in_language("es", "Abolish", "en", texts) == ("Abolir", "es", {"en": "Abolish", "fr": "Abolir la peine"})


def test_names_fall_back_to_english_and_to_the_code(engine: Engine) -> None:
    reference, _ = stored(engine)
    names = Names(reference, "pt")
    assert names.state("ESP") == {"code": "ESP", "name": "Espanha"}
    assert names.state("coalition") == {"code": "coalition", "name": "coalition"}
    assert names.group("grulac")["name"] != "grulac"
    assert names.group("nato") == {"code": "nato", "name": "nato"}
    assert names.pick({"en": "Torture", "fr": "La torture"}, "torture") == "Torture"
    assert names.pick({"fr": "La torture"}, "torture") == "La torture"
    assert names.pick({}, "torture") == "torture"
    assert names.label({"label": "none:such", "assigned_by": "rule"})["name"] == "such"


def test_names_of_filter_values(engine: Engine) -> None:
    reference, _ = stored(engine)
    names = Names(reference, "es")
    assert names.of_filter_value("state_under_review", "ESP") == "España"
    assert names.of_filter_value("recommending_bloc", "nato") == "nato"
    assert names.of_filter_value("sdg", "5") == reference.labels["sdg:5"].names["es"]
    assert names.of_filter_value("sdg", "99") == "99"
    assert names.of_filter_value("position", "noted") == "anotada"
    assert names.of_filter_value("kind", "national_report") == "informe nacional"
    assert names.of_filter_value("type", "pledges") == "compromisos voluntarios"
    assert names.of_filter_value("cycle", "2") == "2"
    assert {name for name in FILTERS if "state" in name} == {"state_under_review", "recommending_state"}


def test_a_permalink_has_no_version() -> None:
    assert permalink("https://upr.example.org/", "states", "PER") == "https://upr.example.org/states/PER"
