"""Every outcome is told to people, and none is told that does not exist."""

import re
from pathlib import Path

from services.ingest.fetching.codes import CODES
from tests.ingest.fetching.behaviours import BEHAVIOURS, FETCHED

DOCS = Path(__file__).parents[3] / "docs" / "ingest.md"


def test_the_table_of_the_docs_has_every_code() -> None:
    table = DOCS.read_text().partition("### Why a file was not to be had")[2].partition("\n#")[0]
    told = [
        code
        for line in table.splitlines()
        for code in re.findall(r"`([a-z_]+)`", line.split("|")[1:2][0] if "|" in line else "")
    ]
    assert sorted(told) == sorted(CODES)


def test_what_is_settled_is_not_tried_again() -> None:
    assert not [
        code for code, follows in CODES.items() if follows.settled and (follows.retried or follows.host_refuses)
    ]


def test_hostile_servers_show_most_outcomes() -> None:
    shown = {expected.outcome for expected in BEHAVIOURS.values()} - {FETCHED}
    assert shown <= CODES.keys()
    elsewhere = {
        *("robots_disallowed", "robots_unreachable", "host_resting", "redirect_downgrade"),  # test_politeness, …
        *(
            "tls_failed",
            "tls_expired",
            "tls_wrong_host",
            "tls_untrusted",
            "unknown_host",
            "proxy_failed",
        ),  # test_exchange
        *("not_readable", "no_driver"),  # test_files
        "inflates_too_far",  # test_fetcher
    }
    assert CODES.keys() - shown == elsewhere
