"""The API as the public meets it: behind another name and a path, on a store full of random records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Engine, event

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.serve import served
from services.core.runtime.web import Service

PUBLIC = "https://upr.example.org/data"


@dataclass
class Site:
    """The running service. `engine` is the one it reads with."""

    client: httpx.Client
    engine: Engine
    app: Service

    @property
    def openapi(self) -> dict[str, Any]:
        """Its document, which takes longer to make than the service to start."""
        return self.app.openapi()

    def get(self, address: str, **parameters: Any) -> httpx.Response:
        """Ask as the proxy in front would: the public name and path are taken off."""
        return self.client.get(address.removeprefix(PUBLIC), params=parameters or None)

    def json(self, address: str, **parameters: Any) -> Any:
        answer = self.get(address, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, address: str, **parameters: Any) -> list[Any]:
        """Every page of a list, by its `next` addresses as they are."""
        found = [self.json(address, **parameters)]
        while found[-1]["page"]["next"]:
            assert found[-1]["page"]["next"].startswith(f"{PUBLIC}/v1/")
            found.append(self.json(found[-1]["page"]["next"]))
        return found

    def rows(self, address: str, **parameters: Any) -> list[Any]:
        return [row for page in self.pages(address, **parameters) for row in page["data"]]

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the service sends meanwhile."""
        statements: list[str] = []

        def keep(*given: Any) -> None:
            statements.append(given[2])

        event.listen(self.engine, "before_cursor_execute", keep)
        yield statements
        event.remove(self.engine, "before_cursor_execute", keep)


@contextmanager
def open_site(database_url: str) -> Iterator[Site]:
    settings = ApiSettings(database_url=database_url, public_url=PUBLIC + "/")
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield Site(client, app.state.desk.engine, app)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that must be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert {"type", "title", "detail", "instance"} <= told.keys()
    assert told["type"] == f"{PUBLIC}/problems/{code}"
    assert told["instance"] == answer.headers["x-request-id"]
    return told
