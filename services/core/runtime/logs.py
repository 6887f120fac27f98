"""Logs: one line an event on standard error, for people or for collectors, with secrets taken out.

Lines of libraries (uvicorn, SQLAlchemy, alembic) come in the same format: they pass through the standard
library's root logger, whose one handler renders as structlog does.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from services.core.runtime.settings import CoreSettings

REDACTED = "[redacted]"

_SECRET_NAMES = re.compile(
    r"authorization|cookie|passw(or)?d|secret|api_?key|access_?key|private_?key|(^|_)token$|signature",
    re.IGNORECASE,
)
"""Names of fields and headers whose values are never written, whatever they look like."""

_SECRET_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), f"whsec_{REDACTED}"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(upr_[0-9A-Za-z]{12}_)[0-9A-Za-z]+"), rf"\1{REDACTED}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s/:@'\"]*):[^\s/'\"]+@", re.IGNORECASE), rf"\1:{REDACTED}@"),
    (re.compile(r"\b(password|passwd|secret|api_?key)=(?!\[)[^\s&'\"]+", re.IGNORECASE), rf"\1={REDACTED}"),
)
"""Secrets as they stand in text: signing secrets, credentials in headers, API keys (their ids stay), URLs …"""

_QUIET_LOGGERS = ("httpcore", "httpx", "alembic", "asyncio", "docker", "urllib3")


def without_secrets(text: str) -> str:
    """`text` with every secret replaced whose form gives it away."""
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text


def configure_logs(settings: CoreSettings, *, service: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process; call it once, before anything logs.

    `service` (`api`, `ingest` …) is written on every line. `stream` is standard error when not given.
    Calling it again replaces the earlier set-up.
    """
    stream = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared = _shared_processors(service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _LogHandler(stream)
    handler.setFormatter(_RedactingFormatter(shared, _renderer(settings, colours=stream.isatty())))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _LogHandler)] + [handler]
    root.setLevel(level)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _shared_processors(service: str) -> list[Processor]:
    """What happens to every line, ours or a library's, before it is rendered."""

    def name_service(_logger: object, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_named_secrets,
    ]


def _renderer(settings: CoreSettings, *, colours: bool) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)


class _LogHandler(logging.StreamHandler[TextIO]):
    """Ours, told apart from handlers that others (a test runner, a tracing agent) put beside it."""


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders a line, then looks at the finished text: nothing goes round it, tracebacks included."""

    def __init__(self, shared: list[Processor], renderer: Processor) -> None:
        without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(foreign_pre_chain=shared, processors=[_drop_colour_message, without_meta, renderer])

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def _drop_colour_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Uvicorn sends each line twice, once with colours."""
    event.pop("color_message", None)
    return event


def _redact_named_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    _redact_mapping(event)
    return event


def _redact_mapping(fields: MutableMapping[str, Any]) -> None:
    for name, value in fields.items():
        if _SECRET_NAMES.search(str(name)) and value not in (None, ""):
            fields[name] = REDACTED
        elif isinstance(value, Mapping):
            fields[name] = nested = dict(value)
            _redact_mapping(nested)
