"""What routes take from a request, and the addresses of pages."""

from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import Engine

from services.core.runtime.parameters import Parameters, described
from services.core.store.paging import CURSOR_PATTERN

LIMIT = 200
MAX_ID = 2**63 - 1
CURSOR_PARAMETER = described(
    "cursor",
    "Where to go on: part of `page.next`. It belongs to the filters of its list.",
    {"type": "string", "format": "cursor", "pattern": CURSOR_PATTERN},
)


def asked(request: Request) -> Parameters:
    """The query parameters, in their order."""
    return request.query_params.multi_items()


def engine_of(request: Request) -> Engine:
    """The service's connections to the database."""
    engine: Engine = request.app.state.engine
    return engine


def next_address(request: Request, cursor: str | None) -> str | None:
    """The absolute address of the page after this one."""
    if cursor is None:
        return None
    rest = [(name, value) for name, value in asked(request) if name != "cursor"]
    public: str = request.app.state.settings.ingest_public_url
    return f"{public.rstrip('/')}{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"
