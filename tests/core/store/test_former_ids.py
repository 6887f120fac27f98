"""Removed ids are remembered, with the reason, until their record is back."""

from sqlalchemy import Engine

from services.core.store.former_ids import forget_removed, remember_removed, removal_reason


def test_ids_are_remembered_and_forgotten(engine: Engine) -> None:
    with engine.begin() as connection:
        remember_removed(connection, "pledges", {})
        remember_removed(connection, "pledges", {"PER-2-pledge-1": "no_source_holds_it", "PER-2-pledge-2": "other"})
        assert removal_reason(connection, "pledges", "PER-2-pledge-1") == "no_source_holds_it"
        assert removal_reason(connection, "states", "PER-2-pledge-1") is None
        remember_removed(connection, "pledges", {"PER-2-pledge-1": "not_in_final"})
        assert removal_reason(connection, "pledges", "PER-2-pledge-1") == "not_in_final"
        forget_removed(connection, "pledges", [])
        forget_removed(connection, "pledges", ["PER-2-pledge-1", "never"])
        assert removal_reason(connection, "pledges", "PER-2-pledge-1") is None
        assert removal_reason(connection, "pledges", "PER-2-pledge-2") == "other"
