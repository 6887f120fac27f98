"""What is measured of webhooks: what a deliverer did, and what is owed in the store."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, text

from services.core.runtime.problems import DATABASE_AWAY

_QUEUE = text("""
    SELECT count(*) FILTER (WHERE e.status = 'enabled' AND d.due_at <= now()) AS due,
           count(*) FILTER (WHERE e.status = 'enabled' AND d.due_at > now()) AS later,
           count(*) FILTER (WHERE e.status <> 'enabled') AS held,
           coalesce(extract(epoch FROM now() - min(d.due_at) FILTER (
               WHERE e.status = 'enabled' AND d.due_at <= now()
                 AND (d.leased_until IS NULL OR d.leased_until <= now()))), 0) AS oldest
    FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint WHERE d.status = 'pending'
""")
_FANOUT = text("""
    SELECT head.seq - fanout.seq AS changes,
           coalesce(extract(epoch FROM now() - missed.occurred_at), 0) AS seconds
    FROM webhook_fanout fanout CROSS JOIN change_head head LEFT JOIN changes missed ON missed.seq = fanout.seq + 1
""")
_ENDPOINTS = text("SELECT status, count(*) AS number FROM webhook_endpoints GROUP BY status")


class DeliveryMetrics:
    """What one deliverer did since it started."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tries = Counter(
            "upr_webhook_deliveries",
            "Tries that were settled: delivered, to_retry, failed (given up), stale (another's by then).",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "upr_webhook_try_duration_seconds",
            "How long a try took.",
            ["outcome"],
            registry=registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
        )
        self._fanned_out = Counter(
            "upr_webhook_fanned_out", "Deliveries that were made from changes.", registry=registry
        )

    def settled(self, figures: Mapping[str, int]) -> None:
        """Count tries by their outcome."""
        for outcome, number in figures.items():
            self._tries.labels(outcome).inc(number)

    def tried(self, outcome: str, milliseconds: int) -> None:
        """Note how long a try took."""
        self._seconds.labels(outcome).observe(milliseconds / 1000)

    def fanned_out(self, deliveries: int) -> None:
        """Count what became owed."""
        self._fanned_out.inc(deliveries)


class QueueMetrics(Collector):
    """What is owed, as of the moment that somebody asks. All deliverers of a store say the same."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> list[GaugeMetricFamily]:
        """Named without asking the store."""
        return [GaugeMetricFamily(name, meaning) for name, meaning in _MEANINGS.items()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; none while the store is away."""
        try:
            with self._engine.connect() as connection:
                queue, fanout = connection.execute(_QUEUE).one(), connection.execute(_FANOUT).first()
                endpoints = {row.status: row.number for row in connection.execute(_ENDPOINTS)}
        except DATABASE_AWAY:
            return
        owed = {"due": queue.due, "later": queue.later, "held": queue.held}
        yield _gauge("upr_webhook_queue_deliveries", "state", owed)
        yield _gauge("upr_webhook_endpoints", "status", {"enabled": 0, "paused": 0, "disabled": 0, **endpoints})
        yield _plain("upr_webhook_oldest_due_seconds", queue.oldest)
        if fanout is not None:
            yield _plain("upr_webhook_fanout_lag_changes", fanout.changes)
            yield _plain("upr_webhook_fanout_lag_seconds", fanout.seconds)


_MEANINGS = {
    "upr_webhook_queue_deliveries": "What is owed: due, to be tried later, held for an endpoint that is off.",
    "upr_webhook_endpoints": "Endpoints by status.",
    "upr_webhook_oldest_due_seconds": "For how long the oldest delivery that nobody has taken up is due.",
    "upr_webhook_fanout_lag_changes": "Changes that were not fanned out to endpoints yet.",
    "upr_webhook_fanout_lag_seconds": "Age of the oldest change that was not fanned out yet.",
}


def _gauge(name: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, _MEANINGS[name], labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _plain(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, _MEANINGS[name], value=float(value))
