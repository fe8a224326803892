"""What one transaction of the writer changes: values that `sync` fills, `Writer` takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ragstone.types import Document, Passage


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of a source that was read: stat, content hash, and how it was read.

    `recipe` names the reader's and chunker's settings: another recipe means reading again.
    """

    path: str
    root: str
    size: int
    mtime_ns: int
    inode: int
    hash: bytes
    recipe: str


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A source that could not be read; what the corpus held of it before stays."""

    path: str
    root: str
    reason: str
    remedy: str = ""
    size: int = -1
    mtime_ns: int = -1
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its passages and the hashes of the texts that were embedded for them."""

    document: Document
    origin: str  # the path of the source it came from
    passages: tuple[Passage, ...]
    embedded: tuple[bytes, ...]
    fingerprint: bytes  # by `rows.fingerprint`: what says that it need not be written again

    def __post_init__(self) -> None:
        if len(self.passages) != len(self.embedded):
            raise ValueError(f"{len(self.passages)} passages, {len(self.embedded)} hashes")


@dataclass(slots=True)
class Batch:
    """Changes that become true together."""

    puts: list[Prepared] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)  # document ids
    vectors: dict[bytes, npt.NDArray[np.float32]] = field(default_factory=dict)
    sources: list[SourceState] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)  # source paths
    failed: list[FailedSource] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.puts or self.removes or self.sources or self.forgotten or self.failed)
