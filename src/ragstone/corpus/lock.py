"""One writer at a time: a lock of the operating system, which a dead holder does not keep."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ragstone.errors import CorpusError

WAIT_S = 10.0


@contextmanager
def writer_lock(folder: Path, *, timeout_s: float = WAIT_S) -> Iterator[None]:
    """Hold the corpus's writer lock, waiting at most `timeout_s` seconds for it.

    Raises CorpusError that names the holder (process, machine, since when).
    """
    lock = FileLock(folder / "writer.lock", timeout=timeout_s)
    note = folder / "writer.json"
    try:
        lock.acquire()
    except Timeout:
        raise CorpusError(
            f"The corpus in {folder} is being written by {_holder(note)}.",
            remedy="Wait until it has ended, or stop it; reading goes on meanwhile.",
        ) from None
    except OSError as error:
        raise CorpusError(
            f"Cannot lock the corpus in {folder}: {error.strerror or error}.",
            remedy="Writing needs a folder with write permission, on a disk that supports locks.",
        ) from error
    try:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        with contextlib.suppress(OSError):  # it only says who holds the lock
            note.write_text(json.dumps(holder))
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
        return f"process {holder['pid']} on {holder['host']} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
