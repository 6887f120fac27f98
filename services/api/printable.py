"""Texts for documents of people's own: what no format can hold is left out, and nothing turns the text around it."""

import re

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What XML cannot hold, and the marks that turn the direction of all that follows: a hostile text keeps to itself."""


def printable(text: str) -> str:
    """A text without the characters that a document cannot hold, or that would garble what stands around them."""
    return _UNPRINTABLE.sub("", text)
