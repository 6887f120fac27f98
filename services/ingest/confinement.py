"""What a child process that reads somebody's file may do: little, and not for long.

The kernel holds the limits, also inside native code. Whatever a file does to the child, the parent lives and learns
why the child ended.
"""

import ctypes
import fcntl
import importlib
import itertools
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.util
import os
import resource
import signal
import subprocess
import tempfile
import threading
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import orjson

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.isolation import Barrier, isolate

PIPE_BYTES = 2**20
"""The most an unprivileged process may ask for (proc(5), pipe-max-size)."""


CANNOT_START = 'the sandbox cannot start its workers; can the main module be imported (if __name__ == "__main__")?'


LOADED_LATE = ("docx", "openpyxl")
"""What readers load when they first need it. A confined child can open no file: it must have them before."""


@dataclass(frozen=True)
class Bounds:
    """What a child that reads somebody's file may have.

    `memory_bytes`: address space beyond what it has when it begins. `cpu_seconds`: processor time, for as long as it
    lives. `descriptors`: open files, pipes and the like. `readable` and `programs`: what it may read and start beside
    Python itself; `any_owner`: also where root alone may (`isolation.py`).
    """

    memory_bytes: int
    cpu_seconds: int | None = None
    descriptors: int = 64
    readable: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()
    any_owner: bool = False


def forkserver(*preload: str) -> ForkServerContext:
    """What starts children with these modules imported. It knows nothing of our environment: the database's address
    and keys stand there.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*preload, *LOADED_LATE])
    with _STARTING:
        usual = multiprocessing.util.spawnv_passfds
        multiprocessing.util.spawnv_passfds = _start_bare
        try:
            multiprocessing.forkserver.ensure_running()
        finally:
            multiprocessing.util.spawnv_passfds = usual
    return context


_STARTING = threading.Lock()
_KEPT_OF_ENVIRONMENT = frozenset({"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH"})


def _start_bare(path: Any, args: Sequence[Any], passfds: Sequence[Any]) -> int:
    """Takes the place of `multiprocessing.util.spawnv_passfds`, which hands on the whole environment."""
    bare = {name: value for name, value in os.environ.items() if name in _KEPT_OF_ENVIRONMENT}
    started = subprocess.Popen(args, executable=path, env=bare, pass_fds=passfds)  # noqa: S603 - Python itself
    started.returncode = 0  # multiprocessing waits for it; an object that thinks it must would warn
    return started.pid


def confine(bounds: Bounds, keep: Iterable[int]) -> frozenset[Barrier]:
    """Give up what reading a file does not need, for good; which barriers hold.

    Of open descriptors only `keep` stay. The working folder is new, empty, and removed already: nothing can be made in
    it. Files cannot grow and core dumps are not written; the environment is empty; Ctrl-C is the parent's. An interval
    timer (`signal.setitimer`) ends the process from now on, for the kernel's own answer to its signals is to do so.
    """
    for module in LOADED_LATE:  # loaded already, unless the fork server was started for others
        importlib.import_module(module)
    _silence(keep)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    _forget_environment()
    _enter_new_folder()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (bounds.descriptors, bounds.descriptors))
    if bounds.cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds))
    space = _address_space() + bounds.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    return isolate(bounds.readable, bounds.programs, any_owner=bounds.any_owner)


def _silence(keep: Iterable[int]) -> None:
    """Nothing stays open but the standard streams, which lead nowhere, and what is to be kept."""
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    edges = [2, *sorted(keep), most if most != resource.RLIM_INFINITY else 2**20]
    for before, after in itertools.pairwise(edges):
        os.closerange(before + 1, after)


_ENVIRONMENT_FIELDS = slice(47, 49)
"""env_start and env_end of /proc/self/stat (proc(5)), counted from the state, which follows the name."""


def _forget_environment() -> None:
    """Also where the kernel put it when the program was started, and shows it in /proc."""
    os.environ.clear()
    with suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = map(int, fields[_ENVIRONMENT_FIELDS])
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)


def _enter_new_folder() -> None:
    folder = tempfile.mkdtemp(prefix="upr-")
    os.chdir(folder)
    with suppress(OSError):
        Path(folder).rmdir()


def time_out_after(seconds: float) -> None:
    """End this process when so much time, or processor time, has gone by, unless it is called again. 0: never."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _address_space() -> int:
    """Bytes of address space in use (proc(5), statm: the first field, in pages); 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def enlarge(pipe: Connection) -> None:
    """Let more fit into the pipe, so that a child goes on while the parent is busy."""
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), set_size, PIPE_BYTES)


def why_it_ended(exit_code: int | None, overdue: bool, deadline_seconds: float) -> UnreadableDocumentError:
    """Why a child is gone. A negative exit code is the signal that ended it."""
    if overdue or exit_code in (-signal.SIGALRM, -signal.SIGPROF, -signal.SIGXCPU):
        return UnreadableDocumentError("parse_timeout", f"not read within {deadline_seconds:g} seconds")
    if exit_code is not None and exit_code < 0:
        return UnreadableDocumentError(
            "parse_crashed", f"the process that read the file was ended by {signal.Signals(-exit_code).name}"
        )
    return UnreadableDocumentError("parse_crashed", f"the process that read the file ended with {exit_code}")


def where(error: Exception) -> str:
    """`KeyError: 'x' (working_group_report.py:120)`, in characters that can be stored."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {storable(str(error)[:200])}{place}"


def storable(text: str) -> str:
    """The text without what neither JSON nor PostgreSQL can hold: unpaired surrogates become `?`, NUL a blank."""
    return text.encode("utf-8", "replace").decode().replace("\x00", " ")


def storable_json(value: object) -> bytes:
    """The value as JSON that PostgreSQL can hold, too. Most values are that already."""
    try:
        plain = orjson.dumps(value)
    except TypeError:  # what orjson raises on unpaired surrogates
        return orjson.dumps(_all_storable(value))
    return plain if _NUL not in plain else orjson.dumps(_all_storable(value))


_NUL = b"\\u0000"


def _all_storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, (list, tuple)):
        return [_all_storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): _all_storable(each) for name, each in value.items()}
    return _all_storable(asdict(value)) if is_dataclass(value) and not isinstance(value, type) else value
