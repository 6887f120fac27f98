"""Where UPR documents and facts come from: one folder a source, with its adapter and what is known of the site."""

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.core.domain.errors import NotFoundError, SettingsError
from services.ingest.sources.base import Adapter
from services.ingest.sources.council_reports.adapter import CouncilReports
from services.ingest.sources.description import FILE, Description, read_description, with_mirrors
from services.ingest.sources.folder.adapter import Folder
from services.ingest.sources.iachr_hearings.adapter import IachrHearings
from services.ingest.sources.iachr_press.adapter import IachrPress
from services.ingest.sources.nhri_status.adapter import NhriTables
from services.ingest.sources.nmirf.adapter import NmirfTables
from services.ingest.sources.npm_list.adapter import NpmPage
from services.ingest.sources.ohchr_country_pages.adapter import OhchrCountryPages
from services.ingest.sources.organisations.adapter import OrganisationFile
from services.ingest.sources.treaty_status.adapter import TreatyPages
from services.ingest.sources.uhri.adapter import UhriExport
from services.ingest.sources.un_documents.adapter import UnDocuments
from services.ingest.sources.upr_info.adapter import UprInfo

ADAPTERS: tuple[Adapter, ...] = (
    CouncilReports(),
    Folder(),
    IachrHearings(),
    IachrPress(),
    NhriTables(),
    NmirfTables(),
    NpmPage(),
    OhchrCountryPages(),
    OrganisationFile(),
    TreatyPages(),
    UhriExport(),
    UnDocuments(),
    UprInfo(),
)
"""All of them, in the order of their names."""


@dataclass(frozen=True)
class Source:
    """An adapter with the description of what it searches."""

    adapter: Adapter
    description: Description

    @property
    def name(self) -> str:
        """What `upr ingest run` takes."""
        return self.adapter.name


SOURCES: Mapping[str, Adapter] = {adapter.name: adapter for adapter in ADAPTERS}


def source_of(adapter: Adapter, mirrors: Mapping[str, Mapping[str, str]] | None = None) -> Source:
    """An adapter with the `source.yml` beside it. `mirrors`: the setting `source_sites`. Raises `SettingsError`."""
    file = Path(inspect.getfile(type(adapter))).with_name(FILE)
    return Source(adapter, with_mirrors(adapter.name, read_description(file), mirrors or {}))


def known_sources(mirrors: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Source]:
    """All sources, by name. `mirrors`: the setting `source_sites`. Raises `SettingsError`."""
    if unknown := sorted((mirrors or {}).keys() - SOURCES.keys()):
        raise SettingsError(f"UPR_SOURCE_SITES: there is no source {unknown[0]!r}; there are {', '.join(SOURCES)}.")
    return {name: source_of(adapter, mirrors) for name, adapter in SOURCES.items()}


def source_named(
    name: str, mirrors: Mapping[str, Mapping[str, str]] | None = None, adapters: Mapping[str, Adapter] = SOURCES
) -> Source:
    """The source of this name. Raises `NotFoundError`, `SettingsError`."""
    if name not in adapters:
        close = difflib.get_close_matches(name, adapters, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(adapters) or 'none'}."
        raise NotFoundError(f"There is no source {name!r}{hint}")
    return source_of(adapters[name], mirrors)
