"""docs/serve.md names every path and every option, with its true default."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

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
