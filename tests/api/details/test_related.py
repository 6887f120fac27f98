"""Recommendations that are related to one, and why."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from services.api.details.related import MOST_OF_A_KIND
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.reviews import REVIEWS, ReviewRecord
from tests.api.details.test_reviews import recommendation
from tests.api.site import Site, open_site

OPCAT = "Ratify the Optional Protocol to the Convention against Torture and establish a national preventive mechanism"
TOPIC = "topic:torture-prevention"


def made(cycle: int, number: str, text: str, *labels: str, state: str = "PER", **others: Any) -> Any:
    review = {"review": f"{state}-{cycle}", "cycle": cycle, "state_under_review": state}
    return recommendation(number, ("ESP",), "supported", text=text, label_ids=labels, **review, **others)


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    reviews = [
        ReviewRecord(id=f"{state}-{cycle}", state_under_review=state, cycle=cycle)
        for state in ("PER", "CHL")
        for cycle in (1, 2, 3)
    ]
    with engine.begin() as connection:
        REVIEWS.insert(connection, reviews)
        RECOMMENDATIONS.insert(
            connection,
            [
                made(2, "1.1", OPCAT, TOPIC, "instrument:opcat"),
                made(1, "9.9", OPCAT.upper() + ".", TOPIC, "instrument:opcat"),
                made(3, "1.2", OPCAT + " without delay", TOPIC, "instrument:opcat"),
                made(2, "1.3", OPCAT + " soon", "instrument:opcat"),
                made(1, "1.4", OPCAT, "instrument:cedaw"),
                made(3, "1.5", OPCAT.replace("Torture", "Corruption"), "instrument:uncac"),
                made(1, "1.6", "Let inspectors see every prison", TOPIC),
                made(3, "1.7", "Let inspectors see every prison later", TOPIC),
                made(2, "1.1", OPCAT, TOPIC, state="CHL"),
                *(made(1, f"2.{n}", f"Build school number {n} in the north", "topic:education") for n in range(60)),
                made(2, "3.1", "Teach children in their own language", "topic:education"),
            ],
        )
    with open_site(database_url) as site:
        yield site


def test_what_is_said_again_is_found_with_the_reason(site: Site) -> None:
    related = site.json("/v1/recommendations/PER-2-1.1", include="related")["related"]
    others = {each["id"]: each for each in related["in_other_cycles"]["data"]}
    assert others.keys() == {"PER-1-9.9", "PER-3-1.2", "PER-1-1.4"}
    assert others["PER-1-9.9"]["why"] == ["same_text", "same_topic"]
    assert others["PER-3-1.2"]["why"] == ["nearly_same_text", "same_topic"]
    assert 0.75 <= others["PER-3-1.2"]["likeness"] < 1
    assert [each["id"] for each in related["in_the_same_review"]["data"]] == ["PER-2-1.3"]
    assert others["PER-1-9.9"]["topics"][0]["name"] == "Torture prevention"


def test_earlier_ones_on_the_topic(site: Site) -> None:
    related = site.json("/v1/recommendations/PER-2-1.1", include="related", lang="es")["related"]
    earlier = related["earlier_on_the_topics"]["data"]
    assert [each["id"] for each in earlier] == ["PER-1-9.9", "PER-1-1.6"]
    assert earlier[1]["why"] == ["same_topic"]
    assert earlier[1]["topics"][0]["name"] == "Prevención de la tortura"


def test_a_group_is_bounded_and_says_how_many_there_are(site: Site) -> None:
    earlier = site.json("/v1/recommendations/PER-2-3.1", include="related")["related"]["earlier_on_the_topics"]
    assert (earlier["total"], len(earlier["data"])) == (60, MOST_OF_A_KIND)
