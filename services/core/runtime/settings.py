"""Settings that every service has. Each service adds its own in `services/{service}/settings.py`.

All are environment variables with the prefix `UPR_`, described in docs/settings.md (a test compares the two). What a
folder of secrets holds (UPR_SECRETS_DIR) counts where the environment says nothing.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from services.core.domain.errors import SettingsError


class CoreSettings(BaseSettings):
    """What a process needs to find its database and to talk about itself."""

    model_config = SettingsConfigDict(env_prefix="UPR_", extra="ignore")

    secrets_dir: Path | None = Field(
        default=None,
        description=(
            "Folder of files named like settings in small letters (`upr_database_url`), each holding that setting's "
            "value: secrets of Docker, Kubernetes and systemd. What the environment sets goes before it."
        ),
    )
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
    database_statement_seconds: float = Field(
        default=60.0,
        ge=0,
        description=(
            "How long one query of the API may take; who asked is then told (503). 0: for ever. Loading and indexing "
            "have no such limit."
        ),
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which people reach the API: permalinks and `next` links start with it.",
    )
    search_public_url: str = Field(
        default="http://127.0.0.1:8001",
        description="Address under which people reach the search service: links to searches and pages start with it.",
    )
    contact: str | None = Field(
        default=None,
        description=(
            "E-mail address or web page of whoever runs the service; stands in the OpenAPI documents and on the page "
            "`/about`."
        ),
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
    worker_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description=(
            "Port on which a worker (`upr api deliver`, `upr search index`) shows /metrics and /healthz. Unset: none."
        ),
    )
    worker_host: str = Field(default="127.0.0.1", description="Address that UPR_WORKER_PORT listens on.")
    tracing_endpoint: str | None = Field(
        default=None,
        description=(
            "OpenTelemetry collector that traces are sent to (OTLP over HTTP), `http://collector:4318/v1/traces`; "
            "takes the extra `tracing`. Unset: nothing is traced."
        ),
    )
    tracing_share: float = Field(
        default=1.0, ge=0, le=1, description="Share of the requests that are traced, where who asks does not say."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for log collectors."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log line that is written."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in, then the environment, then the folder of secrets that the environment names."""
        del dotenv_settings, file_secret_settings
        folder = os.environ.get("UPR_SECRETS_DIR")
        return (
            (init_settings, env_settings, _secrets(settings_cls, Path(folder)))
            if folder
            else (init_settings, env_settings)
        )


def _secrets(settings_cls: type[BaseSettings], folder: Path) -> EnvSettingsSource:
    """The files of a folder, read as if each were a variable of the environment.

    Raises `SettingsError` where the folder or a file cannot be read: silence would be dear, for a process that does not
    learn of its database starts an empty one of its own.
    """
    try:
        files = [path for path in folder.iterdir() if path.name.startswith("upr_")]
        found = {path.name: path.read_text(encoding="utf-8").strip() for path in files}
    except OSError as fault:
        raise SettingsError(f"{fault.filename} of UPR_SECRETS_DIR cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise SettingsError(f"A file of UPR_SECRETS_DIR {folder} is not UTF-8.") from fault
    source = EnvSettingsSource(settings_cls)
    source.env_vars = found
    return source
