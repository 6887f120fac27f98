"""No search takes longer than the cutoff."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from services.core.domain.errors import InvalidParameterError
from services.search import cutoff as cutoff_module
from services.search.cutoff import Cutoff, CutoffError
from services.search.settings import SearchSettings
from tests.search.conftest import eventually, serving


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What an engine waits for that does not come to an end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_a_search_finds_and_raises_in_time_goes_through() -> None:
    cutoff = Cutoff(30)
    assert cutoff.within(lambda: 7) == 7
    with pytest.raises(InvalidParameterError, match="no such filter"):
        cutoff.within(_refused)
    with pytest.raises(TimeoutError, match="the engine's own"):
        cutoff.within(_out_of_time)
    cutoff.close()


def _refused() -> None:
    raise InvalidParameterError("no such filter")


def _out_of_time() -> None:
    raise TimeoutError("the engine's own")


_ASKED_BY: ContextVar[str] = ContextVar("_ASKED_BY")


def test_who_runs_in_the_event_loop_is_told_the_same(held: threading.Event) -> None:
    async def asked() -> None:
        cutoff = Cutoff(30)
        _ASKED_BY.set("a request")
        assert await cutoff.awaited(_ASKED_BY.get) == "a request"
        with pytest.raises(InvalidParameterError, match="no such filter"):
            await cutoff.awaited(_refused)
        with pytest.raises(TimeoutError, match="the engine's own"):
            await cutoff.awaited(_out_of_time)
        cutoff.close()

    async def given_up() -> None:
        cutoff = Cutoff(0.05)
        with pytest.raises(CutoffError, match=r"after 0\.05 seconds"):
            await cutoff.awaited(held.wait)
        cutoff.close()

    asyncio.run(asked())
    asyncio.run(given_up())


def test_a_search_is_given_up_at_the_cutoff(held: threading.Event) -> None:
    cutoff = Cutoff(0.05)
    with pytest.raises(CutoffError, match=r"after 0\.05 seconds"):
        cutoff.within(held.wait)
    cutoff.close()


def test_searches_that_find_no_thread_free_are_given_up_too(
    held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutoff_module, "THREADS", 1)
    cutoff = Cutoff(0.05)
    for _ in range(2):
        with pytest.raises(CutoffError):
            cutoff.within(held.wait)
    held.set()
    assert eventually(lambda: _found(cutoff)) == 7
    cutoff.close()


def _found(cutoff: Cutoff) -> int | None:
    try:
        return cutoff.within(lambda: 7)
    except CutoffError:
        return None


def test_the_service_tells_of_a_search_that_takes_too_long(
    settings: SearchSettings, database_url: str, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(settings.model_copy(update={"search_cutoff_seconds": 0.2}), database_url) as service:
        eventually(lambda: service.client.get("/readyz").status_code == 200)
        eventually(lambda: service.client.get("/v1/search?q=torture").status_code == 200)
        with monkeypatch.context() as slow:
            slow.setattr(service.desk.engine, "search", lambda _: held.wait())
            answer = service.client.get("/v1/search?q=torture")
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "unavailable")
        assert problem["title"] == "The search took too long"
        assert "0.2 seconds" in problem["detail"]
        assert answer.headers["retry-after"]
        held.set()
        eventually(lambda: service.client.get("/v1/search?q=torture").status_code == 200)
