"""What the truth says of versions, and of the corpus as a whole: questions, no state.

Law: nothing here is seen of what a stopped `sync` left unpublished, but its count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ragstone.corpus.schema import DATABASE, damaged
from ragstone.corpus.truth import Truth, visible
from ragstone.errors import UsageError
from ragstone.types import Failure


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One published version; `created` is in seconds since 1970 UTC."""

    number: int
    created: float
    note: str
    documents: int
    passages: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Document ids (with sources) that version `b` has, has otherwise, or lacks against `a`."""

    a: int
    b: int
    added: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CorpusInfo:
    """What there is to say of a corpus as a whole."""

    path: str
    version: int
    documents: int
    passages: int
    characters: int
    encoder_identity: str
    dim: int
    versions: int
    failures: int
    pending: int  # documents committed by a sync that was stopped, not yet published
    size_bytes: int


def encoder_of(truth: Truth) -> tuple[int, str, int]:
    """The encoder's number, identity and dimensions. Raises CorpusError where none is named."""
    found = truth.all(
        "SELECT id, identity, dim FROM encoders "
        "WHERE id = (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'encoder')"
    )
    if not found:
        raise damaged(truth.folder / DATABASE, ValueError("it names no encoder"))
    return cast("tuple[int, str, int]", found[0])


def newest(truth: Truth) -> int:
    """The newest published version; 0 is the empty corpus."""
    return _one(truth, "SELECT COALESCE(MAX(number), 0) FROM versions")


def version_list(truth: Truth) -> list[VersionInfo]:
    """All versions that are kept, oldest first."""
    tags: dict[object, list[str]] = {}
    for name, version in truth.all("SELECT name, version FROM tags ORDER BY name"):
        tags.setdefault(version, []).append(str(name))
    found = truth.all(
        "SELECT number, created, note, documents, passages FROM versions ORDER BY number"
    )
    return [
        VersionInfo(*cast("tuple[int, float, str, int, int]", row), tuple(tags.get(row[0], ())))
        for row in found
    ]


def resolve(truth: Truth, version: int | str | None) -> int:
    """A version's number from a number, a tag or None (the newest). Raises UsageError."""
    if version is None:
        return newest(truth)
    name = str(version)
    if name.isdecimal():
        found = truth.all("SELECT number FROM versions WHERE number = ?", (int(name),))
    else:
        found = truth.all("SELECT version FROM tags WHERE name = ?", (name,))
    if found:
        return cast("int", found[0][0])
    if name == "0" and newest(truth) == 0:
        return 0
    raise UsageError(
        f"The corpus has no version or tag {name!r}.", remedy="`ragstone versions` lists them."
    )


def difference(truth: Truth, first: int, last: int) -> Difference:
    """What changed from one version to another."""
    sides: list[dict[str, tuple[str, bytes]]] = []
    for here, there in ((first, last), (last, first)):
        found = truth.all(
            f"SELECT id, source, fingerprint FROM documents WHERE {visible(here)} "
            f"AND NOT ({visible(there)}) ORDER BY source, id"
        )
        rows = cast("list[tuple[str, str, bytes]]", found)
        sides.append({id: (source, mark) for id, source, mark in rows})
    old, new = sides
    return Difference(
        first, last,
        tuple((id, s) for id, (s, _) in new.items() if id not in old),
        tuple((id, s) for id, (s, m) in new.items() if id in old and old[id] != (s, m)),
        tuple((id, s) for id, (s, _) in old.items() if id not in new),
    )  # fmt: skip


def failures(truth: Truth) -> list[Failure]:
    """Sources that could not be read, ordered by name."""
    found = truth.all("SELECT source, reason, remedy FROM failures ORDER BY source")
    return [Failure(*cast("tuple[str, str, str]", row)) for row in found]


def corpus_info(truth: Truth) -> CorpusInfo:
    """Counts, size on disk, encoder and the state of the corpus."""
    head = newest(truth)
    ((documents, passages, characters),) = cast(
        "list[tuple[int, int, int]]",
        truth.all(
            "SELECT COUNT(*), COALESCE(SUM(passages), 0), COALESCE(SUM(characters), 0) "
            f"FROM documents WHERE {visible(head)}"
        ),
    )
    pending = _one(
        truth, f"SELECT COUNT(*) FROM documents WHERE added > {head} OR removed > {head}"
    )
    versions = _one(truth, "SELECT COUNT(*) FROM versions")
    failing = _one(truth, "SELECT COUNT(*) FROM failures")
    _, identity, dim = encoder_of(truth)
    size = sum(f.stat().st_size for f in truth.folder.rglob("*") if f.is_file())
    return CorpusInfo(
        str(truth.folder), head, documents, passages, characters, identity, dim, versions, failing,
        pending, size,
    )  # fmt: skip


def hidden_states(truth: Truth, version: int) -> npt.NDArray[np.int64]:
    """Document states that the indexes may hold and the version does not."""
    v = int(version)
    found = truth.all(
        f"SELECT state FROM documents WHERE added > {v} "
        f"UNION SELECT state FROM documents WHERE removed IS NOT NULL AND removed <= {v}"
    )
    return np.array([state for (state,) in found], dtype=np.int64)


def languages(truth: Truth, version: int) -> list[str]:
    """The languages of the version's documents, by skipping along the index."""
    found = truth.all(
        "WITH RECURSIVE names (name) AS (SELECT MIN(language) FROM documents UNION ALL "
        "SELECT (SELECT MIN(language) FROM documents WHERE language > name) FROM names "
        "WHERE name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL AND EXISTS "
        f"(SELECT 1 FROM documents WHERE language = name AND {visible(version)})"
    )
    return [str(name) for (name,) in found] or [""]


def _one(truth: Truth, sql: str) -> int:
    return cast("int", truth.all(sql)[0][0])
