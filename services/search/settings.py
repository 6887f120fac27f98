"""Settings of the search service, besides those that every service has."""

from typing import Literal

from pydantic import Field

from services.core.runtime.settings import CoreSettings


class SearchSettings(CoreSettings):
    """Where the search service listens, which engine it uses, and how it follows the changes."""

    search_host: str = Field(default="127.0.0.1", description="Address that the search service listens on.")
    search_port: int = Field(
        default=8001, ge=0, le=65535, description="Port that the search service listens on. 0: a free one."
    )
    search_processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description=(
            "Processes in which `upr search serve` answers, on one port; a process uses about one core. The first of "
            "them follows the changes. Connections to the database and rate limits are counted in each."
        ),
    )
    search_engine: Literal["embedded", "meilisearch"] = Field(
        default="embedded",
        description="`embedded` keeps the index in the data folder; `meilisearch` uses the server of UPR_MEILI_URL.",
    )
    meili_url: str | None = Field(default=None, description="Address of the Meilisearch server.")
    meili_key: str | None = Field(default=None, description="Key for the Meilisearch server.")
    meili_index: str = Field(default="openupr", description="What the names of our indexes in Meilisearch begin with.")
    search_follow: bool = Field(
        default=True,
        description="Follow the changes in this process. Switch it off where `upr search index` runs on its own.",
    )
    search_poll_seconds: float = Field(
        default=5.0,
        gt=0,
        description="How often to look for changes when nobody announced any.",
    )
    search_cutoff_seconds: float = Field(
        default=5.0,
        gt=0,
        description="How long a search may take. Who asked is then told (503) to ask for less.",
    )
