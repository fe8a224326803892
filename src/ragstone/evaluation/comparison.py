"""Two evaluations of the same questions -> which one is better, where, and how surely.

Law: comparing a run with itself finds nothing; swapping the two flips every difference and
keeps every p-value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ragstone.errors import UsageError
from ragstone.evaluation.confidence import bootstrap_interval, randomisation_p
from ragstone.evaluation.retrieval import Evaluation
from ragstone.types import Scalar


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in two runs over the queries that both have."""

    measure: str
    a: float
    b: float
    difference: float  # mean of b - a
    interval: tuple[float, float]  # 95% paired bootstrap of the difference
    p: float  # two-sided paired randomisation test
    wins: int  # queries where b is better
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Change:
    """A query whose value changed much."""

    id: str
    question: str
    a: float
    b: float
    ranking_a: tuple[str, ...]
    ranking_b: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything `compare` found; `values` are the main measure's by query, (a, b)."""

    dataset: str
    n: int
    only_a: int
    only_b: int
    main: str
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    values: Mapping[str, tuple[float, float]]
    settings: Mapping[str, tuple[Scalar, Scalar]]  # those that differ
    timings_ms: Mapping[str, tuple[float, float]]


def compare(
    a: Evaluation, b: Evaluation, *, main: str = "nDCG@10", most: int = 20, seed: int = 0
) -> Comparison:
    """Compare `b` against `a`, query by query.

    Raises UsageError where the runs share no query or not the main measure, or judge different
    files of one name.
    """
    of_a = {query.id: query for query in a.queries}
    of_b = {query.id: query for query in b.queries}
    shared = sorted(of_a.keys() & of_b.keys())
    if not shared:
        raise UsageError(
            f"The runs share no query: {a.dataset!r} has {len(of_a)}, {b.dataset!r} {len(of_b)}.",
            remedy="Compare two runs of one data set.",
        )
    other = a.checksums.get("qrels.tsv"), b.checksums.get("qrels.tsv")
    if None not in other and other[0] != other[1]:
        raise UsageError(
            f"The runs were judged by different qrels.tsv ({other[0]}, {other[1]}).",
            remedy="Evaluate both on the same judgements.",
        )
    measures = [name for name in a.measures if name in b.measures]
    if main not in measures:
        raise UsageError(
            f"The measure {main!r} is not in both runs.",
            remedy=f"Both have: {', '.join(measures)}.",
        )
    differences = tuple(
        _difference(
            name,
            [of_a[query].values[name] for query in shared],
            [of_b[query].values[name] for query in shared],
            seed,
        )
        for name in measures
    )
    values = {query: (of_a[query].values[main], of_b[query].values[main]) for query in shared}
    changed = [query for query in shared if values[query][0] != values[query][1]]
    changed.sort(key=lambda query: (-abs(values[query][1] - values[query][0]), query))
    return Comparison(
        dataset=a.dataset,
        n=len(shared),
        only_a=len(of_a) - len(shared),
        only_b=len(of_b) - len(shared),
        main=main,
        differences=differences,
        changes=tuple(
            Change(
                query,
                of_a[query].question,
                *values[query],
                tuple(name for name, _ in of_a[query].ranking),
                tuple(name for name, _ in of_b[query].ranking),
            )
            for query in changed[:most]
        ),
        values=values,
        settings={
            name: (a.settings.get(name, ""), b.settings.get(name, ""))
            for name in sorted(a.settings.keys() | b.settings.keys())
            if a.settings.get(name) != b.settings.get(name)
        },
        timings_ms={
            name: (a.timings_ms[name], b.timings_ms[name])
            for name in a.timings_ms
            if name in b.timings_ms
        },
    )


def _difference(name: str, a: list[float], b: list[float], seed: int) -> Difference:
    deltas = np.array(b) - np.array(a)
    wins, losses = int((deltas > 0).sum()), int((deltas < 0).sum())
    return Difference(
        name,
        float(np.mean(a)),
        float(np.mean(b)),
        float(deltas.mean()),
        bootstrap_interval(deltas.tolist(), seed=seed),
        randomisation_p(deltas.tolist(), seed=seed),
        wins,
        losses,
        len(deltas) - wins - losses,
    )
