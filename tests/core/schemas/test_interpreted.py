"""The documented shape of what was understood is what queries tell of themselves."""

import pytest

from services.core.query.filters import Vocabulary
from services.core.query.parser import parse_query
from services.core.query.readings import Reading, ReadWord
from services.core.schemas.interpreted import Interpreted

VOCABULARY = Vocabulary(states=frozenset({"PER", "ESP"}))
READING = Reading((ReadWord("torture", 1), ReadWord("tortured", 0)), more=True, in_index=False)


@pytest.mark.parametrize(
    "text",
    [
        "", "((“", "tort", "women tortrue", "women OR (tort -children)", '"death penalty" -"human rights"',
        "A/HRC/22/15", "pena de muerte", "OPCAT", "-OPCAT", "-(pena de muerte)", "-mid-term", "the women of Peru",
        "from:Spain to:Peru", "to:PER OR tort", "-(to:PER cycle:1)", "from:Spain OR date:2012..",
        "date:2012,2014 since:2011", "cycle:3.. x:y",
    ],
)  # fmt: skip
def test_every_kind_of_query_is_of_the_documented_shape(text: str) -> None:
    query = parse_query(text, VOCABULARY)
    for told in (query.interpreted, query.interpreted_with(dict.fromkeys(query.words, READING))):
        assert Interpreted.model_validate(told).model_dump(mode="json", by_alias=True, exclude_unset=True) == told
