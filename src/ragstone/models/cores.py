"""How many cores this process may really use.

Law: at least 1. Hyper-threads of one core count once, because matrix arithmetic gains nothing
from them; a container's CPU quota and the process's affinity count.
"""

from __future__ import annotations

import math
import os
import platform
from functools import cache
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@cache
def physical_cores() -> int:
    """Physical cores that this process may run on, rounded up from a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len({_siblings(cpu) for cpu in os.sched_getaffinity(0)})
        return max(1, min(cores, _quota(default=cores)))
    logical = os.cpu_count() or 1
    return logical if platform.machine() == "arm64" else max(1, logical // 2)


def _siblings(cpu: int) -> str:
    """The name of the core that `cpu` is a hyper-thread of."""
    try:
        return (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def _quota(*, default: int) -> int:
    """Whole cores of the cgroup's CPU quota (`cpu.max`: microseconds per period)."""
    try:
        limit, period = _QUOTA.read_text().split()
        return default if limit == "max" else math.ceil(int(limit) / int(period))
    except (OSError, ValueError):
        return default
