import io
import json
import logging

import pytest
import structlog

from services.core.runtime.logs import without_secrets
from services.core.runtime.settings import CoreSettings
from tests.core.runtime.configured import configured_logs


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw= shown", "secret whsec_[redacted] shown"),
        ("Authorization: Bearer abc.d-e_f", "Authorization: Bearer [redacted]"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]"),
        ("postgresql://upr:p@ss%2F@db:5432/upr", "postgresql://upr:[redacted]@db:5432/upr"),
        ("host=db password=hunter2 user=upr", "host=db password=[redacted] user=upr"),
        ("GET /x?api_key=12&limit=1", "GET /x?api_key=[redacted]&limit=1"),
        ("http://127.0.0.1:8000/v1/states", "http://127.0.0.1:8000/v1/states"),
        ("a basic income; 12:30 @ noon", "a basic [redacted]; 12:30 @ noon"),
    ],
)
def test_secrets_are_taken_out_of_text(text: str, kept: str) -> None:
    assert without_secrets(text) == kept


def logged(settings: CoreSettings) -> str:
    stream = io.StringIO()
    with configured_logs(settings, stream):
        log = structlog.get_logger("upr.test")
        log.debug("too little to tell")
        log.info("sent", headers={"Authorization": "Bearer a", "Accept": "text/csv"}, new_secret="s3", url="a://b:c@d")
        try:
            raise ValueError("no such user: postgresql://upr:hunter2@db")
        except ValueError:
            log.exception("failed")
        logging.getLogger("uvicorn.error").warning("from a library: %s", "whsec_abc")
        logging.getLogger("httpx").info("chatter")
    return stream.getvalue()


def test_json_lines_carry_everything_but_secrets() -> None:
    lines = [json.loads(line) for line in logged(CoreSettings(log_format="json")).splitlines()]
    sent, failed, library = lines
    assert (sent["event"], sent["level"], sent["service"]) == ("sent", "info", "test")
    assert sent["logger"] == "upr.test"
    assert sent["headers"] == {"Authorization": "[redacted]", "Accept": "text/csv"}
    assert sent["new_secret"] == "[redacted]"
    assert sent["url"] == "a://b:[redacted]@d"
    assert "ValueError: no such user: postgresql://upr:[redacted]@db" in failed["exception"]
    assert library["event"] == "from a library: whsec_[redacted]"
    assert library["timestamp"].endswith("Z")


def test_the_console_shows_the_same() -> None:
    text = logged(CoreSettings())
    assert "Traceback" in text
    for secret in ("hunter2", "s3", "whsec_abc", "Bearer a"):
        assert secret not in text
    assert "chatter" not in text


def test_the_level_is_the_least_that_is_written() -> None:
    assert "sent" not in logged(CoreSettings(log_level="error"))
    assert "too little" in logged(CoreSettings(log_level="debug"))
