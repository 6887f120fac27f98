import re
import tomllib
from pathlib import Path

import pytest

from services.core.store.vocabularies import detailed_vocabulary, label_family, vocabulary
from services.ingest.normalise.topics import topics_of
from tests.ingest.normalise import upr_info

EXAMPLES = tomllib.loads((Path(__file__).parent / "topic_examples.toml").read_text(encoding="utf-8"))
TOPICS = detailed_vocabulary("topic")


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_has_examples(topic: str) -> None:
    assert EXAMPLES[topic]["yes"]
    assert EXAMPLES[topic]["no"]


@pytest.mark.parametrize(("topic", "text"), [(topic, text) for topic in EXAMPLES for text in EXAMPLES[topic]["yes"]])
def test_it_is_found(topic: str, text: str) -> None:
    assert topic in topics_of(text)


@pytest.mark.parametrize(("topic", "text"), [(topic, text) for topic in EXAMPLES for text in EXAMPLES[topic]["no"]])
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
    r"|(?:visit|inspect|monitor)\w*[^.;]{0,40}places? of (?:detention|deprivation)",
    re.IGNORECASE,
)


def test_every_recommendation_on_preventive_mechanisms_is_found_whether_or_not_it_names_opcat() -> None:
    texts = {row["Text"] for row in upr_info.rows() if MECHANISM.search(row["Text"])}
    assert len(texts) > 500
    assert [text for text in texts if "torture-prevention" not in topics_of(text)] == []


@pytest.mark.parametrize(
    ("topic", "issue", "precision", "recall"),
    [
        ("death-penalty", "Death penalty", 0.95, 0.95),
        ("enforced-disappearances", "Enforced disappearances", 0.85, 0.95),
        ("human-rights-defenders", "Human rights defenders", 0.94, 0.92),
        ("indigenous-peoples", "Indigenous peoples", 0.95, 0.92),
        ("lgbti", "Sexual Orientation and Gender Identity", 0.97, 0.92),
        ("migrants", "Migrants", 0.9, 0.88),
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
