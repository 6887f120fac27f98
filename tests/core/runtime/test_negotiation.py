"""What a reader would rather have."""

import pytest

from services.core.runtime.negotiation import preferred_language, preferred_media_type

OFFERS = ("application/json", "text/csv", "application/x-ndjson")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "preferred"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        (BROWSER, "application/json"),
        ("text/csv", "text/csv"),
        ("Text/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        ("application/*", "application/json"),
        ("application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        ("application/json;q=0, */*", "text/csv"),
        ("text/csv;q=0.2, application/x-ndjson;q=0.3", "application/x-ndjson"),
        ("text/html", None),
        ("text/csv;q=0", None),
        ("text/csv;q=nonsense", None),
        (";;;,,,", None),
    ],
)
def test_media_types(header: str | None, preferred: str | None) -> None:
    assert preferred_media_type(header, OFFERS) == preferred


@pytest.mark.parametrize(
    ("header", "preferred"),
    [
        (None, None),
        ("", None),
        ("es", "es"),
        ("es-PE,es;q=0.9,en;q=0.8", "es"),
        ("de,fr;q=0.5,en;q=0.4", "fr"),
        ("de", None),
        ("*", None),
        ("en;q=0, pt-BR;q=0.1", "pt"),
        ("EN", "en"),
    ],
)
def test_languages(header: str | None, preferred: str | None) -> None:
    assert preferred_language(header, ("en", "es", "fr", "pt")) == preferred
