"""Train the scorer that chooses evidence: which sentence of the hits holds the answer?

    python -m ragstone.training.evidence DATA_DIR [--cache DIR] [--limit N] [--only SET]

Open sets with exact answers are read (SQuAD 2.0, HotpotQA, COVID-QA), hits are found by BM25,
every unit of the hits is labelled by whether it holds the answer, and boosted trees are
trained on the features of `grounding.relevance`. What is reported is measured on documents
that were not trained on: leave one collection out, and by article within a collection.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.candidates import Candidate, candidates_of
from ragstone.grounding.evidence import MAX_EMBEDDED, approximate_tokens
from ragstone.grounding.questions import understand
from ragstone.grounding.relevance import (
    FEATURES,
    LEXICAL,
    MEANING,
    lexical_features,
    meaning_features,
)
from ragstone.grounding.tokens import TokenEncoder, TokenMemory
from ragstone.grounding.trees import Trees
from ragstone.grounding.words import rarity
from ragstone.models.encoder import shipped_encoder
from ragstone.training.boosting import Boosting, fit, save
from ragstone.training.pools import Asked, Pool, read_pool

SETS = ("squad2", "hotpotqa", "covidqa")
HITS = 10  # as an answer reads
FOLDS = 3
HOW = Boosting(trees=120, depth=4, rate=0.1, rows=0.4)
_EMBEDDED = 12  # units embedded per question for training, a few more than for an answer
_BLOCK = 150  # questions encoded together
_PARTS = ("matrix", "labels", "questions", "folds", "tokens")
WEIGHTS = Path(__file__).parents[1] / "grounding" / "weights"

Matrix = npt.NDArray[np.float32]


@dataclass(slots=True)
class Examples:
    """Rows of one collection: features (nan where a unit was not embedded), label, question
    number, fold, and tokens of the unit with its lead."""

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

    @property
    def embedded(self) -> npt.NDArray[np.bool_]:
        return ~np.isnan(self.matrix[:, -1])


@dataclass(frozen=True, slots=True)
class Case:
    """One question with the units of its hits, which of them were embedded, and their rows."""

    question: Asked
    units: Sequence[Candidate]
    rows: Examples


def examples(pool: Pool, encoder: TokenEncoder, *, limit: int, hits: int = HITS) -> Examples:
    """Units of the hits of up to `limit` answerable questions, with their labels."""
    return joined([case.rows for case in cases(pool, encoder, limit=limit, hits=hits)])


def cases(pool: Pool, encoder: TokenEncoder, *, limit: int, hits: int = HITS) -> Iterator[Case]:
    """Up to `limit` answerable questions with the units of their hits, labelled."""
    asked = [q for q in pool.questions if q.answers and q.gold and not _is_choice(q)]
    draw = np.random.default_rng(0)
    asked = [asked[place] for place in sorted(draw.permutation(len(asked))[:limit])]
    groups = {group: fold % FOLDS for fold, group in enumerate(sorted({q.group for q in asked}))}
    for start in range(0, len(asked), _BLOCK):
        memory = TokenMemory(encoder, texts=1_000_000)
        block = [
            (number, question, candidates_of(pool.hits(question.question, hits), pool.document))
            for number, question in enumerate(asked[start : start + _BLOCK], start)
        ]
        chosen = {number: _worth(question, units) for number, question, units in block}
        memory.encode(
            [
                text
                for number, question, units in block
                for text in (question.question, *(units[place].text for place in chosen[number]))
            ]
        )
        for number, question, units in block:
            if not units:
                continue
            count = len(units)
            sizes = [approximate_tokens(c.text) + approximate_tokens(c.lead_text) for c in units]
            rows = Examples(
                matrix_of(question.question, units, chosen[number], memory),
                np.array([label(question, c, pool) for c in units]),
                np.full(count, number),
                np.full(count, groups[question.group]),
                np.array(sizes),
            )
            yield Case(question, units, rows)


def joined(parts: Sequence[Examples]) -> Examples:
    """All rows of several parts."""
    return Examples(
        np.concatenate([part.matrix for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.questions for part in parts]),
        np.concatenate([part.folds for part in parts]),
        np.concatenate([part.tokens for part in parts]),
    )


def _worth(question: Asked, units: Sequence[Candidate]) -> list[int]:
    """The units embedded for training: the best by words, as the first stage would choose."""
    if not units:
        return []
    understood = understand(question.question)
    matrix = lexical_features(understood, units, rarity([unit.text for unit in units]))
    promise = matrix[:, LEXICAL.index("coverage_with_context")]
    promise = (
        promise + matrix[:, LEXICAL.index("coverage")] + 0.5 * matrix[:, LEXICAL.index("rank")]
    )
    return sorted(int(place) for place in np.argsort(-promise, kind="stable")[:_EMBEDDED])


def matrix_of(
    question: str, units: Sequence[Candidate], places: Sequence[int], memory: TokenMemory
) -> Matrix:
    """The features as `grounding.evidence.score` makes them, shape (units, features)."""
    understood = understand(question)
    idf = rarity([unit.text for unit in units])
    lexical = lexical_features(understood, units, idf)
    meaning = np.full((len(units), len(MEANING)), np.nan, dtype=np.float32)
    asked, *encoded = memory.encode([question, *(units[place].text for place in places)])
    chosen = [units[place] for place in places]
    meaning[list(places)] = meaning_features(understood, chosen, asked, encoded, idf)
    return np.hstack([lexical, meaning])


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
    others = [pool.documents[key].title.split(" (")[0] for key in question.gold if key != own]
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
    cosine = np.nan_to_num(rows.matrix[:, FEATURES.index("cosine")], nan=0.0)
    return np.asarray(cosine + rows.matrix[:, FEATURES.index("coverage")], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Scorers:
    """Both stages: by words over all units, by words and meaning over the embedded ones."""

    words: Trees
    meaning: Trees

    def scores(self, rows: Examples) -> npt.NDArray[np.float64]:
        """As `grounding.evidence.score`: the first stage picks what the second may see."""
        first = self.words.probabilities(rows.matrix[:, : len(LEXICAL)])
        second = np.where(rows.embedded, self.meaning.probabilities(rows.matrix), -1.0)
        scores = np.full(len(first), -1.0)
        for number in np.unique(rows.questions):
            mine = np.flatnonzero((rows.questions == number) & rows.embedded)
            kept = mine[np.argsort(-first[mine], kind="stable")[:MAX_EMBEDDED]]
            scores[kept] = second[kept]
        return scores


def train(sets: Mapping[str, Examples], *, how: Boosting = HOW) -> Scorers:
    """Both stages over all given sets, each set with the same total weight."""
    rows = joined(list(sets.values()))
    most = max(len(part.labels) for part in sets.values())
    weights = np.concatenate(
        [np.full(len(part.labels), most / len(part.labels)) for part in sets.values()]
    )
    seen = rows.embedded
    return Scorers(
        fit(rows.matrix[:, : len(LEXICAL)], rows.labels, LEXICAL, weights=weights, how=how),
        fit(rows.matrix[seen], rows.labels[seen], FEATURES, weights=weights[seen], how=how),
    )


def out_of_fold(sets: Mapping[str, Examples], name: str) -> npt.NDArray[np.float64]:
    """Scores of one set from models that saw none of the same articles (other sets in full)."""
    rows = sets[name]
    scores = np.zeros(len(rows.labels))
    others = {other: part for other, part in sets.items() if other != name}
    for fold in range(FOLDS):
        inside = rows.folds == fold
        model = train({**others, name: rows.where(~inside)})
        scores[inside] = model.scores(rows.where(inside))
    return scores


def report(name: str, rows: Examples, scores: Mapping[str, npt.NDArray[np.float64]]) -> None:
    reachable = containment(rows.labels, rows, 1, items=True)[0]
    count = len(np.unique(rows.questions))
    print(f"{name}: {count} questions, reachable {reachable:.3f}")  # noqa: T201
    for kind, values in scores.items():
        top = " ".join(f"{containment(values, rows, k, items=True)[0]:.3f}" for k in (1, 2, 3, 5))
        within = " ".join(
            f"{budget}:{containment(values, rows, budget, items=False)[0]:.3f}"
            for budget in (40, 80, 160, 320)
        )
        print(f"  {kind:22} top 1 2 3 5: {top}   tokens {within}")  # noqa: T201


def read_or_gather(
    data: Path, encoder: TokenEncoder, *, limit: int, cache: Path | None, only: str = ""
) -> dict[str, Examples]:
    """The examples of all sets (or one); features are kept in `cache` between runs."""
    sets: dict[str, Examples] = {}
    for name in (name for name in SETS if only in {"", name}):
        path = cache / f"evidence-{name}-{limit}.npz" if cache else None
        if path is not None and path.exists():
            with np.load(path) as kept:
                sets[name] = Examples(*(kept[part] for part in _PARTS))
            continue
        sets[name] = examples(read_pool(data / name), encoder, limit=limit)
        if path is not None:
            np.savez_compressed(path, **{part: getattr(sets[name], part) for part in _PARTS})
    return sets


def main(arguments: Sequence[str]) -> None:
    """Gather (features are kept in `--cache`), train, write the weights."""
    data = Path(arguments[0])
    cache = Path(arguments[arguments.index("--cache") + 1]) if "--cache" in arguments else None
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 1500
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    with shipped_encoder() as encoder:
        sets = read_or_gather(data, encoder, limit=limit, cache=cache, only=only)
    if not only:
        model = train(sets)
        save(model.words, WEIGHTS / "evidence_words.npz")
        save(model.meaning, WEIGHTS / "evidence.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
