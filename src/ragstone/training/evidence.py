"""Train the scorer that chooses evidence: which sentence of the hits holds the answer?

    python -m ragstone.training.evidence DATA_DIR [--cache DIR] [--limit N]

Open sets with exact answers are read (SQuAD 2.0, HotpotQA, COVID-QA), hits are found by BM25,
every unit of the hits is labelled by whether it holds the answer, and boosted trees are
trained on the features of `grounding.relevance`. What is reported is measured on documents
that were not trained on: leave one collection out, and by article within a collection.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.candidates import Candidate, candidates_of
from ragstone.grounding.evidence import approximate_tokens, prefilter
from ragstone.grounding.questions import understand
from ragstone.grounding.relevance import FEATURES, features
from ragstone.grounding.trees import Trees
from ragstone.grounding.words import rarity
from ragstone.models.encoder import shipped_encoder
from ragstone.training.boosting import Boosting, fit, save
from ragstone.training.pools import Asked, Pool, read_pool
from ragstone.training.vectors import Remembered

SETS = ("squad2", "hotpotqa", "covidqa")
HITS = 6
FOLDS = 5
HOW = Boosting(trees=160, depth=4)
WEIGHTS = Path(__file__).parents[1] / "grounding" / "weights"

Matrix = npt.NDArray[np.float32]


@dataclass(slots=True)
class Examples:
    """Rows of one collection: features, label, question number, fold, tokens of the unit."""

    matrix: Matrix
    labels: npt.NDArray[np.float64]
    questions: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Examples:
        return Examples(
            self.matrix[chosen], self.labels[chosen], self.questions[chosen],
            self.folds[chosen], self.tokens[chosen],
        )  # fmt: skip


def examples(pool: Pool, encoder: Remembered, *, limit: int, hits: int = HITS) -> Examples:
    """Units of the hits of up to `limit` answerable questions, with their labels."""
    asked = [q for q in pool.questions if q.answers and q.gold and not _is_choice(q)]
    draw = np.random.default_rng(0)
    asked = [asked[place] for place in sorted(draw.permutation(len(asked))[:limit])]
    groups = {group: fold % FOLDS for fold, group in enumerate(sorted({q.group for q in asked}))}
    units = [candidates_of(pool.hits(q.question, hits), pool.document) for q in asked]
    wanted: list[str] = []
    for question, candidates in zip(asked, units, strict=True):
        places = prefilter(understand(question.question), candidates)
        wanted += [question.question, *(candidates[place].text for place in places)]
    encoder.encode_passages(wanted)
    parts: list[tuple[Matrix, list[float], int, int, list[int]]] = []
    for number, (question, candidates) in enumerate(zip(asked, units, strict=True)):
        if candidates:
            matrix = matrix_of(question.question, candidates, encoder)
            labels = [label(question, c, pool) for c in candidates]
            tokens = [
                approximate_tokens(c.text) + approximate_tokens(c.lead_text) for c in candidates
            ]
            parts.append((matrix, labels, number, groups[question.group], tokens))
    return Examples(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([np.array(part[1]) for part in parts]),
        np.concatenate([np.full(len(part[1]), part[2]) for part in parts]),
        np.concatenate([np.full(len(part[1]), part[3]) for part in parts]),
        np.concatenate([np.array(part[4]) for part in parts]),
    )


def matrix_of(question: str, candidates: Sequence[Candidate], encoder: Remembered) -> Matrix:
    """The features as `grounding.evidence.score` makes them."""
    understood = understand(question)
    cosines = np.full(len(candidates), np.nan, dtype=np.float32)
    places = prefilter(understood, candidates)
    vector = encoder.encode_queries([question])[0]
    cosines[places] = encoder.encode_passages([candidates[p].text for p in places]) @ vector
    return features(understood, candidates, cosines, rarity([c.text for c in candidates]))


def label(question: Asked, candidate: Candidate, pool: Pool) -> float:
    """1 where the unit holds an answer at its place, or leads to it (a two-hop bridge)."""
    document_id = candidate.hit.passage.document_id
    if document_id not in question.gold:
        return 0.0
    starts = question.gold[document_id]
    text = pool.documents[document_id].text
    if starts and all(
        text[start : start + len(answer)] == answer
        for start, answer in zip(starts[:1], question.answers[:1], strict=False)
    ):
        for start, answer in zip(starts, question.answers, strict=False):
            middle = start + len(answer) / 2
            if candidate.span.start <= middle < candidate.span.end:
                return 1.0
        return float(any(candidate.span.start <= start < candidate.span.end for start in starts))
    return float(holds(candidate.text, question.answers) or _bridges(question, candidate, pool))


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in the text, by whole words, case ignored."""
    flat = f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text).lower().split())} "
    for answer in answers:
        wanted = " ".join("".join(c if c.isalnum() else " " for c in answer).lower().split())
        if wanted and f" {wanted} " in flat:
            return True
    return False


def _bridges(question: Asked, candidate: Candidate, pool: Pool) -> bool:
    """Whether the unit names another gold document: the link between two hops."""
    own = candidate.hit.passage.document_id
    others = [pool.documents[id].title.split(" (")[0] for id in question.gold if id != own]
    return holds(candidate.text, others)


def _is_choice(question: Asked) -> bool:
    return all(answer.strip().lower() in {"yes", "no"} for answer in question.answers)


def containment(
    scores: npt.NDArray[np.float64], rows: Examples, budget: int, *, items: bool
) -> tuple[float, float]:
    """Share of questions whose best units hold the answer, and mean tokens taken.

    The best `budget` units, or (with `items` false) as many of the best as fit `budget` tokens.
    Questions none of whose units holds it count as misses.
    """
    held: list[bool] = []
    spent: list[float] = []
    for number in np.unique(rows.questions):
        mine = np.flatnonzero(rows.questions == number)
        order = mine[np.argsort(-scores[mine], kind="stable")]
        if items:
            chosen = order[:budget]
        else:
            fits = np.cumsum(rows.tokens[order]) <= budget
            fits[0] = True
            chosen = order[fits]
        held.append(bool(rows.labels[chosen].any()))
        spent.append(float(rows.tokens[chosen].sum()))
    return float(np.mean(held)), float(np.mean(spent))


def baseline(rows: Examples) -> npt.NDArray[np.float64]:
    """Cosine plus idf-weighted overlap, the scorer to beat."""
    cosine = rows.matrix[:, FEATURES.index("cosine")]
    return np.asarray(cosine + rows.matrix[:, FEATURES.index("coverage")], dtype=np.float64)


def train(sets: Mapping[str, Examples], *, how: Boosting = HOW) -> Trees:
    """One model over all given sets, each with the same total weight."""
    matrix = np.concatenate([rows.matrix for rows in sets.values()])
    labels = np.concatenate([rows.labels for rows in sets.values()])
    most = max(len(rows.labels) for rows in sets.values())
    weights = np.concatenate(
        [np.full(len(rows.labels), most / len(rows.labels)) for rows in sets.values()]
    )
    return fit(matrix, labels, FEATURES, weights=weights, how=how)


def out_of_fold(sets: Mapping[str, Examples], name: str) -> npt.NDArray[np.float64]:
    """Scores of one set from models that saw none of the same articles (other sets in full)."""
    rows = sets[name]
    scores = np.zeros(len(rows.labels))
    for fold in range(FOLDS):
        inside = rows.folds == fold
        others = {other: part for other, part in sets.items() if other != name}
        model = train({**others, name: rows.where(~inside)})
        scores[inside] = model.probabilities(rows.matrix[inside])
    return scores


def report(name: str, rows: Examples, scores: Mapping[str, npt.NDArray[np.float64]]) -> None:
    reachable = containment(rows.labels, rows, 1, items=True)[0]
    print(f"{name}: {len(np.unique(rows.questions))} questions, reachable {reachable:.3f}")
    for kind, values in scores.items():
        top = " ".join(f"{containment(values, rows, k, items=True)[0]:.3f}" for k in (1, 2, 3, 5))
        within = " ".join(
            f"{budget}:{containment(values, rows, budget, items=False)[0]:.3f}"
            for budget in (40, 80, 160, 320)
        )
        print(f"  {kind:22} top 1 2 3 5: {top}   tokens {within}")


def main(arguments: Sequence[str]) -> None:
    """Train, report, write the weights."""
    data = Path(arguments[0])
    cache = Path(arguments[arguments.index("--cache") + 1]) if "--cache" in arguments else None
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 1500
    encoder = shipped_encoder()
    sets: dict[str, Examples] = {}
    for name in SETS:
        path = cache / encoder.identity / f"sentences-{name}.npz" if cache else None
        remembered = Remembered(encoder, path)
        sets[name] = examples(read_pool(data / name), remembered, limit=limit)
        remembered.save()
        print(f"{name}: {sets[name].matrix.shape[0]} units", file=sys.stderr, flush=True)
    for name, rows in sets.items():
        left_out = train({other: part for other, part in sets.items() if other != name})
        report(
            name,
            rows,
            {
                "cosine + overlap": baseline(rows),
                "trees, set left out": left_out.probabilities(rows.matrix),
                "trees, article out": out_of_fold(sets, name),
            },
        )
    save(train(sets), WEIGHTS / "evidence.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
