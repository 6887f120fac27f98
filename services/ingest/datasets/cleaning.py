"""Texts as databases hold them: with HTML in them, and control characters."""

import html
import re

_INLINE_TAG = re.compile(r"</?(?:a|b|em|font|i|span|strong|su[bp]|u)(?:\s[^<>]{0,300})?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff\u200b\ufffe\uffff]+")
_BLANKS = re.compile(r"\s+")


def clean(text: object) -> str:
    """One line of plain text. Entities are resolved twice: exports hold `&amp;#40;` beside `&#40;`."""
    plain = str(text) if text is not None else ""
    if "&" in plain:
        plain = html.unescape(html.unescape(plain))
    if "<" in plain:
        plain = _TAG.sub(" ", _INLINE_TAG.sub("", plain))
    if not plain.isprintable():
        # A lone surrogate (JSON may hold one) cannot be stored.
        plain = _CONTROL.sub(" ", plain.encode("utf-8", "replace").decode("utf-8"))
    return _BLANKS.sub(" ", plain).strip()
