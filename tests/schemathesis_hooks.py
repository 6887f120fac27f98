"""What the OpenAPI documents cannot say, for `schemathesis` (see `schemathesis.toml`)."""

import re
from typing import Any

import schemathesis

from services.api.saved_searches import SAVED_SEARCH_PATTERN
from services.core.store.paging import CURSOR_PATTERN

_GIVEN_OUT = {"cursor": CURSOR_PATTERN, "saved_search": SAVED_SEARCH_PATTERN}


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Leave out what looks right and cannot be: made up, a cursor is none that the list gave out, an id nobody's.

    Those that look wrong stay and have to be refused; real ones are for the tests of pages and of saved searches.
    """
    for name, pattern in _GIVEN_OUT.items():
        given = (case.query or {}).get(name)
        if given is not None and all(re.search(pattern, each) for each in _texts(given)):
            del case.query[name]


def _texts(given: Any) -> list[str]:
    return [str(each) for each in given] if isinstance(given, list) else [str(given)]
