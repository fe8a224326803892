"""How far work is: one line on a terminal, drawn anew as things happen; nothing in a pipe.

Law: the line takes one row of the terminal, whatever stands in it, and nothing of it is left when
the work has ended.
"""

from __future__ import annotations

import sys
import time
import unicodedata
from types import TracebackType
from typing import Self

from ragstone.cli.output import is_terminal, terminal_width

_EVERY_S = 0.1  # a terminal over a slow connection shows no more
_BAR = 12  # characters; with the counts of a large sync the line still fits 80 columns
_LABEL = 20


class ProgressLine:
    """One line on standard error; silent where that is no terminal."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._cells = 0  # of what stands in the line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, label: str, *, done: int, total: int, unit: str) -> None:
        """Draw the line, but not more often than it can be read. `total` 0: it is not known yet."""
        now = time.monotonic()
        if not is_terminal() or (self._cells and done < total and now - self._last < _EVERY_S):
            return
        self._last = now
        self._draw(
            progress_line(
                label, done=done, total=total, unit=unit, seconds=now - self._began,
                columns=terminal_width() - 1,
            )
        )  # fmt: skip

    def clear(self) -> None:
        """Take the line away, so that other words can be printed."""
        if self._cells:
            self._draw("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _draw(self, line: str) -> None:
        cells = _cells(line)
        sys.stderr.write("\r" + line + " " * max(0, self._cells - cells))
        sys.stderr.flush()
        self._cells = cells


def progress_line(
    label: str, *, done: int, total: int, unit: str, seconds: float, columns: int
) -> str:
    """`report.pdf  [######------]  3/10 files  0:07`, at most `columns` cells wide."""
    full = min(_BAR, _BAR * done // total) if total else 0
    bar = f"[{'#' * full}{'-' * (_BAR - full)}]"
    share = f"{done}/{total or '?'} {unit}"
    minutes, rest = divmod(int(seconds), 60)
    name = _fitting(label, _LABEL)
    name += " " * (_LABEL - _cells(name))
    return _fitting(f"{name}  {bar}  {share}  {minutes}:{rest:02}", columns)


def _fitting(text: str, cells: int) -> str:
    """As much of `text` as `cells` hold, without characters that move the cursor."""
    text = "".join(character for character in text if character.isprintable())
    if _cells(text) <= cells:
        return text
    while text and _cells(text) >= cells:
        text = text[:-1]
    return f"{text}…" if cells > 0 else ""


def _cells(text: str) -> int:
    """How many places of a terminal a text takes: two for a wide character, none for a mark."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
