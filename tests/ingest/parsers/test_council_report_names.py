"""Where one organisation's name ends and the next begins."""

import pytest

from services.ingest.parsers.council_report_names import is_cause, names_a_body, read_name_list, split_last_name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Advocates for Rights, Coast Foundation for Peace, Development and Human Rights, Prison Watch",
            ("Advocates for Rights", "Coast Foundation for Peace, Development and Human Rights", "Prison Watch"),
        ),
        ("Prison Watch, Inc., Red Umbrella", ("Prison Watch, Inc.", "Red Umbrella")),
        ("Red del Sur, la Costa y las Islas, Sol", ("Red del Sur, la Costa y las Islas", "Sol")),
        (
            "Alpha Watch, Health and Memory Programme (HMP), Women and Memory Forum",
            ("Alpha Watch", "Health and Memory Programme (HMP)", "Women and Memory Forum"),
        ),
        ("Freedom Now, Human Rights Now, Rights for All", ("Freedom Now", "Human Rights Now", "Rights for All")),
        (
            "Alpha Watch, Middle School, Development and Trade Club, Zeta Watch, Zulu Watch",
            ("Alpha Watch", "Middle School, Development and Trade Club", "Zeta Watch", "Zulu Watch"),
        ),  # out of the alphabet: the rest of the name before
    ],
)
def test_lists_whose_names_are_clear(text, names):
    read = read_name_list(text)
    assert (read.names, read.unclear) == (names, ())


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("Amnesty International, Zone Gay, Trans and Intersex Club", "Zone Gay, Trans and Intersex Club"),
        ("Amnesty International, Centre for Peace, Justice", "Centre for Peace, Justice"),
        ("Amnesty International, Friends of the River, Memory", "Friends of the River, Memory"),
    ],
)  # fmt: skip
def test_nobody_is_made_of_words_that_may_be_one_name_or_two(text, unclear):
    read = read_name_list(text)
    assert (read.names, read.unclear) == (("Amnesty International",), (unclear,))


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("Free Press Watch and Open Doors", ["Free Press Watch", "Open Doors"]),
        ("Free Press Watch and Center for Law and Justice", ["Free Press Watch", "Center for Law and Justice"]),
        ("Center for Law and Justice", ["Center for Law and Justice"]),
        ("Women and Memory Forum", ["Women and Memory Forum"]),
        ("Karvenia and Grand Alba and Saint Ivo", ["Karvenia", "Grand Alba and Saint Ivo"]),
        ("Grand Alba and Saint Ivo", ["Grand Alba and Saint Ivo"]),
    ],
)
def test_the_last_of_a_list(entry, names):
    assert split_last_name(entry) == names


def test_lists_without_end_are_read_soon():
    assert len(read_name_list("Peace, " * 20_000).unclear) == 1
    assert read_name_list("(" * 50_000).unclear == ()
    assert read_name_list("").names == ()


def test_words_that_make_no_name():
    assert is_cause("Development and Human Rights")
    assert not is_cause("Rights for All")
    assert not is_cause("Liberation")
    assert names_a_body("Organization of the Coast")
    assert not names_a_body("Atlantis Minor")
