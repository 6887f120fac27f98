"""States' names as UN documents print them."""

import pytest

from services.ingest.normalise.states import known_state, leading_state, resolve_state


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Peru", "PER"),
        ("the Sudan", "SDN"),
        ("Bolivia (Plurinational State of)", "BOL"),
        ("Plurinational State of Bolivia", "BOL"),
        ("Iran, Islamic Republic of", "IRN"),
        ("Netherlands (Kingdom of the)", "NLD"),
        ("the former Yugoslav Republic of Macedonia", "MKD"),
        ("Bosnia & Herzegovina", "BIH"),
        ("Côte d’Ivoire", "CIV"),
        ("Cote d'Ivoire", "CIV"),
        ("Türkiye", "TUR"),
        ("Lao People’s Democratic Republic", "LAO"),
        ("Libyan Arab Jamahiriya", "LBY"),
        ("Republic of Congo", "COG"),
        ("Democratic Republic of Congo", "COD"),
        ("State of Palestine", "PSE"),
        ("Holy See", "VAT"),
        ("UK", "GBR"),
        ("República Bolivariana de Venezuela", "VEN"),
        ("Pays-Bas", "NLD"),
        ("Reino Unido de Gran Bretaña e Irlanda del Norte", "GBR"),
        ("Bolivarian Republic ofVenezuela", "VEN"),
        ("Russia Federation", "RUS"),
    ],
)
def test_names_of_states(name, code):
    assert known_state(name) == resolve_state(name) == code


@pytest.mark.parametrize(
    "name",
    ["CAT", "CRC", "UN", "Korea", "Hong Kong", "European Union", "Kosovo", "", "  ", "Perú y Chile", "x" * 10_000],
)
def test_what_is_no_state_stays_unknown(name):
    assert resolve_state(name) is None


def test_names_from_elsewhere_are_looked_up_without_guessing():
    assert known_state("Fed. Rep. of Germany") is None
    assert resolve_state("Germny") is None


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("The Holy See noted that", "VAT", " noted that"),
        ("Guinea-Bissau thanked", "GNB", " thanked"),
        ("Republic of Korea, noting", "KOR", ", noting"),
        ("China’s delegation", "CHN", " delegation"),
        ("The Bolivarian Republic ofVenezuela welcomed", "VEN", " welcomed"),
    ],
)
def test_the_state_that_opens_a_paragraph(text, code, rest):
    found = leading_state(text)
    assert found is not None
    assert (found[0], text[found[1] :]) == (code, rest)


def test_a_paragraph_that_opens_with_no_state():
    assert leading_state("The delegation stated that Peru") is None
    assert leading_state("") is None
