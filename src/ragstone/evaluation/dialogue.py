"""Follow-up questions against judgements: how much understanding the conversation is worth.

Each turn is searched for in several ways: as it was said, as the conversation makes it meant,
and as a person rewrote it. Law: the retriever, the filter and the judgements are the same for
all ways; only the question differs. Intervals are drawn over conversations, since the turns of
one are no independent samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ragstone.applications.chat import remembering_retriever
from ragstone.applications.chat_question import understand
from ragstone.applications.chat_turns import Turn, remember, said
from ragstone.errors import UsageError
from ragstone.evaluation.confidence import RESAMPLES
from ragstone.evaluation.datasets import load_qrels, read_rows
from ragstone.evaluation.measures import Measure, Recall, nDCG
from ragstone.evaluation.retrieval import document_ranking
from ragstone.protocols import Filter, Retriever

MEASURES = (Recall @ 5, nDCG @ 5)
LAST, OURS, MODEL, REWRITE = "last turn", "ours offline", "ours with a model", "human rewrite"
Part = Literal["tuning", "held-out", "all"]
Rewriter = Callable[[str, Sequence[Turn]], str]
_SPLIT_SEED = 5
_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A turn of a conversation with what was said before, and its rewrite by a person."""

    id: str
    conversation: str
    domain: str
    question: str
    rewrite: str
    history: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """The mean of a measure with its 95% interval over conversations."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DialogueEvaluation:
    """Method -> domain ("all" for every one) -> measure -> value; and the share of the distance
    between last turn and human rewrite that each other method closes, by measure."""

    cells: Mapping[str, Mapping[str, Mapping[str, Cell]]]
    closed: Mapping[str, Mapping[str, Cell]]
    gains: Mapping[str, Mapping[str, Cell]]  # over last turn, paired, all domains
    counts: Mapping[str, int]  # turns by domain
    conversations: int


def load_dialogues(folder: Path, queries: Path | None = None) -> list[Dialogue]:
    """The judged turns of `queries.jsonl[.gz]` that have a rewrite, in the order of the file.

    Raises UsageError where there is none.
    """
    gz = folder / "queries.jsonl.gz"
    path = queries or (gz if gz.is_file() else folder / "queries.jsonl")
    qrels = load_qrels(folder / "qrels.tsv")
    found = [
        _dialogue(row)
        for _, row in read_rows(path)
        if row.get("rewrite") and any(g > 0 for g in qrels.get(str(row.get("id")), {}).values())
    ]
    if not found:
        raise UsageError(
            f"{path} holds no judged turn with a rewrite.",
            remedy='Give rows "question", "turns" (role and text), "rewrite", "conversation_id".',
        )
    return found


def part_of(dialogues: Sequence[Dialogue], part: Part) -> list[Dialogue]:
    """Half of the conversations, the same at every call: one to tune on, one to report."""
    if part == "all":
        return list(dialogues)
    ids = sorted({dialogue.conversation for dialogue in dialogues})
    order = np.random.default_rng(_SPLIT_SEED).permutation(ids).tolist()
    tuning = set(order[: len(order) // 2])
    return [d for d in dialogues if (d.conversation in tuning) == (part == "tuning")]


def evaluate_dialogues(
    retriever: Retriever,
    dialogues: Sequence[Dialogue],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    filter_of: Callable[[str], Filter | None],
    rewriter: Rewriter | None = None,
    measures: Sequence[Measure] = MEASURES,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> DialogueEvaluation:
    """Search each turn in every way, among the passages that `filter_of` its domain admits.

    `rewriter` is a model's standalone question, "" for none: then that turn goes as offline.
    """
    methods = [LAST, OURS, *([MODEL] if rewriter else []), REWRITE]
    values: dict[str, list[list[float]]] = {method: [] for method in methods}
    for number, dialogue in enumerate(dialogues, start=1):
        where = filter_of(dialogue.domain)
        gains = qrels[dialogue.id]
        for method in methods:
            ranking = _ranking(retriever, dialogue, method, rewriter, where)
            values[method].append([measure.of(ranking, gains) for measure in measures])
        if on_progress is not None:
            on_progress(number, len(dialogues))
    table = {method: np.array(rows) for method, rows in values.items()}
    return _summed(dialogues, table, [str(measure) for measure in measures], seed)


def _ranking(
    retriever: Retriever,
    dialogue: Dialogue,
    method: str,
    rewriter: Rewriter | None,
    where: Filter | None,
) -> list[str]:
    question = dialogue.rewrite if method == REWRITE else dialogue.question
    asked = retriever
    if method in {OURS, MODEL}:
        memory = remember(dialogue.history)
        meant = ""
        if method == MODEL and rewriter is not None and memory:
            meant = rewriter(dialogue.question, memory)
        if meant:
            question = meant
        else:
            understood = understand(dialogue.question, memory)
            if not understood.reply:
                asked, question = remembering_retriever(retriever, understood), understood.meant
    return list(document_ranking(asked.retrieve(question, k=_DEPTH, where=where)))


def _summed(
    dialogues: Sequence[Dialogue],
    table: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]],
    names: Sequence[str],
    seed: int,
) -> DialogueEvaluation:
    domains = sorted({d.domain for d in dialogues if d.domain})
    cells: dict[str, dict[str, dict[str, Cell]]] = {method: {} for method in table}
    closed: dict[str, dict[str, Cell]] = {method: {} for method in table}
    gains: dict[str, dict[str, Cell]] = {method: {} for method in table}
    for domain in ("all", *domains):
        rows = [i for i, d in enumerate(dialogues) if domain in {"all", d.domain}]
        draws = _draws([dialogues[i].conversation for i in rows], seed)
        sums = {method: draws @ values[rows] for method, values in table.items()}
        sizes = draws.sum(axis=1)
        means = {method: total / sizes[:, None] for method, total in sums.items()}
        for method, values in table.items():
            cells[method][domain] = {
                name: Cell(float(values[rows, at].mean()), *_interval(means[method][:, at]))
                for at, name in enumerate(names)
            }
        if domain == "all":
            for method in table:
                for at, name in enumerate(names):
                    last, ceiling = table[LAST][:, at].mean(), table[REWRITE][:, at].mean()
                    gap = means[REWRITE][:, at] - means[LAST][:, at]
                    gain = means[method][:, at] - means[LAST][:, at]
                    mean = float(table[method][:, at].mean() - last)
                    gains[method][name] = Cell(mean, *_interval(gain))
                    share = (table[method][:, at].mean() - last) / (ceiling - last or np.nan)
                    sound = np.abs(gap) > 1e-9
                    low, high = _interval(gain[sound] / gap[sound])
                    closed[method][name] = Cell(float(np.nan_to_num(share)), low, high)
    counts = {domain: sum(d.domain == domain for d in dialogues) for domain in domains}
    return DialogueEvaluation(
        cells,
        closed,
        gains,
        {"all": len(dialogues), **counts},
        len({d.conversation for d in dialogues}),
    )


def _draws(
    conversations: Sequence[str], seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How often each turn is drawn when conversations are drawn with replacement; shape
    (resamples, turns)."""
    names = sorted(set(conversations))
    place = np.array([names.index(name) for name in conversations])
    generator = np.random.default_rng(seed)
    picked = generator.multinomial(len(names), [1 / len(names)] * len(names), size=RESAMPLES)
    drawn: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = picked[:, place].astype(np.float64)
    return drawn


def _interval(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    if len(values) == 0:
        return (0.0, 0.0)
    low, high = np.quantile(values, [0.025, 0.975])
    return (float(low), float(high))


def _dialogue(row: Mapping[str, object]) -> Dialogue:
    given = row.get("turns")
    pairs: list[list[str]] = []
    for turn in given if isinstance(given, list) else []:
        if turn.get("role") == "user":
            pairs.append([str(turn.get("text", "")), ""])
        elif pairs:
            pairs[-1][1] = str(turn.get("text", ""))
    return Dialogue(
        str(row["id"]),
        str(row.get("conversation_id", row["id"])),
        str(row.get("domain", "")),
        str(row["question"]),
        str(row["rewrite"]),
        tuple(said(question, reply) for question, reply in pairs),
    )


def dialogue_json(result: DialogueEvaluation) -> dict[str, object]:
    """Measures of the offline method first, as every `eval` prints them, then all methods."""
    ours = result.cells[OURS]["all"]
    return {
        "measures": {name: round(cell.mean, 6) for name, cell in ours.items()},
        "confidence": {name: [round(c.low, 6), round(c.high, 6)] for name, c in ours.items()},
        "n": result.counts["all"],
        "conversations": result.conversations,
        "counts": dict(result.counts),
        "methods": {
            method: {
                domain: {name: _rounded(cell) for name, cell in row.items()}
                for domain, row in rows.items()
            }
            for method, rows in result.cells.items()
        },
        "gains": {
            method: {name: _rounded(cell) for name, cell in row.items()}
            for method, row in result.gains.items()
            if method != LAST
        },
        "closed": {
            method: {name: _rounded(cell) for name, cell in row.items()}
            for method, row in result.closed.items()
            if method in {OURS, MODEL}
        },
    }


def _rounded(cell: Cell) -> list[float]:
    return [round(cell.mean, 6), round(cell.low, 6), round(cell.high, 6)]


def dialogue_text(result: DialogueEvaluation) -> str:
    """A table for a terminal of 80 columns."""
    lines = [f"{result.counts['all']} turns of {result.conversations} conversations"]
    for domain in result.cells[LAST]:
        lines.append(f"\n{domain} ({result.counts[domain]} turns)")
        for method, rows in result.cells.items():
            values = "   ".join(
                f"{name} {100 * c.mean:5.1f} [{100 * c.low:4.1f}, {100 * c.high:4.1f}]"
                for name, c in rows[domain].items()
            )
            lines.append(f"  {method:<18} {values}")
    lines.append("\ngained over last turn, paired")
    for method, row in result.gains.items():
        if method != LAST:
            values = "   ".join(
                f"{name} {100 * c.mean:+5.1f} [{100 * c.low:+5.1f}, {100 * c.high:+5.1f}]"
                for name, c in row.items()
            )
            lines.append(f"  {method:<18} {values}")
    lines.append("\nof the distance from last turn to human rewrite, closed by")
    for method in (OURS, MODEL):
        if method in result.closed:
            values = "   ".join(
                f"{name} {100 * c.mean:4.0f}% [{100 * c.low:.0f}, {100 * c.high:.0f}]"
                for name, c in result.closed[method].items()
            )
            lines.append(f"  {method:<18} {values}")
    return "\n".join(lines)
