"""The `upr` command. It knows each part by name alone, and loads it only when it is asked for.

So `upr --help` starts at once, and a machine that has one service installed can run that service.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services import __version__
from services.core.domain.errors import SettingsError, UnavailableError, UprError

NOT_INSTALLED = 2
"""Exit status where the extra of a service is not installed; wrong usage has the same."""


EXTRAS = {
    "api": ("docx", "httpcore", "icalendar", "idna", "jinja2", "svg", "typst", "xlsxwriter"),
    "ingest": (
        *("docx", "fsspec", "httpcore", "idna", "ijson", "olefile", "openpyxl", "protego"),
        *("pypdfium2", "python_calamine", "python_multipart", "rapidfuzz", "selectolax", "stamina", "yaml"),
    ),
    "search": ("jinja2", "meilisearch", "rapidfuzz", "svg", "tantivy", "xlsxwriter"),
}
"""The modules by which an extra of pyproject.toml is known to be installed. Some are imported late, so we ask first."""


@dataclass(frozen=True, slots=True)
class Part:
    """One word after `upr`: the module whose `app` it runs, and the extra that installs what it needs."""

    module: str
    help: str
    extra: str | None = None
    is_group: bool = True


PARTS = {
    "up": Part("services.up.commands", "Run everything on this machine.", is_group=False),
    "admin": Part("services.core.runtime.backup.commands", "Back the whole store up, and restore it."),
    "db": Part("services.core.runtime.commands", "Migrate the database, and see where it stands."),
    "ingest": Part("services.ingest.commands", "Find, read and store UPR documents.", extra="ingest"),
    "match": Part(
        "services.ingest.match_commands", "Find the recommendations of your own list.", extra="ingest", is_group=False
    ),
    "api": Part("services.api.commands", "Serve the records, and deliver webhooks.", extra="api"),
    "search": Part("services.search.commands", "Index the records, and serve searches.", extra="search"),
    "keys": Part("services.api.key_commands", "Create, list and revoke API keys.", extra="api"),
    "webhooks": Part("services.api.webhook_commands", "Try out webhooks.", extra="api"),
}


class Frame(TyperGroup):
    """The group of all parts. Typer holds an empty stand-in for each; here the real one takes its place."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the first word names, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in PARTS else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run it, and tell its errors in one line (with `--debug`: with the traceback)."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        with _errors_in_one_line():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Frame,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _part in PARTS.items():
    app.add_typer(typer.Typer(), name=_name, help=_part.help)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"upr {__version__}")
        raise typer.Exit


@app.callback()
def upr(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    stop_with_stdin: Annotated[bool, typer.Option("--stop-with-stdin", hidden=True)] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """OpenUPR: the Universal Periodic Review as open data."""
    del debug, version  # seen to already
    if stop_with_stdin:
        from services.up.lifeline import stop_when_stdin_closes  # noqa: PLC0415 - only below `upr up`

        stop_when_stdin_closes()


def main() -> None:
    """Run the command line. Exit statuses: 1 an error, 2 wrong usage or a missing extra, 130 Ctrl-C."""
    try:
        try:
            get_command(app).main(prog_name="upr")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough (`upr … | head`). What is still to come must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _load(name: str) -> Any:
    part = PARTS[name]
    if part.extra and not all(find_spec(module) for module in EXTRAS[part.extra]):
        typer.echo(
            f"upr: the {part.extra} service is not installed here: pip install 'openupr[{part.extra}]'", err=True
        )
        raise typer.Exit(NOT_INSTALLED)
    application = importlib.import_module(part.module).app
    return get_group(application) if part.is_group else get_command(application)


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except Exception as exception:
        error = _told_to_people(exception)
        if error is None:
            raise
        typer.echo(f"upr: {error.detail} [{error.code}]", err=True)
        raise typer.Exit(1) from exception


def _told_to_people(exception: Exception) -> UprError | None:
    """What an exception means to who runs a command; None where it is a fault of ours.

    Libraries are looked up among the loaded modules: one that was never imported raised nothing.
    """
    if isinstance(exception, UprError):
        return exception
    pydantic = sys.modules.get("pydantic")
    if pydantic and isinstance(exception, pydantic.ValidationError) and exception.title.endswith("Settings"):
        return SettingsError("; ".join(_wrong_setting(fault) for fault in exception.errors()))
    pydantic_settings = sys.modules.get("pydantic_settings")
    if pydantic_settings and isinstance(exception, pydantic_settings.SettingsError):
        return SettingsError(_first_line(exception))
    for name in ("psycopg", "sqlalchemy.exc"):
        library = sys.modules.get(name)
        if library and isinstance(exception, library.OperationalError):
            return UnavailableError(f"The database does not answer: {_first_line(exception)}")
    return None


def _wrong_setting(fault: Any) -> str:
    return f"UPR_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"


def _first_line(exception: Exception) -> str:
    from services.core.runtime.logs import without_secrets  # noqa: PLC0415 - only now is it needed

    return without_secrets(str(exception).partition("\n")[0])


if __name__ == "__main__":
    main()
