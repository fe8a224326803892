"""Train the choice of the few words that answer: which stretch of this sentence?

    python -m ragstone.training.shortanswers DATA_DIR [--limit N]

Questions of open sets whose answer is at most eight words of one sentence of a gold document:
every stretch of that sentence is a row, right where it shares four fifths of its words with a
reference (token F1). Report: exact match and F1 of the likeliest stretch, sets left out one at
a time.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.questions import understand
from ragstone.grounding.spans import LIKENESS, MOST_WORDS, SPAN, Stretch, span_features, stretches
from ragstone.grounding.tokens import TokenEncoder, TokenMemory
from ragstone.grounding.trees import Trees
from ragstone.models.encoder import shipped_encoder
from ragstone.text.sentences import sentence_spans
from ragstone.training.boosting import Boosting, fit, save
from ragstone.training.evidence import holds
from ragstone.training.pools import Asked, read_pool
from ragstone.types import Document

SETS = ("squad2", "hotpotqa", "covidqa")
RIGHT = 0.8  # token F1 with a reference from which a stretch counts as right
HOW = Boosting(trees=150, depth=4, rate=0.1)
WEIGHTS = Path(__file__).parents[1] / "grounding" / "weights"
_BLOCK = 400  # questions encoded together

Matrix = npt.NDArray[np.float32]


@dataclass(slots=True)
class Rows:
    """One row per stretch: features, token F1 with the best reference, question number."""

    matrix: Matrix
    f1: npt.NDArray[np.float64]
    questions: npt.NDArray[np.int64]


def sentences(
    questions: Sequence[Asked], documents: Mapping[str, Document], *, limit: int
) -> Iterator[tuple[Asked, str]]:
    """Questions, each with a sentence of a gold document that holds its answer."""
    draw = np.random.default_rng(8)
    count = 0
    for place in draw.permutation(len(questions)):
        question = questions[place]
        answers = [a for a in question.answers if len(a.split()) <= MOST_WORDS]
        if count == limit or not answers or answers[0].lower() in {"yes", "no"}:
            continue
        found = next(_holding(question, answers, documents), None)
        if found is not None:
            count += 1
            yield question, found


def _holding(
    question: Asked, answers: Sequence[str], documents: Mapping[str, Document]
) -> Iterator[str]:
    for document_id, starts in question.gold.items():
        text = documents[document_id].text
        for span in sentence_spans(text, 0, len(text)):
            inside = any(span.start <= start < span.end for start in starts)
            if (inside or not starts) and holds(span.of(text), answers):
                yield span.of(text)


def gather(pairs: Sequence[tuple[Asked, str]], encoder: TokenEncoder) -> Rows:
    """The rows of all pairs of question and sentence."""
    parts: list[Matrix] = []
    f1: list[float] = []
    numbers: list[int] = []
    for start in range(0, len(pairs), _BLOCK):
        block = pairs[start : start + _BLOCK]
        memory = TokenMemory(encoder, texts=1_000_000)
        memory.encode([text for question, unit in block for text in (question.question, unit)])
        for number, (question, unit) in enumerate(block, start):
            found: list[Stretch] = stretches(unit)
            if not found:
                continue
            asked, encoded = memory.encode([question.question, unit])
            parts.append(span_features(understand(question.question), unit, found, asked, encoded))
            f1 += [max(_f1(s.span.of(unit), answer) for answer in question.answers) for s in found]
            numbers += [number] * len(found)
    return Rows(np.concatenate(parts), np.array(f1), np.array(numbers))


def _f1(said: str, wanted: str) -> float:
    """Token F1 of two short texts, articles and punctuation left out (Rajpurkar et al. 2016)."""
    one, other = _tokens(said), _tokens(wanted)
    common = sum((Counter(one) & Counter(other)).values())
    return 2 * common / (len(one) + len(other)) if common else 0.0


def _tokens(text: str) -> list[str]:
    flat = "".join(c if c.isalnum() or c.isspace() else "" for c in text.lower())
    return [word for word in flat.split() if word not in {"a", "an", "the"}]


def without_meaning(rows: Rows) -> Rows:
    """Every third question once more without token vectors, as an encoder may not give them."""
    chosen = rows.questions % 3 == 0
    matrix = rows.matrix[chosen].copy()
    matrix[:, [SPAN.index(name) for name in LIKENESS]] = 0.0
    return Rows(matrix, rows.f1[chosen], rows.questions[chosen])


def train(sets: Sequence[Rows], *, how: Boosting = HOW) -> Trees:
    """One model over several sets, with and without token vectors; each set counts the square
    root of its size."""
    sets = [*sets, *(without_meaning(rows) for rows in sets)]
    weights = np.concatenate([np.full(len(rows.f1), len(rows.f1) ** -0.5) for rows in sets])
    return fit(
        np.concatenate([rows.matrix for rows in sets]),
        np.concatenate([(rows.f1 >= RIGHT).astype(np.float64) for rows in sets]),
        SPAN,
        weights=weights * len(weights) / weights.sum(),
        how=how,
    )


def report(name: str, rows: Rows, scores: npt.NDArray[np.float64]) -> str:
    """Exact match (F1 of 1) and mean F1 of the likeliest stretch of each question."""
    best: list[float] = []
    most: list[float] = []
    for number in np.unique(rows.questions):
        mine = np.flatnonzero(rows.questions == number)
        best.append(float(rows.f1[mine[np.argmax(scores[mine])]]))
        most.append(float(rows.f1[mine].max()))
    exact = float(np.mean(np.array(best) > 0.999))
    return (
        f"{name}: {len(best)} questions, exact {exact:.3f}, F1 {np.mean(best):.3f} "
        f"(best stretch {np.mean(most):.3f})"
    )


def main(arguments: Sequence[str]) -> None:
    """Gather, report each set by a model that never saw it, train on all, write the weights."""
    data = Path(arguments[0])
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 1200
    sets: dict[str, Rows] = {}
    with shipped_encoder() as encoder:
        for name in SETS:
            pool = read_pool(data / name)
            pairs = list(sentences(pool.questions, pool.documents, limit=limit))
            sets[name] = gather(pairs, encoder)
    for name, rows in sets.items():
        others = train([part for other, part in sets.items() if other != name])
        print(report(name, rows, others.probabilities(rows.matrix)))  # noqa: T201
    save(train(list(sets.values())), WEIGHTS / "shortanswers.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
