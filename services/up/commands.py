"""The command `upr up`."""

from pathlib import Path
from typing import Annotated

import typer

from services.core.runtime.settings import CoreSettings
from services.up.run import run_everything

app = typer.Typer(add_completion=False)


@app.command()
def up(
    load: Annotated[
        Path | None, typer.Option(help="A document, or a folder with documents, to load at the start.", exists=True)
    ] = None,
) -> None:
    """Run everything on this machine: the database, the three services, the delivery of webhooks.

    Ctrl-C stops all of it. The exit status is 1 if a service died.
    """
    run_everything(CoreSettings(), load)
