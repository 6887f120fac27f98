"""What routes take from a request."""

from fastapi import Request
from sqlalchemy import Engine

from services.core.runtime.parameters import Parameters

LIMIT = 200
MAX_ID = 2**63 - 1


def asked(request: Request) -> Parameters:
    """The query parameters, in their order."""
    return request.query_params.multi_items()


def engine_of(request: Request) -> Engine:
    """The service's connections to the database."""
    engine: Engine = request.app.state.engine
    return engine
