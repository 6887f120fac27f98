"""Traces by OpenTelemetry, where `UPR_TRACING_ENDPOINT` is set; otherwise nothing of its SDK is imported.

FastAPI makes the span of each request, and takes `traceparent` from who asks. Here come the provider that sends them,
and spans of statements and of webhooks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi.telemetry import TelemetryConfig
from sqlalchemy import Engine, event

from services import __version__
from services.core.domain.errors import SettingsError
from services.core.runtime.settings import CoreSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LONGEST_STATEMENT = 2_000
"""Characters of a statement that a span keeps. Values are bound, and so in no span."""


def tracer_provider(settings: CoreSettings, service: str) -> "TracerProvider | None":
    """What spans of this process go to; None where nothing is traced. Raises `SettingsError` without the SDK."""
    if settings.tracing_endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
    except ImportError as fault:
        raise SettingsError("UPR_TRACING_ENDPOINT is set, but not installed: pip install 'openupr[tracing]'") from fault
    about = Resource.create({"service.name": f"openupr-{service}", "service.version": __version__})
    provider = TracerProvider(resource=about, sampler=ParentBased(TraceIdRatioBased(settings.tracing_share)))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.tracing_endpoint)))
    return provider


def request_telemetry(provider: "TracerProvider | None") -> TelemetryConfig:
    """How FastAPI is to trace requests: with our provider or not at all."""
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    }


def trace_statements(engine: Engine, provider: "TracerProvider | None") -> None:
    """A span for each statement that is sent within a span."""
    if provider is None:
        return
    from opentelemetry import trace  # noqa: PLC0415

    tracer = provider.get_tracer("openupr")

    def begin(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if trace.get_current_span().is_recording():
            told = {"db.system.name": "postgresql", "db.query.text": statement[:LONGEST_STATEMENT]}
            name = statement.split(None, 1)[0]
            context.upr_span = tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=told)

    def end(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if span := getattr(context, "upr_span", None):
            span.end()

    def fail(fault: Any) -> None:
        if span := getattr(fault.execution_context, "upr_span", None):
            span.set_status(trace.StatusCode.ERROR, type(fault.original_exception).__name__)
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


@contextmanager
def traced(provider: "TracerProvider | None", name: str, **attributes: str) -> Iterator[dict[str, str]]:
    """A span around some work of a worker; what is put into the dictionary becomes its attributes, too."""
    found: dict[str, str] = {}
    if provider is None:
        yield found
        return
    with provider.get_tracer("openupr").start_as_current_span(name, attributes=attributes) as span:
        yield found
        span.set_attributes(found)
