"""The examples of the OpenAPI document are what the models say."""

import pytest
from pydantic import BaseModel

from services.search.documented import examples
from services.search.models import FacetAnswer, SearchAnswer, SimilarAnswer, SuggestAnswer

MODELS: dict[str, type[BaseModel]] = {
    "search": SearchAnswer,
    "facet": FacetAnswer,
    "suggestions": SuggestAnswer,
    "similar": SimilarAnswer,
}


def test_every_answer_has_an_example() -> None:
    assert examples().keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_an_example_is_what_its_model_says(name: str) -> None:
    MODELS[name].model_validate(examples()[name])
