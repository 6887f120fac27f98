"""Every word of the interface is there in every language, and is used."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale
from markupsafe import Markup

from services.core.pages.words import LANGUAGE_NAMES, Words, messages
from services.core.schemas.names import LANGUAGES
from services.search.parameters import COUNTED

COMPUTED = (
    *("chart.answer_", "chart.short_", "facts.subject_", "facts.value_", "facts.detail_"),
    *("hearing.", "review.event_", "review.way_", "organisation.role_"),
)
"""Names that are made of what values are called."""
SERVICES = Path(__file__).parents[3] / "services"


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", messages())
def test_a_message_says_the_same_in_all_languages(name: str) -> None:
    message = messages()[name]
    assert set(message) == set(LANGUAGES)
    wanted = None
    for language, told in message.items():
        forms = {"": told} if isinstance(told, str) else told
        if not isinstance(told, str):
            assert {"one", "other"} <= set(forms) <= set(Locale.parse(language).plural_form.tags) | {"other"}
        for text in forms.values():
            assert text.strip() == text != ""
            wanted = wanted or fields_of(text)
            assert fields_of(text) == wanted, (language, text)


def test_no_message_is_left_over() -> None:
    sources = [*SERVICES.rglob("*.html"), *SERVICES.rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    computed = ("filter.", "search.as_", "record.mid_term_", "record.in_", "record.earlier_", *COMPUTED)
    computed += ("help.", "about.", "accuracy.", "understood.", "fault.")
    computed += ("dossier.ahead_", "dossier.fact_", "facts.")
    unused = [name for name in messages() if not name.startswith(computed) and not re.search(f"[\"']{name}[\"']", text)]
    assert unused == []


def test_every_template_asks_for_words_that_there_are() -> None:
    for path in SERVICES.rglob("*.html"):
        for name in re.findall(r'words\("([a-z_.]+)"(?! ~)', path.read_text("utf-8")):
            assert name in messages(), path


def test_every_facet_has_a_title() -> None:
    assert {f"filter.{name}" for name in COUNTED} <= set(messages())


def test_numbers_and_dates_as_people_write_them() -> None:
    assert Words("es")("search.found", n=12929) == "12.929 registros"
    assert Words("en")("search.found", n=1) == "1 record"
    assert Words("fr")("search.found", n=0) == "0 résultat"
    assert Words("es").date("2012-11-01") == "1 de noviembre de 2012"
    assert Words("en").date(None) == ""
    assert Words("pt").language_name("en") == "inglês"
    assert set(LANGUAGE_NAMES) == set(LANGUAGES)


def test_what_is_set_into_a_message_stays_text() -> None:
    told = Words("en")("record.to", state=Markup("<b>Peru</b>"))
    assert told == "To <b>Peru</b>"
    assert not isinstance(Words("en")("record.to", state="<b>Peru</b>"), Markup)  # the template escapes it
    assert Words("xx").language == "en"


def test_what_languages_are_called() -> None:
    assert Words("es").language_name("fr") == "francés"
    assert Words("en").language_name("zh-Hans") == "Chinese (Simplified)"
    for unknown in ("xx-Nowhere", "q", "", "not a language"):
        assert Words("en").language_name(unknown) == unknown
