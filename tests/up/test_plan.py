import socket

import pytest

from services.core.domain.errors import SettingsError
from services.core.runtime.settings import CoreSettings
from services.up.plan import Listener, environment_of_services, planned_listeners, planned_services
from tests.up.programs import free_ports


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found = free_ports(3)
    for name, port in zip(("API", "SEARCH", "INGEST"), found, strict=True):
        monkeypatch.setenv(f"UPR_{name}_PORT", str(port))
    monkeypatch.delenv("UPR_PUBLIC_URL", raising=False)
    return found


def test_the_services_listen_where_the_settings_say(ports: list[int]) -> None:
    assert [(each.name, each.port, each.chosen) for each in planned_listeners()] == [
        ("api", ports[0], False),
        ("search", ports[1], False),
        ("ingest", ports[2], False),
    ]


def test_a_port_that_is_taken_is_named_with_its_setting(ports: list[int]) -> None:
    with (
        socket.create_server(("127.0.0.1", ports[1])),
        pytest.raises(SettingsError, match=rf"search cannot listen on .* {ports[1]} .*in use.*UPR_SEARCH_PORT"),
    ):
        planned_listeners()


def test_two_services_cannot_have_one_port(monkeypatch: pytest.MonkeyPatch, ports: list[int]) -> None:
    monkeypatch.setenv("UPR_INGEST_PORT", str(ports[0]))
    with pytest.raises(SettingsError, match=f"UPR_API_PORT and UPR_INGEST_PORT are both {ports[0]}"):
        planned_listeners()


def test_a_host_that_is_not_ours_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_API_HOST", "192.0.2.1")
    with pytest.raises(SettingsError, match=r"api cannot listen on 192\.0\.2\.1"):
        planned_listeners()


def test_port_zero_is_chosen_and_told_to_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_API_PORT", "0")
    listeners = planned_listeners()
    assert listeners[0].chosen
    assert listeners[0].port > 0
    environment = environment_of_services({}, CoreSettings(), "postgresql://db", listeners)
    assert environment["UPR_API_PORT"] == str(listeners[0].port)
    assert environment["UPR_PUBLIC_URL"] == f"http://127.0.0.1:{listeners[0].port}"
    assert environment["UPR_INGEST_PUBLIC_URL"] == f"http://127.0.0.1:{listeners[2].port}"
    assert environment["UPR_SEARCH_PUBLIC_URL"] == f"http://127.0.0.1:{listeners[1].port}"
    assert "UPR_SEARCH_PORT" not in environment


def test_a_public_address_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_PUBLIC_URL", "https://upr.example.org")
    environment = environment_of_services({}, CoreSettings(), "postgresql://db", planned_listeners())
    assert environment["UPR_PUBLIC_URL"] == "https://upr.example.org"


def test_the_address_of_the_database_is_on_no_command_line() -> None:
    listeners = planned_listeners()
    environment = environment_of_services({"PATH": "/bin"}, CoreSettings(), "postgresql://u:secret@/db", listeners)
    assert environment["UPR_DATABASE_URL"] == "postgresql://u:secret@/db"
    assert environment["PATH"] == "/bin"
    services = planned_services(listeners)
    assert [each.name for each in services] == ["api", "search", "ingest", "deliver"]
    assert "secret" not in str([each.command for each in services])


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("api.internal", "http://api.internal:8000"),
    ],
)
def test_address_within_the_machine(host: str, address: str) -> None:
    assert Listener("api", host, 8000).address == address
