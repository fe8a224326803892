"""Kill the writer at random moments, many times, and look at what is left.

    python bench/durability.py [--kills N] [--seed N]

A child process syncs, removes, rolls back, re-embeds, optimises, repairs, exports or imports, and
is sent SIGKILL at a random moment of that work. Then in the parent: the corpus must open; readers
must see exactly the version before or the whole of the one after; `doctor` must find no error; and
when the work is done again it must end where a new corpus of the same files would, with no document
lost or doubled and no file left over. Prints a table by operation, and fails on any violation.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ragstone.applications import sync_take
from trials import OPERATIONS, Trial, examine, prepare


def child(work: Callable[[], None]) -> int:
    """Do the work in a forked process; gives its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException as error:
        print(f"child: {type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)
    os._exit(0)


def killed(work: Callable[[], None], after_s: float) -> bool:
    """Whether the work was killed, and had not ended before."""
    pid = child(work)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        raise AssertionError(f"the work failed with {code}")
    return code != 0


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    os.waitpid(child(work), 0)
    return time.perf_counter() - started


def trial(
    number: int, trial_: Trial, names: list[str], durations: dict[str, float]
) -> tuple[str, str]:
    """One kill; gives the operation and what `examine` says was left of it, or "ended"."""
    name = names[number % len(names)]
    before = trial_.state()
    work = prepare(trial_, name)
    was_killed = killed(work, trial_.random.uniform(0, 1.1) * durations[name])
    left = examine(trial_, name, before, work)
    assert not list(trial_.folder.rglob(".ragstone-*")), "a folder of a killed run is left over"
    return name, left if was_killed else "ended"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sync_take.BATCH_PASSAGES = 16
    names = ["sync", "sync", *OPERATIONS]
    folder = Path(tempfile.mkdtemp(prefix="ragstone-durability-"))
    tally: dict[str, Counter[str]] = {name: Counter() for name in names}
    try:
        made = Trial(folder, options.seed)
        made.export()
        durations = {}
        for name in dict.fromkeys(names):
            durations[name] = timed(getattr(made, name))
            made.seed = made.state()[0]
        for path in (made.docs).iterdir():  # the first sync ran on an unchanged tree
            path.write_text(path.read_text() + " again")
        durations["sync"] = max(durations["sync"], timed(made.sync))
        kills = number = 0
        while kills < options.kills:
            name, outcome = trial(number, made, names, durations)
            tally[name][outcome] += 1
            kills += outcome != "ended"
            durations[name] *= 0.9 if outcome == "ended" else 1.1  # kills all along the work
            number += 1
    finally:
        shutil.rmtree(folder)
    print("| operation | kills | left as before | wholly done | ended before the kill |")
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(names):
        count = tally[name]
        left, done = count["as before"], count["wholly done"]
        cells = [OPERATIONS[name], left + done, left, done, count["ended"]]
        print("| " + " | ".join(map(str, cells)) + " |")
    print(
        f"\n{kills} kills: no document lost, doubled or stale, no error found, nothing left over."
    )


if __name__ == "__main__":
    main()
