"""From scored keys to hits, and the record of stages on the way.

A `Pool` is what the stages of one search pass on: every candidate's scores by stage, and the
score it is ranked by. Nothing here asks an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ragstone.protocols import Snapshot
from ragstone.retrieval.fusion import ranked
from ragstone.trace import Stage, Trace
from ragstone.types import Hit


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of one question: the deciding score by key, and the scores of each stage."""

    scores: Mapping[int, float]
    stages: Mapping[str, Mapping[int, float]]

    def hits(self, snapshot: Snapshot, k: int) -> list[Hit]:
        """The best `k` as hits with ranks from 1; equal scores by key."""
        keys = ranked(self.scores)[:k]
        return [
            Hit(passage, document, self.scores[key], rank, self.of(key))
            for rank, (key, (passage, document)) in enumerate(
                zip(keys, snapshot.fetch(keys), strict=True), start=1
            )
        ]

    def of(self, key: int) -> dict[str, float]:
        """One candidate's scores by stage; a stage that did not see it is left out."""
        return {name: scores[key] for name, scores in self.stages.items() if key in scores}


def rescored(hit: Hit, score: float, **stages: float) -> Hit:
    """The hit with another deciding score, and the scores of the stages that made it."""
    return Hit(hit.passage, hit.document, score, hit.rank, {**hit.scores, **stages})


def renumbered(hits: Iterable[Hit]) -> list[Hit]:
    """The same hits with ranks 1, 2, ... in the order given."""
    return [
        Hit(hit.passage, hit.document, hit.score, rank, hit.scores)
        for rank, hit in enumerate(hits, start=1)
    ]


@contextmanager
def stage(trace: Trace | None, name: str) -> Iterator[Stage]:
    """A stage of `trace`, or one that nobody reads."""
    if trace is None:
        yield Stage(name)
    else:
        with trace.stage(name) as opened:
            yield opened
