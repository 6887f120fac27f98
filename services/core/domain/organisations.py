"""Public ids of organisations: one rule, wherever a document names one."""

import hashlib
import re

from services.core.domain.identifiers import slug

_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_ARTICLE = re.compile(r"^the\s+(?=\S)", re.IGNORECASE)
_ACRONYM_AT_END = re.compile(r"\s*\((?:[^\W\d_]|[&./\d-])*[A-Z](?:[^\W\d_]|[&./\d-])*[A-Z](?:[^\W\d_]|[&./\d-])*\)$")
_LONGEST = 100
"""Longer ones could not be asked for: a filter's code is at most this long."""

_DIGITS = 10
_SHORT = {
    "office-of-the-united-nations-high-commissioner-for-human-rights": "ohchr",
    "office-of-the-high-commissioner-for-human-rights": "ohchr",
}
"""Organisations whose public id is not made of their name: it is part of the ids of letters, `PER-4.ohchr.letter.1`."""


def organisation_id(name: str, institution_of: str | None = None) -> str:
    """A readable code of an organisation's name: `amnesty-international`.

    The article before the name, an acronym in parentheses behind it and apostrophes do not matter. `institution_of` is
    the State whose national human rights institution it is, and stands first (`svn-human-rights-ombudsman`): the name
    alone ("national council for human rights") may be another's too. Of a name too long for a code the beginning is
    kept, with hex digits of the whole; of a name without any Latin letter, the digits alone.
    """
    plain = _ACRONYM_AT_END.sub("", _ARTICLE.sub("", _APOSTROPHES.sub("", name.strip())))
    readable = slug(plain)
    if not readable or len(readable) > _LONGEST - len("xxx-"):
        digits = hashlib.sha256((readable or plain).encode()).hexdigest()[:_DIGITS]
        beginning = readable[: _LONGEST - len("xxx-") - _DIGITS - 1].rpartition("-")[0]
        readable = f"{beginning or 'organisation'}-{digits}"
    readable = _SHORT.get(readable, readable)
    return f"{institution_of.lower()}-{readable}" if institution_of else readable
