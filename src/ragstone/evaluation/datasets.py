"""A data set folder in BEIR's form: `corpus.jsonl[.gz]`, `queries.jsonl[.gz]`, `qrels.tsv`.

`_id` and `text` (BEIR's names) are read as `id` and `question`. qrels come with or without a
header, as three columns or BEIR's four. Every error names the file and the line.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ragstone.errors import UsageError

_UNANSWERABLE = ("UNANSWERABLE", "unanswerable")


@dataclass(frozen=True, slots=True)
class Query:
    """A question of a data set; `rewrite` is its standalone form, where the set gives one."""

    id: str
    question: str
    rewrite: str = ""
    answers: tuple[str, ...] = ()
    draft: bool = False  # made by a template and not yet looked at by a person
    answerable: bool = True  # False where the set says that the documents do not hold the answer

    @property
    def standalone(self) -> str:
        """What to search for: the rewrite, or the question itself."""
        return self.rewrite or self.question


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions with their judged documents, and where the documents lie."""

    name: str
    folder: Path
    queries: tuple[Query, ...]
    qrels: Mapping[str, Mapping[str, int]]  # query id -> document id -> gain
    corpus: Path | None
    checksums: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256

    def judged(self) -> list[Query]:
        """The queries with at least one relevant document, in the order of the file."""
        return [
            query
            for query in self.queries
            if any(gain > 0 for gain in self.qrels.get(query.id, {}).values())
        ]


def sample(queries: Sequence[Query], *, limit: int | None, seed: int) -> list[Query]:
    """`limit` of the queries, drawn with `seed`, in their order; all without a limit."""
    if limit is None or limit >= len(queries):
        return list(queries)
    chosen = set(random.Random(seed).sample(range(len(queries)), limit))
    return [query for place, query in enumerate(queries) if place in chosen]


def load_dataset(folder: Path) -> Dataset:
    """Read queries and qrels of `folder`; the corpus is only found and checksummed.

    Questions marked `is_impossible` are left out of the qrels: their document does not answer.
    Raises UsageError for a missing file or a line that cannot be read.
    """
    queries_path = _find(folder, "queries.jsonl")
    qrels_path = folder / "qrels.tsv"
    if queries_path is None or not qrels_path.is_file():
        missing = "queries.jsonl[.gz]" if queries_path is None else "qrels.tsv"
        raise UsageError(
            f"{folder} holds no {missing}.",
            remedy="A data set folder has queries.jsonl[.gz] with id and question, and qrels.tsv "
            "with query id, document id and gain.",
        )
    queries: list[Query] = []
    impossible: set[str] = set()
    for where, row in read_rows(queries_path):
        queries.append(_query(row, where))
        if row.get("is_impossible"):
            impossible.add(queries[-1].id)
    qrels = {q: docs for q, docs in load_qrels(qrels_path).items() if q not in impossible}
    corpus = _find(folder, "corpus.jsonl")
    files = [path for path in (corpus, queries_path, qrels_path) if path is not None]
    return Dataset(
        folder.resolve().name, folder, tuple(queries), qrels, corpus,
        {path.name: _sha256(path) for path in files},
    )  # fmt: skip


def load_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Query id -> document id -> gain. A first line whose gain is no number is a header."""
    qrels: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            columns = line.rstrip("\r\n").split("\t")
            if columns == [""]:
                continue
            gain = columns[-1].strip()
            whole = gain.lstrip("-").isdigit()
            if number == 1 and not whole and len(columns) in (3, 4):
                continue
            if len(columns) not in (3, 4) or not whole:
                raise UsageError(
                    f"{path}, line {number}, is no judgement: {line.strip()[:80]!r}.",
                    remedy="Write query id, document id and a whole gain, separated by tabs.",
                )
            qrels.setdefault(columns[0], {})[columns[-2]] = int(gain)
    return qrels


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each JSON object of a `.jsonl` or `.jsonl.gz` file, with where it stands."""
    with _open(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise UsageError(
                    f"{where}, is no JSON: {error}.", remedy="Write one JSON object a line."
                ) from error
            if not isinstance(row, dict):
                raise UsageError(
                    f"{where}, holds {type(row).__name__}, not an object.",
                    remedy="Write one JSON object a line.",
                )
            yield where, row


def _query(row: Mapping[str, object], where: str) -> Query:
    identity, question = row.get("id", row.get("_id")), row.get("question", row.get("text"))
    if identity is None or not isinstance(question, str):
        raise UsageError(
            f"{where}, has no id or no question: {sorted(row)}.",
            remedy='Give each row "id" and "question".',
        )
    answers = row.get("answers")
    rewrite = row.get("rewrite")
    said = row.get("answerability")  # a word, or a list of them
    words = said if isinstance(said, list) else [said]
    impossible = row.get("is_impossible") or any(word in _UNANSWERABLE for word in words)
    impossible = impossible or row.get("question_type") == "null_query"
    return Query(
        str(identity),
        question,
        rewrite if isinstance(rewrite, str) else "",
        tuple(str(answer) for answer in answers) if isinstance(answers, list) else (),
        bool(row.get("draft", False)),
        not impossible,
    )


def _find(folder: Path, name: str) -> Path | None:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
