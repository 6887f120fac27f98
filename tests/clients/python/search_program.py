"""Somebody's program on a Python client of the search service, generated too: `search_program.py ADDRESS`."""

import json
import sys
from typing import Any

from openupr_client import Client
from openupr_client.api.facets import get_facet
from openupr_client.api.search import search
from openupr_client.api.similar import get_similar
from openupr_client.api.suggest import suggest
from openupr_client.models import (
    AskedAll,
    AskedWord,
    FacetAnswer,
    GetFacetName,
    GetSimilarScope,
    Language,
    Problem,
    ReadAs,
    SearchAnswer,
    SearchFacetsItem,
    SearchType,
    SimilarAnswer,
    SuggestAnswer,
    SuggestedSearchFilterType0,
)


def main(address: str) -> None:
    client = Client(base_url=address)
    facets = [SearchFacetsItem.POSITION, SearchFacetsItem.YEAR]
    found = search.sync(client=client, q="rights", type_=SearchType.RECOMMENDATIONS, facets=facets, facet_limit=5)
    assert isinstance(found, SearchAnswer), found
    positions = found.facets.additional_properties["position"]
    looked = get_facet.sync(GetFacetName.STATE_UNDER_REVIEW, client=client, q="costa", lang=Language.ES)
    assert isinstance(looked, FacetAnswer), looked
    suggested = suggest.sync(client=client, q="costam")
    assert isinstance(suggested, SuggestAnswer), suggested
    filters = [each.filter_ for each in suggested.suggestions]
    hit: dict[str, Any] = found.hits[0].record.additional_properties
    alike = get_similar.sync(hit["id"], client=client, scope=GetSimilarScope.SAME_STATE)
    assert isinstance(alike, SimilarAnswer), alike
    misspelt = search.sync(client=client, q="humann rigths ")
    assert isinstance(misspelt, SearchAnswer), misspelt
    understood = misspelt.interpreted.query
    assert isinstance(understood, AskedAll), understood
    missing = get_similar.sync("XCM-9-9.9", client=client)
    assert isinstance(missing, Problem), missing
    told = {
        "total": found.total,
        "positions": sum(each.count for each in positions.values),
        "states": [each.value for each in looked.values],
        "filters": [each.to_dict() for each in filters if isinstance(each, SuggestedSearchFilterType0)],
        "alike": alike.id,
        "same_state": all(each.same_state for each in alike.similar),
        "missing": missing.code,
        "read_as": [
            each.read_as.words[0].word
            for each in understood.all_
            if isinstance(each, AskedWord) and isinstance(each.read_as, ReadAs)
        ],
    }
    sys.stdout.write(json.dumps(told | {"asked": hit["id"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
