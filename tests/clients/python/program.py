"""Somebody's program on a Python client that was generated from the OpenAPI document: `program.py ADDRESS KEY`."""

import json
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from openupr_client import AuthenticatedClient, Client
from openupr_client.api.changes import list_changes
from openupr_client.api.keys import create_key, list_keys, revoke_key
from openupr_client.api.recommendations import get_recommendation, list_recommendations
from openupr_client.api.statistics import count_recommendations
from openupr_client.models import (
    ApiKeyList,
    CountRecommendationsGroupByItem,
    CreatedKey,
    EventList,
    Language,
    ListRecommendationsFieldsItem,
    NewKey,
    Problem,
    RecommendationList,
    RecommendationWithParts,
    Scope,
    SparseRecommendationList,
    StateCode,
    Statistics,
)
from openupr_client.types import UNSET, Unset


def recommendations_to(client: Client, state: StateCode) -> Iterator[RecommendationWithParts]:
    """All of them, page by page."""
    cursor: str | Unset = UNSET
    while True:
        page = list_recommendations.sync(client=client, state_under_review=[state], limit=2, cursor=cursor)
        assert isinstance(page, RecommendationList), page
        yield from page.data
        following = page.page.next_
        if following is None:
            return
        cursor = parse_qs(urlsplit(following).query)["cursor"][0]


def main(address: str, key: str) -> None:
    client = Client(base_url=address)
    ids = [each.id for each in recommendations_to(client, StateCode.XCM)]
    one = get_recommendation.sync(ids[0], client=client, lang=Language.ES)
    assert isinstance(one, RecommendationWithParts), one
    counts = count_recommendations.sync(
        client=client, group_by=[CountRecommendationsGroupByItem.POSITION], state_under_review=[StateCode.XCM]
    )
    assert isinstance(counts, Statistics), counts
    counted = {
        value.value: group.count
        for group in counts.groups
        if (value := group.values.additional_properties["position"]) is not None
    }
    fields = [ListRecommendationsFieldsItem.ID, ListRecommendationsFieldsItem.TEXT]
    rows = list_recommendations.sync(client=client, state_under_review=[StateCode.XCM], fields=fields, limit=200)
    assert isinstance(rows, SparseRecommendationList), rows
    missing = get_recommendation.sync("XCM-9-9.9", client=client)
    assert isinstance(missing, Problem), missing
    changes = list_changes.sync(client=client, after=0, limit=1)
    assert isinstance(changes, EventList), changes
    told = {
        "ids": ids,
        "position": str(one.position),
        "state": one.state_under_review.name,
        "texts": [len(row.text) for row in rows.data if isinstance(row.text, str)],
        "counted": counted,
        "total": counts.total,
        "missing": missing.code,
        "first_change": changes.data[0].seq,
        "keys": keys(address, key),
    }
    sys.stdout.write(json.dumps(told))


def keys(address: str, key: str) -> list[str]:
    """Make one and revoke it: what each key's status is then."""
    client = AuthenticatedClient(base_url=address, token=key)
    made = create_key.sync(client=client, body=NewKey(name="made by a client", scopes=[Scope.WEBHOOKSWRITE]))
    assert isinstance(made, CreatedKey), made
    assert made.key.startswith("upr_")
    assert revoke_key.sync_detailed(made.id, client=client).status_code == 204
    held = list_keys.sync(client=client)
    assert isinstance(held, ApiKeyList), held
    return [str(each.status) for each in held.data]


main(*sys.argv[1:])
