"""A text cannot turn what stands after it."""

import pytest
from markupsafe import Markup

from services.core.pages.bidi import kept_to_itself
from services.core.pages.words import Words


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("plain", ""),
        ("Ñandú “…”", ""),
        ("\u202eesrever", "\u202c"),
        ("\u202eesrever\u202c", ""),
        ("\u2067one \u202btwo", "\u202c\u2069"),
        ("\u2067one \u202btwo\u2069", ""),
        ("\u202aone \u2068two\u202c", "\u2069\u202c"),
        ("closes\u202c what\u2069 is not open", ""),
        ("\u202e" * 1_000, "\u202c" * 1_000),
    ],
)
def test_what_it_opens_is_closed(text: str, closing: str) -> None:
    assert kept_to_itself(text) == text + closing
    assert kept_to_itself(text + closing) == text + closing
    marked = kept_to_itself(Markup("<b>{}</b>").format(text))
    assert isinstance(marked, Markup)
    assert marked.endswith("</b>" + closing)


def test_also_where_it_is_set_into_a_message() -> None:
    assert Words("en")("record.number", number="\u202e1.1").endswith("\u202e1.1\u202c")
