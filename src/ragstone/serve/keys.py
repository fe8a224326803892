"""API keys: who may do what, on which corpora, seeing which documents.

Law: the file never holds a key, only its SHA-256; a key is shown once, when it is made. A key
carries 256 random bits, so a plain digest cannot be guessed backwards and needs no slow hash
(NIST SP 800-63B, section 5.1.2.2 on look-up secrets). Comparison takes the same time whether
or not the key's number exists. The file is read again when it changes, so that a key taken
back stops working at once.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from ragstone.errors import UsageError

Role = Literal["read", "write", "admin"]
ROLES: tuple[Role, ...] = ("read", "write", "admin")  # each may do what those before it may
PREFIX = "rsk"
_FORM = re.compile(r"rsk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `corpora` None: all of them; `where`: only documents that fit are visible."""

    name: str
    role: Role
    corpora: frozenset[str] | None = None
    where: str = ""
    key_id: str = ""

    def may(self, role: Role) -> bool:
        """Whether this caller's role covers `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self, corpus: str) -> bool:
        """Whether this caller may know that `corpus` exists."""
        return self.corpora is None or corpus in self.corpora


LOCAL = Caller(name="local", role="admin")  # on loopback without keys: the machine's own user


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the file. `digest` is the hexadecimal SHA-256 of the secret part."""

    id: str
    name: str
    role: Role
    digest: str
    created: str
    corpora: tuple[str, ...] | None = None
    where: str = ""

    def caller(self) -> Caller:
        """The caller that this key stands for."""
        corpora = None if self.corpora is None else frozenset(self.corpora)
        return Caller(self.name, self.role, corpora, self.where, self.id)


def default_path() -> Path:
    """Where keys are kept unless an option says otherwise."""
    from platformdirs import user_config_path

    return Path(user_config_path("ragstone")) / "keys.json"


class Keys:
    """The keys of one file. A file that does not exist holds none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}
        self._read()

    @property
    def needed(self) -> bool:
        """Whether a caller must show a key: also when the last one was taken back."""
        return bool(self._read()) or self.path.exists()

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._read().values()))

    def add(
        self, name: str, *, role: Role, corpora: tuple[str, ...] | None = None, where: str = ""
    ) -> str:
        """Makes a key and returns it: the only time that it is seen. Raises UsageError."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"A key's name is {name!r}.", remedy="Use 1 to 100 printable characters."
            )
        if role not in ROLES:
            raise UsageError(f"Unknown role {role!r}.", remedy=f"Use one of: {', '.join(ROLES)}.")
        keys = dict(self._read())
        id_ = secrets.token_hex(4)
        while id_ in keys:
            id_ = secrets.token_hex(4)
        secret = secrets.token_urlsafe(32)
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        keys[id_] = Key(id_, name, role, _digest(secret), created, corpora, where)
        self._write(keys)
        return f"{PREFIX}_{id_}_{secret}"

    def revoke(self, id_: str) -> Key:
        """Takes the key with this number back. Raises UsageError for an unknown number."""
        keys = dict(self._read())
        if id_ not in keys:
            known = ", ".join(keys) or "none"
            raise UsageError(f"There is no key {id_!r}.", remedy=f"Known keys: {known}.")
        key = keys.pop(id_)
        self._write(keys)
        return key

    def find(self, presented: str) -> Caller | None:
        """The caller that presents this key, or None."""
        match = _FORM.fullmatch(presented)
        id_, secret = match.groups() if match else ("", presented[:200])
        key = self._read().get(id_)
        digest = key.digest if key else _digest("no such key")
        equal = hmac.compare_digest(_digest(secret), digest)
        return key.caller() if key and equal else None

    def _read(self) -> dict[str, Key]:
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._stamp, self._keys = None, {}
                return self._keys
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._keys = _parsed(self.path)
                self._stamp = stamp
            return self._keys

    def _write(self, keys: dict[str, Key]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"keys": [asdict(key) for key in keys.values()]}, file, indent=2)
        fresh.replace(self.path)
        with contextlib.suppress(OSError):  # folders that cannot be synced (Windows)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(path: Path) -> dict[str, Key]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["keys"]
        keys = [Key(**row) for row in rows]
        keys = [
            replace(key, corpora=None if key.corpora is None else tuple(key.corpora))
            for key in keys
        ]
        bad = next((key.role for key in keys if key.role not in ROLES), None)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"The file of keys {path} cannot be read: {type(error).__name__}.",
            remedy="Restore it, or delete it and make new keys with `ragstone serve keys add`.",
        ) from error
    if bad is not None:
        raise UsageError(f"Unknown role {bad!r} in {path}.", remedy=f"Use: {', '.join(ROLES)}.")
    return {key.id: key for key in keys}
