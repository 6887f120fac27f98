"""The commands of `upr api`."""

import typer

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.api.webhooks.deliver import deliver_until_stopped
from services.core.runtime.database import ready_database
from services.core.runtime.logs import configure_logs
from services.core.runtime.processes import serve_in_processes

app = typer.Typer(help="Serve the records, and deliver webhooks.", no_args_is_help=True)


@app.callback()
def api() -> None:
    """Serve the records, and deliver webhooks."""


@app.command()
def serve() -> None:
    """Serve the records, the feed of changes and webhook endpoints over HTTP."""
    settings = ApiSettings()
    configure_logs(settings, service="api")
    with ready_database(settings) as url:
        serve_in_processes(
            lambda _number: create_app(settings, url),
            processes=settings.api_processes,
            host=settings.api_host,
            port=settings.api_port,
            settings=settings,
        )


@app.command()
def deliver() -> None:
    """Post events to webhook endpoints until stopped. Several may run at once."""
    settings = ApiSettings()
    configure_logs(settings, service="deliver")
    with ready_database(settings) as url:
        deliver_until_stopped(settings, url)
