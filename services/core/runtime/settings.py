"""Settings that every service has. Each service adds its own in `services/{service}/settings.py`.

All are environment variables with the prefix `UPR_`, described in docs/settings.md (a test compares the two).
"""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CoreSettings(BaseSettings):
    """What a process needs to find its database and to talk about itself."""

    model_config = SettingsConfigDict(env_prefix="UPR_", extra="ignore")

    database_url: str | None = Field(
        default=None,
        description="PostgreSQL to use, `postgresql://user:password@host/database`. Unset: an embedded one is started.",
    )
    data_dir: Path = Field(
        default=Path(".upr"),
        description="Folder for everything kept on this machine: the embedded database, documents, the search index.",
    )
    database_pool_size: int = Field(
        default=10, ge=1, description="Database connections that one process may hold at once."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which people reach the API: permalinks and `next` links start with it.",
    )
    contact: str | None = Field(
        default=None,
        description="E-mail address or web page of whoever runs the service; stands in the OpenAPI documents.",
    )
    rate_limit: int | None = Field(
        default=None,
        ge=0,
        description=(
            "Requests a minute that one address may make. Unset: 1200, and as many as they like from this machine "
            "itself. 0: no limit."
        ),
    )
    rate_limit_with_key: int = Field(
        default=6000, ge=0, description="Requests a minute that one API key may make. 0: no limit."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description=(
            "Addresses or networks of proxies, with commas between them, whose X-Forwarded-For is believed. "
            "`*`: anybody's, where only proxies can reach the service."
        ),
    )
    stop_pause_seconds: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description=(
            "Seconds from SIGTERM until a service takes no more connections. Meanwhile it answers as before, but "
            "/readyz says 503: time for proxies to turn to other instances."
        ),
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for log collectors."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log line that is written."
    )
