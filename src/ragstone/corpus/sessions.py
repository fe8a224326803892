"""Conversations on disk: one JSON file each under `sessions/` in the corpus's folder.

Law: a file is replaced whole or not at all, so a reader and a crash see the old or the new one.
What a turn is, this module does not know; it keeps JSON objects under names.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ragstone.errors import CorpusError, UsageError

FOLDER = "sessions"
FORMAT = 1
_NAME = re.compile(r"[^\W\d_][\w.-]{0,63}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A kept conversation: its name, when it was last written (ISO 8601, UTC), its turns."""

    name: str
    changed: str
    turns: int


class Sessions:
    """The conversations of the corpus in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def load(self, name: str) -> Mapping[str, object] | None:
        """What was saved under `name`; None where nothing was.

        Raises UsageError for a name that no file may bear, CorpusError for a damaged file.
        """
        path = self._path(name)
        try:
            content = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise damaged_session(path, str(error)) from error
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise damaged_session(path, str(error)) from error
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise damaged_session(path, f"it is no session of format {FORMAT}")
        return value

    def save(self, name: str, turns: list[dict[str, object]]) -> None:
        """Write the turns under `name`, atomically. Raises CorpusError if the disk refuses."""
        path = self._path(name)
        value = {"format": FORMAT, "name": name, "turns": turns}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self._folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(value, file, ensure_ascii=False, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(written).replace(path)
            except BaseException:
                Path(written).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CorpusError(
                f"Cannot write the session {name!r} to {path}: {error.strerror or error}.",
                remedy="Writing needs free space and permission in the corpus's folder.",
            ) from error

    def list(self) -> list[SessionInfo]:
        """The kept conversations, the last written first; damaged files count no turns."""
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                value = self.load(path.stem)
            except (UsageError, CorpusError):
                value = None
            turns = value.get("turns") if value else None
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            count = len(turns) if isinstance(turns, list) else 0
            found.append(SessionInfo(path.stem, written.isoformat(timespec="seconds"), count))
        return sorted(found, key=lambda info: (info.changed, info.name), reverse=True)

    def delete(self, name: str) -> None:
        """Remove a conversation. Raises UsageError where there is none of that name."""
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            known = ", ".join(info.name for info in self.list()[:5]) or "none"
            raise UsageError(
                f"There is no session {name!r}.", remedy=f"Sessions of this corpus: {known}."
            ) from None

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.endswith(".") or _RESERVED.fullmatch(name):
            raise UsageError(
                f"A session cannot be named {name!r}.",
                remedy="Use up to 64 letters, digits, '-', '_' and '.', a letter first.",
            )
        return self._folder / f"{name}.json"


def damaged_session(path: Path | str, why: str) -> CorpusError:
    """The error for a session that cannot be read."""
    return CorpusError(
        f"The session {path} cannot be read: {why}.",
        remedy="Delete it with `ragstone chat --delete NAME`, or start another one.",
    )
