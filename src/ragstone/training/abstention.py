"""Train the decision to answer: does this evidence hold the answer to this question?

    python -m ragstone.training.abstention DATA_DIR [--cache DIR] [--limit N]

Answerable and unanswerable questions of open sets, and questions put to a corpus that is not
theirs, each with hits (BM25 and cosine, standard scores summed) and evidence as in an
answer. A question counts as answered where the set says that it can be and its gold document
is among the hits. Report: sets left out one at a time, and by group within each set.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.answerable import SIGNS, signs
from ragstone.grounding.evidence import select
from ragstone.grounding.questions import understand
from ragstone.grounding.trees import Trees
from ragstone.models.encoder import OnnxEncoder, shipped_encoder
from ragstone.retrieval.fusion import zscore_sum
from ragstone.training.boosting import Boosting, fit, save
from ragstone.training.pools import Asked, Pool, read_pool
from ragstone.types import Hit

FOLDS = 5
HOW = Boosting(trees=120, depth=3, rate=0.08, ridge=10.0)
WEIGHTS = Path(__file__).parents[1] / "grounding" / "weights"
# Set -> sets whose questions are put to its corpus as questions of strangers.
STRANGERS: Mapping[str, tuple[str, ...]] = {
    "squad2": ("hotpotqa", "covidqa", "scifact", "fiqa_subset"),
    "multihop_rag": ("squad2", "covidqa"),
    "covidqa": ("squad2", "multihop_rag"),
    "scifact": ("squad2", "fiqa_subset"),
}
SETS = ("squad2", "hotpotqa", "covidqa", "multihop_rag", "scifact")
_DEPTH = 10  # of BM25; all get a cosine

Matrix = npt.NDArray[np.float32]


@dataclass(slots=True)
class Decisions:
    """One row per question: signs, whether answered, its set (or "stranger: SET"), group."""

    matrix: Matrix
    labels: npt.NDArray[np.float64]
    sources: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]


def hybrid_hits(pool: Pool, question: str, encoder: OnnxEncoder, *, k: int = 10) -> list[Hit]:
    """The best `k` of BM25's best by the sum of standard scores of words and meaning."""
    hits = pool.hits(question, _DEPTH)
    if not hits:
        return []
    texts = [f"{hit.document.title}\n{hit.passage.text}" for hit in hits]
    vector = encoder.encode_queries([question])[0]
    cosines = encoder.encode_passages(texts) @ vector
    words = {place: hit.score for place, hit in enumerate(hits)}
    meaning = {place: float(cosine) for place, cosine in enumerate(cosines)}
    fused = zscore_sum([words, meaning])
    order = sorted(fused, key=lambda place: (-fused[place], place))[:k]
    return [
        replace(
            hits[place],
            score=fused[place],
            rank=rank,
            scores={"bm25": words[place], "cosine": meaning[place], "fusion": fused[place]},
        )
        for rank, place in enumerate(order, start=1)
    ]


def questions_of(pools: Mapping[str, Pool], *, limit: int) -> Iterator[tuple[str, str, Asked]]:
    """(source, corpus, question): own questions of every set, then those of strangers."""
    draw = np.random.default_rng(6)
    for name in SETS:
        asked = list(pools[name].questions)
        for wanted in (True, False):
            mine = [q for q in asked if answerable(q) == wanted]
            for place in draw.permutation(len(mine))[:limit]:
                yield name, name, mine[place]
    for corpus, others in STRANGERS.items():
        for other in others:
            theirs = [q for q in pools[other].questions if answerable(q)]
            for place in draw.permutation(len(theirs))[: limit // 4]:
                yield f"stranger: {corpus}", corpus, theirs[place]


def gather(pools: Mapping[str, Pool], encoder: OnnxEncoder, *, limit: int) -> Decisions:
    """Hits, evidence and signs of every question."""
    rows: list[Matrix] = []
    labels: list[float] = []
    sources: list[str] = []
    groups: list[str] = []
    for source, corpus, question in questions_of(pools, limit=limit):
        pool = pools[corpus]
        hits = hybrid_hits(pool, question.question, encoder)
        evidence = select(question.question, hits, encoder=encoder, document_of=pool.document)
        found = {hit.passage.document_id for hit in hits}
        answered = source == corpus and answerable(question) and bool(found & set(question.gold))
        rows.append(signs(understand(question.question), evidence, hits))
        labels.append(float(answered))
        sources.append(source)
        groups.append(f"{corpus}:{question.group}")
    return Decisions(np.concatenate(rows), np.array(labels), np.array(sources), np.array(groups))


def answerable(question: Asked) -> bool:
    """Whether the set says that its corpus answers the question."""
    return bool(question.gold) and not question.unanswerable


def train(rows: Decisions, chosen: npt.NDArray[np.bool_], *, how: Boosting = HOW) -> Trees:
    """One model over the chosen rows; every source counts the square root of its size."""
    sources = rows.sources[chosen]
    names, counts = np.unique(sources, return_counts=True)
    share = dict(zip(names.tolist(), (counts**-0.5).tolist(), strict=True))
    weights = np.array([share[source] for source in sources.tolist()])
    weights *= len(weights) / weights.sum()
    return fit(rows.matrix[chosen], rows.labels[chosen], SIGNS, weights=weights, how=how)


def out_of_fold(rows: Decisions) -> npt.NDArray[np.float64]:
    """The probability of each row from a model that saw none of its group."""
    groups = sorted(set(rows.groups.tolist()))
    order = np.random.default_rng(7).permutation(len(groups))
    fold_of = {groups[place]: fold % FOLDS for fold, place in enumerate(order)}
    folds = np.array([fold_of[group] for group in rows.groups.tolist()])
    scores = np.zeros(len(rows.labels))
    for fold in range(FOLDS):
        scores[folds == fold] = train(rows, folds != fold).probabilities(rows.matrix[folds == fold])
    return scores


def left_out(rows: Decisions) -> npt.NDArray[np.float64]:
    """The probability of each row from a model that saw nothing of its corpus."""
    corpora = np.array([source.removeprefix("stranger: ") for source in rows.sources.tolist()])
    scores = np.zeros(len(rows.labels))
    for corpus in np.unique(corpora):
        inside = corpora == corpus
        scores[inside] = train(rows, ~inside).probabilities(rows.matrix[inside])
    return scores


def read_or_gather(data: Path, *, cache: Path | None, limit: int) -> Decisions:
    """All rows; kept in `cache` between runs."""
    path = cache / f"abstention-{limit}.npz" if cache else None
    if path is not None and path.exists():
        with np.load(path) as kept:
            return Decisions(kept["matrix"], kept["labels"], kept["sources"], kept["groups"])
    names = {*SETS, *(other for others in STRANGERS.values() for other in others)}
    pools = {name: read_pool(data / name) for name in sorted(names)}
    with shipped_encoder() as encoder:
        rows = gather(pools, encoder, limit=limit)
    if path is not None:
        np.savez_compressed(
            path, matrix=rows.matrix, labels=rows.labels, sources=rows.sources, groups=rows.groups
        )
    return rows


def main(arguments: Sequence[str]) -> None:
    """Gather (or read from `--cache`), train, write the weights."""
    data = Path(arguments[0])
    cache = Path(arguments[arguments.index("--cache") + 1]) if "--cache" in arguments else None
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 400
    rows = read_or_gather(data, cache=cache, limit=limit)
    save(train(rows, np.ones(len(rows.labels), dtype=bool)), WEIGHTS / "abstention.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
