"""`upr search …` as an operator runs it: real processes on a real database."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from services.core.runtime.web import Service
from services.search import commands
from services.search.dependencies import Desk
from services.search.settings import SearchSettings
from tests.readings import TEXTS, matrix, recommendation, report
from tests.search.conftest import eventually, load

REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])


@pytest.fixture
def environment(settings: SearchSettings) -> dict[str, str]:
    return {
        **os.environ,
        "UPR_DATA_DIR": str(settings.data_dir),
        "UPR_DATABASE_URL": str(settings.database_url),
        "UPR_SEARCH_PORT": "0",
        "UPR_SEARCH_POLL_SECONDS": "0.2",
        "UPR_SEARCH_ENGINE": "embedded",
        "COLUMNS": "200",
    }


def upr(environment: dict[str, str], *arguments: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "services.cli", "search", *arguments]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert ended.returncode == status, ended.stderr
    assert "alembic" not in ended.stderr, "what a library says of itself is nobody's business"
    return ended.stdout


@contextmanager
def running(environment: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "services.cli", "search", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_an_index_from_nothing_to_repaired(environment: dict[str, str], store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    assert "there is no search index yet" in upr(environment, "status", status=1)
    assert upr(environment, "rebuild") == "4 documents indexed\n"
    load(store, tmp_path, matrix([recommendation("116.1", TEXTS[0], position="noted")]), "matrix.docx")
    told = upr(environment, "status")
    assert "engine: embedded: 4 documents\n" in told
    assert "at change 5 of 8\n" in told
    assert "behind: 3 changes, " in told
    assert "recommendations  2             2" in told
    assert "reconcile" not in told, "it is behind, and that is all"
    with store.begin() as connection:
        connection.execute(text("UPDATE recommendations SET text = 'Else', revision = 9 WHERE id = 'PER-2-116.2'"))
    compared = "5 documents of the database compared with the index\n"
    stale = "1 out of date in the index: recommendations/PER-2-116.2\n"
    assert upr(environment, "reconcile") == f"{compared}{stale}1 repaired\n"
    assert "behind: 0 changes, 0 seconds\n" in upr(environment, "status")
    assert upr(environment, "reconcile") == f"{compared}nothing to repair\n"
    with store.begin() as connection:
        connection.execute(text("DELETE FROM recommendations WHERE id = 'PER-2-116.2'"))
    told = upr(environment, "status")
    assert "recommendations  2             1" in told
    assert told.endswith("index and database differ; `upr search reconcile` repairs that\n")
    surplus = "1 in the index alone: recommendations/PER-2-116.2\n"
    assert upr(environment, "reconcile") == f"4 {compared.partition(' ')[2]}{surplus}1 repaired\n"
    assert "differ" not in upr(environment, "status")


def test_two_processes_serve_what_a_third_one_indexes(
    environment: dict[str, str], store: Engine, desk: Desk, tmp_path: Path
) -> None:
    serving = {**environment, "UPR_SEARCH_PROCESSES": "2", "UPR_SEARCH_FOLLOW": "false", "UPR_LOG_LEVEL": "warning"}
    with running(serving, "serve") as server, running(environment, "index"):
        assert server.stdout is not None
        address = next(line for line in server.stdout if line.startswith("listening on ")).split()[-1]
        eventually(lambda: httpx.get(f"{address}/readyz").status_code == 200)
        load(store, tmp_path, REPORT, "report.pdf")
        with asking(f"{address}/v1/search?q=116.2&per_page=1") as totals:
            eventually(lambda: totals[-20:] == [1] * 20)
            load(store, tmp_path, matrix([recommendation("116.1", TEXTS[0], position="noted")]), "matrix.docx")
            upr(environment, "rebuild")
            eventually(lambda: totals[-40:] == [1] * 40)
        answered = re.findall(
            r'^upr_http_requests_total\{.*process="(\d)",route="/v1/search",status="(\d+)"',
            httpx.get(f"{address}/metrics").text,
            re.MULTILINE,
        )
        assert sorted(answered) == [("0", "200"), ("1", "200")]
        assert httpx.get(f"{address}/v1/search", params={"position": "noted"}).json()["total"] == 1
    assert totals == sorted(totals), "once it is found, by whomever, it is found"
    assert json.loads((next((desk.settings.data_dir / "search").glob("*")) / "current.json").read_text())["folder"]


def test_of_several_processes_the_first_one_follows(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow: list[bool] = []

    def serve_in_processes(make: Callable[[int], Service], *, processes: int, **_: object) -> None:
        follow.extend(make(number).state.settings.search_follow for number in range(processes))

    for name, value in (environment | {"UPR_SEARCH_PROCESSES": "3"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(commands, "serve_in_processes", serve_in_processes)
    monkeypatch.setattr(commands, "configure_logs", lambda *_, **__: None)
    commands.serve()
    assert follow == [True, False, False]


@contextmanager
def asking(address: str) -> Iterator[list[int]]:
    """Ask again and again, each time on another connection, as long as the block lasts; the totals in their order."""
    totals: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"Connection": "close"}) as client:
            while not over.wait(0.01):
                totals.append(client.get(address).json().get("total", -1))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield totals
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("url", "told"), [("", "is not set"), ("search.example", "is no address")])
def test_a_missing_or_faulty_setting_is_named(environment: dict[str, str], url: str, told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "search", "status"],
        check=False,
        capture_output=True,
        text=True,
        env={**environment, "UPR_SEARCH_ENGINE": "meilisearch", "UPR_MEILI_URL": url},
    )
    assert ended.returncode != 0
    assert f"UPR_MEILI_URL {told}" in ended.stderr
    assert "Traceback" not in ended.stderr
