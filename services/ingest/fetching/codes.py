"""What can come of asking for a file: every code, and what follows from it. docs/ingest.md has the same table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What follows from an outcome.

    `retried`: it may be over in a moment, so the same call asks again. `settled`: asking again in the same run would
    tell the same. `blames_host`: it counts against the host, whose circuit opens after several in a row. `missing` and
    `host_refuses`: as in `NotFetchedError`.
    """

    retried: bool = False
    settled: bool = False
    blames_host: bool = False
    missing: bool = False
    host_refuses: bool = False


_SETTLED = Code(settled=True)
_OUTAGE = Code(retried=True, blames_host=True)
_SPOILT = Code(retried=True)

CODES = {
    # Nothing was asked for.
    "refused_address": _SETTLED,
    "robots_disallowed": _SETTLED,
    "robots_unreachable": Code(host_refuses=True),
    "host_resting": Code(host_refuses=True),
    "asked_to_wait": Code(host_refuses=True),
    # No answer came.
    "unknown_host": _OUTAGE,
    "connection_failed": _OUTAGE,
    "timeout": _OUTAGE,
    "proxy_failed": Code(retried=True, host_refuses=True),
    "tls_failed": _OUTAGE,
    "tls_expired": Code(blames_host=True, host_refuses=True),
    "tls_wrong_host": Code(blames_host=True, host_refuses=True),
    "tls_untrusted": Code(blames_host=True, host_refuses=True),
    # An answer came that cannot be used as it is.
    "bad_answer": _OUTAGE,
    "incomplete": _SPOILT,
    "damaged_encoding": _SPOILT,
    "unknown_encoding": _SETTLED,
    "too_large": _SETTLED,
    "inflates_too_far": _SETTLED,
    "empty_answer": _SPOILT,
    "not_ready": _SPOILT,
    "no_content": _SETTLED,
    # The server says no.
    "missing": Code(settled=True, missing=True),
    "login_needed": _SETTLED,
    "forbidden": _SETTLED,
    "withheld": _SETTLED,
    "challenged": Code(blames_host=True, host_refuses=True),
    "too_many_requests": Code(retried=True, blames_host=True, host_refuses=True),
    "server_error": _OUTAGE,
    "unexpected_status": _SETTLED,
    # The answer is another than was wanted.
    "wrong_type": _SETTLED,
    "bad_redirect": _SETTLED,
    "redirect_downgrade": _SETTLED,
    "redirect_loop": _SETTLED,
    "too_many_redirects": _SETTLED,
    # Files of folders and buckets.
    "not_readable": _SETTLED,
    "no_driver": _SETTLED,
}


class FetchError(Exception):
    """Inside fetching: one request failed. The fetcher keeps it, and makes a `NotFetchedError` of the last one."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        of_host: bool = False,
        whole_size: int | None = None,
    ) -> None:
        """`of_host`: found out for all that the host has, and not to be tried again now.

        `whole_size`: the bytes that came, where they are all that the server announced.
        """
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.status = status
        self.of_host = of_host
        self.whole_size = whole_size

    @property
    def follows(self) -> Code:
        """What follows from the code."""
        return CODES[self.code]
