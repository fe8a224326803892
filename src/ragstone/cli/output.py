"""How results and messages look: plain in a pipe, coloured on a terminal, JSON on request.

Law: with `--json` standard output holds one JSON document and nothing else; messages and
progress go to standard error.
"""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ragstone.applications.wire import Json


def writable() -> None:
    """Let both streams take every string: what their encoding lacks is written as an escape.

    A file's name may hold bytes that are no text, and a terminal may know ASCII alone.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit_json(value: Json) -> None:
    """Print one JSON document to standard output."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    sys.stdout.write(json.dumps(value, ensure_ascii=encoding != "utf8", indent=2))
    sys.stdout.write("\n")
    sys.stdout.flush()


def out() -> Console:
    """The console on standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def messages() -> Console:
    """The console on standard error, for progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """One remark on standard error."""
    click.echo(message, err=True)


def fail(what: str, *, remedy: str = "", as_json: bool = False) -> None:
    """An error: what happened (with the value), then what to do."""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(what, err=True)
    if remedy:
        click.echo(f"       {remedy}", err=True)
    if as_json:
        emit_json({"error": {"what": what, "remedy": remedy}})


def shortened(text: str, width: int) -> str:
    """`text` on one line, at most `width` characters, its end marked where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: max(width - 1, 1)].rstrip() + "…"


def path_shortened(source: str, width: int) -> str:
    """A path relative to the working folder where it lies there; its end is what matters."""
    from pathlib import Path

    base = f"{Path.cwd()}/"
    shown = source.removeprefix(base)
    return shown if len(shown) <= width else "…" + shown[-(width - 1) :]
