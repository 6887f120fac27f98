"""Metrics of several processes of one service, told by whichever of them is asked.

Each tells its own over a socket in a folder that they share. The one that `/metrics` reaches asks all, and every sample
has the label `process`. So counters are those of one process each, which Prometheus sums, and nothing is shared while
requests are counted. (The files that prometheus_client can share between processes know no collectors of our own, and
nothing of memory and processor.)
"""

import contextlib
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

log = structlog.get_logger(__name__)

PATIENCE = 2.0
"""Seconds that a process may take to tell its metrics; one that does not is left out."""


class ProcessMetrics(Collector):
    """The metrics of this process, the `number`-th, and of those beside it in `folder`, of `processes` in all."""

    def __init__(self, registry: CollectorRegistry, folder: Path, number: int, processes: int) -> None:
        self._registry = registry
        self._folder = folder
        self._number = number
        self._processes = processes

    def tell(self) -> bytes:
        """What `/metrics` answers."""
        every = CollectorRegistry()
        every.register(self)
        return generate_latest(every)

    def describe(self) -> list[Metric]:
        """Nothing: registering must not ask anybody."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric once, with the samples of all processes that told theirs."""
        told = {number: self._told_by(number) for number in range(self._processes)}
        merged: dict[str, Metric] = {}
        for number, families in told.items():
            for name, meaning, kind, samples in families or ():
                metric = merged.setdefault(name, Metric(name, meaning, kind))
                for sample, labels, value in samples:
                    metric.samples.append(Sample(sample, {**labels, "process": str(number)}, value))
        yield from merged.values()
        answered = sum(families is not None for families in told.values())
        yield GaugeMetricFamily("upr_service_processes", "Processes that told their metrics.", value=answered)
        yield GaugeMetricFamily("upr_service_processes_set", "Processes that are to serve.", value=self._processes)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Tell the other processes, when they ask, as long as the block lasts."""
        path = self._folder / str(self._number)
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            threading.Thread(target=self._answer, args=(listener,), name="metrics", daemon=True).start()
            yield

    def _answer(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: we stop
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                connection.sendall(json.dumps(_plain(self._registry.collect())).encode())

    def _told_by(self, number: int) -> list[Any] | None:
        """What a process says; None of one that does not."""
        if number == self._number:
            return _plain(self._registry.collect())
        try:
            with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answer:
                connection.settimeout(PATIENCE)
                connection.connect(str(self._folder / str(number)))
                families: list[Any] = json.loads(answer.read())
                return families
        except (OSError, ValueError) as fault:
            log.warning("a process does not tell its metrics", of=number, fault=str(fault))
            return None


def _plain(families: Iterable[Metric]) -> list[Any]:
    return [
        (each.name, each.documentation, each.type, [(one.name, one.labels, one.value) for one in each.samples])
        for each in families
    ]
