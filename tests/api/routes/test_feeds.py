"""The latest changes as Atom and JSON Feed."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from sqlalchemy import Engine

from services.core.domain.changes import Cause
from services.core.schemas.events import draft_change
from services.core.schemas.examples import record_example
from services.core.schemas.names import LANGUAGES, Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import append_changes
from services.core.store.reference import read_reference
from services.core.store.tables import AGGREGATES
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import RecordMaker, fill

ATOM = "{http://www.w3.org/2005/Atom}"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
FORMS = {"atom": "application/atom+xml", "json-feed": "application/feed+json"}


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    """A store with a change of every kind, 120 and more; every fifth is history that was loaded late."""
    with engine.begin() as connection:
        maker = fill(connection, seed=71, each=15)
    reference = read_reference(engine)
    with engine.begin() as connection:
        steps = [
            (noun, was, now_is)
            for noun, aggregate in AGGREGATES.items()
            for record in aggregate.where(connection)[:14]
            for shape in [shape_of(noun, record, Names(reference))]
            for was, now_is in ((None, shape), (shape, {**shape, "sample": "?"}), (shape, None))
        ]
        drafts = [
            draft_change(
                noun,
                was,
                now_is,
                cause=Cause.BACKFILL if place % 5 == 0 else Cause.PUBLICATION,
                effective_on=None,
                reference=reference,
            )
            for place, (noun, was, now_is) in enumerate(steps)
        ]
        append_changes(connection, [draft for draft in drafts if draft])
    return maker


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def append(engine: Engine, *changes: tuple[Any, Any], cause: Cause = Cause.PUBLICATION, **more: Any) -> None:
    """Changes of recommendations."""
    reference = read_reference(engine)
    drafts = [
        draft_change("recommendations", before, after, cause=cause, effective_on=None, reference=reference, **more)
        for before, after in changes
    ]
    with engine.begin() as connection:
        append_changes(connection, [draft for draft in drafts if draft])


def atom(answer: httpx.Response) -> ET.Element:
    """The feed of an answer, held to RFC 4287."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    for one in ("id", "title", "updated"):
        assert len(feed.findall(f"{ATOM}{one}")) == 1
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "OpenUPR"
    assert link(feed, "self").startswith(f"{PUBLIC}/v1/changes.atom")
    for entry in feed.iter(f"{ATOM}entry"):
        for one in ("id", "title", "updated", "published", "summary"):
            (only,) = entry.findall(f"{ATOM}{one}")
            assert only.text, one
        assert entry.findtext(f"{ATOM}id", "").startswith("urn:uuid:")
        assert RFC_3339.fullmatch(entry.findtext(f"{ATOM}updated", ""))
        assert link(entry, "alternate").startswith(f"{PUBLIC}/")
    ids = [each.text for each in feed.findall(f"{ATOM}entry/{ATOM}id")]
    assert len(ids) == len(set(ids))
    return feed


def link(element: ET.Element, relation: str) -> str:
    (found,) = [each.get("href", "") for each in element.findall(f"{ATOM}link") if each.get("rel") == relation]
    return found


def json_feed(answer: httpx.Response) -> dict[str, Any]:
    """The feed of an answer, held to JSON Feed 1.1."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    feed: dict[str, Any] = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    for item in feed["items"]:
        assert item["id"]
        assert item["content_text"]
        assert RFC_3339.fullmatch(item["date_published"])
    return feed


def test_the_newest_first_and_both_alike(site: Site) -> None:
    events = [each for each in site.rows("/v1/changes", limit=200) if each["cause"] != "backfill"]
    newest = [each["seq"] for each in reversed(events)][:50]
    items = json_feed(site.get("/v1/changes.json-feed"))["items"]
    assert [item["_openupr"]["seq"] for item in items] == newest
    feed = atom(site.get("/v1/changes.atom"))
    told = [
        (entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}title"), entry.findtext(f"{ATOM}summary"))
        for entry in feed.iter(f"{ATOM}entry")
    ]
    assert told == [(item["id"], item["title"], item["content_text"]) for item in items]


def test_pages_lead_through_all_changes(site: Site) -> None:
    events = [each["seq"] for each in site.rows("/v1/changes", limit=200)]
    causes = "&".join(f"cause={cause}" for cause in Cause)
    address: str | None = f"/v1/changes.json-feed?{causes}"
    found: list[int] = []
    while address:
        page = json_feed(site.get(address))
        found += [item["_openupr"]["seq"] for item in page["items"]]
        address = page.get("next_url")
    assert found == events[::-1]
    first = atom(site.get(f"/v1/changes.atom?{causes}"))
    second = site.get(link(first, "next"))
    assert atom(second).findtext(f"{ATOM}id") == first.findtext(f"{ATOM}id")
    assert link(atom(second), "self") == link(first, "next")
    assert site.get("/v1/changes.atom").links["next"]["url"] == link(atom(site.get("/v1/changes.atom")), "next")


def test_the_filters_and_types_of_the_feed_of_changes(site: Site) -> None:
    for query in (
        "event_type=recommendation.created",
        "event_type=recommendation.updated&event_type=label.deleted",
        "region=grulac",
        "region=weog&position=pending&event_type=recommendation.updated",
        "date_from=2012-01-01&date_to=2014-01-01",
        "theme=right-to-life",
        "id=PER-9",
    ):
        events = [each for each in site.rows(f"/v1/changes?{query}&limit=200") if each["cause"] != "backfill"]
        items = json_feed(site.get(f"/v1/changes.json-feed?{query}"))["items"]
        assert [item["_openupr"]["event"] for item in items] == [each["id"] for each in reversed(events)][:50], query


def test_causes(site: Site) -> None:
    events = {each["seq"]: each["cause"] for each in site.rows("/v1/changes", limit=200)}
    late = json_feed(site.get("/v1/changes.json-feed?cause=backfill"))["items"]
    assert {events[item["_openupr"]["seq"]] for item in late} == {"backfill"}


def test_by_accept(site: Site) -> None:
    for suffix, media_type in FORMS.items():
        answer = site.client.get("/v1/changes?region=grulac", headers={"Accept": media_type})
        assert answer.content == site.get(f"/v1/changes.{suffix}?region=grulac").content
        refused = site.client.get("/v1/changes?after=5", headers={"Accept": media_type})
        assert problem(refused, 400, "unknown_parameter")["parameter"] == "after"
    assert site.client.get("/v1/changes", headers={"Accept": "text/html, */*;q=0.8"}).json()["data"]


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        (
            "en",
            (
                "New recommendation to Peru by Mexico",
                "Peru now supports recommendation 116.17 by Mexico",
                "Peru has noted recommendation 116.17 by Mexico",
                "Peru now supports recommendation 116.17 by Mexico in part",
                "Recommendation 116.17 by Mexico to Peru was removed",
            ),
        ),
        (
            "es",
            (
                "Nueva recomendación a Perú de México",
                "Perú apoya ahora la recomendación 116.17 de México",
                "Perú ha tomado nota de la recomendación 116.17 de México",
                "Perú apoya ahora en parte la recomendación 116.17 de México",
                "La recomendación 116.17 de México a Perú se ha retirado",
            ),
        ),
    ],
)
def test_titles_that_a_person_understands(engine: Engine, site: Site, language: str, titles: Sequence[str]) -> None:
    made = {
        **record_example("recommendations"),
        "state_under_review": {"code": "PER", "name": "Peru"},
        "recommending_states": [{"code": "MEX", "name": "Mexico"}],
        "number": "116.17",
    }
    pending = {**made, "position": "pending", "positions": made["positions"][:1]}
    append(engine, (None, pending))
    append(engine, (pending, made))
    append(engine, (pending, {**made, "position": "noted", "position_detail": None}))
    append(engine, (pending, {**made, "position": "noted", "position_detail": "partial"}))
    append(engine, (made, None), reason="not_in_final")
    items = json_feed(site.get("/v1/changes.json-feed", lang=language, state_under_review="PER"))["items"]
    ours = [item for item in reversed(items) if item["_openupr"]["subject"] == made["id"]]
    assert [item["title"] for item in ours] == list(titles)
    assert made["text"] in ours[0]["content_text"]
    assert ours[0]["url"] == f"{PUBLIC}/recommendations/{made['id']}"
    said = {"en": "Position: pending → supported", "es": "Posición: pendiente → apoyada"}
    assert said[language] in ours[1]["content_text"]


def test_every_kind_of_change_has_words_in_every_language(site: Site) -> None:
    causes = "&".join(f"cause={cause}" for cause in Cause)
    kinds = {each["type"] for each in site.rows("/v1/changes", limit=200)}
    assert len(kinds) == 3 * len(AGGREGATES)
    for kind in kinds:
        for language in LANGUAGES:
            items = json_feed(site.get(f"/v1/changes.json-feed?{causes}&event_type={kind}&lang={language}"))["items"]
            assert items
            assert all("None" not in item["title"] and "." not in item["title"].split()[0] for item in items)


def test_ids_stay_what_they_are_in_any_language_and_under_any_address(site: Site) -> None:
    english, spanish = (json_feed(site.get("/v1/changes.json-feed", lang=each))["items"] for each in ("en", "es"))
    assert [item["id"] for item in english] == [item["id"] for item in spanish]


def test_what_no_xml_can_hold_is_left_out(engine: Engine, site: Site) -> None:
    hostile = {**record_example("recommendations"), "text": "a\x01b\x0c<script>&]]>\ufffe\U0001f600 end"}
    append(engine, (None, hostile))
    feed = atom(site.get("/v1/changes.atom", id=hostile["id"]))
    assert feed.findtext(f"{ATOM}entry/{ATOM}summary") == "ab<script>&]]>\U0001f600 end"


def test_the_title_names_the_filters(site: Site) -> None:
    feed = json_feed(site.get("/v1/changes.json-feed?state_under_review=PER&position=noted&lang=fr"))
    assert feed["title"] == (
        "OpenUPR\u00a0: dernières modifications (État examiné\u00a0: Pérou\u00a0; position\u00a0: notée)"
    )
    assert feed["language"] == "fr"


@pytest.mark.parametrize("suffix", FORMS)
def test_held_feeds_are_not_sent_again_until_they_have_news(engine: Engine, site: Site, suffix: str) -> None:
    address = f"/v1/changes.{suffix}?event_type=recommendation.created"
    first = site.get(address)
    held = {"If-None-Match": first.headers["etag"]}
    assert first.headers["cache-control"] == "public, no-cache"
    assert site.client.get(address, headers=held).status_code == 304
    example = record_example("recommendations")
    append(engine, (example, {**example, "text": "other"}))
    assert site.client.get(address, headers=held).status_code == 304  # it is news, but none of this feed
    append(engine, (None, example))
    assert site.client.get(address, headers=held).status_code == 200


def test_a_feed_without_entries(site: Site) -> None:
    assert json_feed(site.get("/v1/changes.json-feed?id=PER-9"))["items"] == []
    feed = atom(site.get("/v1/changes.atom?id=PER-9"))
    assert RFC_3339.fullmatch(feed.findtext(f"{ATOM}updated", ""))


def test_the_number_of_queries(site: Site) -> None:
    for suffix in FORMS:
        site.get(f"/v1/changes.{suffix}")
        for query in ("", "?region=grulac&event_type=recommendation.created"):
            with site.counted() as statements:
                site.get(f"/v1/changes.{suffix}{query}")
            assert len(statements) == 2


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=3", "unknown_parameter"),
        ("limit=3", "unknown_parameter"),
        ("updated_since=2026-01-01T00:00:00Z", "unknown_parameter"),
        ("colour=red", "unknown_parameter"),
        ("cause=weather", "invalid_parameter"),
        ("event_type=recommendation.sung", "invalid_parameter"),
        ("before=0", "invalid_parameter"),
        ("before=x", "invalid_parameter"),
        ("lang=de", "invalid_parameter"),
        ("state_under_review=PERU", "invalid_parameter"),
    ],
)
def test_what_cannot_be_asked(site: Site, query: str, code: str) -> None:
    for suffix in FORMS:
        problem(site.get(f"/v1/changes.{suffix}?{query}"), 400, code)
