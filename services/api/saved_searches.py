"""Saved searches: a query, a type and filters under a name, to be followed by feeds and webhooks.

They belong to the key that made them. Whoever knows the id of one can follow it in a feed: newsreaders send no keys.
"""

import datetime
import secrets
from collections.abc import Collection, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from services.api.bodies import (
    FilterValues,
    PlainText,
    QueryText,
    SearchedNoun,
    checked_criterion,
    criterion_columns,
    stored_criterion,
)
from services.api.matching import Criterion
from services.core.domain.errors import InvalidBodyError, NotFoundError, UprError
from services.core.query.filters import FILTERS, Vocabulary
from services.core.runtime.keys import Key, Scope
from services.core.runtime.parameters import invalid
from services.core.schemas.interpreted import Interpreted
from services.core.schemas.models import Public
from services.core.schemas.shapes import moment_text
from services.core.store.keys import api_keys_table
from services.core.store.saved_searches import saved_searches_table
from services.core.store.webhooks import endpoints_table

MOST_SAVED_SEARCHES = 200
"""Saved searches of one key."""
LONGEST_NAME = 200
LONGEST_DESCRIPTION = 500
SAVED_SEARCH_PATTERN = r"ss_[0-9a-f]{24}"


class TooManySavedSearchesError(UprError):
    """A key that has as many saved searches as one key may have."""

    code, status, title = "too_many_saved_searches", 409, "Too many saved searches"


class SavedSearchInUseError(UprError):
    """A saved search that webhook endpoints follow; they have to let go of it before it can be deleted."""

    code, status, title = "saved_search_in_use", 409, "The saved search is in use"


class NewSavedSearch(BaseModel):
    """What a saved search is asked for with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[PlainText, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")] = Field(
        description="What to call it; feeds show it.", examples=["Torture prevention in Peru"]
    )
    q: QueryText = Field(
        default="",
        description="Words, in the query language of the search, without forgiven typing errors (`strict=true`).",
        examples=['torture OR "ill-treatment"'],
    )
    type: SearchedNoun | None = Field(default=None, description="Kind of records. Null: all.")
    filters: dict[str, FilterValues] = Field(
        default={},
        max_length=len(FILTERS),
        description="The filters of search, each with a value or a list of values (OR).",
        examples=[{"state_under_review": "PER", "cycle": [3, 4]}],
    )
    description: Annotated[PlainText, Field(max_length=LONGEST_DESCRIPTION)] | None = Field(
        default=None, description="For people."
    )


class SavedSearchChange(NewSavedSearch):
    """What is to be different. Members that are not given stay as they are."""

    name: Annotated[PlainText, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")] = Field(
        default="-", description="Another name."
    )


class SavedSearch(Public):
    """A saved search."""

    id: str = Field(examples=["ss_3f2a9c1b5d7e8f0a1b2c3d4e"], pattern=f"^{SAVED_SEARCH_PATTERN}$")
    name: str = Field(examples=["Torture prevention in Peru"])
    q: str = Field(examples=['torture OR "ill-treatment"'])
    type: SearchedNoun | None
    filters: dict[str, list[str]] = Field(examples=[{"state_under_review": ["PER"], "cycle": ["3", "4"]}])
    description: str | None
    interpreted: Interpreted = Field(description="How the query is understood, as search tells it.")
    changes: str = Field(description="Address of the changes to what it finds.")
    atom: str = Field(description="Address of the same for newsreaders.")
    owner: str = Field(description="Id of the key that it belongs to.", examples=["key_4fQ8sZ1mN0cR"])
    created_at: datetime.datetime
    updated_at: datetime.datetime


class SavedSearchList(Public):
    """All saved searches that the key may see."""

    data: list[SavedSearch]
    total: int


def create_saved_search(
    connection: Connection, owner: Key, wanted: NewSavedSearch, vocabulary: Vocabulary
) -> RowMapping:
    """Store one. Raises `InvalidBodyError`, whose `errors` point to the fault, and `TooManySavedSearchesError`."""
    criterion = checked_criterion(wanted.type, wanted.q, wanted.filters, vocabulary)
    _refuse_empty(criterion)
    _refuse_too_many(connection, owner)
    values = {
        "id": f"ss_{secrets.token_hex(12)}",
        "owner": owner.id,
        "name": wanted.name,
        "description": wanted.description,
        **criterion_columns(criterion),
    }
    stored = insert(saved_searches_table).values(values).returning(saved_searches_table)
    return connection.execute(stored).one()._mapping


def _refuse_empty(criterion: Criterion) -> None:
    if not criterion:
        detail = "A saved search has words, a type or filters."
        raise InvalidBodyError(detail, errors=[{"pointer": "#", "detail": detail}])


def _refuse_too_many(connection: Connection, owner: Key) -> None:
    keys, owners = api_keys_table.c, saved_searches_table.c.owner
    connection.execute(select(keys.id).where(keys.id == owner.id).with_for_update())  # one at a time
    count = connection.scalar(select(func.count()).where(owners == owner.id)) or 0
    if count >= MOST_SAVED_SEARCHES:
        raise TooManySavedSearchesError(f"The key has {count} saved searches; delete one first.", limit=count)


def list_saved_searches(connection: Connection, key: Key) -> Sequence[RowMapping]:
    """The key's, oldest first; all there are for an admin."""
    columns = saved_searches_table.c
    wanted = select(saved_searches_table).where(*_visible_to(key)).order_by(columns.created_at, columns.id)
    return connection.execute(wanted).mappings().all()


def get_saved_search(connection: Connection, key: Key, search_id: str, *, to_change: bool = False) -> RowMapping:
    """One; with `to_change` nobody else changes it meanwhile. Raises `NotFoundError`, also for one of another key."""
    wanted = select(saved_searches_table).where(saved_searches_table.c.id == search_id, *_visible_to(key))
    row = connection.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no saved search {search_id[:60]}.")
    return row._mapping


def change_saved_search(
    connection: Connection, key: Key, search_id: str, wanted: SavedSearchChange, vocabulary: Vocabulary
) -> RowMapping:
    """Store what is given; who follows it follows the new one from now on.

    Raises `NotFoundError`, and `InvalidBodyError` as `create_saved_search` does.
    """
    given = wanted.model_fields_set
    if not given:
        raise InvalidBodyError("There is nothing to change.", errors=[{"pointer": "#", "detail": "empty"}])
    row = get_saved_search(connection, key, search_id, to_change=True)
    criterion = merged_criterion(wanted, row, vocabulary)
    _refuse_empty(criterion)
    values = {name: getattr(wanted, name) for name in ("name", "description") if name in given}
    changed = update(saved_searches_table).where(saved_searches_table.c.id == search_id)
    changed = changed.values(**values, **criterion_columns(criterion), updated_at=func.now())
    return connection.execute(changed.returning(saved_searches_table)).one()._mapping


def merged_criterion(wanted: Any, row: RowMapping, vocabulary: Vocabulary) -> Criterion:
    """What a change of `type`, `q` and `filters` makes of those that are stored. Raises `InvalidBodyError`."""
    given = wanted.model_fields_set
    if not given & {"type", "q", "filters"}:
        return stored_criterion(row, vocabulary)
    return checked_criterion(
        wanted.type if "type" in given else row["noun"],
        wanted.q if "q" in given else row["q"],
        wanted.filters if "filters" in given else row["filters"],
        vocabulary,
    )


def delete_saved_search(connection: Connection, key: Key, search_id: str) -> None:
    """Delete one. Raises `NotFoundError`, and `SavedSearchInUseError` where endpoints follow it."""
    get_saved_search(connection, key, search_id, to_change=True)
    endpoints = endpoints_table.c
    followed_by = list(connection.scalars(select(endpoints.id).where(endpoints.saved_search == search_id)))
    if followed_by:
        detail = f"{len(followed_by)} webhook endpoint(s) follow it: {', '.join(followed_by[:5])}"
        raise SavedSearchInUseError(f"{detail}.", endpoints=followed_by)
    connection.execute(delete(saved_searches_table).where(saved_searches_table.c.id == search_id))


def find_saved_searches(connection: Connection, ids: Collection[str]) -> dict[str, RowMapping]:
    """Those of these that exist, by id, whoever's they are."""
    if not ids:
        return {}
    rows = connection.execute(select(saved_searches_table).where(saved_searches_table.c.id.in_(ids)))
    return {row["id"]: row for row in rows.mappings()}


class FollowedSearch:
    """Looks up the saved search that a reader of the feed names, whoever's it is, and remembers what it is called."""

    def __init__(self, connection: Connection, vocabulary: Vocabulary) -> None:
        self._connection = connection
        self._vocabulary = vocabulary
        self.name: str | None = None

    def __call__(self, search_id: str) -> Criterion:
        """What it asks for. Raises `InvalidParameterError` where there is none."""
        row = find_saved_searches(self._connection, [search_id]).get(search_id)
        if row is None:
            raise invalid("saved_search", search_id, "the id of a saved search")
        self.name = row["name"]
        return stored_criterion(row, self._vocabulary)


def _visible_to(key: Key) -> list[ColumnElement[bool]]:
    return [] if key.allows(Scope.ADMIN) else [saved_searches_table.c.owner == key.id]


def saved_search_shape(row: RowMapping, public_url: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """The public shape of a row."""
    followed = f"{public_url.rstrip('/')}/v1/changes"
    query = urlencode({"saved_search": row["id"]})
    shape = {name: row[name] for name in ("id", "name", "q", "filters", "description", "owner")}
    shape |= {
        "type": row["noun"],
        "interpreted": stored_criterion(row, vocabulary).query.interpreted,
        "changes": f"{followed}?{query}",
        "atom": f"{followed}.atom?{query}",
        "created_at": moment_text(row["created_at"]),
        "updated_at": moment_text(row["updated_at"]),
    }
    return {name: shape[name] for name in SavedSearch.model_fields}
