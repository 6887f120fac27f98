"""Parts of hearings and of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from services.api.details.briefs import DocumentBrief, HearingBrief, documents_named, hearing_brief
from services.api.details.parts import Part, Setting
from services.core.schemas.models import Statement
from services.core.schemas.shapes import Shape, shape_of, with_address
from services.core.store.filtering import as_array
from services.core.store.hearings import HEARINGS, HearingRecord
from services.core.store.statements import STATEMENTS, StatementRecord, statements_table


def _documents(setting: Setting, hearings: Sequence[HearingRecord]) -> Mapping[str, list[Shape]]:
    return documents_named(setting, ((hearing.id, hearing.documents) for hearing in hearings))


def _statements(setting: Setting, hearings: Sequence[HearingRecord]) -> Mapping[str, list[Shape]]:
    columns = statements_table.c
    of_these = columns.hearing == func.any(as_array([hearing.id for hearing in hearings]))
    found: dict[str, list[Shape]] = defaultdict(list)
    for row in setting.connection.execute(select(statements_table).where(of_these).order_by(columns.sort_key)):
        shape = shape_of("statements", STATEMENTS.from_row(row), setting.names)
        found[row.hearing].append(with_address("statements", shape, setting.public_url))
    return {hearing.id: found[hearing.id] for hearing in hearings}


def _hearing(setting: Setting, statements: Sequence[StatementRecord]) -> Mapping[str, Shape]:
    named = {statement.id: statement.hearing for statement in statements if statement.hearing}
    held = HEARINGS.read(setting.connection, dict.fromkeys(named.values()))
    return {statement: hearing_brief(held[each], setting) for statement, each in named.items() if each in held}


HEARING_PARTS = (
    Part("documents", list[DocumentBrief], "The documents that tell of it.", _documents, 1),
    Part("statements", list[Statement], "What was said there, in order.", _statements, 1, alone=True),
)
STATEMENT_PARTS = (Part("hearing", HearingBrief, "The hearing in short.", _hearing, 1),)
