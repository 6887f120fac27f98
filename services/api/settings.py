"""Settings of the API service and of the webhook deliverer, besides those that every service has."""

from pydantic import Field, SecretStr

from services.core.runtime.settings import CoreSettings


class ApiSettings(CoreSettings):
    """Where the API listens, and how webhooks are delivered."""

    api_host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    api_port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="Port that the API listens on. 0: a free one, which is printed.",
    )
    api_processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description=(
            "Processes in which `upr api serve` answers, on one port; a process uses about one core. Connections to "
            "the database, rate limits and waiting readers are counted in each."
        ),
    )
    feed_most_waiting: int = Field(
        default=5_000,
        ge=0,
        description=(
            "Readers that may wait for changes at once (`wait`, Server-Sent Events); who comes later is told 503. Each "
            "takes an open file of the process."
        ),
    )
    changes_kept_days: int | None = Field(
        default=None,
        ge=7,
        description=(
            "Days for which changes are kept in the feed; the deliverer removes older ones when webhooks and the "
            "search index have read them. Unset: all are kept."
        ),
    )
    webhook_allow_http: bool = Field(
        default=False,
        description="Allow webhook addresses that start with `http://`. Events then travel unencrypted.",
    )
    webhook_allow_loopback: bool = Field(
        default=False,
        description=(
            "Allow webhooks to this machine itself (127.0.0.0/8, ::1), for development. "
            "Other private networks stay refused."
        ),
    )
    webhook_allowed_ports: tuple[int, ...] | None = Field(
        default=None,
        description=(
            "Ports that webhook addresses may use, as a JSON list. Unset: 443 and 8443, with "
            "UPR_WEBHOOK_ALLOW_HTTP also 80, and any port of loopback where that is allowed."
        ),
    )
    webhook_deadline_seconds: float = Field(
        default=20.0,
        gt=0,
        le=300,
        description="Longest time for one webhook delivery, from the name look-up to the end of the answer.",
    )
    webhook_proxy: SecretStr | None = Field(
        default=None,
        description=(
            "Proxy that webhooks leave through, `http://user:password@host:port`; it must allow CONNECT to the ports "
            "of webhook addresses. It is told checked IP addresses, never names. Unset: they go directly."
        ),
    )
    webhook_log_kept_days: int = Field(
        default=30,
        ge=1,
        description=(
            "Days for which settled webhook deliveries, with their attempts, and replays stand in the log; the "
            "deliverer removes older ones."
        ),
    )
