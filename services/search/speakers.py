"""What the organisations that speak are called, for facets: the reference knows States and groups alone."""

from sqlalchemy import Connection, func, select, true

from services.core.store.filtering import as_array
from services.core.store.statements import statements_table


def printed_speakers(connection: Connection, speakers: list[str]) -> dict[str, str]:
    """The name of each in one of its statements, by id; those that were never printed by name are left out."""
    wanted = func.unnest(as_array(speakers)).column_valued("wanted")
    columns = statements_table.c
    printed = select(columns.speaker_name).where(columns.speaker == wanted, columns.speaker_name.is_not(None))
    named = printed.order_by(columns.sort_key).limit(1).lateral("named")
    query = select(wanted, named.c.speaker_name).join(named, true())
    return {row[0]: row[1] for row in connection.execute(query)}
