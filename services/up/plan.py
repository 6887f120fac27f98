"""Which processes `upr up` runs, and where they listen."""

import contextlib
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.api.settings import ApiSettings
from services.core.domain.errors import SettingsError
from services.core.runtime.settings import CoreSettings
from services.ingest.settings import IngestSettings
from services.search.settings import SearchSettings
from services.up.supervisor import Service


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a service listens. `chosen` tells that its setting is 0, and this port was found free."""

    name: str
    host: str
    port: int
    chosen: bool = False

    @property
    def address(self) -> str:
        """The address under which programs of this machine reach it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def port_setting(self) -> str:
        """The setting that names the port."""
        return f"UPR_{self.name.upper()}_PORT"


def planned_listeners() -> list[Listener]:
    """Where the services are set to listen. Raises `SettingsError` for a port that cannot be had."""
    listeners: list[Listener] = []
    with contextlib.ExitStack() as held:  # all of them until the last is tried: two could be given one port
        for wanted in _wanted_listeners():
            trial = held.enter_context(contextlib.closing(_listen(wanted, listeners)))
            listeners.append(replace(wanted, port=trial.getsockname()[1], chosen=wanted.port == 0))
    return listeners


def environment_of_services(
    inherited: Mapping[str, str], settings: CoreSettings, database_url: str, listeners: Sequence[Listener]
) -> dict[str, str]:
    """What the services find in their environment besides what we find in ours.

    The database's address has a password in it: it is handed over here and never on a command line, which all users
    of the machine could read.
    """
    ports = {listener.port_setting: str(listener.port) for listener in listeners if listener.chosen}
    api, search, ingest = (
        next(each for each in listeners if each.name == name) for name in ("api", "search", "ingest")
    )
    public_url = settings.public_url if "public_url" in settings.model_fields_set else api.address
    return {
        "UPR_SEARCH_PUBLIC_URL": search.address,
        "UPR_INGEST_PUBLIC_URL": ingest.address,
        **inherited,
        **ports,
        "UPR_DATABASE_URL": database_url,
        "UPR_PUBLIC_URL": public_url,
        "UPR_STOP_PAUSE_SECONDS": "0",  # nobody could turn to another instance
        "PYTHONUNBUFFERED": "1",
    }


def planned_services(listeners: Sequence[Listener]) -> list[Service]:
    """The processes: the HTTP services, and the deliverer of webhooks."""
    serving = [Service(each.name, upr_command(each.name, "serve"), each.address) for each in listeners]
    return [*serving, Service("deliver", upr_command("api", "deliver"))]


def upr_command(*arguments: str) -> list[str]:
    """The command line that runs `upr` with these arguments as a child that ends with its parent."""
    return [sys.executable, "-m", "services.cli", "--stop-with-stdin", *arguments]


def _wanted_listeners() -> list[Listener]:
    api, search, ingest = ApiSettings(), SearchSettings(), IngestSettings()
    return [
        Listener("api", api.api_host, api.api_port),
        Listener("search", search.search_host, search.search_port),
        Listener("ingest", ingest.ingest_host, ingest.ingest_port),
    ]


def _listen(wanted: Listener, before: Sequence[Listener]) -> socket.socket:
    """Listen as the service will (see `core.runtime.serve`), to see whether it can."""
    for other in before:
        if wanted.port == other.port and wanted.port != 0:
            raise SettingsError(f"{other.port_setting} and {wanted.port_setting} are both {wanted.port}.")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            wanted.host, wanted.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family)
    except OSError as fault:
        raise SettingsError(
            f"{wanted.name} cannot listen on {wanted.host} port {wanted.port} ({_reason(fault)}): "
            f"stop what uses the port, or set {wanted.port_setting} to another one."
        ) from fault


def _reason(fault: OSError) -> str:
    """Without what `create_server` adds: the address, which is told already."""
    return (fault.strerror or str(fault)).partition(" (while")[0]
