"""The tile map of one regional group on a page, which the reader chooses by `region`, and the table of its numbers."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from services.api.pages.pictures import Pictures, region_asked
from services.core.pages.tile_map import places
from services.core.query.analysis import fold
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape


def map_of(request: Request, drawn: Pictures, names: Names, received: Sequence[Shape], url: str) -> dict[str, Any]:
    """What the template of maps needs: `received` are the rows of States, of what the list at `url` holds."""
    code = region_asked(request.query_params.get("region"))
    region, held = names.group(code), {row["code"]: row for row in received}
    states = sorted((names.state(state) for state in places()[code]), key=lambda state: fold(state["name"]))
    called = drawn.words("chart.map", region=region["name"])
    return {
        "region": region,
        "all_regions": [names.group(each) for each in places()],
        "states": [{**state, "told": held.get(state["code"])} for state in states],
        "map": drawn.tiles(code, received, states, url, called),
    }
