"""The feed over HTTP: order, where to go on, types, filters before or after, languages."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, update

from services.api import feed
from services.core.domain.changes import EVENT_TYPES, Cause, type_matches
from services.core.query.filters import FILTERS, parse_filters
from services.core.schemas.events import draft_change
from services.core.schemas.models import EventList
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import ChangeDraft, append_changes, change_head_table, changes_table
from services.core.store.reference import Reference, read_reference
from services.core.store.tables import AGGREGATES
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import RecordMaker, fill

BUT_NEWS = [name for name, known in FILTERS.items() if not known.lists_only]


@pytest.fixture
def drafts(engine: Engine) -> list[ChangeDraft]:
    """Changes of every noun and verb, written to the store; the records they tell of are in it as well."""
    with engine.begin() as connection:
        maker = fill(connection, seed=31, each=12)
    reference = read_reference(engine)
    with engine.begin() as connection:
        drafts = [
            draft
            for noun, aggregate in AGGREGATES.items()
            for record in aggregate.where(connection)[:12]
            for draft in _life(noun, shape_of(noun, record, Names(reference)), maker, reference)
        ]
        maker.chance.shuffle(drafts)
        append_changes(connection, drafts)
    return drafts


def _life(noun: str, shape: dict[str, Any], maker: RecordMaker, reference: Reference) -> Sequence[ChangeDraft]:
    """Created, then another thing, and sometimes deleted."""
    other = {**shape, "revision": 2}
    other |= _answered(shape) if noun == "recommendations" else {"sample": None}
    steps: list[tuple[Any, Any, dict[str, str]]] = [(None, shape, {}), (shape, other, {})]
    if noun == "recommendations":
        steps.append((shape, shape, {"replaced": f"{shape['review']}~0123456789"}))
    if maker.chance.random() < 0.4:
        steps.append((other, None, {"reason": "no_source_holds_it"}))
    made = [
        draft_change(noun, was, now_is, cause=Cause.PUBLICATION, effective_on=None, reference=reference, **more)
        for was, now_is, more in steps
    ]
    return [draft for draft in made if draft is not None]


def _answered(shape: dict[str, Any]) -> dict[str, Any]:
    position = "noted" if shape["position"] == "supported" else "supported"
    entry = {
        "position": position,
        "detail": None,
        "phrase": None,
        "effective_on": "2013-05-01",
        "symbol": None,
        "paragraph": None,
        "document": "A-HRC-22-15-Add.1",
        "source_kind": "addendum",
    }
    return {"position": position, "position_detail": None, "positions": [*shape["positions"], entry]}


@pytest.fixture
def site(database_url: str, drafts: list[ChangeDraft]) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def test_all_changes_in_their_order(site: Site, drafts: list[ChangeDraft]) -> None:
    pages = site.pages("/v1/changes", limit=50)
    events = [event for page in pages for event in page["data"]]
    assert [event["seq"] for event in events] == list(range(1, len(drafts) + 1))
    assert [event["subject"]["id"] for event in events] == [draft.subject for draft in drafts]
    assert {event["type"] for event in events} == {draft.type for draft in drafts}
    assert {"recommendation.position_changed", "recommendation.replaced"} <= {event["type"] for event in events}
    for page in pages:
        EventList.model_validate(page)
        assert page["dataset"]["cursor"] == len(drafts)
    for event in events:
        assert event["subject"]["url"] == event["data"]["url"]
        assert event["data"]["url"].startswith(f"{PUBLIC}/")


def test_where_to_go_on(site: Site, drafts: list[ChangeDraft]) -> None:
    last = len(drafts)
    assert [event["seq"] for event in site.json("/v1/changes", after=10, limit=3)["data"]] == [11, 12, 13]
    exact = site.json("/v1/changes", after=last - 3, limit=3)
    assert (len(exact["data"]), exact["page"]["next"]) == (3, None)
    assert site.json("/v1/changes", after=last)["data"] == []
    problem(site.get("/v1/changes", after=2**63 - 1), 410, "feed_restored")
    assert len(site.json("/v1/changes")["data"]) == 50


def test_types(site: Site, drafts: list[ChangeDraft]) -> None:
    for wanted in (["pledge.deleted"], ["recommendation.updated"], ["label.created", "recommendation.replaced"]):
        events = site.rows("/v1/changes", event_type=wanted, limit=7)
        expected = [draft.type for draft in drafts if type_matches(frozenset(wanted), draft.type)]
        assert [event["type"] for event in events] == expected != []
    told = problem(site.get("/v1/changes", event_type="pledge.eaten"), 400, "invalid_parameter")
    assert "`event_type` cannot be “pledge.eaten”" in told["detail"]
    assert set(EVENT_TYPES) > {draft.type for draft in drafts} - {"recommendation.updated"}


def test_a_filter_matches_the_record_before_or_after(site: Site, drafts: list[ChangeDraft]) -> None:
    moved = next(draft for draft in drafts if draft.type == "recommendation.position_changed")
    for position in moved.changed["position"]:
        found = site.rows("/v1/changes", position=position, id=moved.subject, event_type=moved.type)
        assert [event["changed"]["position"] for event in found] == [moved.changed["position"]]
    neither = ({"supported", "noted", "pending"} - set(moved.changed["position"])).pop()
    assert not site.rows("/v1/changes", position=neither, id=moved.subject, event_type=moved.type)
    gone = next(draft for draft in drafts if draft.type == "pledge.deleted")
    assert gone.subject in {event["subject"]["id"] for event in site.rows("/v1/changes", id=gone.subject)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(BUT_NEWS), max_size=3, unique=True), seed=st.integers(0, 2**32))
def test_the_feed_filters_as_terms_match(
    site: Site, engine: Engine, drafts: list[ChangeDraft], names: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    pairs = [(name, value) for name in names for value in _values(chance, name, drafts)]
    filters = parse_filters(None, pairs, read_reference(engine).vocabulary)
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    met = [
        seq
        for seq, draft in enumerate(drafts, 1)
        if filters.matches(draft.terms_before) or filters.matches(draft.terms_after)
    ]
    assert [event["seq"] for event in site.rows("/v1/changes", limit=40, **parameters)] == met


def _values(chance: random.Random, name: str, drafts: list[ChangeDraft]) -> list[str]:
    prefix = "date:" if name in ("date_from", "date_to") else f"{name}:"
    terms = {term for draft in drafts for term in (*draft.terms_before, *draft.terms_after)}
    held = sorted(term.removeprefix(prefix) for term in terms if term.startswith(prefix))
    return chance.sample(held, min(len(held), 1 if FILTERS[name].single else chance.choice((1, 3))))


def test_the_stored_terms_are_those_of_the_drafts(site: Site, engine: Engine, drafts: list[ChangeDraft]) -> None:
    with engine.connect() as connection:
        rows = connection.execute(select(changes_table).order_by(changes_table.c.seq)).all()
    assert [(tuple(row.terms_before), tuple(row.terms_after), row.data) for row in rows] == [
        (draft.terms_before, draft.terms_after, draft.data) for draft in drafts
    ]


def test_languages(site: Site) -> None:
    english = {event["seq"]: event["data"] for event in site.rows("/v1/changes", limit=200)}
    spanish = site.rows("/v1/changes", limit=200, lang="es")
    assert english.keys() == {event["seq"] for event in spanish}
    known = {row["id"]: row for row in site.rows("/v1/states", limit=200, lang="es")}
    for event in spanish:
        told = event["data"].get("state_under_review")
        if told:
            assert told["name"] == known[told["code"]]["name"]
    assert any(event["data"].get("text_language") == "es" for event in spanish)


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    site.json("/v1/changes")
    for parameters in ({"limit": 1}, {"limit": 200, "region": "grulac", "date_from": "2012-05-01", "lang": "es"}):
        with site.counted() as statements:
            site.json("/v1/changes", **parameters)
        assert len(statements) == 2  # the newest change, and the changes


def test_what_the_feed_does_not_take(site: Site) -> None:
    problem(site.get("/v1/changes", updated_since="2012-01-01T00:00:00Z"), 400, "unknown_parameter")
    problem(site.get("/v1/changes", sort="date"), 400, "unknown_parameter")
    for after in ("-1", "1.5", "", "x", str(2**63), "9" * 400):
        assert "`after`" in problem(site.get("/v1/changes", after=after), 400, "invalid_parameter")["detail"]


def test_changes_that_are_no_longer_kept_are_gone(site: Site, engine: Engine, drafts: list[ChangeDraft]) -> None:
    with engine.begin() as connection:
        connection.execute(delete(changes_table).where(changes_table.c.seq <= 20))
    for after, headers in ((0, {}), (19, {}), (19, {"Accept": "text/event-stream"}), (19, {"If-None-Match": "*"})):
        told = problem(site.client.get("/v1/changes", params={"after": after}, headers=headers), 410, "changes_gone")
        assert (told["oldest"], told["cursor"]) == (21, len(drafts))
        assert told["exports"]["recommendations"] == f"{PUBLIC}/v1/recommendations.ndjson"
        assert site.get(told["exports"]["states"]).status_code == 200
    assert site.json("/v1/changes", after=20, limit=1)["data"][0]["seq"] == 21
    assert site.json("/v1/changes", limit=1)["data"][0]["seq"] == 21, "who names no number takes what there is"
    gone = site.client.get("/v1/changes", headers={"Accept": "text/event-stream", "Last-Event-ID": "5"})
    problem(gone, 410, "changes_gone")


def test_who_has_read_another_history_is_told(site: Site, engine: Engine, drafts: list[ChangeDraft]) -> None:
    def ask(after: int, **more: Any) -> Any:
        return site.client.get("/v1/changes", params={"after": after, **more})

    newest = len(drafts)
    first = site.json("/v1/changes", after=newest)["dataset"]["epoch"]
    assert f"epoch={first}" in site.json("/v1/changes", after=0, limit=1)["page"]["next"]
    told = problem(ask(newest + 1), 410, "feed_restored")
    assert (told["cursor"], told["epoch"]) == (newest, first)
    assert told["exports"]["recommendations"] == f"{PUBLIC}/v1/recommendations.ndjson"
    stream = site.client.get("/v1/changes", headers={"Accept": "text/event-stream", "Last-Event-ID": str(newest + 1)})
    problem(stream, 410, "feed_restored")

    with engine.begin() as connection:
        connection.execute(update(change_head_table).values(restored=True))
    assert site.json("/v1/changes", after=newest)["dataset"]["epoch"] == first, "nothing else was written yet"
    for _ in range(2):
        with engine.begin() as connection:
            append_changes(connection, drafts[:2])
    second = site.json("/v1/changes", after=newest)["dataset"]["epoch"]
    assert second != first, "another history begins with the first change, and only with that"
    assert ask(newest, epoch=first).status_code == 200, "so far they are the same"
    problem(ask(newest + 1, epoch=first), 410, "feed_restored")
    assert ask(newest + 1, epoch=second).status_code == ask(newest + 1).status_code == 200
    problem(ask(0, epoch="0123456789ab"), 410, "feed_restored")
    assert "`epoch`" in problem(ask(0, epoch="x"), 400, "invalid_parameter")["detail"]


def test_causes_choose_as_well(site: Site) -> None:
    assert site.json("/v1/changes", cause="backfill")["data"] == []
    assert len(site.json("/v1/changes", cause=["backfill", "publication"])["data"]) == 50


def test_words_are_looked_for_in_portions(
    site: Site, drafts: list[ChangeDraft], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [event["seq"] for event in site.rows("/v1/changes", q="torture", limit=200)]
    assert 0 < len(wanted) < len(drafts) / 2
    monkeypatch.setattr(feed, "MOST_TEXTS", 25)
    pages = site.pages("/v1/changes", q="torture", limit=3)
    assert len(pages) >= len(drafts) // 30
    assert [event["seq"] for page in pages for event in page["data"]] == wanted
