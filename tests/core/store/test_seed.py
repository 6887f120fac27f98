"""The facts that every database starts with are whole, consistent and can be written again."""

import threading

from babel import Locale
from sqlalchemy import Engine, text, update

from services.core.domain.reviews import cycle_of_session
from services.core.query.filters import Vocabulary, parse_filters
from services.core.store.labels import LABELS
from services.core.store.seed import LANGUAGES, facts, sample_state_records, seed, state_records
from services.core.store.states import PLACE_GROUPS, REVIEW_SESSIONS, STATES


def test_states_belong_to_groups_and_blocs_that_exist(engine: Engine) -> None:
    with engine.connect() as connection:
        groups = {record.id: record.kind for record in PLACE_GROUPS.where(connection)}
    for state in state_records():
        assert state.region is None or groups[state.region] == "region", state.id
        assert all(groups[bloc] == "bloc" for bloc in state.blocs), state.id
        assert len(set(state.blocs)) == len(state.blocs)
    codes = {state.id for state in state_records()}
    for row in facts("blocs"):
        assert set(row["states"].split()) <= codes, row["bloc"]


def test_only_a_few_members_are_in_no_regional_group() -> None:
    without = {state.id for state in state_records() if state.un_status == "member" and state.region is None}
    assert without <= {"USA", "KIR", "ISR"}


def test_samples_have_codes_that_no_real_state_can_have() -> None:
    real = {state.id for state in state_records()}
    for state in sample_state_records():
        assert "XAA" <= state.id <= "XZZ"
        assert state.id not in real
        assert state.sample
        assert state.names.keys() == set(LANGUAGES)


def test_goals_and_sessions(engine: Engine) -> None:
    with engine.connect() as connection:
        goals = LABELS.where(connection, LABELS.table.c.scheme == "sdg")
        sessions = REVIEW_SESSIONS.where(connection)
    assert {goal.code for goal in goals} == {str(number) for number in range(1, 18)}
    assert all(goal.names.keys() == set(LANGUAGES) and all(goal.names.values()) for goal in goals)
    for session in sessions:
        assert session.cycle == cycle_of_session(session.number)
        assert session.starts_on is None or session.ends_on is None or session.starts_on <= session.ends_on


def test_codes_can_be_asked_for(engine: Engine) -> None:
    """Every code of the facts is one that a filter accepts."""
    with engine.connect() as connection:
        groups = PLACE_GROUPS.where(connection)
    words = Vocabulary(
        regions=frozenset(group.id for group in groups if group.kind == "region"),
        blocs=frozenset(group.id for group in groups if group.kind == "bloc"),
    )
    for group in groups:
        assert parse_filters("states", [(group.kind, group.id)], words)


def test_what_is_known_better_is_overwritten_and_facts_stay(engine: Engine) -> None:
    peru = STATES.table.c.id == "PER"
    with engine.begin() as connection:
        connection.execute(update(STATES.table).where(peru).values(region="weog", facts=[{"npm": 2014}]))
        seed(connection)
        seed(connection)
        found = STATES.one(connection, "PER")
        spain = STATES.one(connection, "ESP")
    assert found is not None
    assert (found.region, found.facts, found.revision) == ("grulac", [{"npm": 2014}], 2)
    assert spain is not None
    assert spain.revision == 1
    assert Locale("es").territories["ES"] == spain.names["es"]


def test_several_may_seed_at_once(engine: Engine) -> None:
    def write() -> None:
        with engine.begin() as connection:
            seed(connection)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(revision) FROM states")) == 1
