"""A reader that finds the answers it was given, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ragstone.protocols import PassageReading

_SURE = 8.0  # log-odds of what it was told, for and against
_WORD = re.compile(r"\w+|[^\w\s]")


class PointingReader:
    """A `protocols.Reader` whose tokens are words: to a question that it knows, the first place
    of the answer it was given; to every other question, that there is none."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = dict(answers)
        self.asked: list[tuple[str, tuple[str, ...]]] = []  # every question with its texts

    @property
    def name(self) -> str:
        return "pointing"

    def read(
        self, question: str, texts: Sequence[str], *, titles: Sequence[str]
    ) -> list[PassageReading]:
        """One reading for each text; titles change nothing."""
        if len(titles) != len(texts):
            raise ValueError(f"{len(texts)} texts have {len(titles)} titles.")
        self.asked.append((question, tuple(texts)))
        return [self._read(self._answers.get(question, ""), text) for text in texts]

    def _read(self, answer: str, text: str) -> PassageReading:
        places = np.array([m.span() for m in _WORD.finditer(text)], np.int64).reshape(-1, 2)
        logits = np.zeros((len(places) + 1, 2))
        at = text.find(answer) if answer else -1
        inside = [
            n for n, (start, end) in enumerate(places) if at <= start and end <= at + len(answer)
        ]
        if at < 0 or not inside:
            inside = []
            logits[0] = _SURE
        else:
            logits[1 + inside[0], 0] = logits[1 + inside[-1], 1] = _SURE
        logs = logits - np.log(np.exp(logits).sum(axis=0))
        sure = _SURE if inside else -_SURE
        return PassageReading(places, logs[1:, 0], logs[1:, 1], float(logs[0].sum()), sure)

    def close(self) -> None:
        """Nothing is held."""
