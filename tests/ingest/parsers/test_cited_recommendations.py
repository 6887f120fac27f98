"""Citations in running text, in three languages, with the cycle that their sentence tells."""

import pytest

from services.ingest.parsers.cited_recommendations import (
    cited_recommendations,
    cycle_of_symbol,
    cycles_named,
    numbering_of,
)


def cited(text: str, language: str = "en", latest: int | None = 3) -> list[tuple[str, int | None]]:
    numbering = numbering_of([text], language)
    found = cited_recommendations(text, numbering, language=language, latest=latest)
    return [(each.number, each.cycle) for each in found]


def of(cycle: int | None, *numbers: str) -> list[tuple[str, int | None]]:
    return [(number, cycle) for number in numbers]


@pytest.mark.parametrize(
    ("language", "text", "numbers"),
    [
        ("en", "Recommendation 140.7 was implemented.", ("140.7",)),
        ("en", "Recommendations 121.12–15 and 121.20.", ("121.12", "121.13", "121.14", "121.15", "121.20")),
        ("en", "See recommendations 5 and 6.", ("5", "6")),
        ("es", "La recomendación núm. 5 se aplicó.", ("5",)),
        ("es", "Las recomendaciones 116.1, 116.2 y 116.4 a 116.6.", ("116.1", "116.2", "116.4", "116.5", "116.6")),
        ("fr", "Les recommandations nos 5 et 6 sont appliquées.", ("5", "6")),
        ("fr", "Recommandations 116.2 à 116.4", ("116.2", "116.3", "116.4")),
        ("es", "Se beneficiaron 1.200 personas y 1.350 familias.", ()),
        ("en", "Spending rose by 12.5 per cent.", ()),
    ],
)
def test_numbers(language, text, numbers):
    assert cited(text, language) == of(None, *numbers)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Recommendations 116.1 and 116.2 of the second cycle.", of(2, "116.1", "116.2")),
        ("Recommendation 84.3 (see A/HRC/28/15) was repeated.", of(2, "84.3")),
        ("In the second cycle much was done. Recommendation 84.3 was not.", of(None, "84.3")),
        ("Recommendation 84.3 of the fourth cycle.", of(None, "84.3")),
        ("Recommendation 84.3 of the first and second cycle.", of(None, "84.3")),
        ("Recommendation 84.3 of the first cycle. Recommendation 116.1 is done.", [("84.3", 1), ("116.1", None)]),
    ],
)
def test_the_cycle_is_what_the_sentence_says(text, found):
    assert cited(text) == found


def test_cycles_in_words():
    assert cycles_named("the second UPR cycle and the 3rd cycle") == {2, 3}
    assert cycles_named("el tercer ciclo") == cycles_named("ciclo III") == cycles_named("le troisième cycle") == {3}
    assert cycles_named("a life cycle, a cycle of violence") == set()


def test_cycles_by_symbol():
    assert [cycle_of_symbol(each) for each in ("A/HRC/28/15", "A/HRC/WG.6/48/SVN/1", "A/HRC/WG.6/99/SVN/1")] == [
        2,
        4,
        None,
    ]
