"""What tests of deliveries share: endpoints in the store, changes in the feed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.api.webhooks.endpoints import NewEndpoint, check_endpoint, create_endpoint
from services.core.domain.changes import Cause
from services.core.query.filters import Vocabulary
from services.core.runtime.guard import AddressRules
from services.core.store.changes import ChangeDraft, append_changes
from tests.api.conftest import MakeKey

DEVELOPMENT = AddressRules(allow_loopback=True)
VOCABULARY = Vocabulary(states=frozenset({"PER", "CHL", "ESP"}), regions=frozenset({"grulac"}))

Subscribe = Callable[..., dict[str, Any]]
Publish = Callable[..., None]

_PLAIN = ChangeDraft(
    type="recommendation.created",
    cause=Cause.PUBLICATION,
    effective_on=None,
    noun="recommendations",
    subject="PER-2-116.1",
    data={"id": "PER-2-116.1", "text": "Ratificar el Protocolo Facultativo"},
    changed={},
    terms_before=(),
    terms_after=("id:PER-2-116.1", "state_under_review:PER", "position:pending"),
)


def draft(**members: Any) -> ChangeDraft:
    """A change to a recommendation made to Peru."""
    return replace(_PLAIN, **members)


@pytest.fixture
def subscribe(engine: Engine, make_key: MakeKey) -> Subscribe:
    """Creates an endpoint as the API does; answers its shape, with the secret."""
    owner, _ = make_key()

    def create(url: str, **members: Any) -> dict[str, Any]:
        checked = check_endpoint(NewEndpoint(url=url, **members), DEVELOPMENT, VOCABULARY)
        with engine.begin() as connection:
            shape, secret = create_endpoint(connection, owner, checked)
        return {**shape, "secret": secret}

    return create


@pytest.fixture
def publish(engine: Engine) -> Publish:
    """Commits changes to the feed."""

    def append(*drafts: ChangeDraft) -> None:
        with engine.begin() as connection:
            append_changes(connection, drafts or (draft(),))

    return append


def rows(engine: Engine, query: str) -> Sequence[Any]:
    """What a query answers."""
    with engine.connect() as connection:
        return connection.execute(text(query)).all()
