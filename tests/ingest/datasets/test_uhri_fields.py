import pytest

from services.ingest.datasets.base import Notes
from services.ingest.datasets.uhri_fields import (
    When,
    group_labels,
    named_states,
    place_of,
    sdg_labels,
    theme_labels,
    values,
    when_of,
)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, []),
        ([], []),
        ("", []),
        ("- UPR", ["UPR"]),
        (["Peru", None, "- Chile"], ["Peru", "Chile"]),
        ("- Peru\n- Chile", ["Peru", "Chile"]),
        ("South Sudan\r\n- Sudan", ["South Sudan", "Sudan"]),
        (r"- A\n- B", ["A", "B"]),
    ],
)
def test_values_of_a_field(cell: object, expected: list[str]) -> None:
    assert values(cell) == expected


@pytest.mark.parametrize(
    ("cell", "states", "unknown"),
    [
        ("Timor-Leste\n- Guinea-Bissau", ("TLS", "GNB"), ()),
        ("State of Palestine*", ("PSE",), ()),
        ("Uzbekistan - Czechia", ("UZB", "CZE"), ()),
        ("Sierra LeoneTogoTunisia", ("SLE", "TGO", "TUN"), ()),
        ("Chile; Peru", ("CHL", "PER"), ()),
        (["Iran (Islamic Republic of)"], ("IRN",), ()),
        (["Atlantis", "Peru"], ("PER",), ("Atlantis",)),
        ("Atlantis - Peru", (), ("Atlantis - Peru",)),
    ],
)
def test_states_of_a_field(cell: object, states: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    named = named_states(cell)
    assert (named.states, named.unknown) == (states, unknown)


@pytest.mark.parametrize(
    ("text", "number", "paragraph", "bare", "states"),
    [
        ("50.1 Ratify it (Chile) (Peru);", "50.1", "50", "Ratify it", ("CHL", "PER")),
        ("166.6. Ratify it (Chile); (Estonia);", "166.6", "166", "Ratify it", ("CHL", "EST")),
        ("Recommendation No. 41, para. 81: 41. Ratify it", "81.41", "81", "Ratify it", ()),
        ("67. Ratify it", None, "67", "Ratify it", ()),
        ("Recommendations contained in para. 79(a): Ratify it", None, "79(a)", "Ratify it", ()),
        ("Ratify it (CRPD)", None, None, "Ratify it (CRPD)", ()),
        ("2030 is the year", None, None, "2030 is the year", ()),
        ("12.", None, None, "12.", ()),
    ],
)
def test_place_of_a_text(
    text: str, number: str | None, paragraph: str | None, bare: str, states: tuple[str, ...]
) -> None:
    place = place_of(text)
    assert (place.number, place.paragraph, place.text, place.states) == (number, paragraph, bare, states)


@pytest.mark.parametrize(
    ("said", "cycle", "symbol", "expected"),
    [
        ("28th Session - Cycle 2", "", "A/HRC/28/16", When(2, 20)),  # the Council's session
        ("14th Session - Cycle 2", "", "", When(2, 14)),  # the Working Group's: the Council's 14th was in cycle 1
        ("51", "", "A/HRC/62/13", When(4, 51)),
        ("47.0", "", "A/HRC/58/17", When(4, 47)),
        ("", "", "A/HRC/28/16", When(2, 20)),
        ("", "3", "", When(3)),
        ("soon", "", "", None),
        ("999", "", "", None),
    ],
)
def test_when_a_review_was(said: str, cycle: str, symbol: str, expected: When | None) -> None:
    assert when_of(said, cycle, symbol) == expected


def test_goals_and_targets() -> None:
    notes = Notes()
    labels = list(sdg_labels(["16.2 - Protect children", "16.b - Promote laws", "5 - Equality", "99 - No"], notes))
    assert [(scheme, code) for scheme, _, code in labels] == [
        ("sdg-target", "16.2"),
        ("sdg", "16"),
        ("sdg-target", "16.b"),
        ("sdg", "16"),
        ("sdg", "5"),
    ]
    assert [issue.code for issue in notes.remarks.issues()] == ["unknown_label"]


def test_themes_and_groups_that_ran_together() -> None:
    assert list(theme_labels("2.1. Acceptance of norms 12.4. Death penalty")) == [
        ("ohchr-theme", "Acceptance of norms", "2.1"),
        ("ohchr-theme", "Death penalty", "12.4"),
    ]
    assert list(theme_labels("2030 Agenda")) == [("ohchr-theme", "2030 Agenda", None)]
    assert list(group_labels("general- women")) == [("group", "general", None), ("group", "women", None)]
