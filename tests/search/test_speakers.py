"""The names of organisations that speak, as their statements print them."""

from sqlalchemy import Engine

from services.search.speakers import printed_speakers
from tests.records import fill


def test_organisations_are_called_as_they_are_printed(store: Engine) -> None:
    with store.begin() as connection:
        fill(connection, each=40)
        asked = ["coalition-of-peru", "PER", "nobody"]
        assert printed_speakers(connection, asked) == {"coalition-of-peru": "Coalition of Peru"}
        assert printed_speakers(connection, []) == {}
