from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from services.core.store import migrate
from services.core.store.engine import make_engine
from services.core.store.states import PLACE_GROUPS, REVIEW_SESSIONS, STATES
from services.core.store.tables import metadata


def test_migrations_and_tables_agree(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert migrate.schema_status(connection).up_to_date
    engine.dispose()
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    assert migrate.newest_revision() == scripts.get_current_head()


def test_every_step_goes_up_and_down(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url)
    migrate.downgrade(empty_database_url, "base")
    engine = make_engine(empty_database_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert migrate.schema_status(connection).current is None
    migrate.upgrade(empty_database_url)
    with engine.connect() as connection:
        assert migrate.schema_status(connection).up_to_date
    engine.dispose()


def test_the_seed_knows_every_state_and_can_be_repeated(database_url: str) -> None:
    migrate.upgrade(database_url)
    engine = make_engine(database_url)
    with engine.connect() as connection:
        states = {record.id: record for record in STATES.where(connection)}
        groups = [record.id for record in PLACE_GROUPS.where(connection)]
        sessions = REVIEW_SESSIONS.where(connection)
        again = connection.execute(select(text("max(revision)")).select_from(text("states"))).scalar_one()
    engine.dispose()
    assert sum(state.un_status == "member" for state in states.values()) == 193
    assert states["PER"].names == {"en": "Peru", "es": "Perú", "fr": "Pérou", "pt": "Peru"}
    assert (states["PER"].region, "oas" in states["PER"].blocs) == ("grulac", True)
    assert {"grulac", "mercosur"} <= set(groups)
    assert [session.number for session in sessions] == list(range(1, 55))
    assert all(state.names.keys() == {"en", "es", "fr", "pt"} for state in states.values())
    assert again == 1
