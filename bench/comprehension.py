"""What the reader adds to evidence, to the decision to answer and to the words that answer.

    python bench/comprehension.py DATA_DIR CORPORA_DIR [--limit 250]

`CORPORA_DIR/SET` is what `ragstone sync DATA_DIR/SET/corpus.jsonl.gz` wrote. Questions are those
that the reader was not trained on; the two fits are out of fold, by article.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ragstone.evaluation.abstention import auroc
from ragstone.evaluation.answers import exact_match, token_f1
from ragstone.grounding import comprehension, shortanswers
from ragstone.grounding.abstention import READ_THRESHOLDS
from ragstone.models.encoder import OnnxEncoder, shipped_encoder
from ragstone.training.comprehension import (
    SETS,
    Looked,
    Matrix,
    balanced,
    chosen_for,
    decision_rows,
    gathered,
    out_of_fold,
    regimes,
    unit_rows,
)

Parts = dict[str, tuple[np.ndarray, int]]


def area(scores: Matrix, labels: Matrix) -> float:
    truth = labels > 0
    if truth.all() or not truth.any():
        return float("nan")
    return auroc(scores.tolist(), truth.tolist())


def report_units(rows: Matrix, labels: Matrix, groups: Sequence[str], weights: Matrix) -> None:
    """Area under the curve of units by set: the scorer alone, the reader alone, both."""
    both = out_of_fold(rows, labels, weights, groups)
    sets = np.array([group.split(":")[0] for group in groups])
    for name in np.unique(sets):
        mine = sets == name
        areas = [area(s[mine], labels[mine]) for s in (rows[:, 0], rows[:, 1], both)]
        sys.stdout.write(f"units {name:14} {mine.sum():6} " + " ".join(f"{a:.3f}" for a in areas))
        sys.stdout.write("\n")


def report_decisions(
    rows: Matrix, labels: Matrix, groups: Sequence[str], sources: Sequence[str], parts: Parts
) -> None:
    """Areas under the curve (trees, reader, both) of each set, and what is answered of the found
    and refused of the others at the three thresholds; each regression by itself."""
    weights = balanced(sources)
    both = np.zeros(len(rows))
    for mine, columns in parts.values():
        own = [group for group, chosen in zip(groups, mine, strict=True) if chosen]
        both[mine] = out_of_fold(rows[mine][:, :columns], labels[mine], weights[mine], own)
    probability = 1.0 / (1.0 + np.exp(-both))
    names = np.array(["stranger" if s.startswith("stranger") else s for s in sources])
    for name in [*np.unique(names), "all"]:
        mine = (names == name) | (name == "all")
        areas = [area(s[mine], labels[mine]) for s in (rows[:, 0], rows[:, 1], both)]
        line = f"decisions {name:14} {mine.sum():5} " + " ".join(f"{a:.3f}" for a in areas)
        for level, cut in READ_THRESHOLDS.items():
            yes, no = mine & (labels > 0), mine & (labels == 0)
            answered = (probability[yes] >= cut).mean() if yes.any() else float("nan")
            refused = (probability[no] < cut).mean() if no.any() else float("nan")
            line += f" | {level}: {answered:.3f} {refused:.3f}"
        print(line)


def report_short(items: Sequence[Looked], encoder: OnnxEncoder) -> None:
    """Exact match and F1 of the marked words, with and without the reader."""
    for name in SETS:
        mine = [i for i in items if i.source == name and i.asked.answers]
        for reading in (False, True):
            exact: list[float] = []
            overlap: list[float] = []
            held: list[float] = []
            for item in mine:
                chosen = chosen_for(item, encoder, reading=reading)
                read = item.read if reading else comprehension.NOTHING
                short = shortanswers.find(
                    item.asked.question, chosen, memory=item.memory, read=read
                )
                text = short.text if short else ""
                exact.append(exact_match(text, item.asked.answers))
                overlap.append(token_f1(text, item.asked.answers))
                shown = " ".join(one.text for one in chosen[:3]).lower()
                held.append(float(any(a.lower().strip() in shown for a in item.asked.answers)))
            if mine:
                sys.stdout.write(
                    f"short {name:14} {len(mine):4} reader {reading!s:5} EM {np.mean(exact):.3f} "
                    f"F1 {np.mean(overlap):.3f} held by the best three {np.mean(held):.3f}\n"
                )


def main(arguments: Sequence[str]) -> None:
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 250
    with ExitStack() as stack:
        encoder = stack.enter_context(shipped_encoder())
        data, corpora = Path(arguments[0]), Path(arguments[1])
        items = gathered(data, corpora, encoder, stack, limit=limit)
        rows, labels, groups = unit_rows(items, encoder)
        report_units(rows, labels, groups, balanced([group.split(":")[0] for group in groups]))
        rows, labels, groups, sources = decision_rows(items, encoder)
        report_decisions(rows, labels, groups, sources, regimes(items))
        report_short(items, encoder)


if __name__ == "__main__":
    main(sys.argv[1:])
