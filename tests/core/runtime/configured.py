"""Logs set up for a test, and put back afterwards."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import structlog

from services.core.runtime.logs import configure_logs
from services.core.runtime.settings import CoreSettings


@contextmanager
def configured_logs(settings: CoreSettings, stream: TextIO) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logs(settings, service="test", stream=stream)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
