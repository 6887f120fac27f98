"""What a hostile text becomes on a page: text."""

import pytest

from services.core.pages.charts import year_bars
from services.core.pages.rendering import marked

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "\u202egnirts desrever\u202c",
    "&lt;script&gt;",
    "<mark onclick=alert(1)>",
    "a" * 100_000,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_marks_are_the_only_markup(text: str) -> None:
    told = marked(f"before <mark>{text}</mark> after")
    assert told.count("<") == 2
    assert told.startswith("before <mark>")
    assert "<script" not in told
    assert "<img" not in told


def test_what_the_search_escaped_is_not_escaped_twice() -> None:
    assert marked("Law &amp; <mark>order</mark> &lt;b&gt;") == "Law &amp; <mark>order</mark> &lt;b&gt;"


def test_marks_are_closed_whatever_comes() -> None:
    told = marked("<mark>open")
    assert told.count("<mark>") == told.count("</mark>")


def test_bars_by_year_tell_their_numbers_and_nothing_else() -> None:
    drawn = year_bars([(2008, 3), (2010, 30)], 'By "year" <x>')
    assert drawn.count("<rect") == 2
    assert "2010: 30" in drawn
    assert "<x>" not in drawn
    assert 'aria-label="By &quot;year&quot; &lt;x&gt;"' in drawn
    assert year_bars([], "none") == ""
    assert year_bars([(2008, 1)], "one").count("<text") == 1
