"""What the OpenAPI documents cannot say, for `schemathesis` (see `schemathesis.toml`)."""

import re
from typing import Any

import schemathesis

from services.core.store.paging import CURSOR_PATTERN


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Ask for the first page, where a cursor looks right: made up, none is one that the list gave out.

    Cursors that look wrong stay and have to be refused; real ones are for the tests of pages.
    """
    cursor = (case.query or {}).get("cursor")
    if isinstance(cursor, str) and re.search(CURSOR_PATTERN, cursor):
        del case.query["cursor"]
