"""Let the disk, the clock and the permissions fail, and look at what is left.

    python bench/faults.py [--faults N] [--seed N]

The work of `trials.py` (sync, removal, rollback, re-embedding, optimising, merging,
repair, export, import) is done while one thing goes wrong: a write, fsync or rename fails, or all
from some moment on, as on a full or dying disk (faults.c, preloaded; needs a C compiler); a small
tmpfs runs full (needs root); the clock is a year off; the corpus's folder may not be written to any
more, or the documents' may not be read. The work must say so with a remedy, or come to its end; the
corpus must open and be the version before or the whole of the one after; `doctor` must find no
error; and once the fault is over the work must come to its end, at what a new corpus would be.
"""

import argparse
import ctypes
import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ragstone.applications import sync_take
from ragstone.errors import RagstoneError
from trials import FILES, OPERATIONS, Trial, examine, prepare

SAID = 7  # exit code of work that ended with an error and a remedy
NOBODY = 65534
YEAR_S = 366 * 86400.0


@dataclass(frozen=True)
class Fault:
    """Which calls fail (1 writes, 2 fsyncs, 4 renames), how, and whether from then on."""

    calls: int
    error: int
    goes_on: bool = False
    torn: bool = False


FAULTS = {
    "a write fails": Fault(1, errno.EIO),
    "half a write, then full": Fault(1, errno.ENOSPC, goes_on=True, torn=True),
    "an fsync fails": Fault(2, errno.EIO),
    "no fsync works any more": Fault(2, errno.EIO, goes_on=True),
    "a rename fails": Fault(4, errno.EIO),
}


class Wrapper:
    """The preloaded library."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.fault_arm.argtypes = [ctypes.c_char_p, *[ctypes.c_int] * 4, ctypes.c_long]
        self._library.fault_clock.argtypes = [ctypes.c_double]
        self._library.fault_seen.restype = ctypes.c_long
        self._library.fault_hits.restype = ctypes.c_long

    def arm(self, folder: Path, fault: Fault, nth: int) -> None:
        """The nth call fails; none with 0 (they are counted)."""
        self._library.fault_arm(
            os.fsencode(folder), fault.calls, fault.error, fault.goes_on, fault.torn, nth
        )

    def seen(self) -> int:
        return self._library.fault_seen()

    def hits(self) -> int:
        return self._library.fault_hits()

    def clock(self, shift_s: float) -> None:
        self._library.fault_clock(shift_s)


def run(work: Callable[[], None], before: Callable[[], None], after: Callable[[], int]) -> tuple:
    """Do the work in a forked process; gives its exit code, and what `after` said in it."""
    readable, writable = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(readable)
        code = 0
        try:
            before()
            work()
        except RagstoneError as error:
            code = SAID if error.remedy else 8
            if code != SAID:
                print(f"no remedy: {error}", file=sys.stderr)
        except BaseException as error:
            print(f"child: {type(error).__name__}: {error}", file=sys.stderr)
            code = 1
        os.write(writable, str(after()).encode())
        os._exit(code)
    os.close(writable)
    said = b""
    while piece := os.read(readable, 100):
        said += piece
    os.close(readable)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), int(said or 0)


def failing_calls(made: Trial, wrapper: Wrapper, fault: Fault, name: str) -> tuple[str, str]:
    """One call of the system fails; gives what the work said, and what was left."""
    healthy = made.folder / "healthy"
    shutil.rmtree(healthy, ignore_errors=True)
    before = made.state()
    work = prepare(made, name)
    shutil.copytree(made.folder, healthy, ignore=shutil.ignore_patterns("healthy", "fresh"))
    _, calls = run(work, lambda: wrapper.arm(made.folder, fault, 0), wrapper.seen)
    for place in ("corpus", "docs", "imported", "export.zip"):  # undo: that was for counting
        target = made.folder / place
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if (healthy / place).exists():
            (healthy / place).rename(target)
    nth = made.random.randint(1, max(1, calls))
    code, hits = run(work, lambda: wrapper.arm(made.folder, fault, nth), wrapper.hits)
    assert code in (0, SAID), f"{name} ended with {code}"
    left = examine(made, name, before, work)
    if not hits:
        return "no such call", left
    return "said so" if code == SAID else "went on", left


def wrong_clock(made: Trial, wrapper: Wrapper, name: str, shift_s: float) -> tuple[str, str]:
    """The clock is off while the work is done, and right again afterwards."""
    before = made.state()
    work = prepare(made, name)
    code, _ = run(work, lambda: wrapper.clock(shift_s), lambda: 0)
    assert code == 0, f"{name} ended with {code}"
    return "went on", examine(made, name, before, work)


def full_disk(made: Trial, room_bytes: int, name: str) -> tuple[str, str]:
    """The corpus lies on a file system of its own that has so much room left."""
    before = made.state()
    work = prepare(made, name)
    whole = made.folder / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    used = sum(-(-f.stat().st_size // 4096) * 4096 for f in made.corpus.rglob("*"))
    made.corpus.rename(whole)
    made.corpus.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={used + 65536 + room_bytes}", "tmpfs"]
    subprocess.run([*mount, str(made.corpus)], check=True)
    try:
        shutil.copytree(whole, made.corpus, dirs_exist_ok=True)
        code, _ = run(work, lambda: None, lambda: 0)
        assert code in (0, SAID), f"{name} ended with {code}"
        subprocess.run(["mount", "-o", f"remount,size={1 << 28}", str(made.corpus)], check=True)
        left = examine(made, name, before, work)
        shutil.rmtree(whole)
        shutil.copytree(made.corpus, whole)
    finally:
        subprocess.run(["umount", "-l", str(made.corpus)], check=True)
        made.corpus.rmdir()
        whole.rename(made.corpus)
    return "said so" if code == SAID else "went on", left


def lost_permission(made: Trial, name: str, place: str) -> tuple[str, str]:
    """Another user does the work, and may not write to the corpus or not read the documents."""
    before = made.state()
    work = prepare(made, name)
    victim = made.docs if place == "docs" else made.corpus
    modes = {p: p.stat().st_mode & 0o777 for p in [victim, *victim.rglob("*")]}

    def change(owner: int, modes_of: Callable[[Path], int]) -> None:
        for path in [made.folder, *made.folder.rglob("*")]:
            os.chown(path, owner, owner)
        for path in modes:
            if path.exists():
                path.chmod(modes_of(path))

    def lose() -> None:
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    denied = 0o000 if place == "docs" else 0o555
    change(NOBODY, lambda path: denied if path.is_dir() else modes[path])
    try:
        code, _ = run(work, lose, lambda: 0)
    finally:
        change(0, lambda path: modes[path])
    assert code in (0, SAID), f"{name} ended with {code}"
    return "said so" if code == SAID else "went on", examine(made, name, before, work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ragstone-faults-"))
    library = os.environ.get("RAGSTONE_FAULTS_LIBRARY")
    if library is None:
        library = str(folder / "faults.so")
        source = Path(__file__).with_name("faults.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, str(source), "-ldl"], check=True)
        environment = os.environ | {"LD_PRELOAD": library, "RAGSTONE_FAULTS_LIBRARY": library}
        done = subprocess.run([sys.executable, *sys.argv], env=environment, check=False)
        shutil.rmtree(folder)
        raise SystemExit(done.returncode)
    folder.chmod(0o755)
    sync_take.BATCH_PASSAGES = 16
    wrapper = Wrapper()
    made = Trial(folder / "t", options.seed)
    made.export()
    choose = random.Random(options.seed)
    is_root = os.geteuid() == 0
    trials: dict[str, Callable[[str], tuple[str, str]]] = {
        name: lambda operation, fault=fault: failing_calls(made, wrapper, fault, operation)
        for name, fault in FAULTS.items()
    }
    trials["the clock is a year behind"] = lambda o: wrong_clock(made, wrapper, o, -YEAR_S)
    trials["the clock is a year ahead"] = lambda o: wrong_clock(made, wrapper, o, YEAR_S)
    if is_root:
        trials["a small disk is full"] = lambda o: full_disk(made, choose.randrange(300_000), o)
        trials["the corpus may not be written"] = lambda o: lost_permission(made, o, "corpus")
        trials["the documents may not be read"] = lambda o: lost_permission(made, o, "docs")
    tally: dict[str, Counter[str]] = {name: Counter() for name in trials}
    try:
        for number in range(options.faults):
            name = list(trials)[number % len(trials)]
            operation = list(OPERATIONS)[number // len(trials) % len(OPERATIONS)]
            try:
                said, left = trials[name](operation)
            except BaseException:
                print(f"{name}, during {operation}:", file=sys.stderr)
                raise
            tally[name].update([said, left])
            while len(list(made.docs.iterdir())) < FILES // 3:
                made.change(4)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("| fault | met | the work said so | the work went on | left as before | wholly done |")
    print("|---|---|---|---|---|---|")
    for name, count in tally.items():
        met = count["said so"] + count["went on"]
        print(
            f"| {name} | {met} | {count['said so']} | {count['went on']} | {count['as before']} | "
            f"{count['wholly done']} |"
        )
    print(f"\n{options.faults} faults: every corpus whole, no error found, every work ended after.")


if __name__ == "__main__":
    main()
