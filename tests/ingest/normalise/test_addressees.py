import pytest

from services.core.store.vocabularies import detailed_vocabulary
from services.ingest.normalise.addressees import addressees_in


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Let parliament adopt the bill", "parliament"),
        ("Increase the number of women in parliament", ""),
        ("Consult the European Parliament", ""),
        ("Train judges, prosecutors and the police", "judiciary prosecution police"),
        ("Ratify the Statute of the International Criminal Court", ""),
        ("Give the national human rights institution enough money", "nhri"),
        ("Cooperate with the Human Rights Council", ""),
        ("Cooperate with the Office of the High Commissioner for Human Rights", ""),
        ("Designate the national preventive mechanism", "npm"),
        ("Coordinate the provinces and municipalities", "local-government"),
        ("Improve prisons and their staff", "prisons"),
        ("Create a national mechanism for implementation, reporting and follow-up", "follow-up-mechanism"),
        ("Hold companies accountable", "business"),
        ("Support from the international community", "international-community"),
        ("Capacitar a jueces, fiscales y policías", "judiciary prosecution police"),
        ("Fortalecer la Defensoría del Pueblo y el Congreso", "nhri parliament"),
        ("Former les policiers et les magistrats", "police judiciary"),
        ("Asegurar que el Parlamento apruebe la ley y que los municipios la apliquen", "parliament local-government"),
        ("Garantir la coordination entre le Parlement et les collectivités locales", "parliament local-government"),
        ("Guarantee the freedom of expression and of the press", ""),
        ("Enrol all children of school age", ""),
        ("Ampliar la educación media", ""),
        ("Join the Extractive Industries Transparency Initiative", ""),
        ("Reduce poverty", ""),
        ("", ""),
    ],
)
def test_addressees_are_found(text: str, codes: str) -> None:
    assert addressees_in(text) == set(codes.split())


@pytest.mark.parametrize("code", detailed_vocabulary("addressee"))
def test_each_has_names_and_phrases(code: str) -> None:
    entry = detailed_vocabulary("addressee")[code]
    assert set(entry["names"]) == {"en", "es", "fr", "pt"}
    assert entry["phrases"]
