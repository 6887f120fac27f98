"""The examples of the OpenAPI document: answers of the running service on the samples, all alike from run to run."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.documented import examples
from services.api.settings import ApiSettings
from services.api.webhooks.deliver import Deliverer
from services.api.webhooks.sender import WebhookSender
from services.core.domain.changes import Cause
from services.core.runtime.guard import AddressRules
from services.core.runtime.keys import Scope
from services.core.runtime.serve import served
from services.core.store.archive import Archive
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox
from tests.api.conftest import MakeKey
from tests.api.webhooks.test_deliver import work_off
from tests.records import RecordMaker, write_records
from tests.up.programs import ROOT

GOLDEN = ROOT / "services/api/examples.json"
SAMPLES = ROOT / "samples/documents"
RECORDS = {
    "state": "states/XCM",
    "review": "reviews/XCM-4",
    "document": "documents/A-HRC-99-901",
    "recommendation": "recommendations/XCM-4-22.1",
    "hearing": "hearings/upr-48-XCM",
    "statement": "statements/upr-48-XCM.XAL.dialogue.1",
    "organisation": "organisations/{organisation}",
    "label": "labels/ohchr-theme:death-penalty",
}
"""Of each noun that has parts a record that has something in them."""
ANSWERS = {
    "citation": "/v1/recommendations/XCM-4-22.1/citation",
    "get_recommendation_300": "/v1/recommendations/XCM-4-21.9",
    "cite_recommendation_300": "/v1/recommendations/XCM-4-21.9/citation",
    "list_topics": "/v1/topics?limit=1&cursor=",
    "get_topic": "/v1/topics/torture-prevention",
    "get_topic_with_parts": "/v1/topics/torture-prevention?include=all",
    "read_changes_as_atom": "/v1/changes.atom?id=XCM-4-22.1&cause=backfill&cause=publication",
    "read_changes_as_json_feed": "/v1/changes.json-feed?id=XCM-4-22.1&cause=backfill&cause=publication",
    "list_event_types": "/v1/event-types",
    "get_event_type": "/v1/event-types/recommendation.position_changed",
    "get_dossier": "/v1/dossiers/XCM/torture-prevention",
    "get_overview": "/v1/statistics",
    "read_calendar": "/v1/calendar.ics?state_under_review=XCM",
}
"""What is asked for each example, by the names that operations know it under."""
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/keys": (
        "key",
        {"name": "The ministry's tracking system", "scopes": ["webhooks:write"], "expires_days": 365},
    ),
    "/v1/webhooks/endpoints": (
        "webhook_endpoint",
        {
            "url": "https://tracker.example.org/hooks/upr",
            "event_types": ["recommendation.position_changed"],
            "filters": {"state_under_review": "PER"},
        },
    ),
    "/v1/saved-searches": (
        "saved_search",
        {"name": "Torture prevention in Peru", "q": 'torture OR "ill-treatment"', "type": "recommendations"},
    ),
}
"""What is created with a key, and what operations call it."""
MOST = 3
"""Entries of a list that an example shows."""
ALIKE = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "2026-11-21T09:00:00.123456Z"),
    (r"\b\d{8}T\d{6}Z", "20261121T090000Z"),
    (r"\b\d+-[0-9a-f]{8}\b", "4711-9f86d081"),
    (r'("accessed": )"[\d-]+"', r'\1"2026-11-21"'),
    (r"accessed on \d+ \w+ \d+", "accessed on 21 November 2026"),
    (r"urldate = \{[\d-]+\}", "urldate = {2026-11-21}"),
    (r'("accessed": \{\s*"date-parts": )\[\s*\[[^]]*\]\s*\]', r"\1[[2026, 11, 21]]"),
    (r"\bevt_[0-9a-f]{24}", "evt_3f2a9c1b5d7e8f0a1b2c3d4e"),
    (r"\bwhsec_[0-9A-Za-z+/=]{20,}", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    (r"\bep_[0-9A-Za-z]{12,}", "ep_4fQ8sZ1mN0cR"),
    (r"\b(dlv|att|rpl)_[0-9a-f]{24}", r"\1_3f2a9c1b5d7e8f0a1b2c3d4e"),
    (r'("to_seq": )\d{2,}', r"\g<1>4711"),
    (r'"http://(localhost|127.0.0.1):\d+/hook"', '"https://tracker.example.org/hooks/upr"'),
    (r"\bss_[0-9a-f]{24}", "ss_3f2a9c1b5d7e8f0a1b2c3d4e"),
    (r'("milliseconds": )\d+', r"\g<1>12"),
    (r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:5196ee84-ee50-5207-9ed8-776232223804"),
    (r"\bkey_[0-9A-Za-z]{12}", "key_4fQ8sZ1mN0cR"),
    (r"\bupr_[0-9A-Za-z_]{40,}", "upr_4fQ8sZ1mN0cR_…"),
    (r"(/changes\?after=)\d+", r"\g<1>4711"),
    (r'("parser_version": )"[^"]*"', r'\1"1"'),
    (r'("cursor": )\d+', r"\g<1>4711"),
    (r"([?&]cursor=)[^\"&]+", r"\1DWCylDQgWyJhMzJkIiwiWENNIl0"),
)
"""What differs from run to run, and what stands for it."""


@pytest.fixture
def address(database_url: str, engine: Engine, tmp_path: Path) -> Iterator[str]:
    """The service on the samples."""
    archive = Archive(tmp_path)
    with Sandbox(1) as sandbox:
        for _ in run_files(
            engine, sorted(SAMPLES.iterdir()), sandbox, archive, source="samples", backfill_after=timedelta(days=180)
        ):
            pass
    settings = ApiSettings(database_url=database_url, public_url="http://127.0.0.1:8000", webhook_allow_loopback=True)
    with served(create_app(settings, database_url), settings=settings) as address:
        yield address


def test_examples_are_what_the_service_answers(
    address: str,
    engine: Engine,
    make_key: MakeKey,
    httpserver: HTTPServer,
    matches_golden: Callable[[Path, bytes], None],
) -> None:
    """`--update-golden` writes them anew."""
    httpserver.expect_request("/hook").respond_with_data("", 204)
    organisation = RecordMaker(1, ["XCM"]).organisation()
    with engine.begin() as connection:
        write_records(connection, {"organisations": [organisation]})
    with httpx.Client(base_url=address) as client:
        found = {name: _told(client.get(path.removesuffix("&cursor="))) for name, path in ANSWERS.items()}
        for singular, path in RECORDS.items():
            answer = client.get(f"/v1/{path.format(organisation=organisation.id)}?include=all")
            found[f"get_{singular}_with_parts"] = _told(answer)
        found |= _with_a_key(client, engine, make_key(Scope.ADMIN)[1], httpserver.url_for("/hook"))
    written = json.dumps(found, ensure_ascii=False, indent=2)
    for pattern, alike in ALIKE:
        written = re.sub(pattern, alike, written)
    matches_golden(GOLDEN, f"{written}\n".encode())


def _told(answer: httpx.Response) -> Any:
    assert answer.status_code < 400, answer.text
    if "json" in answer.headers["content-type"]:
        return _shortened(_without_schemas(answer.json()))
    if "xml" in answer.headers["content-type"]:
        entries = answer.text.split("<entry>")
        return f"{'<entry>'.join(entries[:2])}</feed>\n"
    return answer.text


def _without_schemas(value: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema is shown without those of its members: the OpenAPI document has them anyway."""
    for long in ("$defs", "properties"):
        value.get("json_schema", {}).pop(long, None)
    return value


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    return [_shortened(each) for each in value[:MOST]] if isinstance(value, list) else value


def _with_a_key(client: httpx.Client, engine: Engine, admin: str, receiver: str) -> dict[str, Any]:
    """What is created, then listed and shown alone."""
    found: dict[str, Any] = {}
    headers = {"Authorization": f"Bearer {admin}"}
    for path, (name, body) in BODIES.items():
        created = client.post(path, headers=headers, json=body)
        found[f"create_{name}"] = _told(created)
        alone = client.get(f"{path}/{created.json()['id']}", headers=headers)
        if alone.status_code == 200:
            found[f"get_{name}"] = found[f"change_{name}"] = _told(alone)
        found[f"list_{name}{'es' if name.endswith('ch') else 's'}"] = {
            "data": client.get(path, headers=headers).json()["data"][-1:],
            "total": 1,
        }
    tried = client.post("/v1/webhooks/endpoints", headers=headers, json={"url": receiver}).json()["id"]
    endpoint = f"/v1/webhooks/endpoints/{tried}"
    wanted = {"type": "recommendation.position_changed"}
    found["test_webhook_endpoint"] = _told(client.post(f"{endpoint}/test", headers=headers, json=wanted))
    found |= _recovered(client, engine, headers, endpoint)
    renewed = client.post(f"/v1/webhooks/endpoints/{found['get_webhook_endpoint']['id']}/secret", headers=headers)
    found["renew_webhook_secret"] = _told(renewed)
    return found


def _recovered(client: httpx.Client, engine: Engine, headers: dict[str, str], endpoint: str) -> dict[str, Any]:
    """The first change, replayed and delivered: the log and the replays of an endpoint."""

    def ask(method: str, path: str = "", **body: Any) -> Any:
        sent = None if method == "GET" else body
        return _told(client.request(method, f"{endpoint}{path}", headers=headers, json=sent))

    ask("PATCH", causes=list(Cause))
    replay = ask("POST", "/replay", since=0, to_seq=1)
    sender = WebhookSender(AddressRules(allow_loopback=True), deadline_seconds=5)
    deliverer = Deliverer(engine, sender, public_url="http://127.0.0.1:8000", deadline_seconds=5)
    work_off(deliverer)
    deliverer.finish()
    delivery = f"/deliveries/{ask('GET', '/deliveries')['data'][0]['id']}"
    cancelled = f"/replays/{ask('POST', '/replay', since=0)['id']}/cancel"
    return {
        "enable_webhook_endpoint": ask("POST", "/enable"),
        "replay_to_webhook_endpoint": replay,
        "get_webhook_replay": ask("GET", f"/replays/{replay['id']}"),
        "list_webhook_replays": ask("GET", "/replays"),
        "cancel_webhook_replay": ask("POST", cancelled),
        "list_webhook_deliveries": ask("GET", "/deliveries"),
        "get_webhook_delivery": ask("GET", delivery),
        "redeliver_webhook": ask("POST", f"{delivery}/redeliver"),
    }


def test_examples_by_name_are_examples_of_something() -> None:
    for name in json.loads(GOLDEN.read_text(encoding="utf-8")):
        assert name in examples()
