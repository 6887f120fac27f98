"""Parentheses that say who made a recommendation, and those that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.normalise.attributions import find_attributions, misread_attribution, read_state_list


def states_in(text: str) -> list[tuple[str, ...]]:
    return [found.states for found in find_attributions(text)]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("Ratify CAT (Spain);", [("ESP",)]),
        ("Ratify (Algeria, Egypt, Bosnia and Herzegovina)", [("DZA", "EGY", "BIH")]),
        ("Ratify (France) (Lithuania);", [("FRA",), ("LTU",)]),
        ("Ratify (Bolivia (Plurinational State of)) (Iran (Islamic Republic of));", [("BOL",), ("IRN",)]),
        ("Ratify (Netherlands (Kingdom of the)) (Bolivarian Republic of Venezuela)", [("NLD",), ("VEN",)]),
        ("Ratify (Trinidad and Tobago and the Holy See)", [("TTO", "VAT")]),
        ("Ratify (Iran, Islamic Republic of; Cuba)", [("IRN", "CUB")]),
        ("Accede to (France)/Consider ratifying (Slovenia) the Protocol", [("FRA",), ("SVN",)]),
        ("Ratify (Argentina Chile, Peru)", [("ARG", "CHL", "PER")]),
        ("Ratify (the former Yugoslav Republic of Macedonia)", [("MKD",)]),
        ("Ratify (Egypt, on behalf of the African Group)", [("EGY",)]),
        ("Ratify (Spain 2)", [("ESP",)]),
        ("Ratify (netherlands);", [("NLD",)]),
    ],
)
def test_attributions(text, states):
    assert states_in(text) == states


@pytest.mark.parametrize(
    "text",
    [
        "the Convention against Torture (CAT)", "the Ombudsman (No. 29)", "(UNESCO)", "(Poder Ciudadano)", "(2009)",
        "(Spain and the European Union)", "(Atlantis)", "()", "(", "",
    ],
)  # fmt: skip
def test_other_parentheses(text):
    assert states_in(text) == []


def test_a_missing_bracket():
    assert states_in("Ratify (Venezuela (Bolivarian Republic of);") == [("VEN",)]


def test_places_cover_the_brackets():
    text = "Ratify (Iran (Islamic Republic of)) soon"
    [found] = find_attributions(text)
    assert text[found.start : found.end] == "(Iran (Islamic Republic of))"


def test_unknown_names_are_told_and_never_guessed():
    listed = read_state_list("Spain, Atlantis and Peru")
    assert listed.states == ("ESP", "PER")
    assert listed.unknown == ("Atlantis",)
    misread = misread_attribution("Ratify CAT (Spain, Atlantis);")
    assert misread is not None
    assert (misread.states, misread.unknown) == (("ESP",), ("Atlantis",))


def test_a_closing_parenthesis_that_is_no_attribution():
    assert misread_attribution("Ratify the Convention (CRPD)") is None
    assert misread_attribution("Ratify the Convention") is None


@given(st.text(alphabet="()[],;/ and Spain(Peru)é", max_size=80))
def test_any_text_is_survived(text):
    for found in find_attributions(text):
        assert 0 <= found.start < found.end <= len(text)
        assert found.states
    misread_attribution(text)
