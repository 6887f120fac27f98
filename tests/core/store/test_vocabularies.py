import csv
from importlib.resources import files

import pytest
from sqlalchemy import Engine

from services.core.domain.identifiers import slug
from services.core.store.reference import read_reference
from services.core.store.vocabularies import detailed_vocabulary, find_entry, label_family, vocabulary

ENTRIES = list(vocabulary().values())
TARGETS = {1: 7, 2: 8, 3: 13, 4: 10, 5: 9, 6: 8, 7: 5, 8: 12, 9: 8, 10: 10, 11: 10, 12: 11, 13: 5, 14: 10, 15: 12,
           16: 12, 17: 19}  # fmt: skip
"""How many targets each goal has (A/RES/71/313)."""


def codes(scheme: str) -> list[str]:
    return [entry.code for entry in ENTRIES if entry.scheme == scheme]


def test_every_entry_has_an_id_of_its_own_and_names() -> None:
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.id == f"{entry.scheme}:{entry.code}" == entry.id.lower()
        assert {"en", "es"} <= entry.names.keys()
        assert all(name == name.strip() and name for name in entry.names.values())


@pytest.mark.parametrize("scheme", ["upr-info-issue", "ohchr-theme", "group"])
def test_codes_are_the_slugs_of_the_printed_names(scheme: str) -> None:
    assert all(entry.code == slug(entry.names["en"]) for entry in ENTRIES if entry.scheme == scheme)


def test_there_are_as_many_as_there_should_be() -> None:
    assert len(codes("upr-info-issue")) == 54 + 1
    assert codes("action") == ["1", "2", "3", "4", "5"]
    assert len(codes("sdg")) == 17
    assert len(codes("sdg-target")) == 169
    assert len(codes("topic")) >= 25


@pytest.mark.parametrize("goal", TARGETS)
def test_the_targets_of_each_goal_are_numbered_and_then_lettered(goal: int) -> None:
    own = [code.partition(".")[2] for code in codes("sdg-target") if code.partition(".")[0] == str(goal)]
    numbers = [target for target in own if target.isdigit()]
    letters = [target for target in own if not target.isdigit()]
    assert len(own) == TARGETS[goal]
    assert own == [str(number) for number in range(1, len(numbers) + 1)] + [*"abcd"[: len(letters)]]


def test_no_printed_code_and_no_spelling_stands_for_two() -> None:
    printed = [(entry.scheme, code) for entry in ENTRIES for code in entry.printed_codes]
    assert len(printed) == len(set(printed))
    for entry in ENTRIES:
        for alias in (*entry.aliases, entry.names["en"]):
            assert find_entry(entry.scheme, alias) is entry


def test_a_themes_family_are_the_labels_of_the_same_idea() -> None:
    assert label_family("ohchr-theme:prohibition-of-slavery-trafficking") == {
        "ohchr-theme:prohibition-of-slavery-trafficking",
        "ohchr-theme:human-trafficking-and-contemporary-forms-of-slavery",
    }
    assert label_family("ohchr-theme:statistics-and-indicators") == {
        "ohchr-theme:statistics-and-indicators",
        "ohchr-theme:statistics-indicators-and-disaggregated-data",
        "ohchr-theme:data-collection-and-research",
    }


def test_a_family_goes_back_and_forth_but_not_sideways() -> None:
    newest = "ohchr-theme:cooperation-with-human-rights-mechanisms-and-requests-for-technical-assistance"
    bodies, procedures = "ohchr-theme:cooperation-with-treaty-bodies", "ohchr-theme:cooperation-with-special-procedures"
    assert {bodies, procedures} <= label_family(newest)
    assert newest in label_family(bodies)
    assert procedures not in label_family(bodies)


def test_labels_without_a_crosswalk_are_a_family_of_their_own() -> None:
    assert label_family("sdg:16") == {"sdg:16"}
    assert label_family("ohchr-theme:unknown") == {"ohchr-theme:unknown"}
    assert "group:women-and-girls" in label_family("group:girls")


@pytest.mark.parametrize("scheme", ["ohchr-theme", "group"])
def test_the_crosswalk_goes_forward(scheme: str) -> None:
    folder = files("services.core.store") / "facts/vocabularies"
    names = {"ohchr-theme": ("ohchr_themes", "ohchr_theme_crosswalk"), "group": ("groups", "group_crosswalk")}[scheme]
    entries, steps = (list(csv.DictReader((folder / f"{name}.csv").read_text("utf-8").splitlines())) for name in names)
    seen = {row["code"]: {int(generation) for generation in row["generations"].split()} for row in entries}
    for step in steps:
        assert max(seen[step["newer"]]) > min(seen[step["older"]])
        assert 3 not in seen[step["older"]]


def test_only_three_vocabularies_come_with_phrases() -> None:
    with pytest.raises(KeyError):
        detailed_vocabulary("sdg")


def test_every_database_starts_with_them(engine: Engine) -> None:
    labels = read_reference(engine).labels
    assert vocabulary().keys() <= labels.keys()
    assert labels["ohchr-theme:acceptance-of-international-norms"].printed_codes == ("A12", "2.1")
    assert labels["topic:torture-prevention"].names["es"] == "Prevención de la tortura"
