"""Whether what a run would do looks right: a page that was laid out anew must not delete a country."""

from dataclasses import asdict, dataclass
from typing import Any

from services.ingest.sources.description import Description


@dataclass(frozen=True)
class Figures:
    """What a run found, and what loading it would do to what is held of the source.

    `files_gone`: of those held, no longer found, missing, of another type, or not readable any more. Records are
    counted as files tell them. `files_asked` leaves out those that a host refused, for whatever reason.
    """

    found: int
    files_got: int
    files_read: int
    files_held: int
    files_gone: int
    records_held: int
    records_gone: int
    records_changed: int

    def counts(self) -> dict[str, int]:
        """As the run keeps them."""
        return asdict(self)


@dataclass(frozen=True)
class Reason:
    """Why a run is held, or has failed: nothing that could be released."""

    code: str
    detail: str
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """As the run keeps it."""
        return {"code": self.code, "detail": self.detail}


def reasons_against(figures: Figures, source: Description, *, whole: bool) -> list[Reason]:
    """Why a run must not be loaded; none where it looks right.

    `whole`: the run looked for everything, so that what it did not find is gone (not with `--since` or `--limit`).
    """
    at_times_none = source.least.found == 0
    failed = _failures(figures, may_be_empty=at_times_none or not whole, may_be_unreadable=at_times_none)
    if failed:
        return failed
    reasons = []
    if whole and figures.found < source.least.found:
        detail = f"{figures.found} files were found; a whole run finds at least {source.least.found}"
        reasons.append(Reason("too_few_found", detail))
    shares = [
        ("records_gone", "records would be gone", figures.records_gone, figures.records_held, source.hold.gone),
        ("records_changed", "records would change", figures.records_changed, figures.records_held, source.hold.changed),
    ]
    if whole:
        shares.insert(0, ("files_gone", "files are gone", figures.files_gone, figures.files_held, source.hold.gone))
    for code, what, count, held, most in shares:
        if held and count / held > most:
            detail = f"{count:,} of {held:,} {what} ({count / held:.1%}; at most {most:.1%} may be)"
            reasons.append(Reason(code, detail))
    return reasons


def _failures(figures: Figures, *, may_be_empty: bool, may_be_unreadable: bool) -> list[Reason]:
    """Why there is nothing to load. What people put into a folder may be of no kind that is read: an Issue
    says so of each, and a newer version of what reads files tries again. Of a site, all files are not without a fault.
    """
    if figures.found == 0:
        return [] if may_be_empty else [Reason("nothing_found", "no file was found", failed=True)]
    if figures.files_got == 0:
        detail = f"none of the {figures.found} files that were found was to be had"
        return [Reason("nothing_fetched", detail, failed=True)]
    if figures.files_read == 0 and not may_be_unreadable:
        return [Reason("nothing_read", f"none of {figures.files_got} files could be read", failed=True)]
    return []
