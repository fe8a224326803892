"""`sync --watch`: follow changes by looking again, on any disk and any system.

Looking is a scan (names and stats; about 5 us a file), at most a twentieth of the time. A change is
taken once two looks in a row agree, so that the several writes and renames by which editors save
make one sync. Law: whatever changed before a look is in the sync that follows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ragstone.applications.sync import SyncReport
from ragstone.applications.sync_scan import Scan, scan

LOOK_S = 1.0  # between two looks at a tree that is still
SETTLE_S = 0.3  # how long a tree must be still before it is synced
LONGEST_S = 10.0  # a tree that is never still is synced all the same
_SHARE = 20  # a look takes at most one twentieth of the time


def watch(
    run: Callable[[], SyncReport],
    paths: Iterable[str | Path],
    *,
    follow_links: bool = False,
    look_s: float = LOOK_S,
    settle_s: float = SETTLE_S,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SyncReport]:
    """Sync by `run` now, and after each change under `paths`, until `stop` says so.

    `run` is a `sync` of the same paths. Errors of `run` come out; call again to go on.
    """
    roots = list(paths)

    def look() -> dict[str, tuple[int, int, int]]:
        return _look(scan(roots, follow_links=follow_links))

    seen = look()
    yield run()
    while not stop():
        started = time.monotonic()
        now = look()
        cost = time.monotonic() - started
        if now == seen:
            sleep(max(look_s, _SHARE * cost))
            continue
        while time.monotonic() - started < LONGEST_S and not stop():
            sleep(settle_s)
            before, now = now, look()
            if now == before:
                break
        seen = now
        yield run()


def _look(found: Scan) -> dict[str, tuple[int, int, int]]:
    files = {f.path: (f.size, f.mtime_ns, f.inode) for f in found.files.values()}
    files.update(dict.fromkeys((*found.missing, *found.unseen), (-1, -1, -1)))
    return files
