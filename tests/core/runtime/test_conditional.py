"""Which answers need not be sent again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from fastapi import Request

from services.core.runtime.conditional import unchanged, version_of, with_coding

LONG_AGO = datetime(2014, 11, 5, 9, 30, 15, 250_000, tzinfo=UTC)


def asked(query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "path": "/v1/states", "query_string": query.encode(), "headers": raw}
    )


def test_a_version_follows_from_its_parts_and_from_what_was_asked() -> None:
    tags = {
        version_of(request, *parts).tag
        for request in (asked(), asked("lang=es"), asked(accept="text/csv"), asked(accept_language="fr"))
        for parts in ((), (1,), (2,), (1, 2), (12,))
    }
    assert len(tags) == 20
    assert version_of(asked(), 1).tag == version_of(asked(user_agent="curl"), 1).tag


def test_a_strong_and_a_weak_tag() -> None:
    strong, weak = version_of(asked(), 1), version_of(asked(), 1, weak=True)
    assert strong.headers()["ETag"] == f'"{strong.tag}"'
    assert weak.headers()["ETag"] == f'W/"{strong.tag}"'
    assert with_coding('"abc"', "gzip") == '"abc-gzip"'
    assert with_coding('W/"abc"', "gzip") == 'W/"abc"'


@pytest.mark.parametrize("held", ['"{}"', 'W/"{}"', '"{}-gzip"', '"other", "{}-br"', "*", ' "x" , "{}" '])
def test_what_the_reader_holds_is_not_sent_again(held: str) -> None:
    version = version_of(asked(), 1)
    answer = unchanged(asked(if_none_match=held.format(version.tag)), version)
    assert answer is not None
    assert (answer.status_code, answer.body) == (304, b"")
    assert version.tag in answer.headers["etag"]
    assert answer.headers["cache-control"] == "public, no-cache"


def test_the_tag_of_a_304_is_that_of_the_bytes_held() -> None:
    version = version_of(asked(), 1)
    answer = unchanged(asked(if_none_match=f'"{version.tag}-gzip"'), version)
    assert answer is not None
    assert answer.headers["etag"] == f'"{version.tag}-gzip"'


@pytest.mark.parametrize("held", ['"other"', "", "nonsense", '"', '"{}x"', "{}"])
def test_what_the_reader_does_not_hold_is_sent(held: str) -> None:
    version = version_of(asked(), 1, modified=LONG_AGO)
    date = format_datetime(LONG_AGO, usegmt=True)
    assert unchanged(asked(if_none_match=held.format(version.tag), if_modified_since=date), version) is None


@pytest.mark.parametrize(
    ("since", "held"),
    [
        (LONG_AGO, True),
        (LONG_AGO + timedelta(days=1), True),
        (LONG_AGO - timedelta(seconds=1), False),
    ],
)
def test_by_date(since: datetime, held: bool) -> None:
    version = version_of(asked(), 1, modified=LONG_AGO)
    answer = unchanged(asked(if_modified_since=format_datetime(since, usegmt=True)), version)
    assert (answer is not None) == held
    assert version.headers()["Last-Modified"] == "Wed, 05 Nov 2014 09:30:15 GMT"


@pytest.mark.parametrize(
    "date", ["yesterday", "", "Wed, 99 Nov 2014 09:30:15 GMT", "0", "Wed, 05 Nov 2014 09:30:15 -0000"]
)
def test_a_date_that_is_none_is_as_if_not_given(date: str) -> None:
    assert unchanged(asked(if_modified_since=date), version_of(asked(), 1, modified=LONG_AGO)) is None


def test_what_is_of_this_very_second_bears_no_date() -> None:
    now: dict[str, Any] = version_of(asked(), 1, modified=datetime.now(UTC)).headers()
    assert "Last-Modified" not in now
    future = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    assert unchanged(asked(if_modified_since=future), version_of(asked(), 1, modified=datetime.now(UTC))) is None
