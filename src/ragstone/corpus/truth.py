"""A connection to the truth for reading: shared by threads, its errors translated."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from ragstone.corpus.schema import BROKEN, DATABASE, connect, damaged

Row = tuple[object, ...]


class Truth:
    """One open connection to a corpus's database. Law: it changes nothing."""

    def __init__(self, folder: Path) -> None:
        """Open it. Raises CorpusError: missing, not ours, of another format, damaged."""
        self.folder = folder
        self._connection = connect(folder / DATABASE, write=False)
        self._lock = Lock()

    @property
    def connection(self) -> sqlite3.Connection:
        """For those who do not share it with another thread."""
        return self._connection

    def all(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Every row of the answer. Raises CorpusError where SQLite refuses."""
        try:
            with self._lock:
                return self._connection.execute(sql, tuple(parameters)).fetchall()
        except BROKEN as error:
            raise damaged(self.folder / DATABASE, error) from error

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        with self._lock:
            self._connection.close()


def visible(version: int) -> str:
    """The SQL condition under which a row of `documents` is a state that the version holds."""
    v = int(version)
    return f"documents.added <= {v} AND (documents.removed IS NULL OR documents.removed > {v})"
