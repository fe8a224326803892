"""Connections to the truth for reading: kept warm, shared by threads, their errors translated.

Law: nothing is changed through them; a connection is not used in a process other than the one that
opened it, nor once another database has taken the file's place.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

from ragstone.corpus.schema import BROKEN, DATABASE, connect, damaged
from ragstone.errors import CorpusError

Row = tuple[object, ...]
_IDLE = 4  # connections that wait for the next snapshot
_Place = tuple[int, int, int]  # process, device, inode


class Truth:
    """One connection to a corpus's database for as long as somebody reads."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        on_close: Callable[[sqlite3.Connection], None] = sqlite3.Connection.close,
    ) -> None:
        """`on_close` gets the connection when it is no longer needed."""
        self.folder = folder
        self._connection: sqlite3.Connection | None = connection
        self._on_close = on_close
        self._lock = Lock()

    @classmethod
    def open(cls, folder: Path) -> Truth:
        """A connection of its own. Raises CorpusError: missing, not ours, damaged, too new."""
        return cls(folder, connect(folder / DATABASE, write=False))

    @property
    def connection(self) -> sqlite3.Connection:
        """For those who do not share it with another thread. Raises CorpusError once closed."""
        if self._connection is None:
            raise CorpusError(
                f"The snapshot or store of {self.folder} was closed.",
                remedy="Open another one: what was read through it stays valid.",
            )
        return self._connection

    def all(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Every row of the answer. Raises CorpusError where SQLite refuses."""
        try:
            with self._lock:
                return self.connection.execute(sql, tuple(parameters)).fetchall()
        except BROKEN as error:
            raise damaged(self.folder / DATABASE, error) from error

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            self._on_close(connection)


class Readers:
    """Connections for snapshots of one corpus. Idle ones are kept with what they have cached.

    Opening one costs 0.3 ms, and reading the pages again that 60 passages lie on another 1 ms.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: list[tuple[_Place, sqlite3.Connection]] = []
        self._closed = False
        self._lock = Lock()

    def take(self) -> Truth:
        """A connection in no transaction. Raises CorpusError as `Truth.open` does."""
        here = self._place()
        connection = self._kept(here) or connect(self._folder / DATABASE, write=False)
        return Truth(self._folder, connection, partial(self._give_back, here))

    def _kept(self, here: _Place) -> sqlite3.Connection | None:
        """An idle connection to the file that is there now; others are let go of."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                place, connection = self._idle.pop()
            if place == here:
                return connection
            _close(place, connection)

    def _give_back(self, place: _Place, connection: sqlite3.Connection) -> None:
        try:
            if place == self._place() and connection.in_transaction:
                connection.execute("ROLLBACK")
            with self._lock:
                if place == self._place() and not self._closed and len(self._idle) < _IDLE:
                    self._idle.append((place, connection))
                    return
        except sqlite3.Error:
            pass
        _close(place, connection)

    def _place(self) -> _Place:
        try:
            status = (self._folder / DATABASE).stat()
        except OSError:
            return os.getpid(), -1, -1
        return os.getpid(), status.st_dev, status.st_ino

    def close(self) -> None:
        """Close what is idle, and what is given back from now on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for place, connection in idle:
            _close(place, connection)


def _close(place: _Place, connection: sqlite3.Connection) -> None:
    """Close it, unless it is another process's: then that one does."""
    if place[0] == os.getpid():
        connection.close()


def visible(version: int) -> str:
    """The SQL condition under which a row of `documents` is a state that the version holds."""
    v = int(version)
    return f"documents.added <= {v} AND (documents.removed IS NULL OR documents.removed > {v})"
