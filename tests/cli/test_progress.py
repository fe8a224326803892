"""How far work is: one row of the terminal, whatever stands in it, and nothing left of it."""

import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.cli.progress import ProgressLine, progress_line


class Terminal(io.StringIO):
    """Standard error as a terminal, of which only the last row is looked at."""

    def isatty(self) -> bool:
        return True

    def row(self) -> str:
        """What stands in the row, each `\\r` having gone back to its beginning."""
        row = ""
        for part in self.getvalue().split("\r"):
            row = part + row[len(part) :]
        return row


def opened(monkeypatch, terminal: io.StringIO) -> io.StringIO:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def line(label: str, columns: int = 80, done: int = 3, total: int = 10) -> str:
    return progress_line(
        label, done=done, total=total, unit="files", seconds=127.9, columns=columns
    )


def test_it_says_what_how_much_and_how_long():
    assert line("report.pdf") == "report.pdf            [###---------]  3/10 files  2:07"
    assert "[############]  10/10" in line("a", done=10)
    assert "[------------]  7/? files" in line("a", done=7, total=0)


@given(st.text(max_size=60), st.integers(0, 120))
def test_it_takes_one_row_of_the_terminal(label, columns):
    shown = line(label, columns)
    assert sum(not unicodedata.combining(c) for c in shown) <= columns
    assert shown.isprintable()


def test_wide_characters_take_two_places():
    assert line("東京都の報告書の第一巻の目次.pdf").index("[") == 22 - 9
    assert len(line("東京" * 30, columns=9)) == 5  # 4 of two places and the mark of the cut


def test_nothing_of_it_is_left(monkeypatch):
    terminal = opened(monkeypatch, Terminal())
    with ProgressLine() as progress:
        progress.show("a long name of a file", done=0, total=2, unit="files")
        assert terminal.row().startswith("a long name of a fi…")
        progress.show("b", done=2, total=2, unit="files")
        assert terminal.row().rstrip().endswith("2/2 files  0:00")
        progress.clear()
        assert terminal.row().strip() == ""
    assert terminal.getvalue().endswith("\r")
    assert "\n" not in terminal.getvalue()


def test_it_is_drawn_no_more_often_than_it_can_be_read(monkeypatch):
    terminal = opened(monkeypatch, Terminal())
    with ProgressLine() as progress:
        for done in range(1000):
            progress.show("a", done=done, total=1000, unit="files")
    assert terminal.getvalue().count("files") < 100


@pytest.mark.parametrize(("stream", "kind"), [(io.StringIO, "xterm"), (Terminal, "dumb")])
def test_it_is_silent_where_no_line_can_be_drawn_anew(monkeypatch, stream, kind):
    terminal = opened(monkeypatch, stream())
    monkeypatch.setenv("TERM", kind)
    with ProgressLine() as progress:
        progress.show("a", done=1, total=2, unit="files")
    assert terminal.getvalue() == ""
