"""Small runs of the harnesses in `bench/`: kills, faults, flipped bytes, many readers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not hasattr(os, "fork") or not BENCH.is_dir(), reason="needs fork, bench/"),
]


@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        ("durability.py", ["--kills", "5", "--seed", "1"], "5 kills: no document lost"),
        ("faults.py", ["--faults", "10", "--seed", "1"], "10 faults: every corpus whole"),
        ("damage.py", ["--flips", "10", "--seed", "1"], "30 flips: no wrong text"),
        ("soak.py", ["--seconds", "4", "--readers", "2"], "no error, none stale"),
    ],
)
def test_harness(script, options, says):
    if script == "faults.py" and (sys.platform != "linux" or not shutil.which("cc")):
        pytest.skip("needs Linux and a C compiler")
    done = subprocess.run(
        [sys.executable, str(BENCH / script), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
