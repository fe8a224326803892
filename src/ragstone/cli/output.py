"""How results and messages look: plain in a pipe, coloured on a terminal, JSON on request.

Law: with `--json` standard output holds one JSON document and nothing else; messages and
progress go to standard error.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, TypedDict

import click

if TYPE_CHECKING:
    from ragstone.applications.wire import Json


class Unbroken(TypedDict):
    """How `textwrap` treats words that are longer than a line."""

    break_long_words: bool
    break_on_hyphens: bool


UNBROKEN: Unbroken = {"break_long_words": False, "break_on_hyphens": False}  # paths stay whole


def writable() -> None:
    """Let both streams take every string: what their encoding lacks is written as an escape.

    A file's name may hold bytes that are no text, a terminal may know ASCII alone, and a stream
    that was closed before the start takes everything and keeps nothing.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def emit_json(value: Json) -> None:
    """Print one JSON document to standard output."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    sys.stdout.write(json.dumps(value, ensure_ascii=encoding != "utf8", indent=2))
    sys.stdout.write("\n")
    sys.stdout.flush()


def terminal_width() -> int:
    """Columns of the terminal, or COLUMNS; 80 where neither says."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    for descriptor in (0, 1, 2):  # in a pipe, the terminal is on the other end of one of them
        with contextlib.suppress(OSError):
            return os.get_terminal_size(descriptor).columns or 80
    return 80


def is_terminal() -> bool:
    """Whether messages are read as they come, on a terminal that can draw a line anew."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def say(message: str) -> None:
    """One remark on standard error."""
    click.echo(message, err=True)


def fail(what: str, *, remedy: str = "", as_json: bool = False) -> None:
    """An error: what happened (with the value), then what to do."""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(_hanging(what), err=True)
    if remedy:
        click.echo(f"       {_hanging(remedy)}", err=True)
    if as_json:
        with contextlib.suppress(OSError):  # it may be standard output that is full
            emit_json({"error": {"what": what, "remedy": remedy}})


def _hanging(text: str) -> str:
    """`text` for behind `error: `, wrapped on a terminal; a line stays a line in a pipe."""
    if not sys.stderr.isatty() or "\n" in text:
        return text
    room = max(terminal_width() - 7, 20)
    return textwrap.fill(text, room, subsequent_indent=" " * 7, **UNBROKEN)


def counted(number: int, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sized(size_bytes: int) -> str:
    """A size as a person says it: `23 KB`, `1.4 MB`."""
    return f"{size_bytes / 1e3:.0f} KB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"


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
