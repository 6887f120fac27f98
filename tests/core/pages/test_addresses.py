"""The address of a page with one parameter more or less."""

from services.core.pages.addresses import Address

HERE = Address("/search", (("q", "a b"), ("cycle", "1"), ("cycle", "2"), ("page", "3")))


def test_an_address_with_one_thing_else_begins_at_its_first_page() -> None:
    assert str(HERE.adding("cycle", "3")) == "/search?q=a+b&cycle=1&cycle=2&cycle=3"
    assert str(HERE.without("cycle", "1")) == "/search?q=a+b&cycle=2"
    assert str(HERE.setting("cycle", "4")) == "/search?q=a+b&cycle=4"
    assert str(HERE.setting("cycle", None)) == "/search?q=a+b"


def test_pages_of_a_list() -> None:
    assert str(HERE.on_page(4)) == "/search?q=a+b&cycle=1&cycle=2&page=4"
    assert str(HERE.on_page(1)) == "/search?q=a+b&cycle=1&cycle=2"


def test_another_language_is_the_same_page() -> None:
    spanish = HERE.in_language("es")
    assert str(spanish) == "/search?q=a+b&cycle=1&cycle=2&page=3&lang=es"
    assert str(spanish.in_language("fr")) == "/search?q=a+b&cycle=1&cycle=2&page=3&lang=fr"


def test_what_is_kept() -> None:
    assert str(HERE.only(("q",)).at("/v1/search")) == "/v1/search?q=a+b"
    assert str(HERE.leaving_out("q", "cycle")) == "/search?page=3"
    assert str(Address("/search")) == "/search"
