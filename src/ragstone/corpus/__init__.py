"""The corpus on disk: one truth, derived indexes, versions.

Only this room knows how things lie on disk. `Store` opens a folder, `CorpusSnapshot` reads one
version, `Writer` changes it, `parse_where` reads filters.
"""

from ragstone.corpus.archive import import_corpus
from ragstone.corpus.batch import Batch, FailedSource, Prepared, SourceState
from ragstone.corpus.bm25 import Bm25
from ragstone.corpus.doctor import Finding
from ragstone.corpus.history import CorpusInfo, Difference, VersionInfo
from ragstone.corpus.ledger import Ledger
from ragstone.corpus.merging import Forgotten
from ragstone.corpus.rows import fingerprint
from ragstone.corpus.snapshot import CorpusSnapshot
from ragstone.corpus.store import Store
from ragstone.corpus.where import Where
from ragstone.corpus.where_parser import parse_where
from ragstone.corpus.writer import Writer

__all__ = [
    "Batch",
    "Bm25",
    "CorpusInfo",
    "CorpusSnapshot",
    "Difference",
    "FailedSource",
    "Finding",
    "Forgotten",
    "Ledger",
    "Prepared",
    "SourceState",
    "Store",
    "VersionInfo",
    "Where",
    "Writer",
    "fingerprint",
    "import_corpus",
    "parse_where",
]
