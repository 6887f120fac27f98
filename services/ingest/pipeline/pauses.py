"""How long an address made by rule is left alone at which nothing has ever been.

Each time it is waited as long again as was waited so far: a day, a day, two, four … up to two weeks. Of the documents
of a review, most that are missing will never come, and those that come are not needed within the hour.
"""

import datetime

from sqlalchemy import Engine, text

LEAST = datetime.timedelta(hours=20)
"""Shorter than a day, so that a daily run that comes a little early asks."""
MOST = datetime.timedelta(days=14)

_ENDS = text(
    "SELECT resources.checked_at + least(greatest(resources.checked_at - min(responses.asked_at), :least), :most) "
    "FROM resources JOIN responses USING (address) "
    "WHERE resources.address = :address AND resources.outcome = 'missing' AND resources.sha256 IS NULL "
    "GROUP BY resources.address"
)


def rests_until(engine: Engine, address: str) -> datetime.datetime | None:
    """When the address may be asked for again; None where it may now, or where there was a file before."""
    with engine.connect() as connection:
        ends: datetime.datetime | None = connection.scalar(_ENDS, {"address": address, "least": LEAST, "most": MOST})
    return ends if ends is not None and ends > datetime.datetime.now(datetime.UTC) else None
