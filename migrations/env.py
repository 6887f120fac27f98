"""How Alembic reaches our tables: on the connection that `services.core.store.migrate` hands over."""

from alembic import context

from services.core.store.schema_steps import note_step
from services.core.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    on_version_apply=note_step,
)
with context.begin_transaction():
    context.run_migrations()
