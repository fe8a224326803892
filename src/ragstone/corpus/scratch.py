"""Folders for work in progress: beside the place where the result will lie, gone afterwards.

Law: what a killed process left behind is deleted by the next one that works in the same place; what
a living one uses never is, because it holds a lock inside.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = "in-use.lock"


@contextmanager
def scratch_folder(beside: Path, kind: str) -> Iterator[Path]:
    """A new empty folder in `beside`, deleted at the end. Raises OSError where none can be made."""
    prefix = f".ragstone-{kind}-"
    _sweep(beside, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=beside))
    lock = FileLock(folder / _LOCK)
    try:
        with lock:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(beside: Path, prefix: str) -> None:
    """Delete what dead processes left; a folder without a lock is just being made, or was."""
    for left in beside.glob(f"{prefix}*"):
        if not (left / _LOCK).exists():
            continue
        try:
            with FileLock(left / _LOCK, timeout=0):
                pass
        except (Timeout, OSError):
            continue
        shutil.rmtree(left, ignore_errors=True)
