import sys

import httpx
import pytest
from pytest_httpserver import HTTPServer

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.domain.errors import SettingsError
from services.core.runtime.serve import served
from services.core.runtime.settings import CoreSettings
from services.core.runtime.tracing import traced, tracer_provider

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_request_and_its_statements_are_traced(httpserver: HTTPServer, database_url: str) -> None:
    httpserver.expect_request("/v1/traces").respond_with_data(b"")
    settings = ApiSettings(database_url=database_url, tracing_endpoint=httpserver.url_for("/v1/traces"))
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address:
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        answer = httpx.get(f"{address}/v1/states/PER?lang=es", headers=headers)
        assert (answer.status_code, answer.headers["x-request-id"]) == (200, TRACE)
        with traced(app.tracing, "webhook", delivery="dlv_1") as found:
            found["outcome"] = "delivered"
    assert app.tracing is not None
    app.tracing.shutdown()
    sent = b"".join(request.get_data() for request, _ in httpserver.log)
    for told in (bytes.fromhex(TRACE), b"openupr-api", b"/v1/states/{record_id}", b"SELECT", b"dlv_1", b"delivered"):
        assert told in sent


def test_nothing_is_traced_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracer_provider(CoreSettings(), "api") is None
    with traced(None, "webhook") as found:
        found["outcome"] = "delivered"
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match="tracing"):
        tracer_provider(CoreSettings(tracing_endpoint="http://127.0.0.1:1/v1/traces"), "api")
