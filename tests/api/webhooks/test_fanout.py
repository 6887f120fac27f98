import threading
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from services.api import matching
from services.api.webhooks import endpoints, fanout
from services.api.webhooks.fanout import fan_out, is_behind
from services.core.domain.changes import Cause
from services.core.query.matcher import AnalysedRecord, analyse_texts
from tests.api.webhooks.conftest import Publish, Subscribe, draft, rows

HOOK = "https://tracker.example.org/"


def fan_out_all(engine: Engine) -> int:
    """Fan out to the end of the feed; how many deliveries were made."""
    made = 0
    while True:
        with engine.begin() as connection:
            block = fan_out(connection)
        if block is None:
            return made
        made += block.deliveries


def owed(engine: Engine, endpoint: dict[str, Any]) -> list[int]:
    return [row.seq for row in rows(engine, "SELECT endpoint, seq FROM webhook_deliveries ORDER BY seq")
            if row.endpoint == endpoint["id"]]  # fmt: skip


def test_each_endpoint_hears_what_it_wants(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    everything = subscribe(HOOK, causes=list(Cause))
    usual = subscribe(HOOK)
    chile = subscribe(HOOK, filters={"state_under_review": ["CHL", "ESP"]})
    answers = subscribe(HOOK, event_types=["recommendation.position_changed"])
    updates = subscribe(HOOK, event_types=["recommendation.updated", "review.created"])
    publish(
        draft(),
        draft(cause=Cause.BACKFILL),
        draft(terms_after=("state_under_review:CHL",)),
        draft(type="recommendation.position_changed", cause=Cause.CORRECTION),
        draft(type="recommendation.updated", cause=Cause.MERGE),
        draft(type="recommendation.deleted"),
    )
    assert fan_out_all(engine) == 6 + 5 + 1 + 1 + 2
    assert owed(engine, everything) == [1, 2, 3, 4, 5, 6]
    assert owed(engine, usual) == [1, 3, 4, 5, 6]
    assert owed(engine, chile) == [3]
    assert owed(engine, answers) == [4]
    assert owed(engine, updates) == [4, 5]
    events = rows(engine, "SELECT d.event = c.id AS same FROM webhook_deliveries d JOIN changes c USING (seq)")
    assert all(row.same for row in events)


def test_a_change_matches_by_the_record_before_it_or_after_it(
    engine: Engine, subscribe: Subscribe, publish: Publish
) -> None:
    pending = subscribe(HOOK, filters={"position": "pending", "state_under_review": "PER"})
    recent = subscribe(HOOK, filters={"date_from": "2020-01-01"})
    before = ("state_under_review:PER", "position:pending", "date:2012-11-01")
    after = ("state_under_review:PER", "position:noted", "date:2012-11-01")
    publish(
        draft(terms_before=(), terms_after=before),  # enters
        draft(terms_before=before, terms_after=after),  # leaves
        draft(terms_before=after, terms_after=after),  # was gone already
        draft(terms_before=before, terms_after=()),  # deleted
        draft(terms_before=("state_under_review:PER",), terms_after=("position:pending",)),  # neither meets both
        draft(terms_after=("date:2020-01-01",)),
    )
    fan_out_all(engine)
    assert owed(engine, pending) == [1, 2, 4]
    assert owed(engine, recent) == [6]


def test_an_endpoint_hears_only_of_what_comes_later(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    publish()
    early = subscribe(HOOK)  # the first change is not fanned out yet
    publish()
    fan_out_all(engine)
    late = subscribe(HOOK)
    publish()
    fan_out_all(engine)
    assert owed(engine, early) == [2, 3]
    assert owed(engine, late) == [3]


def test_only_enabled_endpoints_hear(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    paused = subscribe(HOOK)
    gone = subscribe(HOOK)
    with engine.begin() as connection:
        connection.execute(text("UPDATE webhook_endpoints SET status = 'paused' WHERE id = :id"), {"id": paused["id"]})
        connection.execute(text("DELETE FROM webhook_endpoints WHERE id = :id"), {"id": gone["id"]})
    publish()
    assert fan_out_all(engine) == 0
    with engine.connect() as connection:
        assert not is_behind(connection)


def test_blocks_end_where_there_are_many_deliveries(
    engine: Engine, subscribe: Subscribe, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        subscribe(HOOK)
    publish(*[draft() for _ in range(25)])
    monkeypatch.setattr(fanout, "BLOCK", 10)
    monkeypatch.setattr(fanout, "MOST_DELIVERIES", 12)
    blocks = []
    for _ in range(7):
        with engine.begin() as connection:
            blocks.append(fan_out(connection))
    assert [(block.seq, block.deliveries, block.behind) for block in blocks if block] == [
        *[(seq, 12, True) for seq in (4, 8, 12, 16, 20, 24)],
        (25, 3, False),
    ]
    with engine.begin() as connection:
        assert fan_out(connection) is None


def test_a_cursor_that_was_set_back_owes_nothing_twice(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    endpoint = subscribe(HOOK)
    publish(draft(), draft())
    fan_out_all(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE webhook_fanout SET seq = 0"))
    fan_out_all(engine)
    assert owed(engine, endpoint) == [1, 2]


def test_while_one_fans_out_another_does_not_wait(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    subscribe(HOOK)
    publish()
    with engine.begin() as first, engine.begin() as second:
        assert fan_out(first) is not None
        started = time.monotonic()
        assert fan_out(second) is None
        assert time.monotonic() - started < 10
    assert fan_out_all(engine) == 0


def test_an_endpoint_made_while_changes_come_misses_none(
    engine: Engine, subscribe: Subscribe, publish: Publish
) -> None:
    """Endpoints are created while one thread writes and another fans out: each hears of all after its `from_seq`."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            publish(draft(), draft())

    def spread() -> None:
        while not done.is_set():
            fan_out_all(engine)

    threads = [threading.Thread(target=write), threading.Thread(target=spread)]
    for thread in threads:
        thread.start()
    made = [subscribe(HOOK) for _ in range(25)]
    done.set()
    for thread in threads:
        thread.join()
    fan_out_all(engine)
    newest = rows(engine, "SELECT seq FROM change_head")[0].seq
    for endpoint in made:
        assert owed(engine, endpoint) == list(range(endpoint["from_seq"] + 1, newest + 1))


def test_a_backfill_of_many_is_quick(engine: Engine, subscribe: Subscribe, publish: Publish) -> None:
    listening = subscribe(HOOK, causes=["backfill"], filters={"state_under_review": "PER"})
    usual = subscribe(HOOK)
    publish(*[draft(cause=Cause.BACKFILL) for _ in range(10_000)])
    started = time.monotonic()
    assert fan_out_all(engine) == 10_000
    assert time.monotonic() - started < 10  # it takes half a second
    assert len(owed(engine, listening)) == 10_000
    assert owed(engine, usual) == []


def test_one_change_reaches_a_thousand_endpoints_within_a_second(
    engine: Engine, subscribe: Subscribe, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1000)
    first = subscribe(HOOK, filters={"state_under_review": "PER"})
    with engine.begin() as connection:
        copied = "owner, url, event_types, causes, filters, secret, from_seq"
        connection.execute(
            text(
                f"INSERT INTO webhook_endpoints (id, {copied}) SELECT 'ep_' || n, {copied} "
                "FROM webhook_endpoints, generate_series(1, 999) n WHERE id = :id"
            ),
            {"id": first["id"]},
        )
    publish()
    started = time.monotonic()
    assert fan_out_all(engine) == 1000
    assert time.monotonic() - started < 10  # benchmarks tell the real figure


def test_a_thousand_queries_take_less_than_a_second(
    engine: Engine, subscribe: Subscribe, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change is analysed once for all of them."""
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1000)
    analysed: list[object] = []

    def analyse(*given: Any) -> AnalysedRecord:
        analysed.append(given)
        return analyse_texts(*given)

    monkeypatch.setattr(matching, "analyse_texts", analyse)
    for number in range(250):
        for q in ("protocolo", "ratificado", f"tortura{number}", f'"protocolo facultativo" -tortura{number}'):
            subscribe(HOOK, q=q, filters={"state_under_review": "PER"})
    publish(draft(data={**draft().data, **WHOLE}))
    started = time.monotonic()
    assert fan_out_all(engine) == 750
    assert time.monotonic() - started < 10  # benchmarks tell the real figure
    assert len(analysed) == 1


def test_words_choose_as_well_and_saved_searches_are_followed(
    engine: Engine, subscribe: Subscribe, publish: Publish
) -> None:
    both = subscribe(HOOK, q="protocolo", type="recommendations", filters={"position": "pending"})
    saved = _save(engine, both["owner"], "protocolo -tortura")
    followed = subscribe(HOOK, saved_search=saved)
    also = subscribe(HOOK, saved_search=saved, q="ratificado")
    words = draft().data["text"]
    publish(
        draft(data={**draft().data, **WHOLE}),
        draft(data={**draft().data, **WHOLE, "text": f"{words} contra la tortura"}, type="recommendation.updated",
              terms_before=draft().terms_after, changed={"text": [words, "x"]}),
        draft(data={**draft().data, **WHOLE, "text": "Formar a la policía"}),
        draft(data={**draft().data, **WHOLE}, type="recommendation.deleted", terms_before=draft().terms_after,
              terms_after=()),
    )  # fmt: skip
    fan_out_all(engine)
    assert heard(engine, both) == [(1, "entered"), (2, "stayed"), (4, "left")]
    assert heard(engine, followed) == heard(engine, also) == [(1, "entered"), (2, "left"), (4, "left")]
    with engine.begin() as connection:
        connection.execute(text("UPDATE saved_searches SET q = 'policía'"))
    publish(draft(data={**draft().data, **WHOLE, "text": "Formar a la policía"}))
    fan_out_all(engine)
    assert heard(engine, followed)[3:] == [(5, "entered")]
    assert heard(engine, also)[3:] == []


WHOLE = {"text_language": "es", "translations": {}, "labels": [], "sources": [], "recommending_states": []}
"""Members of a recommendation that its texts are made of."""


def _save(engine: Engine, owner: str, q: str) -> str:
    insert = "INSERT INTO saved_searches (id, owner, name, q, filters) VALUES ('ss_1', :owner, 'x', :q, '{}')"
    with engine.begin() as connection:
        connection.execute(text(insert), {"owner": owner, "q": q})
    return "ss_1"


def heard(engine: Engine, endpoint: dict[str, Any]) -> list[tuple[int, str]]:
    found = rows(engine, "SELECT endpoint, seq, match FROM webhook_deliveries ORDER BY seq")
    return [(row.seq, row.match) for row in found if row.endpoint == endpoint["id"]]


_TERMS = st.sets(
    st.sampled_from(["state_under_review:PER", "state_under_review:CHL", "position:pending", "position:noted"])
    | st.dates(date(2011, 1, 1), date(2014, 1, 1)).map("date:{}".format)
).map(lambda terms: ("id:PER-2-116.1", *terms)) | st.just(())
"""Of a record; none where there is none."""
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "state_under_review": st.sampled_from(["PER", ["PER", "CHL"]]),
        "position": st.sampled_from(["pending", ["noted", "supported"]]),
        "date_from": st.just("2012-06-01"),
        "date_to": st.just("2013-06-01"),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sides=st.tuples(_TERMS, _TERMS), filters=_FILTERS)
def test_filters_mean_what_they_say(
    engine: Engine, subscribe: Subscribe, publish: Publish, sides: tuple[tuple[str, ...], ...], filters: dict[str, Any]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM webhook_endpoints"))
    subscribe(HOOK, filters=filters)
    publish(draft(terms_before=sides[0], terms_after=sides[1]))
    fan_out_all(engine)
    told = {(True, True): ["stayed"], (True, False): ["left"], (False, True): ["entered"], (False, False): []}
    met = (_meets(sides[0], filters), _meets(sides[1], filters))
    assert [row.match for row in rows(engine, "SELECT match FROM webhook_deliveries")] == told[met]


def _meets(terms: tuple[str, ...], filters: dict[str, Any]) -> bool:
    """The same, said otherwise."""
    if not terms:
        return False
    days = [term[5:] for term in terms if term.startswith("date:")]
    for name, wanted in filters.items():
        if name == "date_from":
            met = any(day >= wanted for day in days)
        elif name == "date_to":
            met = any(day <= wanted for day in days)
        else:
            met = any(f"{name}:{value}" in terms for value in ([wanted] if isinstance(wanted, str) else wanted))
        if not met:
            return False
    return True
