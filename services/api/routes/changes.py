"""The feed of changes."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import feed_responses
from services.api.feed import changes_after
from services.api.parameters import feed_parameters, read_feed_query
from services.api.routes.feeds import latest_changes, wanted_feed
from services.api.saved_searches import FollowedSearch
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.events import event
from services.core.schemas.models import EventList
from services.core.schemas.names import Names
from services.core.store.changes import head_and_time
from services.core.store.engine import snapshot

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
    if (form := wanted_feed(request)) is not None:
        return latest_changes(request, form)
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        query = read_feed_query(parameters_of(request), reference.vocabulary, FollowedSearch(connection))
        version = version_of(request, seq, reference.names_hash, modified=as_of)
        if (held := unchanged(request, version)) is not None:
            return held
        found = changes_after(connection, query.interest, reference, after=query.after or 0, limit=query.limit)
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    url = desk.settings.public_url.rstrip("/")
    names = Names(reference, query.language)
    more = found.following is not None
    following = f"{url}/v1/changes?{urlencode([*rest, ('after', found.following)])}" if more else None
    return JsonAnswer(
        {
            "data": [names.localise(event(change, url, match)) for change, match in found.changes],
            "page": {"next": following},
            "dataset": dataset(seq, as_of, reference),
        },
        headers=version.headers() | links(next=following),
    )
