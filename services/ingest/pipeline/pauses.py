"""How long an address made by rule is left alone at which nothing has ever been.

Each time it is waited as long again as was waited so far: a day, a day, two, four … up to two weeks. Of the documents
of a review, most that are missing will never come, and those that come are not needed within the hour.
"""

import datetime
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, text

LEAST = datetime.timedelta(hours=20)
"""Shorter than a day, so that a daily run that comes a little early asks."""
MOST = datetime.timedelta(days=14)

_ENDS = text(
    "SELECT resources.address, "
    "resources.checked_at + least(greatest(resources.checked_at - min(responses.asked_at), :least), :most) AS until "
    "FROM resources JOIN responses USING (address) "
    "WHERE resources.address = ANY(:addresses) AND resources.outcome = 'missing' AND resources.sha256 IS NULL "
    "GROUP BY resources.address"
)


def rest_until(engine: Engine, addresses: Sequence[str]) -> Mapping[str, datetime.datetime]:
    """When addresses may be asked for again: without those that may be now, and those where there was a file before."""
    if not addresses:
        return {}
    with engine.connect() as connection:
        rows = connection.execute(_ENDS, {"addresses": list(addresses), "least": LEAST, "most": MOST}).all()
    now = datetime.datetime.now(datetime.UTC)
    return {row.address: row.until for row in rows if row.until > now}
