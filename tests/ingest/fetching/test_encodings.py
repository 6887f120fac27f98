"""Packed bodies, whole and broken, in parts of any size."""

import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.fetching.codes import FetchError
from services.ingest.fetching.encodings import STEP, decoded


def in_parts(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=5), st.integers(1, 700))
def test_members_in_parts_of_any_size_are_one_body(members: list[bytes], size: int) -> None:
    body = b"".join(map(gzip.compress, members))
    assert b"".join(decoded(in_parts(body, size), "gzip")) == b"".join(members)


@pytest.mark.parametrize("told", [bytes(5_000_000), b"ab" * 3_000_000, random.Random(7).randbytes(3_000_000)], ids=len)
@pytest.mark.parametrize("size", [1_000, 100_000, 10_000_000])
def test_every_step_is_small(told: bytes, size: int) -> None:
    steps = list(decoded(in_parts(gzip.compress(told, 1), size), "gzip"))
    assert b"".join(steps) == told
    assert max(map(len, steps)) <= STEP


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_what_is_not_packed_stays(encoding: str) -> None:
    assert list(decoded([b"a", b"b"], encoding)) == [b"a", b"b"]


@given(st.binary(min_size=1, max_size=400), st.data())
def test_any_cut_or_flip_is_told_or_does_no_harm(body: bytes, data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(body))
    cut = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(FetchError) as told:
        list(decoded([bytes(packed[:cut])], "gzip"))
    assert told.value.code == "incomplete"
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert b"".join(decoded([bytes(packed)], "gzip")) == body  # the flip was in the header: a name, a time
    except FetchError as fault:
        assert fault.code in {"damaged_encoding", "incomplete"}  # noqa: PT017 - either is right


def test_nothing_packed_is_nothing() -> None:
    assert list(decoded([], "gzip")) == []
