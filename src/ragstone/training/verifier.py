"""Train the judge of claims: is this statement borne out by this evidence?

    python -m ragstone.training.verifier DATA_DIR [--limit N] [--cache DIR]

True statements come from open sets (questions with their answers, sentences of answers that
people wrote from given passages, claims that experts marked as supported); false ones are
made from them by program (`training.faults`), or come with expert labels. What is reported is
out of fold: no question, claim or article is on both sides of a split, and the thresholds are
chosen inside the training side.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.grounding.claims import is_refusal, split, without_markers
from ragstone.grounding.names import names_of
from ragstone.grounding.reading import read
from ragstone.grounding.support import FEATURES, support_features
from ragstone.grounding.tokens import TokenEncoder, TokenMemory
from ragstone.grounding.words import words_of
from ragstone.models.encoder import shipped_encoder
from ragstone.text.sentences import sentence_spans
from ragstone.training.boosting import Boosting, fit, save
from ragstone.training.faults import MAKERS, name_swapper, statement
from ragstone.training.pools import Pool, info_of, read_pool, rows
from ragstone.types import Document, Evidence

FOLDS = 5
HOW = Boosting(trees=120, depth=4, rate=0.08)
WEIGHTS = Path(__file__).parents[1] / "grounding" / "weights"
_BLOCK = 600  # examples encoded together: about 200 MB of token vectors
_MOST_UNITS = 12  # pieces of evidence per claim, as many as an answer is ever shown

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """A statement with evidence; `fault` is "" for a true one; `group` is never split."""

    source: str
    text: str
    evidence: tuple[Evidence, ...]
    supported: bool
    fault: str
    group: str


def units_of(document: Document, *, most: int = _MOST_UNITS) -> list[Evidence]:
    """A document's sentences as evidence."""
    info = info_of(document)
    return [
        Evidence(info, span, span.of(document.text), 1.0)
        for span in sentence_spans(document.text, 0, len(document.text))[:most]
    ]


def from_answers(pool: Pool, *, limit: int) -> Iterator[Example]:
    """SQuAD: question and answer as a statement, the gold paragraph as evidence."""
    draw = np.random.default_rng(1)
    asked = [q for q in pool.questions if q.answers and q.gold and len(q.answers[0].split()) < 12]
    names = sorted({n.text for p in pool.passages[::7] for n in names_of(p.text) if not n.weak})
    for place in sorted(draw.permutation(len(asked))[:limit]):
        question = asked[place]
        if question.answers[0].lower() in {"yes", "no"}:
            continue
        evidence = [unit for id in question.gold for unit in units_of(pool.documents[id])][
            :_MOST_UNITS
        ]
        text = statement(question.question, question.answers[0])
        group = f"{pool.name}:{question.group}"
        yield Example(pool.name, text, tuple(evidence), True, "", group)
        yield from _faulty(pool.name, text, evidence, group, names, draw)
        # The right kind of thing from the same text in the answer's place: the likeliest lie.
        rivals = [
            name.text
            for unit in evidence
            for name in names_of(unit.text)
            if not name.weak and name.text.lower() not in text.lower()
        ]
        if rivals and names_of(question.answers[0]):
            wrong = statement(question.question, rivals[draw.integers(len(rivals))])
            yield Example(pool.name, wrong, tuple(evidence), False, "other name of the text", group)


def from_sentences(pool: Pool, *, limit: int) -> Iterator[Example]:
    """A paragraph's own sentences, as they stand or shortened, against the whole paragraph."""
    draw = np.random.default_rng(2)
    names = sorted({n.text for p in pool.passages[::7] for n in names_of(p.text) if not n.weak})
    documents = list(pool.documents.values())
    for place in sorted(draw.permutation(len(documents))[:limit]):
        document = documents[place]
        evidence = units_of(document)
        if len(evidence) < 2:
            continue
        unit = evidence[draw.integers(len(evidence))]
        if not 6 <= len(words_of(unit.text)) <= 45:
            continue
        text = shortened(unit.text, draw)
        group = f"{pool.name}:{document.id.split('::')[0]}"
        yield Example(f"{pool.name} sentences", text, tuple(evidence), True, "", group)
        yield from _faulty(f"{pool.name} sentences", text, evidence, group, names, draw)
        other = units_of(documents[(place + 1) % len(documents)])
        yield Example(
            f"{pool.name} sentences", text, tuple(other), False, "other document's fact", group
        )


def from_references(folder: Path, *, limit: int) -> Iterator[Example]:
    """MTRAG: sentences of answers that people wrote from the passages they were given."""
    texts = {str(row["id"]): row for row in rows(folder / "corpus.jsonl.gz")}
    draw = np.random.default_rng(3)
    tasks = [
        row for row in rows(folder / "queries.jsonl.gz") if row["answerability"] == "ANSWERABLE"
    ]
    names: list[str] = []
    made = 0
    for place in draw.permutation(len(tasks)):
        row = tasks[place]
        contexts, answers = row.get("reference_contexts"), row.get("answers")
        if not isinstance(contexts, list) or not isinstance(answers, list) or not answers:
            continue
        known = [texts[str(id)] for id in contexts if str(id) in texts]
        evidence = [unit for context in known for unit in units_of(_document(context), most=8)]
        group = f"mtrag:{row['conversation_id']}"
        for claim in split(str(answers[0])):
            if len(words_of(claim.stated)) < 6 or is_refusal(claim.text):
                continue
            chosen = nearest(claim.stated, evidence)
            if not chosen:
                continue
            yield Example("mtrag", claim.stated, tuple(chosen), True, "", group)
            yield from _faulty("mtrag", claim.stated, chosen, group, names[-400:], draw)
            names += [name.text for name in names_of(claim.stated) if not name.weak]
            made += 1
        if made >= limit:
            return


def from_scifact(folder: Path) -> Iterator[Example]:
    """SciFact: claims that experts found supported or contradicted by an abstract, or neither."""
    documents = {str(row["id"]): _document(row) for row in rows(folder / "corpus.jsonl.gz")}
    draw = np.random.default_rng(4)
    names: list[str] = []
    for file in ("queries_train.jsonl.gz", "queries.jsonl.gz"):
        for row in rows(folder / file):
            text, group = str(row["question"]), f"scifact:{row['id']}"
            found = row.get("evidence")
            labels = {
                str(item["doc"]): str(item["label"])
                for item in (found if isinstance(found, list) else [])
            }
            cited = row.get("cited_doc_ids")
            for id in (str(c) for c in (cited if isinstance(cited, list) else [])):
                if id not in documents:
                    continue
                label = labels.get(id, "NEITHER")
                evidence = tuple(units_of(documents[id]))
                supported = label == "SUPPORT"
                fault = "" if supported else f"expert: {label.lower()}"
                yield Example("scifact", text, evidence, supported, fault, group)
                if supported:
                    yield from _faulty("scifact", text, evidence, group, names[-400:], draw)
                    names += [name.text for name in names_of(text) if not name.weak]


def from_experts(folder: Path) -> Iterator[Example]:
    """ExpertQA: claims of systems with their evidence and the experts' label of support."""
    texts = {str(row["id"]): row for row in rows(folder / "corpus.jsonl.gz")}
    for row in rows(folder / "claims.jsonl.gz"):
        if row["support"] is None:
            continue
        named = row["evidence"]
        evidence = [
            unit
            for id in (named if isinstance(named, list) else [])
            for unit in units_of(_document({**texts[str(id)], "title": ""}), most=40)
        ]
        text = without_markers(str(row["claim"]))
        supported = row["support"] == "Complete"
        yield Example(
            "expertqa", text, tuple(nearest(text, evidence)), supported,
            "" if supported else f"expert: {str(row['support']).lower()}",
            f"expertqa:{row['question_id']}",
        )  # fmt: skip


def nearest(text: str, evidence: Sequence[Evidence], *, most: int = _MOST_UNITS) -> list[Evidence]:
    """The units that share most words with a statement, in their own order."""
    wanted = {term for word in words_of(text) for term in word.terms}
    overlap = [
        len(wanted & {term for word in words_of(unit.text) for term in word.terms})
        for unit in evidence
    ]
    best = sorted(range(len(evidence)), key=lambda place: -overlap[place])[:most]
    return [evidence[place] for place in sorted(best)]


def shortened(text: str, draw: np.random.Generator) -> str:
    """A sentence without its brackets and, half of the time, without one of its clauses."""
    bare = re.sub(r"\s*\([^)]*\)", "", text)
    clauses = bare.split(", ")
    if len(clauses) > 2 and draw.random() < 0.5:
        del clauses[int(draw.integers(1, len(clauses) - 1))]
    return ", ".join(clauses)


def _faulty(
    source: str,
    text: str,
    evidence: Sequence[Evidence],
    group: str,
    names: Sequence[str],
    draw: np.random.Generator,
) -> Iterator[Example]:
    makers = {**MAKERS, "name": name_swapper(names)}
    for fault, maker in makers.items():
        wrong = maker(text, draw)
        if wrong is not None and wrong != text:
            yield Example(source, wrong, tuple(evidence), False, fault, group)


def _document(row: Mapping[str, object]) -> Document:
    return Document(
        str(row["id"]), str(row["id"]), str(row.get("title") or ""), str(row["text"]), "text"
    )


def matrix_of(examples: Sequence[Example], encoder: TokenEncoder) -> Matrix:
    """One row of `support_features` for each example; texts are encoded in large batches."""
    parts: list[Matrix] = []
    for start in range(0, len(examples), _BLOCK):
        block = examples[start : start + _BLOCK]
        memory = TokenMemory(encoder, texts=1_000_000)
        memory.encode([e.text for e in block] + [u.text for e in block for u in e.evidence])
        parts += [support_features(read(e.text, e.evidence), e.evidence, memory) for e in block]
    return np.stack(parts)


def out_of_fold(
    matrix: Matrix, examples: Sequence[Example], *, how: Boosting = HOW
) -> npt.NDArray[np.float64]:
    """Probability of support of each example from a model that saw none of its group."""
    groups = sorted({example.group for example in examples})
    order = np.random.default_rng(5).permutation(len(groups))
    fold_of = {groups[place]: fold % FOLDS for fold, place in enumerate(order)}
    folds = np.array([fold_of[example.group] for example in examples])
    scores = np.zeros(len(examples))
    for fold in range(FOLDS):
        inside = folds == fold
        model = fit(
            matrix[~inside], labels_of(examples)[~inside], FEATURES,
            weights=weights_of(examples)[~inside], how=how,
        )  # fmt: skip
        scores[inside] = model.probabilities(matrix[inside])
    return scores


def labels_of(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    return np.array([float(example.supported) for example in examples])


def weights_of(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    """Each source counts the square root of its size, its true and false halves the same."""
    sizes: dict[tuple[str, bool], int] = {}
    for example in examples:
        key = (example.source, example.supported)
        sizes[key] = sizes.get(key, 0) + 1
    totals: dict[str, int] = {}
    for (source, _), size in sizes.items():
        totals[source] = totals.get(source, 0) + size
    weights = np.array([totals[e.source] ** 0.5 / sizes[e.source, e.supported] for e in examples])
    return np.asarray(weights * len(examples) / weights.sum())


@dataclass(frozen=True, slots=True)
class Gathered:
    """Features of examples with what is needed to train and report."""

    matrix: Matrix
    examples: tuple[Example, ...]


def gather(data: Path, source: str, *, limit: int) -> list[Example]:
    """All examples of one source."""
    if source == "squad2":
        return list(from_answers(read_pool(data / source), limit=limit))
    if source == "squad2 sentences":
        return list(from_sentences(read_pool(data / "squad2"), limit=limit // 2))
    if source == "mtrag":
        return list(from_references(data / source, limit=limit))
    if source == "scifact":
        return list(from_scifact(data / source))[: 8 * limit]
    return list(from_experts(data / source))


SOURCES = ("squad2", "squad2 sentences", "mtrag", "scifact", "expertqa")


def read_or_gather(
    data: Path, source: str, encoder: TokenEncoder, *, limit: int, cache: Path | None
) -> Gathered:
    """A source's examples and features; features are kept in `cache` between runs."""
    examples = gather(data, source, limit=limit)
    path = cache / f"verifier-{source.replace(' ', '-')}-{limit}.npy" if cache else None
    if path is not None and path.exists():
        matrix = np.load(path)
        if matrix.shape == (len(examples), len(FEATURES)):
            return Gathered(matrix, tuple(examples))
    matrix = matrix_of(examples, encoder)
    if path is not None:
        np.save(path, matrix)
    return Gathered(matrix, tuple(examples))


def main(arguments: Sequence[str]) -> None:
    """Gather (features are kept in `--cache`), train, write the weights."""
    data = Path(arguments[0])
    cache = Path(arguments[arguments.index("--cache") + 1]) if "--cache" in arguments else None
    limit = int(arguments[arguments.index("--limit") + 1]) if "--limit" in arguments else 400
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    with shipped_encoder() as encoder:
        parts = [
            read_or_gather(data, source, encoder, limit=limit, cache=cache)
            for source in SOURCES
            if only in {"", source}
        ]
    if not only:
        examples = [example for part in parts for example in part.examples]
        matrix = np.concatenate([part.matrix for part in parts])
        model = fit(matrix, labels_of(examples), FEATURES, weights=weights_of(examples), how=HOW)
        save(model, WEIGHTS / "verifier.npz")


if __name__ == "__main__":
    main(sys.argv[1:])
