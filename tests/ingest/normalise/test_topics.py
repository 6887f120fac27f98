import re
import tomllib
from pathlib import Path

import pytest

from services.core.store.vocabularies import detailed_vocabulary, label_family, vocabulary
from services.ingest.normalise.topics import topics_of
from tests.ingest.normalise import upr_info

EXAMPLES = tomllib.loads((Path(__file__).parent / "topic_examples.toml").read_text(encoding="utf-8"))
TOPICS = detailed_vocabulary("topic")


LANGUAGES = ("en", "es", "fr")


def examples(answer: str) -> list[tuple[str, str]]:
    return [(topic, text) for topic, each in EXAMPLES.items() for texts in each[answer].values() for text in texts]


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_has_examples_in_each_language(topic: str) -> None:
    for language in LANGUAGES:
        assert EXAMPLES[topic]["yes"][language]
        assert EXAMPLES[topic]["no"][language]


@pytest.mark.parametrize(("topic", "text"), examples("yes"))
def test_it_is_found(topic: str, text: str) -> None:
    assert topic in topics_of(text)


@pytest.mark.parametrize(("topic", "text"), examples("no"))
def test_it_is_not_found(topic: str, text: str) -> None:
    assert topic not in topics_of(text)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_labels_that_a_topic_joins_exist(topic: str) -> None:
    kinds = (("ohchr-theme", "themes"), ("upr-info-issue", "issues"), ("instrument", "instruments"))
    labels = {f"{scheme}:{code}" for scheme, kind in kinds for code in TOPICS[topic].get(kind, ())}
    assert labels <= vocabulary().keys()
    assert set(TOPICS[topic]["names"]) == {"en", "es", "fr", "pt"}
    assert TOPICS[topic]["about"]


def test_a_theme_of_any_generation_gives_the_topic() -> None:
    newest = "ohchr-theme:prohibition-of-torture-and-ill-treatment-including-cruel-inhuman-or-degrading-treatment"
    family = label_family(newest)
    assert len(family) > 1
    for label in family:
        assert topics_of("Continue its efforts", [label]) == {"torture-prevention"}


def test_a_label_given_for_another_reason_does_not_give_the_topic() -> None:
    text = "Prohibit female genital mutilation"
    assert "torture-prevention" not in topics_of(text, ["upr-info-issue:torture-and-other-cid-treatment"])
    assert "torture-prevention" in topics_of(f"{text} and torture", ["upr-info-issue:torture-and-other-cid-treatment"])


def test_an_instrument_gives_the_topic() -> None:
    assert topics_of("Ratify the Optional Protocol to CAT") >= {"torture-prevention", "detention-conditions"}


def test_nothing_is_found_in_nothing() -> None:
    assert topics_of("") == frozenset()
    assert topics_of("…") == frozenset()


MECHANISM = re.compile(
    r"\bNPMs?\b|\bMNP\b|prevent(?:ive|ion|ative) mechanism"
    r"|mechanisms? (?:for|of|to) (?:the )?prevent\w*(?: of)? torture"
    r"|\bOP-?CAT\b|Optional Protocol (?:to|of) (?:the )?(?:UN |United Nations )?(?:CAT\b|Convention against Torture)"
    r"|\bCAT\b[^.;]{0,20} and its (?:first )?Optional Protocol"
    r"|Subcommittee on (?:the )?Prevention",
    re.IGNORECASE,
)
MONITORING = re.compile(
    r"(?:visit|inspect|monitor)\w*[^.;]{0,40}(?:places? of (?:detention|deprivation)|places where|prisons\b|detainees)"
    r"|(?:detention (?:facilit|cent)\w+|prisons|detainees)[^.;]{0,30}(?:monitor|inspected|inspections|visited)"
    r"|(?:ICRC|Red Cross|humanitarian organi[sz]ation)[^.;]{0,40}(?:prison|detention|detainee|penitentiar)",
    re.IGNORECASE,
)
OTHERWISE_MEANT = re.compile(r"access of [^.;]+ lawyers|visitors|family", re.IGNORECASE)
"""Detainees who receive visits of their family or lawyers."""


@pytest.mark.parametrize(("told_by", "at_least"), [(MECHANISM, 500), (MONITORING, 60)])
def test_every_recommendation_on_preventive_mechanisms_and_monitoring_is_found(
    told_by: re.Pattern[str], at_least: int
) -> None:
    texts = {row["Text"] for row in upr_info.rows() if told_by.search(row["Text"])}
    assert len(texts) > at_least
    missed = [text for text in texts if "torture-prevention" not in topics_of(text)]
    assert [text for text in missed if not OTHERWISE_MEANT.search(text)] == []


@pytest.mark.parametrize(
    ("topic", "issue", "precision", "recall"),
    [
        ("death-penalty", "Death penalty", 0.95, 0.95),
        ("enforced-disappearances", "Enforced disappearances", 0.85, 0.95),
        ("human-rights-defenders", "Human rights defenders", 0.94, 0.92),
        ("indigenous-peoples", "Indigenous peoples", 0.95, 0.92),
        ("lgbti", "Sexual Orientation and Gender Identity", 0.97, 0.92),
        ("migrants", "Migrants", 0.88, 0.95),
        ("nhri", "NHRI", 0.92, 0.9),
        ("refugees-and-asylum", "Asylum-seekers - refugees", 0.9, 0.92),
        ("trafficking", "Trafficking", 0.88, 0.87),
    ],
)
def test_topics_that_are_an_issue_agree_with_it(topic: str, issue: str, precision: float, recall: float) -> None:
    distinct = {row["Text"]: row["Issue"].split(",") for row in upr_info.rows()}
    found = {text for text in distinct if topic in topics_of(text)}
    coded = {text for text, issues in distinct.items() if issue in issues}
    assert len(found & coded) / len(found) >= precision
    assert len(found & coded) / len(coded) >= recall
