"""The reader: question and passage in one row of tokens, scored together, offline.

    [CLS] question [SEP] title: passage [SEP] --int8 BERT--> where an answer begins and ends,
                                                            or that there is none

Two vectors made apart cannot tell who did what to whom; tokens that attend to each other can.
Law: a passage's reading does not depend on the passages beside it. The folder holds the layers
alone: word vectors are looked up in the shipped encoder's table, where they lie anyway (its
checksum is recorded, so that a table of other weights is refused). Trained by
`ragstone.training.reader`; English.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.errors import ModelError
from ragstone.models.cores import physical_cores
from ragstone.models.encoder import SHIPPED
from ragstone.models.encoder_files import MODEL_FILE, TOKENIZER_FILE, read_folder, seal
from ragstone.models.pairs import Pair
from ragstone.models.sessions import open_session
from ragstone.models.tokens import open_tokens
from ragstone.protocols import PassageReading

SETTINGS_FILE = "reader.json"
MAX_TOKENS = 320  # of question, title and passage together; the passage's end is cut

_WEIGHTS = Path(__file__).parent / "weights"
_QUESTION_CHARACTERS = 300  # more is background
_TITLE_CHARACTERS = 80
# In one run, whose arrays then fit the cache. Against 8 passages a run, whatever their length,
# those of 280 tokens take 30% less processor time, of 140 10%, and the process 50 MB less.
_BATCH_TOKENS = 512
_AT_ONCE = 2  # runs: each holds its own arrays and uses all cores anyway


@dataclass(frozen=True, slots=True)
class WordTable:
    """Where an encoder's word vectors lie in its file: int8 rows, then a float32 scale a row."""

    rows: int
    dim: int
    offset: int
    scale_offset: int
    encoder_sha256: str


def shipped_reader(*, threads: int = 0) -> OnnxReader:
    """The reader inside the package; `threads` 0 means one per physical core."""
    return OnnxReader(_WEIGHTS / "reader", _WEIGHTS / SHIPPED, threads=threads)


class OnnxReader:
    """A `protocols.Reader` over two folders: its own layers, and the encoder whose words it reads.

    Safe to use from several threads at once.
    """

    def __init__(self, folder: Path, encoder: Path, *, threads: int = 0) -> None:
        """Raises ModelError where files are missing or do not belong together."""
        self._path = folder
        self._name, table, self._sha256 = _settings(folder)
        seals = read_folder(encoder).seals
        if seals[MODEL_FILE].sha256 != table.encoder_sha256:
            raise ModelError(
                f"The reader in {folder} was made with other word vectors than those in {encoder}.",
                remedy="Install the package again; both come with it.",
            )
        self._words, self._scales = _table(encoder / MODEL_FILE, table)
        self._tokens = open_tokens(encoder / TOKENIZER_FILE, max_tokens=MAX_TOKENS)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._session = open_session(
            folder / MODEL_FILE,
            threads=threads or physical_cores(),
            fused=True,
            remedy="Install the package again, or update onnxruntime.",
        )

    @property
    def name(self) -> str:
        return self._name

    def read(
        self, question: str, texts: Sequence[str], *, titles: Sequence[str]
    ) -> list[PassageReading]:
        """One reading for each text, in their order; `titles` has as many entries."""
        asked = question[:_QUESTION_CHARACTERS]
        fronts = [f"{title[:_TITLE_CHARACTERS]}: " if title else "" for title in titles]
        whole = [front + text for front, text in zip(fronts, texts, strict=True)]
        rows = self._tokens.pairs(asked, whole)
        readings: list[PassageReading | None] = [None] * len(rows)
        order = sorted(range(len(rows)), key=lambda place: -len(rows[place].ids))
        start = 0
        while start < len(order):
            count = max(1, _BATCH_TOKENS // len(rows[order[start]].ids))
            places = order[start : start + count]
            start += count
            spans, passages = self._run([rows[place] for place in places])
            for row, place in enumerate(places):
                pair = rows[place]
                first = len(pair.types) - sum(pair.types)  # of the passage's tokens
                within = np.array(pair.places, np.int64).reshape(-1, 2) - len(fronts[place])
                readings[place] = _reading(spans[row], passages[row], first, within)
        return [reading for reading in readings if reading is not None]

    def _run(self, rows: Sequence[Pair]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        lengths = np.array([len(pair.ids) for pair in rows], np.int32)
        ids = np.zeros((len(rows), int(lengths.max())), np.int32)
        types = np.zeros_like(ids)
        for place, pair in enumerate(rows):
            ids[place, : len(pair.ids)] = pair.ids
            types[place, : len(pair.ids)] = pair.types
        with self._turns:  # the vectors of those who wait would be 4 MB each
            vectors = self._words[ids].astype(np.float32)
            vectors *= self._scales[ids]
            feed = {"word_vectors": vectors, "token_type_ids": types, "lengths": lengths}
            spans, passages = self._session.run(["span_logits", "passage_logits"], feed)
        return spans, passages

    def verify(self) -> None:
        """Compare the file's contents with its recorded checksum. Raises ModelError."""
        path = self._path / MODEL_FILE
        found = seal(path).sha256
        if found != self._sha256:
            raise ModelError(
                f"{path} has the sha256 {found} where {self._sha256} was built.",
                remedy="The file is damaged or was exchanged: install the package again.",
            )

    def close(self) -> None:
        """Nothing is held but memory; closing twice is harmless."""


def _reading(
    logits: npt.NDArray[np.float32],
    passage: npt.NDArray[np.float32],
    first: int,
    places: npt.NDArray[np.int64],
) -> PassageReading:
    """Log-probabilities over the passage's own tokens and "none", which is the first token.

    `places` are those of the tokens from `first` on, shape (tokens, 2), negative for the title's.
    """
    own = np.flatnonzero(places[:, 0] >= 0)
    rows = np.concatenate([[0], first + own])
    chosen = logits[rows].astype(np.float64)
    most = chosen.max(axis=0)
    logs = chosen - most - np.log(np.exp(chosen - most).sum(axis=0))
    return PassageReading(
        places=places[own],
        starts=logs[1:, 0],
        ends=logs[1:, 1],
        none=float(logs[0].sum()),
        answers=float(passage[0]),
    )


def _settings(folder: Path) -> tuple[str, WordTable, str]:
    path = folder / SETTINGS_FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return str(raw["name"]), WordTable(**raw["table"]), str(raw["sha256"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path} cannot be used: {error}.", remedy="Install the package again."
        ) from error


def _table(model: Path, table: WordTable) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """The word vectors inside an encoder's file: mapped, not read; their scales (rows, 1)."""
    words = np.memmap(model, np.int8, "r", offset=table.offset, shape=(table.rows, table.dim))
    with model.open("rb") as file:
        file.seek(table.scale_offset)
        scales = np.frombuffer(file.read(4 * table.rows), np.float32)
    return words, scales.reshape(table.rows, 1)
