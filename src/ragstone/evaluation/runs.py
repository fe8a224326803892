"""Evaluations on disk: one JSON document, one query a line, small, sorted and easy to diff.

Law: loading what was saved gives the same value, to the digits that are written (6 for values,
2 for milliseconds); saving the same evaluation gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ragstone.errors import UsageError
from ragstone.evaluation.retrieval import Evaluation, Judged
from ragstone.types import Scalar

FORMAT = 1


def evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    """The document that `eval retrieval --json` prints, without the single queries."""
    return {
        "dataset": evaluation.dataset,
        "measures": {name: round(value, 6) for name, value in evaluation.measures.items()},
        "confidence": {
            name: [round(low, 6), round(high, 6)]
            for name, (low, high) in evaluation.confidence.items()
        },
        "n": evaluation.n,
        "settings": dict(sorted(evaluation.settings.items())),
        "versions": dict(sorted(evaluation.versions.items())),
        "checksums": dict(sorted(evaluation.checksums.items())),
        "timings_ms": {name: round(ms, 2) for name, ms in evaluation.timings_ms.items()},
    }


def save_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write the evaluation with its queries, ordered by id."""
    head = json.dumps(
        {"format": FORMAT, **evaluation_json(evaluation)}, ensure_ascii=False, indent=1
    )
    rows = [
        json.dumps(
            {
                "id": query.id,
                "question": query.question,
                "values": {name: round(value, 6) for name, value in query.values.items()},
                "ranking": [[name, round(score, 6)] for name, score in query.ranking],
                "ms": round(query.ms, 2),
            },
            ensure_ascii=False,
        )
        for query in sorted(evaluation.queries, key=lambda query: query.id)
    ]
    body = ",\n".join(rows)
    path.write_text(f'{head[:-2]},\n "queries": [\n{body}\n ]\n}}\n', encoding="utf-8")


def load_evaluation(path: Path) -> Evaluation:
    """Read what `save_evaluation` wrote. Raises UsageError for anything else."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if row["format"] != FORMAT:
            raise UsageError(
                f"{path} is an evaluation of format {row['format']}; this version reads {FORMAT}.",
                remedy="Run `ragstone eval retrieval` again.",
            )
        return Evaluation(
            dataset=str(row["dataset"]),
            measures=_numbers(row["measures"]),
            confidence={name: (float(v[0]), float(v[1])) for name, v in row["confidence"].items()},
            n=int(row["n"]),
            timings_ms=_numbers(row["timings_ms"]),
            settings=_scalars(row["settings"]),
            versions={name: str(value) for name, value in row["versions"].items()},
            checksums={name: str(value) for name, value in row["checksums"].items()},
            queries=tuple(
                Judged(
                    str(query["id"]),
                    str(query["question"]),
                    tuple((str(name), float(score)) for name, score in query["ranking"]),
                    _numbers(query["values"]),
                    float(query["ms"]),
                )
                for query in row["queries"]
            ),
        )
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path} is no saved evaluation ({type(error).__name__}: {error}).",
            remedy="Give a file written by `ragstone eval retrieval --output`.",
        ) from error


def _numbers(values: Mapping[str, object]) -> dict[str, float]:
    return {name: float(str(value)) for name, value in values.items()}


def _scalars(values: Mapping[str, object]) -> dict[str, Scalar]:
    return {
        name: value if isinstance(value, str | int | float | bool) else str(value)
        for name, value in values.items()
    }
