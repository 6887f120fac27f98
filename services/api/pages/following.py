"""Which search follows a record."""

from urllib.parse import urlencode

_FILTER_OF = {
    "states": "state_under_review",
    "reviews": "review",
    "topics": "topic",
    "documents": "document",
    "hearings": "hearing",
    "organisations": "speaker",
}
"""By which filter all is found that concerns a record of a noun. Of the others the record itself is followed."""
_NOT_FOLLOWED = ("labels",)
"""Nouns that nothing but a file of ours changes."""


def following_record(noun: str, record_id: str, language: str) -> str | None:
    """The query of the page `/follow` for a record; None where there is nothing to follow."""
    if noun in _NOT_FOLLOWED:
        return None
    name = _FILTER_OF.get(noun)
    asked = [(name, record_id)] if name else [("type", noun), ("id", record_id)]
    return urlencode([*asked, ("lang", language)])
