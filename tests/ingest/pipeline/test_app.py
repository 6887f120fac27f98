from collections.abc import Iterator
from typing import get_args

import httpx
import pytest
from sqlalchemy import Engine

from services.core.runtime.keys import Scope, create_key
from services.core.runtime.serve import served
from services.ingest.app import create_app
from services.ingest.pipeline import records
from services.ingest.pipeline.records import Status
from services.ingest.routes.runs import RunStatus
from services.ingest.settings import IngestSettings
from tests.ingest.pipeline.conftest import Run
from tests.ingest.pipeline.documents import TEXTS, matrix
from tests.ingest.pipeline.site import Site
from tests.ingest.pipeline.world import tiny_source

PUBLIC = "https://ingest.example.org"


@pytest.fixture
def client(database_url: str, site: Site) -> Iterator[httpx.Client]:
    settings = IngestSettings(database_url=database_url, ingest_schedule="tiny", ingest_public_url=PUBLIC)
    app = create_app(settings, database_url, {"tiny": tiny_source(site.address)})
    with served(app, settings=settings) as address, httpx.Client(base_url=address) as opened:
        yield opened


@pytest.fixture
def key(engine: Engine) -> dict[str, str]:
    with engine.begin() as connection:
        _, text = create_key(connection, name="operator", scopes=[Scope.INGEST_WRITE])
    return {"Authorization": f"Bearer {text}"}


def test_runs_are_listed_page_by_page_and_by_source_and_status(client: httpx.Client, run: Run) -> None:
    ids = [run(dry_run=True, limit=1).run for _ in range(3)]
    first = client.get("/v1/ingest/runs?source=tiny&limit=2").json()
    assert [each["id"] for each in first["data"]] == [ids[2], ids[1]]
    assert first["page"]["next"].startswith(f"{PUBLIC}/v1/ingest/runs?source=tiny&limit=2&cursor=")
    rest = client.get(first["page"]["next"].removeprefix(PUBLIC)).json()
    assert ([each["id"] for each in rest["data"]], rest["page"]["next"]) == ([ids[0]], None)
    assert rest["data"][0]["options"] == {"since": None, "limit": 1, "dry_run": True}
    assert client.get("/v1/ingest/runs?status=held").json()["data"] == []
    assert len(client.get("/v1/ingest/runs?status=tried").json()["data"]) == 3
    assert client.get(f"/v1/ingest/runs/{ids[0]}").json() == rest["data"][0]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("runs?status=done", 400, "invalid_parameter"),
        ("runs?source=%00", 400, "malformed_request"),
        ("runs?limit=0", 400, "invalid_parameter"),
        ("runs?limit=1&limit=2", 400, "invalid_parameter"),
        ("runs?cursor=abc", 400, "invalid_cursor"),
        ("runs?sort=id", 400, "unknown_parameter"),
        ("runs/run_0123456789abcdef", 404, "not_found"),
        ("runs/nonsense", 400, "invalid_parameter"),
        ("sources/tinny", 404, "not_found"),
        ("sources?limit=1", 400, "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked_is_told(client: httpx.Client, asked: str, status: int, code: str) -> None:
    answer = client.get(f"/v1/ingest/{asked}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_cursor_belongs_to_its_list(client: httpx.Client, run: Run) -> None:
    for _ in range(2):
        run(dry_run=True, limit=1)
    cursor = client.get("/v1/ingest/runs?limit=1").json()["page"]["next"].rpartition("cursor=")[2]
    assert client.get(f"/v1/ingest/runs?cursor={cursor}").status_code == 200
    assert client.get(f"/v1/ingest/runs?source=tiny&cursor={cursor}").json()["code"] == "invalid_cursor"


def test_a_source_says_when_it_is_due_and_what_its_last_run_came_to(client: httpx.Client, run: Run) -> None:
    (before,) = client.get("/v1/ingest/sources").json()["data"]
    assert (before["scheduled"], before["due"], before["next_due"], before["last_run"]) == (True, True, None, None)
    ended = run()
    after = client.get("/v1/ingest/sources/tiny").json()
    assert (after["due"], after["running"], after["files_held"]) == (False, False, 4)
    assert after["next_due"] > after["last_run"]["started_at"]
    assert after["last_run"]["id"] == ended.run


def test_a_held_run_is_released_or_discarded_with_a_key(
    client: httpx.Client, key: dict[str, str], run: Run, engine: Engine, site: Site
) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    first, second = run().run, run().run
    assert client.post(f"/v1/ingest/runs/{first}/release").status_code == 401
    released = client.post(f"/v1/ingest/runs/{first}/release", headers=key)
    assert (released.status_code, released.headers["Location"]) == (202, f"/v1/ingest/runs/{first}")
    assert (released.json()["status"], released.json()["reasons"][0]["code"]) == ("running", "records_gone")
    again = client.post(f"/v1/ingest/runs/{first}/release", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "not_held")
    discarded = client.post(f"/v1/ingest/runs/{second}/discard", headers=key)
    assert (discarded.status_code, discarded.json()["status"]) == (200, "discarded")
    assert client.post(f"/v1/ingest/runs/{second}/discard", headers=key).status_code == 409
    assert records.run_of(engine, first).released


def test_metrics_count_runs_files_and_issues(client: httpx.Client, run: Run, site: Site) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    run()
    told = client.get("/metrics").text
    for line in (
        'upr_ingest_runs_total{source="tiny",status="finished"} 1.0',
        'upr_ingest_files_total{outcome="fetched",source="tiny"} 5.0',
        'upr_ingest_files_total{outcome="unchanged",source="tiny"} 3.0',
        'upr_ingest_held_runs{source="tiny"} 1.0',
        'upr_ingest_last_success_timestamp_seconds{source="tiny"} 1.',
    ):
        assert line in told
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_every_status_is_in_the_openapi_document() -> None:
    assert set(get_args(RunStatus)) == set(Status)
