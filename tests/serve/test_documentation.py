"""docs/serve.md names every path and every option, with its true default."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from ragstone.serve import options
from ragstone.serve.app import OPERATIONS
from ragstone.serve.options import Options
from ragstone.serve.tools import TOOLS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/serve.md").read_text()


def test_every_path_is_documented():
    rows = set(re.findall(r"\| `(GET|POST|PUT|DELETE) (/api/[^`]*)`", TEXT))
    real = {(o.method, o.path) for o in OPERATIONS if o.path.startswith("/api/")}
    assert rows == real
    for operation in OPERATIONS:
        if operation.path.startswith("/v1/"):
            assert operation.path in TEXT or operation.path == "/v1/chat/completions"


def test_every_option_is_documented_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", TEXT, re.MULTILINE))
    assert set(rows) == set(options.names())
    for field in dataclasses.fields(Options):
        stated = rows[field.name].split("`")[1] if "`" in rows[field.name] else ""
        if field.name in ("keys", "threads", "uploads"):
            continue  # said in words
        value = tomllib.loads(f"x = {stated}")["x"]
        default = getattr(Options(), field.name)
        assert (tuple(value) if isinstance(value, list) else value) == default, field.name


def test_every_tool_is_documented():
    for name in TOOLS:
        assert f"`{name}`" in TEXT


def test_the_deployed_settings_are_known_options():
    table = tomllib.loads((ROOT / "deploy/ragstone.toml").read_text())
    assert Options().changed(table["serve"], origin="deploy").requests_per_minute == 600
    container = (ROOT / "deploy/Containerfile").read_text()
    for name in re.findall(r"RAGSTONE_SERVE_(\w+)=", container):
        assert name.lower() in options.names()


def test_the_container_copies_what_the_build_needs():
    """What pyproject names is copied, and nothing else: no .git, no virtual environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    copied = re.findall(
        r"^COPY (.*) \S+$", (ROOT / "deploy/Containerfile").read_text(), re.MULTILINE
    )
    names = {name for line in copied for name in line.split()}
    assert {"pyproject.toml", "src", project["readme"]} <= names
    assert set(project.get("license-files", ())) <= names
    assert all((ROOT / name).exists() for name in names)
    assert "." not in names


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd")
def test_systemd_reads_the_unit_and_finds_it_closed(tmp_path):
    unit = (ROOT / "deploy/ragstone.service").read_text()
    here = tmp_path / "ragstone.service"
    here.write_text(unit.replace("/opt/ragstone/bin/ragstone serve", "/bin/true"))
    verify = ["systemd-analyze", "verify", "--man=no", str(here)]
    checked = subprocess.run(verify, capture_output=True, text=True, check=False)
    own = [line for line in checked.stderr.splitlines() if "ragstone" in line]
    assert own == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(here)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert rated.returncode == 0, rated.stdout[-200:]
