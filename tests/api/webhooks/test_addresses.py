"""Endpoints are made of public addresses alone."""

import httpx

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.api.webhooks.sender import webhook_rules
from services.core.runtime.guard import AddressRules
from services.core.runtime.serve import served
from tests.api.conftest import MakeKey
from tests.core.runtime.test_guard import REFUSED


def test_no_endpoint_is_made_of_an_address_of_the_table(database_url: str, make_key: MakeKey) -> None:
    """Neither when it is created nor when it is changed, over HTTP."""
    settings = ApiSettings(database_url=database_url)
    key = {"Authorization": f"Bearer {make_key()[1]}"}
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address, headers=key) as client:
        made = client.post("/v1/webhooks/endpoints", json={"url": "https://tracker.example.org/"}).json()["id"]
        for number, (host, by) in enumerate(REFUSED):
            body = {"url": f"https://{host}/hook"}
            create = ("POST", "/v1/webhooks/endpoints")
            answer = client.request(*(("PATCH", f"{create[1]}/{made}") if number % 10 == 0 else create), json=body)
            problem = answer.json()
            told = (answer.status_code, problem["code"], problem.get("network", problem.get("reason")))
            assert told == (422, "refused_address", by), host
        (endpoint,) = client.get("/v1/webhooks/endpoints").json()["data"]
        assert endpoint["url"] == "https://tracker.example.org/"


def test_rules_come_from_the_settings() -> None:
    settings = ApiSettings(webhook_allow_http=True, webhook_allow_loopback=True, webhook_allowed_ports=(443, 9000))
    assert webhook_rules(settings) == AddressRules(True, True, (443, 9000))
    assert webhook_rules(ApiSettings()) == AddressRules()
