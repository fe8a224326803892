"""How well a system knows when to be silent.

A decision has a confidence, and would be right or wrong if answered. Selective prediction
(El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017): answering the most confident share of
questions (coverage) costs an error rate among them (risk); the area under that curve is the
AURC, lower being better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Answering every question with at least `threshold`: which share, at which error rate."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[RiskPoint]:
    """The curve, one point for each distinct confidence, from the most confident on.

    Raises ValueError where the two differ in length.
    """
    if len(confidences) != len(right):
        raise ValueError(f"{len(confidences)} confidences for {len(right)} answers.")
    order = sorted(range(len(right)), key=lambda place: -confidences[place])
    points: list[RiskPoint] = []
    wrong = 0
    for count, place in enumerate(order, start=1):
        wrong += not right[place]
        last = count == len(order) or confidences[order[count]] < confidences[place]
        if last:
            points.append(RiskPoint(confidences[place], count / len(order), wrong / count))
    return points


def aurc(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Area under the risk-coverage curve: the mean risk over all coverages (0 without answers).

    Questions of one confidence enter together, each coverage within them at their joint risk,
    so that the order of a file does not matter.
    """
    area = before = 0.0
    for point in risk_coverage(confidences, right):
        area += point.risk * (point.coverage - before)
        before = point.coverage
    return area


def auroc(confidences: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive is ranked above a negative, ties counting half (0.5 where one
    class is empty)."""
    scores = np.asarray(confidences, dtype=np.float64)
    truth = np.asarray(positive, dtype=bool)
    count, other = int(truth.sum()), int((~truth).sum())
    if not count or not other:
        return 0.5
    _, places, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[places]
    return float((ranks[truth].sum() - count * (count + 1) / 2) / (count * other))


@dataclass(frozen=True, slots=True)
class RefusalMeasures:
    """Of refusals: `precision` is the share that was due, `recall` the share of due ones that
    came; `answered` is the share of answerable questions that were answered."""

    precision: float
    recall: float
    f1: float
    answered: float


def refusal_measures(refused: Sequence[bool], answerable: Sequence[bool]) -> RefusalMeasures:
    """Refusals against what could be answered. Raises ValueError for differing lengths."""
    if len(refused) != len(answerable):
        raise ValueError(f"{len(refused)} decisions for {len(answerable)} questions.")
    due = sum(not can for can in answerable)
    given = sum(refused)
    right = sum(no and not can for no, can in zip(refused, answerable, strict=True))
    precision = right / given if given else 1.0
    recall = right / due if due else 1.0
    total = precision + recall
    could = len(answerable) - due
    answered = sum(can and not no for no, can in zip(refused, answerable, strict=True))
    return RefusalMeasures(
        precision,
        recall,
        2 * precision * recall / total if total else 0.0,
        answered / could if could else 1.0,
    )


def calibration_error(
    confidences: Sequence[float], right: Sequence[bool], *, bins: int = 10
) -> float:
    """Expected calibration error over `bins` of equal size (Naeini et al. 2015): the mean gap
    between confidence and share right."""
    if not confidences:
        return 0.0
    order = np.argsort(np.asarray(confidences), kind="stable")
    gap = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        said = float(np.mean([confidences[place] for place in part]))
        true = float(np.mean([right[place] for place in part]))
        gap += abs(said - true) * len(part)
    return gap / len(order)
