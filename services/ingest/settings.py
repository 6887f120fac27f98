"""Settings of the ingest service, besides those that every service has."""

from collections.abc import Mapping

from pydantic import Field

from services.core.runtime.settings import CoreSettings


class IngestSettings(CoreSettings):
    """Where the ingest service listens, and how it loads."""

    ingest_host: str = Field(default="127.0.0.1", description="Address that the ingest service listens on.")
    ingest_port: int = Field(
        default=8002, ge=0, le=65535, description="Port that the ingest service listens on. 0: a free one."
    )
    ingest_workers: int | None = Field(
        default=None, ge=1, description="Processes that documents are parsed in. Unset: one a core."
    )
    parse_deadline_seconds: float = Field(
        default=60.0, gt=0, description="Longest time that reading one document may take."
    )
    backfill_after_days: int = Field(
        default=180,
        ge=0,
        description="A document published longer ago than this is history: its changes have the cause `backfill`.",
    )
    source_sites: Mapping[str, Mapping[str, str]] = Field(
        default={},
        description=(
            'Mirrors to ask in the place of sources\' own sites, as JSON: `{"un_documents": {"documents": "https://…"}}`.'
        ),
    )
