"""The feed of changes."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import Column, ColumnElement, Connection, and_, func, literal_column, or_, select

from services.api.dependencies import desk_of
from services.api.documented import feed_responses
from services.api.parameters import FeedQuery, feed_parameters, read_feed_query
from services.core.domain.changes import EVENT_TYPES, type_matches
from services.core.query.filters import FilterSet
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.events import event
from services.core.schemas.models import EventList
from services.core.schemas.names import Names
from services.core.store.changes import ChangeRecord, change_from_row, changes_table, head_and_time
from services.core.store.engine import snapshot
from services.core.store.filtering import as_array
from services.core.store.metadata import plain_text

router = APIRouter()


@router.get(
    "/v1/changes",
    operation_id="list_changes",
    summary="Read the changes after a number",
    tags=["changes"],
    responses=feed_responses(EventList),
    openapi_extra={"parameters": feed_parameters()},
)
def list_changes(request: Request) -> Response:
    """In commit order, dense, none missed: go on with `after` = the last `seq`, or with `page.next`.

    A change matches the filters if its record met all of them before it or after it. When `page.next` is null,
    everything up to `dataset.cursor` was seen: that is the `after` to come back with.
    """
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        query = read_feed_query(parameters_of(request), reference.vocabulary)
        version = version_of(request, seq, reference.names_hash, modified=as_of)
        if (held := unchanged(request, version)) is not None:
            return held
        found = _changes(connection, query)
    more = len(found) > query.limit
    found = found[: query.limit]
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    url = desk.settings.public_url.rstrip("/")
    names = Names(reference, query.language)
    following = f"{url}/v1/changes?{urlencode([*rest, ('after', found[-1].seq)])}" if more else None
    return JsonAnswer(
        {
            "data": [names.localise(event(change, url)) for change in found],
            "page": {"next": following},
            "dataset": dataset(seq, as_of, reference),
        },
        headers=version.headers() | links(next=following),
    )


def _changes(connection: Connection, query: FeedQuery) -> list[ChangeRecord]:
    columns = changes_table.c
    conditions: list[ColumnElement[bool]] = [columns.seq > query.after]
    if query.event_types:
        conditions.append(columns.type.in_([each for each in EVENT_TYPES if type_matches(query.event_types, each)]))
    if query.filters:
        conditions.append(or_(_meets(query.filters, columns.terms_before), _meets(query.filters, columns.terms_after)))
    rows = connection.execute(select(changes_table).where(*conditions).order_by(columns.seq).limit(query.limit + 1))
    return [change_from_row(row._mapping) for row in rows]


def _meets(filters: FilterSet, terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    """`FilterSet.matches` in SQL, on one side of a change."""
    return and_(*(_meets_one(name, values, terms) for name, values in filters.values.items()))


def _meets_one(name: str, values: tuple[str, ...], terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    if name in ("date_from", "date_to"):
        # Sorted as bytes, all dates stand between `date:` and `date;`.
        unnested = func.unnest(terms).table_valued(Column("term", plain_text())).render_derived()
        first, last = (f"date:{values[0]}", "date;") if name == "date_from" else ("date:", f"date:{values[0]}")
        in_between = (unnested.c.term >= first, unnested.c.term <= last)
        return select(literal_column("1")).select_from(unnested).where(*in_between).correlate(changes_table).exists()
    met: ColumnElement[bool] = terms.overlap(as_array([f"{name}:{value}" for value in values]))
    return met
