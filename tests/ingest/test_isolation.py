"""What a worker of the sandbox cannot do, tried from Python and from native code."""

import ctypes
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest import isolation
from services.ingest.isolation import Barrier
from services.ingest.parsers.base import Content
from services.ingest.reading import ReadDocument, Reading
from services.ingest.sandbox import Sandbox, SandboxLimits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these barriers")

SECRET = "postgresql://upr:secret@db/upr"


def _call(number: int, *arguments: Any) -> str:
    """The system call itself, past every library; "allowed" or the error's name."""
    libc = ctypes.CDLL(None, use_errno=True)
    return "allowed" if libc.syscall(number, *arguments) >= 0 else os.strerror(ctypes.get_errno())


def _tried(action: Callable[[], object]) -> str:
    try:
        return str(action())
    except (OSError, ValueError) as error:
        return type(error).__name__


def _in_a_thread() -> str:
    said: list[str] = []
    thread = threading.Thread(target=said.append, args=("ran",))
    thread.start()
    thread.join()
    return said[0]


def _environment_in_memory() -> bool:
    with Path("/proc/self/environ").open("rb") as stream:
        return SECRET.encode() in stream.read()


ATTEMPTS: dict[str, Callable[[], object]] = {
    "socket": socket.socket,
    "socket natively": lambda: _call(41 if os.uname().machine == "x86_64" else 198, 2, 1, 0),
    "pair of sockets": socket.socketpair,
    "io_uring": lambda: _call(425, 4, bytes(120)),
    "fork": os.fork,
    "program": lambda: subprocess.run(["/bin/true"], check=True),
    "thread": _in_a_thread,
    "signal to the parent": lambda: os.kill(os.getppid(), 0),
    "signal to the group": lambda: os.kill(0, 0),
    "more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "larger files": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)),
    "reading a file": lambda: Path("/etc/passwd").read_bytes(),
    "reading the parent's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "writing a file": lambda: Path("here.txt").write_text("x"),
    "writing elsewhere": lambda: tempfile.mkstemp(dir="/tmp"),
    "making a folder": lambda: Path("folder").mkdir(),
    "files here": lambda: list(Path().iterdir()),
    "environment": lambda: sorted(os.environ),
    "environment as the kernel shows it": _environment_in_memory,
    "descriptors": lambda: [number for number in range(3, 64) if _is_open(number)],
}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def attempt(content: Content) -> Reading:
    """Do what the file says, and tell what came of it as a title."""
    return Reading("test", "1", ReadDocument("matrix", title=_tried(ATTEMPTS[content.data.decode()])))


@pytest.fixture(scope="module")
def barriers() -> frozenset[Barrier]:
    """What holds on this machine, asked in a process of its own."""
    asked = "from services.ingest.isolation import isolate; print(*isolate())"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return frozenset(map(Barrier, done.stdout.split()))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("attempts")
    files = []
    for place, name in enumerate(ATTEMPTS):
        files.append(folder / str(place))
        files[-1].write_text(name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("UPR_DATABASE_URL", SECRET)
        with Sandbox(1, limits=SandboxLimits(deadline_seconds=20), read=attempt) as sandbox:
            results = [outcome.result for outcome in sandbox.read_all(files)]
    told = [each.code if isinstance(each, UnreadableDocumentError) else str(each.document.title) for each in results]
    return dict(zip(ATTEMPTS, told, strict=True))


CALLS = frozenset({Barrier.SYSTEM_CALLS})
FILES = frozenset({Barrier.FILES})
NOTHING = frozenset[Barrier]()


@pytest.mark.parametrize(
    ("attempted", "outcome", "needed"),
    [
        ("socket", "PermissionError", CALLS),
        ("socket natively", "Operation not permitted", CALLS),
        ("pair of sockets", "PermissionError", CALLS),
        ("io_uring", "Operation not permitted", CALLS),
        ("fork", "PermissionError", CALLS),
        ("program", "PermissionError", CALLS),
        ("thread", "ran", NOTHING),
        ("signal to the parent", "PermissionError", CALLS),
        ("signal to the group", "PermissionError", CALLS),
        ("more memory", "ValueError", CALLS),
        ("larger files", "ValueError", CALLS),
        ("reading a file", "PermissionError", FILES),
        ("reading the parent's environment", "PermissionError", FILES),
        ("writing a file", "FileNotFoundError", NOTHING),
        ("writing elsewhere", "PermissionError", FILES),
        ("making a folder", "FileNotFoundError", NOTHING),
        ("files here", "[]", NOTHING),
        ("environment", "[]", NOTHING),
        ("environment as the kernel shows it", "PermissionError", FILES),
    ],
)
def test_what_a_worker_cannot_do(
    attempted: str,
    outcome: str,
    needed: frozenset[Barrier],
    outcomes: dict[str, str],
    barriers: frozenset[Barrier],
) -> None:
    if needed - barriers:
        pytest.skip(f"this kernel has no barrier for {', '.join(needed - barriers)}")
    if attempted == "files here" and barriers & FILES:
        outcome = "PermissionError"
    assert outcomes[attempted] == outcome


def test_a_worker_has_no_descriptors_but_its_own(outcomes: dict[str, str]) -> None:
    assert outcomes["descriptors"].count(",") <= 1  # the file is closed by then


def test_linux_has_the_filter_of_system_calls(barriers: frozenset[Barrier]) -> None:
    if os.uname().machine not in {"x86_64", "aarch64"}:
        pytest.skip("the numbers of this machine's system calls are not known")
    assert Barrier.SYSTEM_CALLS in barriers


@pytest.mark.parametrize("missing", ["_close_files", "_leave_network", "_refuse_calls", "_drop_capabilities"])
def test_each_barrier_holds_without_the_others(missing: str) -> None:
    """As on kernels that lack one: the rest is still told, and still holds."""
    script = f"""
import socket
from pathlib import Path
from services.ingest import isolation
isolation.{missing} = lambda *_, **__: False
held = isolation.isolate()
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    print("network", type(error).__name__)
try:
    print("files", len(Path("/etc/passwd").read_bytes()) > 0)
except OSError as error:
    print("files", type(error).__name__)
print(*sorted(held))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    network, files, held = done.stdout.splitlines()
    assert len(held.split()) <= 3
    if "system_calls" in held:
        assert network == "network PermissionError"
    elif "network" in held:
        assert network in {"network OSError", "network PermissionError"}  # no interface, or landlock's word
    assert ("files" in held.split()) == (files == "files PermissionError")


def test_the_filter_names_calls_of_both_machines() -> None:
    for machine in ("x86_64", "aarch64"):
        numbers = list(isolation._refused_numbers(machine, may_start=False, except_for=frozenset()))
        assert len(numbers) == len(set(numbers)) > 40
        assert len(list(isolation._filter(machine, may_start=False, except_for=frozenset()))) < 256


def test_only_the_program_that_is_allowed_can_be_started_and_it_starts_no_other(barriers: frozenset[Barrier]) -> None:
    """What recognises letters runs so. The shell tries what somebody would who has taken it over."""
    if not {Barrier.FILES, Barrier.SYSTEM_CALLS} <= barriers:
        pytest.skip("this kernel has no barrier for files or system calls")
    script = """
import subprocess
from pathlib import Path
from services.ingest.isolation import forbid_more_processes, isolate
shell = Path("/bin/sh").resolve()
loaders = [path.resolve() for folder in ("/lib64", "/lib") for path in Path(folder).glob("ld-*.so*")]
isolate(programs=[shell, *loaders])
def run(*words):
    try:
        return subprocess.run(words, capture_output=False, preexec_fn=forbid_more_processes).returncode
    except OSError as error:
        return type(error).__name__
print(run(shell, "-c", "exit 7"), run("/bin/true"), run(shell, "-c", "(exit 0) && exit 0"), flush=True)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    allowed, other, forking = done.stdout.split()
    assert (allowed, other) == ("7", "PermissionError")
    assert forking != "0"
