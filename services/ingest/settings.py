"""Settings of the ingest service, besides those that every service has."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from services.core.runtime.settings import CoreSettings


class IngestSettings(CoreSettings):
    """Where the ingest service listens, and how it loads."""

    ingest_host: str = Field(default="127.0.0.1", description="Address that the ingest service listens on.")
    ingest_port: int = Field(
        default=8002, ge=0, le=65535, description="Port that the ingest service listens on. 0: a free one."
    )
    ingest_public_url: str = Field(
        default="http://127.0.0.1:8002",
        description="Address under which people reach the ingest service: links to pages start with it.",
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
    ingest_schedule: str = Field(
        default="",
        description=(
            "Sources that `upr ingest serve` runs when they are due, with commas between them, or `all`. Empty: "
            "nobody is asked for anything."
        ),
    )
    ingest_runs_at_once: int = Field(
        default=2, ge=1, le=16, description="Sources that `upr ingest serve` runs at the same time."
    )
    source_sites: Mapping[str, Mapping[str, str]] = Field(
        default={},
        description=(
            'Mirrors to ask in the place of sources\' own sites, as JSON: `{"un_documents": {"documents": "https://…"}}`.'
        ),
    )
    fetch_allow_loopback: bool = Field(
        default=False,
        description=(
            "Allow fetching from this machine itself (127.0.0.0/8, ::1), where mirrors of sources may stand. Other "
            "private networks stay refused."
        ),
    )
    fetch_deadline_seconds: float = Field(
        default=120.0,
        gt=0,
        description="Longest time for fetching one file, from the connection to its last byte; exports have more.",
    )
    fetch_most_bytes: int = Field(
        default=100_000_000, gt=0, description="Largest file that is fetched, unpacked; exports may be larger."
    )
    fetch_log_kept_days: int = Field(
        default=90,
        ge=1,
        description="Days for which requests that brought nothing new stand in the log of fetching; files stay.",
    )
    fetch_ca_file: Path | None = Field(
        default=None,
        description="Certificate authorities (PEM) that are trusted beside the usual ones when fetching.",
    )
    fetch_proxy: SecretStr | None = Field(
        default=None,
        description=(
            "Proxy that fetching leaves through, `http://user:password@host:port`; it must allow CONNECT to the ports "
            "80, 443 and 8443. It is told checked IP addresses, never names. Unset: directly."
        ),
    )
    ocr: bool = Field(
        default=False,
        description="Recognise the letters of PDFs whose pages are pictures, where `tesseract` is installed.",
    )
    upload_most_bytes: int = Field(
        default=100 * 2**20, ge=1, description="Bytes that one document may have that somebody sends to be read."
    )
