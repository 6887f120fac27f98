"""The sandbox, with real processes and readers that misbehave."""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.cores import usable_cores
from services.ingest.parsers.base import Content
from services.ingest.reading import (
    ReadDocument,
    ReadHearing,
    Reading,
    ReadIssue,
    ReadLabel,
    ReadPledge,
    ReadRecommendation,
    ReadStatement,
)
from services.ingest.sandbox import ReadFile, Sandbox, SandboxLimits

MIB = 2**20


def full_reading(name: str) -> Reading:
    """A reading that uses every kind of record."""
    return Reading(
        "test",
        "1",
        ReadDocument("matrix", "A/HRC/99/901", title=name, session=48, cycle=4),
        hearings=(ReadHearing("upr-48-XAA", "working_group_review", troika=("XBB", "XCC")),),
        recommendations=(ReadRecommendation("140.1", "Ratify – “all”", ("XBB",), footnotes=("note",)),),
        statements=(ReadStatement("XBB", "dialogue", None, on_behalf_of=("XCC",)),),
        pledges=(ReadPledge("A pledge"),),
        labels=(ReadLabel("140.1", "sdg", "NO POVERTY", code="1"),),
        issues=(ReadIssue("info", "some_code", "some detail", page=3),),
    )


def hang() -> None:
    while True:
        pass


def overflow() -> None:
    overflow()


def refuse() -> None:
    raise UnreadableDocumentError("no_recommendations", "nothing in it")


def make_noise() -> None:
    os.write(1, b"noise" * 1000)
    os.write(2, b"noise" * 1000)


def write_to_a_file() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(b"written")


BEHAVIOUR = {
    "hang": hang,
    "hang in native code": lambda: ctypes.CDLL(None).pause(),
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "memory": lambda: bytes(10**10),
    "raise": lambda: {}["no such thing"],
    "recursion": overflow,
    "unreadable": refuse,
    "write": write_to_a_file,
    "print": make_noise,
    "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT),
}


def behave(content: Content) -> Reading:
    """Do what the file says, then give its words back as a title."""
    word = content.data.decode()
    BEHAVIOUR.get(word, lambda: None)()
    return full_reading("x" * (3 * MIB) if word == "answer" else word)


def write(folder: Path, *words: str) -> list[Path]:
    files = [folder / f"{place:03}.txt" for place, _ in enumerate(words)]
    for file, word in zip(files, words, strict=True):
        file.write_text(word)
    return files


@pytest.fixture(scope="module")
def sandbox():
    limits = SandboxLimits(deadline_seconds=1.5, memory_bytes=256 * MIB, answer_bytes=2 * MIB)
    with Sandbox(2, limits=limits, read=behave) as pool:
        yield pool


def outcome(results: list[ReadFile]) -> list[str]:
    return [
        outcome.result.code if isinstance(outcome.result, UnreadableDocumentError) else outcome.result.document.title
        for outcome in results
    ]


def test_a_reading_comes_back_as_it_was(sandbox, tmp_path):
    [file] = write(tmp_path, "plain")
    [got] = sandbox.read_all([file])
    assert got == (file, hashlib.sha256(b"plain").hexdigest(), full_reading("plain"))


def test_outcomes_come_in_the_order_of_the_files(sandbox, tmp_path):
    words = [f"file {n}" for n in range(60)]
    assert outcome(list(sandbox.read_all(write(tmp_path, *words)))) == words


def test_nothing_to_read(sandbox):
    assert list(sandbox.read_all([])) == []


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("hang", "parse_timeout"),
        ("hang in native code", "parse_timeout"),
        ("segfault", "parse_crashed"),
        ("exit", "parse_crashed"),
        ("memory", "parse_memory"),
        ("answer", "parse_answer_too_large"),
        ("raise", "parse_crashed"),
        ("recursion", "parse_crashed"),
        ("unreadable", "no_recommendations"),
    ],
)
def test_what_goes_wrong_is_that_file_s_alone(sandbox, tmp_path, word, code):
    files = write(tmp_path, "before", word, "after", "later", "last")
    results = list(sandbox.read_all(files))
    assert outcome(results) == ["before", code, "after", "later", "last"]
    assert all(got.sha256 == hashlib.sha256(got.path.read_bytes()).hexdigest() for got in results)


def test_a_worker_cannot_write_files(sandbox, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert outcome(list(sandbox.read_all(write(tmp_path, "write")))) == ["file_not_readable"]


def test_everything_goes_wrong_at_once(sandbox, tmp_path):
    words = ["segfault", "hang", "exit", "fine", "segfault", "memory", "exit", "answer", "raise", "good"]
    results = outcome(list(sandbox.read_all(write(tmp_path, *words))))
    assert results == [
        "parse_crashed", "parse_timeout", "parse_crashed", "fine", "parse_crashed",
        "parse_memory", "parse_crashed", "parse_answer_too_large", "parse_crashed", "good",
    ]  # fmt: skip


def test_an_exception_says_where_it_happened(sandbox, tmp_path):
    [got] = sandbox.read_all(write(tmp_path, "raise"))
    assert got.result.detail.startswith("KeyError: 'no such thing' (test_sandbox.py:")


def test_workers_are_silent_and_leave_interrupts_to_the_parent(sandbox, tmp_path, capfd):
    assert outcome(list(sandbox.read_all(write(tmp_path, "print", "interrupt")))) == ["print", "interrupt"]
    assert capfd.readouterr() == ("", "")


def test_files_that_cannot_be_opened(sandbox, tmp_path):
    [fine] = write(tmp_path, "fine")
    os.mkfifo(tmp_path / "pipe")
    files = [tmp_path / "absent", fine, tmp_path, tmp_path / "pipe", fine / "below", tmp_path / "nul\0"]
    results = list(sandbox.read_all(files))
    assert outcome(results) == [
        "file_not_found", "fine", "not_a_file", "not_a_file", "file_not_found", "file_not_readable"
    ]  # fmt: skip
    assert results[0].sha256 is None


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    [file] = write(tmp_path, "too long")
    with Sandbox(1, limits=SandboxLimits(file_bytes=5), read=behave) as pool:
        assert outcome(list(pool.read_all([file]))) == ["file_too_large"]


def test_a_reader_who_stops_early_leaves_a_usable_sandbox(sandbox, tmp_path):
    files = write(tmp_path, "one", "hang", "two", "three")
    results = sandbox.read_all(files)
    assert outcome(list(islice(results, 1))) == ["one"]
    results.close()
    assert outcome(list(sandbox.read_all(files[2:]))) == ["two", "three"]


def test_files_are_taken_as_they_are_needed(sandbox, tmp_path):
    [file] = write(tmp_path, "same")
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield file

    results = sandbox.read_all(endless())
    assert len(list(islice(results, 10))) == 10
    results.close()
    assert taken <= 10 + 2 * 16


def test_a_slow_consumer_does_not_run_into_the_deadline(sandbox, tmp_path):
    results = sandbox.read_all(write(tmp_path, *[f"file {n}" for n in range(6)]))
    first = next(results)
    time.sleep(4)  # the limit is 1.5 seconds, and the parent's patience 2 more
    assert outcome([first, *results]) == [f"file {n}" for n in range(6)]


def test_workers_are_replaced_after_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr("services.ingest.sandbox._FILES_PER_WORKER", 3)
    words = [f"file {n}" for n in range(20)]
    with Sandbox(2, read=behave) as pool:
        assert outcome(list(pool.read_all(write(tmp_path, *words)))) == words


def test_leaving_the_sandbox_ends_its_workers(tmp_path):
    with Sandbox(2, read=behave) as pool:
        list(pool.read_all(write(tmp_path, "a", "b", "c")))
        pids = [worker.pid for worker in pool._workers]
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_the_default_is_one_worker_a_core():
    assert Sandbox()._size == usable_cores()


def test_workers_that_cannot_start_are_not_the_files_fault(tmp_path):
    """A main module without the usual guard cannot be imported by workers."""
    [file] = write(tmp_path, "fine")
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from pathlib import Path\nfrom services.ingest.sandbox import Sandbox\n"
        f"with Sandbox(1) as pool:\n    print(list(pool.read_all([Path({str(file)!r})])))\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=root, env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "the sandbox cannot start its workers" in ended.stderr
