import random
import string

import pytest

from services.search.naming import Found, Name, NameIndex, name_words

NAMES = [
    "Torture prevention", "Prevención de la tortura", "Enforced disappearances", "Women & girls", "Côte d’Ivoire",
    "Non-discrimination", "Niger", "Nigeria", "16", "16.3", "A12", "Peace, justice and strong institutions", "",
]  # fmt: skip
INDEX = NameIndex(Name(at, name) for at, name in enumerate(NAMES))


def found(typed: str) -> list[str]:
    return [INDEX.names[each.at].text for each in INDEX.find(typed)]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("tort", ["Torture prevention", "Prevención de la tortura"]),
        ("PREVENCION", ["Prevención de la tortura"]),
        ("prev tor", ["Prevención de la tortura", "Torture prevention"]),
        ("tortrue", ["Torture prevention"]),
        ("disapear", ["Enforced disappearances"]),
        ("disapp", ["Enforced disappearances"]),
        ("girl", ["Women & girls"]),
        ("womens", ["Women & girls"]),
        ("wome girls", ["Women & girls"]),
        ("cote", ["Côte d’Ivoire"]),
        ("ivoire", ["Côte d’Ivoire"]),
        ("discrim", ["Non-discrimination"]),
        ("non-discrim", ["Non-discrimination"]),
        ("niger", ["Niger", "Nigeria"]),
        ("nigre", ["Niger", "Nigeria"]),
        ("nger", []),  # four letters
        ("orture", []),  # an error in the first letter
        ("16", ["16", "16.3"]),
        ("16.4", []),
        ("a12", ["A12"]),
        ("strong peace", ["Peace, justice and strong institutions"]),
        ("strong peace women", []),
        ("", []),
        ("¿?", []),
        ("\u202etort", ["Torture prevention", "Prevención de la tortura"]),
        ("t " * 50, ["Torture prevention", "Prevención de la tortura"]),
    ],
)
def test_names_are_found_by_their_words(typed: str, names: list[str]) -> None:
    assert found(typed) == names


def test_who_has_more_errors_gives_way() -> None:
    index = NameIndex([Name(1, "Women"), Name(2, "Woman")])
    assert index.find("women") == [Found(0, 0, 0)]
    assert index.owners("wamen") == {1}


def test_what_is_typed_letter_by_letter_never_loses_the_name() -> None:
    chance = random.Random(4)
    names = [
        " ".join("".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 12))) for _ in range(3))
        for _ in range(300)
    ]
    index = NameIndex(Name(at, name) for at, name in enumerate(names))
    for at, name in enumerate(names[:60]):
        for end in range(1, len(name) + 1):
            assert at in index.owners(name[:end]), name[:end]
        assert index.find(name)[0] == Found(0, 0, at)
        words = chance.sample(name_words(name), 2)
        assert at in index.owners(" ".join(words))


def test_one_error_from_five_letters_is_forgiven() -> None:
    chance = random.Random(8)
    index = NameIndex([Name(0, "discrimination against minorities")])
    for _ in range(300):
        word = chance.choice(["discrimination", "against", "minorities"])
        word = word[: chance.randrange(6, len(word) + 1)]
        at = chance.randrange(1, len(word) - 1)
        letter = chance.choice("xyz")
        wrong = chance.choice(
            [word[:at] + letter + word[at:], word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :]]
        )
        assert index.owners(wrong) == {0}, wrong
