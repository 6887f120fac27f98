"""What a child process that reads somebody's file may do: little, and not for long.

The kernel holds the limits, also inside native code. Whatever a file does to the child, the parent lives and learns
why the child ended.
"""

import fcntl
import os
import resource
import signal
import traceback
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from services.core.domain.errors import UnreadableDocumentError

PIPE_BYTES = 2**20
"""The most an unprivileged process may ask for (proc(5), pipe-max-size)."""


CANNOT_START = 'the sandbox cannot start its workers; can the main module be imported (if __name__ == "__main__")?'


def confine(memory_bytes: int, cpu_seconds: int | None = None) -> None:
    """Bound this process's memory (and processor time), forbid writing files and core dumps, be silent, leave Ctrl-C
    to the parent.

    `memory_bytes` is address space beyond what the process has now. An interval timer (`signal.setitimer`) ends it
    from now on, for the kernel's own answer to SIGALRM is to do so.
    """
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    bound = _address_space() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


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
    if overdue or exit_code in (-signal.SIGALRM, -signal.SIGXCPU):
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
