"""What Linux lets a process give up for good, also in native code: network, other files, other processes.

Four barriers, none of which needs a privilege, each used where the kernel has it:

- a network namespace of its own, without a single interface (unshare(2); needs user namespaces, or root);
- a filter of system calls (seccomp(2), Linux 3.17 and later, x86-64 and ARM64): no sockets, no programs, no new
  processes, no signals to others, no looking into them;
- rules for files (landlock(7), Linux 5.13 and later): only what Python and its libraries consist of can be read, and
  nothing be written, made or removed;
- no capabilities, where the process had any (capabilities(7)).

Elsewhere than on Linux none holds, and the limits of `confinement.py` alone do.
"""

import csv
import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

import services


class Barrier(StrEnum):
    """What may hold of a process that reads somebody's file."""

    NETWORK = "network"
    SYSTEM_CALLS = "system_calls"
    FILES = "files"
    CAPABILITIES = "capabilities"


_NEW_IPC, _NEW_USER, _NEW_NET = 0x08000000, 0x10000000, 0x40000000  # linux/sched.h
_NO_NEW_PRIVILEGES, _SECCOMP, _SECCOMP_FILTER, _PARENT_DEATH = 38, 22, 2, 1  # linux/prctl.h
_ONLY_THREADS = 0x00010000  # CLONE_THREAD
_EPERM, _ENOSYS = 1, 38

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_… of linux/audit.h."""

_JUDGED = {  # calls of which only some are refused, by machine
    "x86_64": {"clone": 56, "clone3": 435, "kill": 62, "tgkill": 234, "prlimit64": 302},
    "aarch64": {"clone": 220, "clone3": 435, "kill": 129, "tgkill": 131, "prlimit64": 261},
}


def isolate(
    readable: Iterable[Path] = (), programs: Iterable[Path] = (), *, any_owner: bool = False
) -> frozenset[Barrier]:
    """Give up what reading a file does not need; which barriers hold now.

    `readable`: what may be read beside Python itself. `programs`: what may be started; what it needs must be
    `readable`. `any_owner`: keep root's right to read the files of others, within `readable`. To be called by a process
    of one thread.
    """
    if sys.platform != "linux":
        return frozenset()
    programs = tuple(programs)
    libc = ctypes.CDLL(None, use_errno=True)
    held = {Barrier.NETWORK} if _leave_network(libc) else set()
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        if _drop_capabilities(libc, any_owner=any_owner):
            held.add(Barrier.CAPABILITIES)
        if _close_files(libc, (*_python(), *readable), programs):
            held.add(Barrier.FILES)
        if _refuse_calls(libc, may_start=bool(programs)):
            held.add(Barrier.SYSTEM_CALLS)
    return frozenset(held)


def forbid_more_processes() -> None:
    """Let the program that is about to be started in this process start no other, and end with its parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DEATH, 9, 0, 0, 0)
    _refuse_calls(libc, may_start=False, except_for=frozenset({"execve"}))


def _leave_network(libc: ctypes.CDLL) -> bool:
    return any(libc.unshare(kinds) == 0 for kinds in (_NEW_NET | _NEW_IPC, _NEW_USER | _NEW_NET | _NEW_IPC))


_CAPABILITIES_3, _MAY_READ_ALL = 0x20080522, 1 << 2  # linux/capability.h: version 3, CAP_DAC_READ_SEARCH


def _drop_capabilities(libc: ctypes.CDLL, *, any_owner: bool) -> bool:
    header = struct.pack("Ii", _CAPABILITIES_3, 0)
    kept = _MAY_READ_ALL if any_owner and os.geteuid() == 0 else 0
    none = struct.pack("6I", kept, kept, 0, 0, 0, 0)
    return bool(libc.capset(header, none) == 0)


# Files: landlock(7).

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all machines
_RUN, _READ_FILE, _READ_FOLDER = 1, 1 << 2, 1 << 3
_ALL_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights to files each version of the interface knows; 16 from the fifth on."""
_ALL_OF_NETWORK, _ALL_SCOPES = 0b11, 0b11


def _close_files(libc: ctypes.CDLL, readable: Iterable[Path], programs: Iterable[Path]) -> bool:
    version = libc.syscall(_CREATE_RULESET, 0, 0, 1)
    if version < 1:
        return False
    handled = (1 << _ALL_OF_VERSION.get(version, 16)) - 1
    network, scopes = (_ALL_OF_NETWORK if version >= 4 else 0), (_ALL_SCOPES if version >= 6 else 0)
    attributes = struct.pack("QQQ", handled, network, scopes)
    rules = libc.syscall(_CREATE_RULESET, attributes, 8 if version < 4 else 16 if version < 6 else 24, 0)
    if rules < 0:
        return False
    for path in readable:
        _allow(libc, rules, path, _READ_FILE | _READ_FOLDER)
    for path in programs:
        _allow(libc, rules, path, _READ_FILE | _RUN)
    done = libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return bool(done)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    rights &= ~0 if path.is_dir() else ~_READ_FOLDER
    libc.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, place), 0)
    os.close(place)


def _python() -> Iterator[Path]:
    """What the interpreter, its packages and ours are read from while they run."""
    yield Path(services.__file__).parent
    yield from {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    yield from map(Path, ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"))
    yield from map(Path, ("/usr/share/zoneinfo", "/etc/localtime", "/usr/share/fonts", "/etc/fonts"))
    yield from map(Path, ("/dev/null", "/dev/zero", "/dev/urandom"))


# System calls: seccomp(2) with a program for the classic Berkeley packet filter (linux/filter.h).

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _MACHINE = 0, 4  # struct seccomp_data of linux/seccomp.h
_OTHER_INTERFACE = 0x40000000  # x32

Instruction = tuple[int, int, int, int]


def _argument(place: int, *, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * place + (4 if high else 0))


def _answer(error: int) -> Instruction:
    return (_ANSWER, 0, 0, _REFUSE | error if error else _ALLOW)


def _refuse_calls(libc: ctypes.CDLL, *, may_start: bool, except_for: frozenset[str] = frozenset()) -> bool:
    machine = platform.machine()
    if machine not in _MACHINES or sys.maxsize < 2**32:
        return False
    program = list(_filter(machine, may_start=may_start, except_for=except_for))
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    held = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    told = Program(len(program), ctypes.addressof(held))
    return bool(libc.prctl(_SECCOMP, _SECCOMP_FILTER, ctypes.byref(told), 0, 0) == 0)


def _filter(machine: str, *, may_start: bool, except_for: frozenset[str]) -> Iterator[Instruction]:
    """Calls of another machine's numbering are refused altogether: those could be used to get around this."""
    judged = _JUDGED[machine]
    yield (_LOAD, 0, 0, _MACHINE)
    yield (_EQUAL, 1, 0, _MACHINES[machine])
    yield _answer(_EPERM)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_AT_LEAST, 0, 1, _OTHER_INTERFACE)
    yield _answer(_EPERM)
    for number in _refused_numbers(machine, may_start=may_start, except_for=except_for):
        yield from ((_EQUAL, 0, 1, number), _answer(_EPERM))
    if not may_start:
        # What cannot be judged, since its flags are in memory, is as if it were not there: then clone is used.
        yield from ((_EQUAL, 0, 1, judged["clone3"]), _answer(_ENOSYS))
        yield from _only(judged["clone"], (_argument(0), (_ANY_BIT, 1, 0, _ONLY_THREADS), _answer(_EPERM)))
    if not may_start:
        itself = (_EQUAL, 1, 0, os.getpid())
        for call in ("kill", "tgkill"):
            yield from _only(judged[call], (_argument(0), itself, _answer(_EPERM)))
    no_new_limit = ((_EQUAL, 1, 0, 0), _answer(_EPERM))
    yield from _only(judged["prlimit64"], (_argument(2), *no_new_limit, _argument(2, high=True), *no_new_limit))
    yield _answer(0)


def _only(number: int, judgement: tuple[Instruction, ...]) -> Iterator[Instruction]:
    """A judgement of one call: it ends with an answer, for which the number need not be loaded again."""
    yield (_EQUAL, 0, len(judgement) + 1, number)
    yield from judgement
    yield _answer(0)


@cache
def _refused() -> tuple[dict[str, str], ...]:
    text = files(__package__).joinpath("system_calls.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _refused_numbers(machine: str, *, may_start: bool, except_for: frozenset[str]) -> Iterator[int]:
    for call in _refused():
        needed = call["name"] in except_for or (may_start and call["unless"] == "programs")
        if call[machine] and not needed:
            yield int(call[machine])
