import pytest

from services.core.domain.organisations import organisation_id


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Amnesty International", "amnesty-international"),
        ("The Advocates for Human Rights", "advocates-for-human-rights"),
        ("Women’s International League for Peace and Freedom", "womens-international-league-for-peace-and-freedom"),
        ("Women's International League for Peace and Freedom", "womens-international-league-for-peace-and-freedom"),
        ("Coordinadora Nacional de Derechos Humanos (CNDDHH)", "coordinadora-nacional-de-derechos-humanos"),
        ("Article 19 (London)", "article-19-london"),
        ("Défense des Enfants & Familles", "defense-des-enfants-and-familles"),
        ("Office of the United Nations High Commissioner for Human Rights", "ohchr"),
    ],
)
def test_a_name_has_one_code_however_it_is_printed(name: str, code: str) -> None:
    assert organisation_id(name) == code


def test_an_institution_bears_its_state_s_code() -> None:
    assert organisation_id("Human Rights Ombudsman", "SVN") == "svn-human-rights-ombudsman"


def test_long_names_are_cut_and_stay_apart() -> None:
    name = "International Federation for the Protection of the Rights of Ethnic, Religious, Linguistic and Other "
    codes = {organisation_id(f"{name} {more} Minorities", "PER") for more in ("National", "Sexual")}
    assert len(codes) == 2
    assert all(len(code) <= 100 and code.startswith("per-international-federation-for-the") for code in codes)


def test_a_name_without_latin_letters_has_a_code() -> None:
    assert organisation_id("Мемориал") == organisation_id(" Мемориал ") != organisation_id("Мемориал 2")
    assert organisation_id("Мемориал").startswith("organisation-")
