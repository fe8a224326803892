"""Small runs of the harnesses in `bench/`: kills at random moments, and readers beside a writer."""

import os
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
        ("soak.py", ["--seconds", "4", "--readers", "2"], "no error, none stale"),
    ],
)
def test_harness(script, options, says):
    done = subprocess.run(
        [sys.executable, str(BENCH / script), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
