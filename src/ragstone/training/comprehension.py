"""Fit how much the reader's word counts: beside the scorer of evidence, and beside the decision.

    python -m ragstone.training.comprehension DATA_DIR CORPORA_DIR

`CORPORA_DIR/SET` is what `ragstone sync DATA_DIR/SET/corpus.jsonl.gz` wrote. Only questions of
groups that the reader was not trained on (`reader_samples.is_held_out`) are used, and
questions of sets that it never saw; hits are those of the shipped retriever. Both fits are
logistic regressions over two signs; what is printed is out of fold (two folds, by group).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding import abstention, comprehension, evidence
from ragstone.grounding.candidates import candidates_of
from ragstone.grounding.questions import understand
from ragstone.grounding.tokens import TokenMemory
from ragstone.models.encoder import OnnxEncoder, shipped_encoder
from ragstone.models.reader import OnnxReader, shipped_reader
from ragstone.training.pools import Asked, Pool, open_pool
from ragstone.training.reader_samples import is_held_out
from ragstone.types import Evidence, Hit

SETS = ("squad2", "hotpotqa", "covidqa", "multihop_rag", "scifact", "fiqa_subset", "mtrag")
STRANGERS: Mapping[str, tuple[str, ...]] = {
    "squad2": ("hotpotqa", "covidqa", "scifact", "fiqa_subset"),
    "multihop_rag": ("squad2", "covidqa"),
    "covidqa": ("squad2", "multihop_rag"),
    "scifact": ("squad2", "fiqa_subset"),
    "fiqa_subset": ("scifact", "squad2"),
}
K = 10

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Looked:
    """One question with its hits, and what the reader makes of them."""

    source: str  # its set, or "stranger: SET"
    group: str
    asked: Asked
    hits: list[Hit]
    read: comprehension.Comprehension
    pool: Pool
    memory: TokenMemory


def look(
    pools: Mapping[str, Pool], encoder: OnnxEncoder, reader: OnnxReader, *, limit: int
) -> Iterator[Looked]:
    """Up to `limit` held-out questions of every set, and a sixth as many of strangers."""
    draw = np.random.default_rng(6)
    for corpus, sources in {
        name: (name, *(one for one in STRANGERS.get(name, ()) if one in pools)) for name in pools
    }.items():
        for source in sources:
            own = source == corpus
            asked = [
                q for place, q in enumerate(pools[source].questions)
                if is_held_out(source, place, q) and (own or (q.gold and not q.unanswerable))
            ]  # fmt: skip
            for place in draw.permutation(len(asked))[: limit if own else limit // 6]:
                question = asked[place]
                hits = pools[corpus].hits(question.question, K)
                read = comprehension.comprehend(question.question, hits, reader)
                name = source if own else f"stranger: {corpus}"
                group = f"{source}:{question.group}"
                memory = TokenMemory(encoder)
                yield Looked(name, group, question, hits, read, pools[corpus], memory)


def holds(item: Looked, document_id: str, text: str, start: int) -> bool:
    """Whether a stretch holds the answer where the set says that it stands."""
    if document_id not in item.asked.gold:
        return False
    offsets = item.asked.gold[document_id]
    if offsets:
        return any(start <= offset < start + len(text) for offset in offsets)
    low = text.lower()
    return any(answer.lower() in low for answer in item.asked.answers)


def unit_rows(items: Sequence[Looked], encoder: OnnxEncoder) -> tuple[Matrix, Matrix, list[str]]:
    """Signs of every unit that was read (rows, 2), its label, its question's group."""
    rows: list[list[float]] = []
    labels: list[float] = []
    groups: list[str] = []
    for item in items:
        if item.source.startswith("stranger") or not item.asked.answers:
            continue
        units = candidates_of(item.hits, item.pool.document)
        asked = understand(item.asked.question)
        found = evidence.score(asked, units, encoder, memory=item.memory)
        for unit, probability in zip(units, found, strict=True):
            row = comprehension.unit_signs(item.read, unit.hit.rank, unit.span, float(probability))
            if row is None:
                continue
            rows.append(row)
            document_id = unit.hit.passage.document_id
            labels.append(float(holds(item, document_id, unit.text, unit.span.start)))
            groups.append(item.group)
    return np.array(rows), np.array(labels), groups


def chosen_for(item: Looked, encoder: OnnxEncoder, *, reading: bool = True) -> list[Evidence]:
    """The evidence that an answer would be made of."""
    return evidence.select(
        item.asked.question, item.hits, encoder=encoder, document_of=item.pool.document,
        memory=item.memory, read=item.read if reading else comprehension.NOTHING,
    )  # fmt: skip


def decision_rows(
    items: Sequence[Looked], encoder: OnnxEncoder
) -> tuple[Matrix, Matrix, list[str], list[str]]:
    """Signs of every decision (rows, 2), whether it can be answered, groups and sources."""
    rows: list[list[float]] = []
    labels: list[float] = []
    groups: list[str] = []
    sources: list[str] = []
    for item in items:
        chosen = chosen_for(item, encoder)
        asked = understand(item.asked.question)
        trees = abstention.without_reading(asked, chosen, item.hits)
        rows.append(comprehension.decision_signs(item.read, trees))
        found = {hit.passage.document_id for hit in item.hits}
        own = not item.source.startswith("stranger") and not item.asked.unanswerable
        labels.append(float(own and bool(found & set(item.asked.gold))))
        groups.append(item.group)
        sources.append(item.source)
    return np.array(rows), np.array(labels), groups, sources


def regimes(items: Sequence[Looked]) -> dict[str, tuple[npt.NDArray[np.bool_], int]]:
    """Which rows each of the decision's regressions is of, and how many signs it may use."""
    asked = [understand(item.asked.question) for item in items]
    weights = [comprehension.weights_for(question) for question in asked]
    fact, other, long = (
        np.array([own == wanted for own in weights])
        for wanted in (comprehension.FACT, comprehension.OTHER, comprehension.LONG)
    )
    return {"FACT": (fact, 2), "OTHER": (other, 2), "LONG": (long, 1)}


def logistic(rows: Matrix, labels: Matrix, weights: Matrix, *, ridge: float = 1e-3) -> Matrix:
    """Weights of a logistic regression, the constant last (Newton's method)."""
    x = np.hstack([rows, np.ones((len(rows), 1))])
    w = np.zeros(x.shape[1])
    for _ in range(40):
        p = 1.0 / (1.0 + np.exp(-x @ w))
        gradient = x.T @ (weights * (p - labels)) + ridge * w
        hessian = (x * (weights * p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    return w


def out_of_fold(rows: Matrix, labels: Matrix, weights: Matrix, groups: Sequence[str]) -> Matrix:
    """Log-odds of every row from a fit that saw nothing of its group."""
    names = sorted(set(groups))
    order = np.random.default_rng(7).permutation(len(names))
    side = {names[place]: number % 2 for number, place in enumerate(order)}
    sides = np.array([side[group] for group in groups])
    scores = np.zeros(len(rows))
    for fold in (0, 1):
        rest = sides != fold
        w = logistic(rows[rest], labels[rest], weights[rest])
        scores[~rest] = rows[~rest] @ w[:-1] + w[-1]
    return scores


def balanced(sources: Sequence[str]) -> Matrix:
    """Weights by which every source counts the square root of its size."""
    names, counts = np.unique(np.array(sources), return_counts=True)
    share = dict(zip(names.tolist(), (counts**-0.5).tolist(), strict=True))
    weights = np.array([share[source] for source in sources])
    return np.asarray(weights * len(weights) / weights.sum())


def gathered(
    data: Path, corpora: Path, encoder: OnnxEncoder, stack: ExitStack, *, limit: int
) -> list[Looked]:
    """Questions of all sets whose corpus is there; the pools live as long as `stack`."""
    pools = {
        name: stack.enter_context(open_pool(data / name, corpora / name, encoder))
        for name in SETS
        if (corpora / name).exists()
    }
    return list(look(pools, encoder, shipped_reader(), limit=limit))


def main(arguments: Sequence[str]) -> None:
    """Gather, fit, print the weights that `grounding.comprehension` holds."""
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 250
    with ExitStack() as stack:
        encoder = stack.enter_context(shipped_encoder())
        data, corpora = Path(arguments[0]), Path(arguments[1])
        items = gathered(data, corpora, encoder, stack, limit=limit)
        rows, labels, groups = unit_rows(items, encoder)
        weights = balanced([group.split(":")[0] for group in groups])
        sys.stdout.write(f"UNIT = {np.round(logistic(rows, labels, weights), 4).tolist()}\n")
        rows, labels, _, sources = decision_rows(items, encoder)
        weights = balanced(sources)
        for name, (mine, columns) in regimes(items).items():
            found = logistic(rows[mine][:, :columns], labels[mine], weights[mine])
            sys.stdout.write(f"{name} = {np.round(found, 4).tolist()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
