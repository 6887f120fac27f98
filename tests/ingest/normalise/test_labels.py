import csv
import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.store.vocabularies import vocabulary
from services.ingest.normalise.labels import canonical_label, rule_labels
from tests.ingest.normalise import upr_info

OPCAT = "Ratify the Optional Protocol to the Convention against Torture"


@pytest.mark.parametrize(
    ("scheme", "printed", "code", "expected"),
    [
        ("upr-info-issue", "Detention", None, "detention-conditions"),
        ("upr-info-issue", "Detention conditions", None, "detention-conditions"),
        ("upr-info-issue", "Technical assistance and cooperation", None, "technical-assistance"),
        ("upr-info-issue", "ESC rights -general", None, "esc-rights-general"),
        ("upr-info-issue", "Women’s rights", None, "women-s-rights"),
        ("upr-info-issue", "Women's rights", None, "women-s-rights"),
        ("upr-info-issue", "Right to life", None, "right-to-life"),
        ("upr-info-issue", "Pena de muerte", None, "death-penalty"),
        ("ohchr-theme", "Acceptance of international norms", "A12", "acceptance-of-international-norms"),
        ("ohchr-theme", "Acceptance of international norms", "2.1.", "acceptance-of-international-norms"),
        ("ohchr-theme", "Constitutional and legislative framework", "A41", "constitutional-and-legislative-framework"),
        ("ohchr-theme", "Constitutional & legislative framework", None, "constitutional-and-legislative-framework"),
        ("ohchr-theme", "Budget &resources (for human rights implementation)", None,
         "budget-and-resources-for-human-rights-implementation"),
        ("ohchr-theme", "PwD: independence, inclusion", None, "persons-with-disabilities-independence-inclusion"),
        ("ohchr-theme", "Words nobody knows", "D25", "prohibition-of-torture-and-cruel-inhuman-or-degrading-treatment"),
        ("ohchr-theme", "Something new", None, "something-new"),
        ("group", "judiciary", None, "judges-lawyers-and-prosecutors"),
        ("group", "women", None, "women"),
        ("group", "Women & girls", None, "women-and-girls"),
        ("action", "4 - General action", None, "4"),
        ("action", "General action", "4", "4"),
        ("sdg", "PEACE, JUSTICE AND STRONG INSTITUTIONS", "16", "16"),
        ("sdg", "16 - Paz, Justicia e Instituciones", None, "16"),
        ("sdg", "NO POVERTY", None, "1"),
        ("sdg", "Peace, justice and strong institutions", "Goal 16", "16"),
    ],
)  # fmt: skip
def test_printed_labels_are_the_vocabulary_s_own(scheme: str, printed: str, code: str | None, expected: str) -> None:
    assert canonical_label(scheme, printed, code) == f"{scheme}:{expected}"


@pytest.mark.parametrize("scheme", ["sdg", "sdg-target"])
def test_a_target_is_a_target_under_whichever_scheme_it_is_printed(scheme: str) -> None:
    printed = "- 16.B - Promote and enforce non-discriminatory laws"
    assert canonical_label(scheme, printed) == "sdg-target:16.b"
    assert canonical_label(scheme, "Promote the rule of law", "16.3") == "sdg-target:16.3"


def test_rules_give_a_text_all_its_labels() -> None:
    given_by_rules = rule_labels(f"{OPCAT} and train the police")
    assert {entry["assigned_by"] for entry in given_by_rules} == {"rule"}
    assert [entry["label"] for entry in given_by_rules] == [
        "action:5",
        "addressee:police",
        "instrument:opcat",
        "topic:detention-conditions",
        "topic:human-rights-education",
        "topic:torture-prevention",
        "topic:treaty-ratification",
    ]


def test_what_is_only_said_has_no_action() -> None:
    assert not [entry for entry in rule_labels(OPCAT, asks=False) if entry["label"].startswith("action:")]


def test_other_sources_labels_count_and_are_not_repeated() -> None:
    labels = rule_labels("Continue its efforts", label_ids=["sdg-target:16.2", "ohchr-theme:death-penalty", "action:2"])
    assert [entry["label"] for entry in labels] == ["sdg:16", "topic:death-penalty"]


def test_spanish_and_french_texts() -> None:
    spanish = rule_labels("Ratificar el Protocolo Facultativo de la Convención contra la Tortura", "es")
    french = rule_labels("Ratifier le Protocole facultatif se rapportant à la Convention contre la torture", "fr")
    assert spanish == french == rule_labels(OPCAT)


@given(st.text(), st.sampled_from(["en", "es", "fr", "ar"]))
def test_any_text_can_be_labelled(text: str, language: str) -> None:
    labels = [entry["label"] for entry in rule_labels(text, language)]
    assert labels == sorted(set(labels))


def test_forty_thousand_texts_take_less_than_ten_seconds() -> None:
    texts = [row["Text"] for row in upr_info.rows()][::10]
    rule_labels(texts[0])
    started = time.process_time()
    for text in texts:
        rule_labels(text)
    assert (time.process_time() - started) * 42_000 / len(texts) < 10


def test_every_label_of_real_matrices_and_of_upr_info_is_known() -> None:
    folder = upr_info.FOLDER.parent / "golden"
    issues = {issue.strip() for row in upr_info.rows() for issue in row["Issue"].split(",")}
    printed = {("upr-info-issue", issue) for issue in issues}
    for file in folder.glob("*matrix*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            printed.update(label for row in csv.DictReader(lines) for label in _labels(row["themes_cell"]))
    unknown = {label for label in printed if canonical_label(*label) not in vocabulary()}
    assert len(printed) > 150
    assert unknown == set()


def _labels(cell: str) -> Iterator[tuple[str, str]]:
    scheme = "ohchr-theme"
    for line in filter(None, (each.strip("- ") for each in cell.splitlines())):
        if line.startswith(("Affected persons", "Groups of Persons")):
            scheme = "group"
        else:
            yield scheme, re.sub(r"^(?:[A-Z]\d+|\d+(?:\.\d+)*\.) ", "", line)
