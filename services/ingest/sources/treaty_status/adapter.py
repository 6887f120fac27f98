"""The pages of the United Nations Treaty Collection on human rights treaties."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files

from services.ingest.sources.base import Found, Visit


class TreatyPages:
    """Finds the page of each treaty, by its number."""

    name = "treaty_status"

    def find(self, visit: Visit) -> Iterator[Found]:
        """A page a treaty."""
        told = files("services.ingest.sources.treaty_status") / "treaties.toml"
        numbers = tomllib.loads(told.read_text(encoding="utf-8"))["numbers"]
        for done, number in enumerate(numbers):
            visit.told(done, len(numbers))
            query = f"src=TREATY&mtdsg_no={number}&chapter=4&clang=_en"
            address = f"{visit.sites['treaties']}/Pages/ViewDetails.aspx?{query}"
            yield Found(address, f"UNTC {number}", frozenset({"html"}), language="en")
