"""What is measured of the index."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.core.domain.errors import UnavailableError
from services.core.runtime.problems import DATABASE_AWAY
from services.search.dependencies import Desk


class IndexMetrics(Collector):
    """Whether there is an index, and how far it is behind the store, told when asked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[GaugeMetricFamily]:
        """Named without asking anybody: registering must not depend on it."""
        return [GaugeMetricFamily(name, meaning) for name, meaning in _MEASURED.items()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; of an engine or a database that is away only that it is."""
        values = self._values()
        for name, meaning in _MEASURED.items():
            if name in values:
                yield GaugeMetricFamily(name, meaning, value=values[name])

    def _values(self) -> dict[str, float]:
        try:
            lag = self._desk.indexer.lag()
        except (UnavailableError, *DATABASE_AWAY):
            return {"upr_index_ready": 0}
        return {
            "upr_index_ready": lag.cursor is not None,
            "upr_index_lag_changes": lag.changes,
            "upr_index_lag_seconds": lag.seconds,
        }


_MEASURED = {
    "upr_index_ready": "1 where there is a search index that answers.",
    "upr_index_lag_changes": "Changes that are not in the search index yet.",
    "upr_index_lag_seconds": "Age of the oldest change that is not in the search index yet.",
}
