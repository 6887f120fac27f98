"""The commands about sources: `upr ingest sources`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.ingest.settings import IngestSettings
from services.ingest.sources import Source, known_sources, source_named


def sources(
    name: Annotated[str | None, typer.Argument(help="Tell all that is known of this one.", metavar="[SOURCE]")] = None,
) -> None:
    """Show where documents and facts come from."""
    mirrors = IngestSettings().source_sites
    if name is not None:
        typer.echo(_told(source_named(name, mirrors)))
        return
    table = Table("source", "title", "looked at", "asks", box=None, pad_edge=False)
    for each in known_sources(mirrors).values():
        about = each.description
        hosts = ", ".join(address.partition("://")[2].partition("/")[0] for address in about.sites.values())
        table.add_row(each.name, about.title, f"every {cadence_in_words(about.cadence.total_seconds())}", hosts)
    Console().print(table)


def cadence_in_words(seconds: float) -> str:
    """A cadence as people say it: `day`, `7 days`, `6 hours`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            count = int(seconds // length)
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"


def _told(source: Source) -> str:
    about = source.description
    lines = [f"{source.name}: {about.title}"]
    lines += [f"  {name}: {address}" for name, address in about.sites.items()]
    lines.append(f"  looked at every {cadence_in_words(about.cadence.total_seconds())}")
    rate = about.rate
    lines.append(f"  at most {rate.requests_per_second:g} requests a second, {rate.at_once} at once")
    lines.append(f"  held below {about.least.found} found, or if more than {about.hold.gone:.0%} would be gone")
    lines[-1] += f" or {about.hold.changed:.0%} changed"
    lines += [f"  {what}: {told}" for what, told in (("contact", about.contact), ("terms", about.terms)) if told]
    for mark, notes in (("observed", about.notes.observed), ("inferred", about.notes.inferred)):
        lines += [f"  {mark}: {note}" for note in notes]
    return "\n".join(lines)
