"""What every HTTP service has in common: problems, manners, health, metrics, OpenAPI.

Routes are plain `def` functions, run in the thread pool. They return a `JsonAnswer` of what is ready to be sent.
"""

import difflib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from functools import cached_property
from threading import RLock
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import compile_path
from starlette_compress import CompressMiddleware, add_compress_type

from services.core.domain.errors import NotFoundError, UnavailableError, UnknownParameterError, UprError
from services.core.runtime.docs_page import docs_routes
from services.core.runtime.manners import RequestManners, RequestMetrics
from services.core.runtime.metrics import PoolMetrics, process_registry
from services.core.runtime.openapi import complete
from services.core.runtime.problems import DATABASE_AWAY, PROBLEM_RESPONSE, first_line, install_problem_handlers
from services.core.runtime.rate_limits import RateLimits
from services.core.runtime.settings import CoreSettings
from services.core.runtime.tracing import request_telemetry, trace_statements, tracer_provider

log = structlog.get_logger(__name__)

SMALLEST_COMPRESSED = 1_000
"""Bytes below which compressing an answer saves no packet."""

for _media_type in ("application/problem+json", "application/x-ndjson", "text/csv", "application/feed+json"):
    add_compress_type(_media_type)

Readiness = Callable[[], Mapping[str, str | None]]
"""Tells of each thing that the service depends on what is wrong with it, None where nothing is."""

Lifespan = Callable[["Service"], AbstractContextManager[None]]
"""Opens what the service needs (a store, an index) and closes it again; it is run in a thread."""


class JsonAnswer(JSONResponse):
    """A JSON answer from plain values: dicts, lists, strings, numbers, dates, dataclasses, UUIDs."""

    def render(self, content: Any) -> bytes:
        """Dates in ISO 8601, UTC written as Z."""
        return orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def links(**addresses: str | None) -> dict[str, str]:
    """The `Link` header (RFC 8288) that names these addresses by their relation; none for those that are None."""
    told = [f'<{address}>; rel="{relation}"' for relation, address in addresses.items() if address]
    return {"Link": ", ".join(told)} if told else {}


class Service(FastAPI):
    """A FastAPI app with our manners. `metrics_registry` takes the service's own measurements.

    `examples` are what routes refer to as `#/components/examples/{name}`: written into a route itself, an example
    would lose its members that are null. `conditional`: what anyone may read answers 304 to whoever holds it.
    `streamed_bodies`: by method and path, how many bytes a body may have that its route takes piece by piece; all
    others are small, and read before their route is asked.
    `when_stopping` is called when the server takes no more requests: it is to end the answers that would go on and on.
    `tell_metrics` gives what `/metrics` answers: of this process, or of all that serve the same address.
    `stopping` is true from the moment on at which it was told to stop: `/readyz` says so, and connections end.
    """

    def __init__(
        self, *, name: str, version: str, settings: CoreSettings, conditional: bool = True, **options: Any
    ) -> None:
        tracing = tracer_provider(settings, name.lower())
        super().__init__(
            title=f"OpenUPR {name}",
            version=version,
            contact=_contact(settings.contact),
            license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            docs_url=None,  # the usual pages load scripts from elsewhere
            redoc_url=None,
            openapi_url=None,  # the usual route makes the document where nothing else is answered meanwhile
            redirect_slashes=False,  # the redirect would go to whatever the Host header says
            default_response_class=JsonAnswer,
            responses={"default": PROBLEM_RESPONSE},
            dependencies=[Depends(refuse_undocumented_parameters)],
            telemetry=request_telemetry(tracing),
            **options,
        )
        self.state.settings = settings
        self.metrics_registry = process_registry(name.lower())
        self.tracing = tracing
        self.rate_limits = RateLimits(settings.rate_limit, settings.rate_limit_with_key)
        self.examples: dict[str, Any] = {}
        self.conditional = conditional
        self.streamed_bodies: dict[tuple[str, str], int] = {}
        self.when_stopping: Callable[[], None] = lambda: None
        self.stopping = False
        self._documenting = RLock()
        self.tell_metrics: Callable[[], bytes] = lambda: generate_latest(self.metrics_registry)

    def watch_database(self, engine: Engine) -> None:
        """Measure the connections that the service reads with, and trace its statements if anything is traced."""
        self.metrics_registry.register(PoolMetrics(engine))
        trace_statements(engine, self.tracing)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document, with what holds for every operation. It is made when somebody asks for it."""
        with self._documenting:
            if self.openapi_schema is None:
                complete(super().openapi(), examples=self.examples, conditional=self.conditional)
            return super().openapi()

    @cached_property
    def documented_parameters(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The query parameters of each operation, by method and path template, as the OpenAPI document has them.

        They are taken from the routes: making the document takes longer than all else that a service starts with.
        """
        return {
            (method, route.path_format or ""): frozenset(_query_parameters(route))
            for route in iter_route_contexts(self.routes)
            if isinstance(route.original_route, APIRoute) and route.include_in_schema
            for method in route.methods or ()
        }

    def methods_of(self, path: str) -> list[str]:
        """The methods that a documented path takes, HEAD and OPTIONS with them; none for any other path."""
        found = {method for method, pattern in self._patterns if pattern.fullmatch(path)}
        if "GET" in found:
            found.add("HEAD")
        return sorted(found | {"OPTIONS"}) if found else []

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(method, compile_path(path)[0]) for method, path in self.documented_parameters]


def create_service(
    *,
    name: str,
    version: str,
    settings: CoreSettings,
    readiness: Readiness,
    lifespan: Lifespan | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    server: str = "/",
    conditional: bool = True,
) -> Service:
    """A service without routes of its own yet. `name` is what people call it (`API`, `search`, `ingest`).

    `description`, `tags` (with what each stands for, in the order to show them) and `server` (the address under which
    people reach it, or one relative to the OpenAPI document) are for that document.
    """
    service = Service(
        name=name,
        version=version,
        settings=settings,
        description=description,
        servers=[{"url": server.rstrip("/") or "/"}],
        openapi_tags=[{"name": tag, "description": meaning} for tag, meaning in (tags or {}).items()],
        conditional=conditional,
        lifespan=_in_a_thread(lifespan) if lifespan else None,
    )
    install_problem_handlers(service)
    service.include_router(_operations_routes(service, readiness))
    service.include_router(docs_routes(service.title, version, settings.public_url))
    # The last one added is the outermost.
    service.add_middleware(CompressMiddleware, minimum_size=SMALLEST_COMPRESSED, gzip_level=3)
    service.add_middleware(RequestManners, metrics=RequestMetrics(service.metrics_registry), limits=service.rate_limits)
    return service


async def refuse_undocumented_parameters(request: Request) -> None:
    """Let nothing pass that the operation does not declare: a misspelt filter must not widen the result.

    An operation declares its query parameters in its signature, or in `openapi_extra={"parameters": [...]}`. What is
    not in the OpenAPI document at all (health, metrics) takes anything. Raises `UnknownParameterError`.
    """
    context = request.scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(context, "path_format", None) or getattr(request.scope.get("route"), "path", "")
    known = request.app.documented_parameters.get((request.scope["method"], path))
    unknown = [] if known is None else sorted(set(request.query_params) - known)
    if known is None or not unknown:
        return
    detail = "; ".join(_unknown(parameter, known) for parameter in unknown)
    errors = [{"parameter": parameter, "detail": "unknown"} for parameter in unknown]
    raise UnknownParameterError(detail, errors=errors, known=sorted(known))


def _query_parameters(route: RouteContext) -> Iterator[str]:
    """Those of its signature and of all that it depends on, and those that it declares beside them."""
    dependants = [route.dependant]
    while dependants:
        dependant = dependants.pop()
        yield from (each.alias for each in dependant.query_params)
        dependants += dependant.dependencies
    declared = (route.openapi_extra or {}).get("parameters", [])
    yield from (each["name"] for each in declared if each["in"] == "query")


def _unknown(parameter: str, known: frozenset[str]) -> str:
    close = difflib.get_close_matches(parameter, known, n=1)
    return f"There is no parameter {parameter!r} here" + (f"; did you mean {close[0]!r}?" if close else "")


def _contact(address: str | None) -> dict[str, str] | None:
    if not address:
        return None
    return {"name": "Operators", "url" if "://" in address else "email": address}


def _in_a_thread(lifespan: Lifespan) -> Callable[[FastAPI], Any]:
    """Opening a store blocks; done in the event loop it would stop a server that has begun to answer."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        assert isinstance(app, Service)
        context = lifespan(app)
        await run_in_threadpool(context.__enter__)
        await run_in_threadpool(lambda: app.documented_parameters)  # or the first who asks would wait for it
        try:
            yield
        finally:
            await run_in_threadpool(context.__exit__, None, None, None)

    return opened


def _operations_routes(service: Service, readiness: Readiness) -> APIRouter:
    """Health, readiness, metrics and the explanation of problems: for operators, so not in the OpenAPI document."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return JsonAnswer(service.openapi())

    @routes.get("/healthz")
    async def healthz() -> Response:
        return JsonAnswer({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        if service.stopping:
            raise UnavailableError("The service is stopping.")
        faults = _faults(readiness)
        away = sorted(name for name, fault in faults.items() if fault)
        if away:
            detail = "; ".join(f"{name}: {faults[name]}" for name in away)
            raise UnavailableError(detail, dependencies={name: fault or "ok" for name, fault in faults.items()})
        return JsonAnswer({"status": "ready", "dependencies": dict.fromkeys(faults, "ok")})

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(service.tell_metrics(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/problems/{code}")
    def problem(code: str) -> Response:
        kinds = {kind.code: kind for kind in _kinds_of(UprError) if hasattr(kind, "code")}
        if code not in kinds:
            raise NotFoundError(f"There is no kind of problem with the code {code!r}.")
        kind = kinds[code]
        explanation = " ".join((kind.__doc__ or "").split())
        return JsonAnswer({"code": code, "status": kind.status, "title": kind.title, "explanation": explanation})

    return routes


def _faults(readiness: Readiness) -> Mapping[str, str | None]:
    try:
        return readiness()
    except DATABASE_AWAY as exception:
        log.warning("the database does not answer", fault=first_line(exception))
        return {"database": "it does not answer"}
    except Exception as exception:
        log.exception("readiness could not be told")
        return {"readiness": type(exception).__name__}


def _kinds_of(base: type[UprError]) -> Iterator[type[UprError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds_of(kind)
