"""Metrics that every process has, and the port on which a worker without one shows them.

Names follow Prometheus' conventions: `upr_`, what is measured, its unit; counters end in `_total`.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, QueuePool

from services import __version__
from services.core.domain.errors import SettingsError
from services.core.runtime.settings import CoreSettings

log = structlog.get_logger(__name__)

SILENT_SECONDS = 120.0
"""A worker that showed no sign of life for so long hangs: its longest step and its longest pause are shorter."""


def process_registry(service: str) -> CollectorRegistry:
    """A registry with what is measured of every process, and which version of what service it is."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    about = Gauge("upr_build_info", "1; the labels say what runs.", ["service", "version"], registry=registry)
    about.labels(service, __version__).set(1)
    return registry


class PoolMetrics(Collector):
    """How many connections to the database a process holds, by what they do."""

    def __init__(self, engine: Engine) -> None:
        assert isinstance(engine.pool, QueuePool)
        self._pool = engine.pool

    def describe(self) -> list[GaugeMetricFamily]:
        """Named without asking anybody."""
        return list(self._families(0, 0, 0))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as of now."""
        return self._families(self._pool.checkedout(), self._pool.checkedin(), self._pool.size())

    @staticmethod
    def _families(in_use: int, idle: int, most: int) -> Iterator[GaugeMetricFamily]:
        held = GaugeMetricFamily("upr_database_connections", "Connections to the database.", labels=["state"])
        held.add_metric(["in_use"], in_use)
        held.add_metric(["idle"], idle)
        yield held
        yield GaugeMetricFamily("upr_database_connections_limit", "As many connections may be held.", value=most)


@contextlib.contextmanager
def metrics_served(
    settings: CoreSettings, registry: CollectorRegistry, seconds_since_beat: Callable[[], float]
) -> Iterator[None]:
    """Show `/metrics` and `/healthz` of a worker on `UPR_WORKER_PORT`, if it is set, as long as the block lasts.

    Raises `SettingsError` where the port cannot be listened on.
    """
    if settings.worker_port is None:
        yield
        return
    host, port = settings.worker_host, settings.worker_port
    try:
        server = make_server(host, port, _application(registry, seconds_since_beat), handler_class=_QuietHandler)
    except OSError as fault:
        raise SettingsError(f"cannot listen on {host} port {port}: {fault.strerror or fault}") from fault
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    with _closing(server):
        thread.start()
        log.info("metrics are shown", host=host, port=server.server_port)
        yield


@contextlib.contextmanager
def _closing(server: WSGIServer) -> Iterator[None]:
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _application(registry: CollectorRegistry, seconds_since_beat: Callable[[], float]) -> Any:
    metrics = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        if environ["PATH_INFO"] != "/healthz":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There are /metrics and /healthz here.\n"]
        alive = seconds_since_beat() < SILENT_SECONDS
        start_response("200 OK" if alive else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [b'{"status":"ok"}' if alive else b'{"status":"hangs"}']

    return answer


class _QuietHandler(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Nothing."""
