"""Alembic migrations; `services.core.store.migrate` runs them."""
