"""Measure evidence, verification and abstention on open collections; every figure out of fold.

    python bench/grounding.py evidence|verification|abstention DATA_DIR --cache DIR [--limit N]

The cache keeps features between runs (see `ragstone.training`); nothing of the collections is
written anywhere else. Intervals are 95% percentile bootstraps over examples.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ragstone.evaluation.abstention import (
    aurc,
    auroc,
    calibration_error,
    refusal_measures,
)
from ragstone.grounding.abstention import THRESHOLDS
from ragstone.grounding.support import FEATURES
from ragstone.grounding.verification import STANDS
from ragstone.models.encoder import shipped_encoder
from ragstone.training import abstention, evidence, verifier


def interval(measure: Callable[[np.ndarray], float], count: int, *, draws: int = 400) -> str:
    """The 95% bootstrap interval of a measure of row numbers, as text."""
    draw = np.random.default_rng(0)
    values = [measure(draw.integers(0, count, count)) for _ in range(draws)]
    low, high = np.quantile(values, [0.025, 0.975])
    return f"[{low:.3f}, {high:.3f}]"


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
    parts = []
    for side in (True, False):
        hits = ((truth == side) & (guess == side)).sum()
        parts.append(2 * hits / max(1, (truth == side).sum() + (guess == side).sum()))
    return float(np.mean(parts))


def best_cut(truth: np.ndarray, scores: np.ndarray) -> float:
    cuts = np.unique(np.quantile(scores, np.linspace(0.02, 0.98, 49)))
    return float(max(cuts, key=lambda cut: macro_f1(truth, scores >= cut)))


def verification(data: Path, cache: Path, limit: int) -> None:
    """ExpertQA against baselines; injected faults caught and true claims rejected, by source."""
    with shipped_encoder() as encoder:
        parts = [
            verifier.read_or_gather(data, source, encoder, limit=limit, cache=cache)
            for source in verifier.SOURCES
        ]
    examples = [example for part in parts for example in part.examples]
    matrix = np.concatenate([part.matrix for part in parts])
    truth = verifier.labels_of(examples).astype(bool)
    scores = verifier.out_of_fold(matrix, examples)
    sources = np.array([example.source for example in examples])
    faults = np.array([example.fault for example in examples])
    exact = (matrix[:, FEATURES.index("numbers_missing")] > 0) | (
        matrix[:, FEATURES.index("dates_missing")] > 0
    )
    stands = (scores >= STANDS) & ~exact
    for source in dict.fromkeys(sources.tolist()):
        mine = sources == source
        if source == "expertqa":
            experts(truth[mine], scores[mine], stands[mine], matrix[mine], examples, mine)
            continue
        true, false = mine & truth, mine & ~truth
        cut = np.quantile(scores[true], 0.05)
        caught = 1 - stands[false]
        print(f"{source}: {true.sum()} true, {false.sum()} false")
        print(
            f"    AUROC {auroc(scores[mine], truth[mine]):.3f}; "
            f"caught at 5% of true rejected {(scores[false] < cut).mean():.3f}"
        )
        print(
            f"    as shipped: rejected {1 - stands[true].mean():.3f}, caught {caught.mean():.3f} "
            f"{interval(lambda rows, c=caught: c[rows].mean(), int(false.sum()))}"
        )
        for fault in sorted(set(faults[false].tolist())):
            rows = false & (faults == fault)
            print(f"    {fault:24} {rows.sum():4}  caught as shipped {1 - stands[rows].mean():.3f}")


def experts(truth, scores, stands, matrix, examples, mine) -> None:
    """Macro-F1 and AUROC on expert labels; thresholds of baselines are the best in hindsight."""
    own = [example for example, kept in zip(examples, mine, strict=True) if kept]
    readable = np.array(
        [any(len(unit.text.split()) > 1 for unit in example.evidence) for example in own]
    )
    for name, rows in (("all claims", np.ones(len(truth), bool)), ("with evidence text", readable)):
        t, s = truth[rows], scores[rows]
        print(f"expertqa, {name}: {len(t)}, {t.mean():.3f} complete")
        columns = {
            "learned judge": s,
            "lexical overlap": matrix[rows, FEATURES.index("plain_share")],
            "encoder cosine": matrix[rows, FEATURES.index("cosine")],
        }
        for column, values in columns.items():
            cut = 0.5 if column == "learned judge" else best_cut(t, values)
            f1 = macro_f1(t, values >= cut)
            f1_range = interval(lambda r, t=t, v=values, c=cut: macro_f1(t[r], v[r] >= c), len(t))
            area_range = interval(lambda r, t=t, v=values: auroc(v[r], t[r]), len(t))
            area = auroc(values, t)
            print(f"    {column:16} macro-F1 {f1:.3f} {f1_range}  AUROC {area:.3f} {area_range}")
        print(f"    as shipped       macro-F1 {macro_f1(t, stands[rows]):.3f}")
    print(
        f"    a perfect judge that rejects claims without evidence text: "
        f"macro-F1 {macro_f1(truth, truth & readable):.3f}"
    )


def abstain(data: Path, cache: Path, limit: int) -> None:
    """Risk, coverage and refusals by set; each set is judged by models that never saw it."""
    rows = abstention.read_or_gather(data, cache=cache, limit=limit)
    for name, scores in (
        ("corpus left out", abstention.left_out(rows)),
        ("group left out", abstention.out_of_fold(rows)),
    ):
        print(name)
        for source in sorted(set(rows.sources.tolist())):
            mine = rows.sources == source
            can = rows.labels[mine].astype(bool).tolist()
            said = scores[mine].tolist()
            line = f"  {source:24} n {mine.sum():4} answerable {np.mean(can):.2f}"
            if any(can) and not all(can):
                line += f" AUROC {auroc(said, can):.3f} AURC {aurc(said, can):.3f}"
                line += f" ECE {calibration_error(said, can):.3f}"
            for level, cut in THRESHOLDS.items():
                m = refusal_measures([s < cut for s in said], can)
                line += f" | {level} P {m.precision:.2f} R {m.recall:.2f} answered {m.answered:.2f}"
            print(line)


def choose(data: Path, cache: Path, limit: int) -> None:
    """Containment of answers by number of units and by tokens."""
    with shipped_encoder() as encoder:
        sets = evidence.read_or_gather(data, encoder, limit=limit, cache=cache)
    for name, rows in sets.items():
        left_out = evidence.train({o: part for o, part in sets.items() if o != name})
        columns = {
            "cosine + overlap": evidence.baseline(rows),
            "trees, set left out": left_out.scores(rows),
        }
        evidence.report(name, rows, columns)


def main(arguments: Sequence[str]) -> None:
    what, data = arguments[0], Path(arguments[1])
    cache = Path(arguments[arguments.index("--cache") + 1])
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 250
    {"verification": verification, "abstention": abstain, "evidence": choose}[what](
        data, cache, limit
    )


if __name__ == "__main__":
    main(sys.argv[1:])
