"""What a sync has to do: every file compared with what the corpus knows of it, before any is read.

Stat first, hash only where the stat differs. Law: a plan removes a source only if its absence was
seen: not below a folder that could not be listed, and not below a root that is gone (unless that
is confirmed). Writes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from ragstone.applications.sync_scan import FoundFile, Scan, under
from ragstone.corpus import FailedSource, Ledger, SourceState
from ragstone.errors import UsageError
from ragstone.types import Failure

_READ = 1 << 20


@dataclass(slots=True)
class Plan:
    """`hashes` has the content hash of every file in `to_read`; `renames` maps new to old path."""

    to_read: list[FoundFile] = field(default_factory=list)
    hashes: dict[str, bytes] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    touched: list[SourceState] = field(default_factory=list)  # another stat, the same content
    missing: list[str] = field(default_factory=list)
    renames: dict[str, str] = field(default_factory=dict)
    failed: list[FailedSource] = field(default_factory=list)
    still_failing: list[Failure] = field(default_factory=list)
    failed_before: dict[str, FailedSource] = field(default_factory=dict)  # of those to read
    new: int = 0

    @property
    def size_bytes(self) -> int:
        """Of the files that are to be read."""
        return sum(file.size for file in self.to_read)


def make_plan(
    ledger: Ledger | None,
    found: Scan,
    *,
    recipe: str,
    confirm_missing: bool,
    attempt: str = "",
    retry_failed: bool = False,
) -> Plan:
    """Compare the scan with the corpus (None: an empty one). Raises UsageError for a gone root.

    A file that failed twice for one reason is read again when it changed, or when `attempt` (what
    the reader can do) did, or with `retry_failed`: until then it would only fail again.
    """
    known = ledger.sources() if ledger else {}
    failed_before = ledger.failed() if ledger else {}
    _check_roots(found, known, confirm_missing)
    plan = Plan(failed=list(found.failed))
    for path in sorted(found.files):
        file = found.files[path]
        before, failure = known.get(path), failed_before.get(path)
        if before is not None and under(path, before.root) and not under(path, file.root):
            file = replace(file, root=before.root)  # a link led to it: it stays its own root's
        if before is not None and _same(file, before) and before.recipe == recipe and not failure:
            plan.unchanged.append(path)
            continue
        tried = failure is not None and _same(file, failure) and failure.recipe == attempt
        if failure is not None and tried and not retry_failed:
            plan.still_failing.append(Failure(path, failure.reason, failure.remedy))
            continue
        try:
            digest = hash_file(path)
        except FileNotFoundError:
            continue  # vanished: the next sync sees it gone
        except OSError as error:
            plan.failed.append(
                FailedSource(
                    path, file.root, f"Cannot be read: {error.strerror or error}.",
                    "Give this user permission to read it; what the corpus holds of it is kept.",
                )
            )  # fmt: skip
            continue
        if before is not None and before.hash == digest and before.recipe == recipe and not failure:
            plan.touched.append(source_state(file, digest, recipe))
            plan.unchanged.append(path)
            continue
        if failure is not None:
            plan.failed_before[path] = failure
        plan.hashes[path] = digest
        plan.to_read.append(file)
        plan.new += before is None
    kept = {path for path in known if _seen_gone(path, found, known)}
    plan.missing = sorted(path for path in kept if path not in found.files)
    gone_failures = [
        path for path in failed_before
        if path not in known and path not in found.files and _seen_gone(path, found, failed_before)
    ]  # fmt: skip
    plan.missing += gone_failures
    _match_renames(plan, known, recipe)
    return plan


def source_state(
    file: FoundFile, digest: bytes, recipe: str, *, settled: bool = True
) -> SourceState:
    """The row of a file that was read. An unsettled one is hashed again next time."""
    mtime_ns = file.mtime_ns if settled else -1
    return SourceState(file.path, file.root, file.size, mtime_ns, file.inode, digest, recipe)


def hash_file(path: str) -> bytes:
    """SHA-256 of the file's bytes. Raises OSError."""
    digest = hashlib.sha256()
    with Path(path).open("rb", buffering=0) as file:
        while block := file.read(_READ):
            digest.update(block)
    return digest.digest()


def _same(file: FoundFile, known: SourceState | FailedSource) -> bool:
    return file.size == known.size and file.mtime_ns == known.mtime_ns


def _seen_gone(
    path: str, found: Scan, known: dict[str, SourceState] | dict[str, FailedSource]
) -> bool:
    """Whether this sync looked where the source was, and could have seen it."""
    in_scope = known[path].root in found.roots or any(under(path, root) for root in found.roots)
    return in_scope and not any(under(path, folder) for folder in found.unseen)


def _check_roots(found: Scan, known: dict[str, SourceState], confirm_missing: bool) -> None:
    for root in found.missing:
        held = sum(1 for path in known if under(path, root))
        if held == 0:
            raise UsageError(f"There is no file or folder {root}.", remedy="Check the path.")
        if not confirm_missing:
            raise UsageError(
                f"{root} is gone, and the corpus holds {held} files of it.",
                remedy="If its disk is not mounted, mount it. If it was deleted on purpose, sync "
                "again with --confirm-missing (or `ragstone rm`).",
            )
    for root in found.roots:
        held = sum(1 for path in known if under(path, root))
        emptied = held > 1 and not any(under(path, root) for path in found.files)
        unseen = any(under(root, folder) or under(folder, root) for folder in found.unseen)
        if emptied and not unseen and not confirm_missing and Path(root).is_dir():
            raise UsageError(
                f"{root} is empty, and the corpus holds {held} files of it.",
                remedy="If a disk should be mounted there, mount it. If its files were deleted on "
                "purpose, sync again with --confirm-missing.",
            )


def _match_renames(plan: Plan, known: dict[str, SourceState], recipe: str) -> None:
    """A file that is new, and whose bytes a missing one had, is that one under a new name."""
    by_hash: dict[bytes, list[str]] = defaultdict(list)
    for path in plan.missing:
        if path in known and known[path].size > 0:
            by_hash[known[path].hash].append(path)
    for file in plan.to_read:
        candidates = by_hash.get(plan.hashes[file.path])
        if not candidates or file.path in known:
            continue
        same_name = [c for c in candidates if Path(c).name == Path(file.path).name]
        old = (same_name or candidates)[0]
        candidates.remove(old)
        plan.renames[file.path] = old
