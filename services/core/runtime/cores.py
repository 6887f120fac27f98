"""How much of the machine this process may use."""

import os


def usable_cores() -> int:
    """How many cores this process may run on (`os.process_cpu_count` of Python 3.13)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
