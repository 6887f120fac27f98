"""Texts that turn the direction of writing, kept from turning what stands after them.

A text may open embeddings, overrides and isolates (UAX #9, 3.1) and never close them. In a paragraph they would go on
to the end of it, over words of ours.
"""

import re
from typing import TypeVar

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_POP_EMBEDDING, _POP_ISOLATE = "\u202c", "\u2069"
_CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", _POP_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", _POP_ISOLATE
)

Text = TypeVar("Text", bound=str)


def kept_to_itself(text: Text) -> Text:
    """The text, and behind it what closes whatever it left open. Mark-up stays mark-up."""
    if text.isascii() or not _TURNING.search(text):
        return text
    open_: list[str] = []
    for mark in _TURNING.findall(text):
        if mark in _CLOSED_BY:
            open_.append(_CLOSED_BY[mark])
        elif mark == _POP_ISOLATE and mark in open_:  # closes what was opened within it, too
            while open_.pop() != _POP_ISOLATE:
                pass
        elif open_ and open_[-1] == mark:
            open_.pop()
    return text + "".join(reversed(open_)) if open_ else text  # type: ignore[return-value]
