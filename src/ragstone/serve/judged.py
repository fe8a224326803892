"""Evaluations on disk: saved runs, and sets of questions in the form that `ragstone eval` reads.

Law: a name stays in its folder; a set and a run are replaced whole or not at all; a file that is
no saved run is not listed.
"""

from __future__ import annotations

import datetime
import json
import re
import secrets
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ragstone.applications.wire import Json, JsonObject
from ragstone.errors import UsageError
from ragstone.serve.problem import Problem

if TYPE_CHECKING:
    from ragstone.evaluation.datasets import Dataset
    from ragstone.evaluation.retrieval import Evaluation

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_BYTES = 200 << 20  # of a file that is looked at as a run
_summaries: dict[tuple[str, int, int], JsonObject | None] = {}
_summaries_lock = threading.Lock()
_SUMMARIES_KEPT = 1000


class Folder:
    """The runs and sets in one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def runs(self) -> list[JsonObject]:
        """The saved runs, newest first, without their single questions."""
        found = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            if _NAME.fullmatch(path.stem):
                summary = _summary(path)
                if summary is not None:
                    found.append(summary)
        return sorted(found, key=lambda row: (str(row["changed"]), str(row["name"])), reverse=True)

    def load_run(self, name: str) -> Evaluation:
        """One run. Raises Problem (404), UsageError for a file that is none."""
        from ragstone.evaluation.runs import load_evaluation

        path = self._run(name)
        if not path.is_file():
            raise Problem(404, "no_run", "There is no such run.", remedy="List /evaluations.")
        try:
            return load_evaluation(path)
        except UsageError as error:  # its message names the file's place
            raise Problem(
                404, "no_run", "This file is no saved run.", remedy="List /evaluations."
            ) from error

    def keep_run(self, name: str, run: Evaluation) -> None:
        """Write a run under `name`."""
        from ragstone.evaluation.runs import save_evaluation

        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{secrets.token_hex(6)}.part"
        try:
            save_evaluation(run, fresh)
            fresh.replace(self._run(name))
        finally:
            fresh.unlink(missing_ok=True)

    def delete_run(self, name: str) -> None:
        """Delete a run. Raises Problem (404)."""
        self.load_run(name)
        self._run(name).unlink(missing_ok=True)

    def sets(self) -> list[JsonObject]:
        """The sets of questions, by name."""
        root = self._folder / "sets"
        names = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
        found = []
        for name in names:
            if _NAME.fullmatch(name):
                try:
                    found.append(_counts(self.load_set(name)))
                except Problem:
                    continue
        return found

    def load_set(self, name: str) -> Dataset:
        """One set. Raises Problem (404)."""
        from ragstone.evaluation.datasets import load_dataset

        try:
            return load_dataset(self._set(name))
        except UsageError as error:
            raise Problem(
                404, "no_set", "There is no such set of questions.", remedy="List /evaluations."
            ) from error

    def keep_set(self, name: str, body: JsonObject) -> JsonObject:
        """Write a set from `questions` (checked against the schema). Raises Problem (422)."""
        rows, judgements = _files(cast("list[dict[str, Json]]", body["questions"]))
        fresh = self._folder / "sets" / f".{secrets.token_hex(6)}"
        fresh.mkdir(parents=True)
        try:
            (fresh / "queries.jsonl").write_text(rows, encoding="utf-8")
            (fresh / "qrels.tsv").write_text(judgements, encoding="utf-8")
            place = self._set(name)
            if place.exists():
                place.replace(fresh / "before")
            fresh_set = fresh.with_name(f"{fresh.name}.new")
            fresh_set.mkdir()
            for file in ("queries.jsonl", "qrels.tsv"):
                (fresh / file).replace(fresh_set / file)
            fresh_set.replace(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return _counts(self.load_set(name))

    def delete_set(self, name: str) -> None:
        """Delete a set. Raises Problem (404)."""
        self.load_set(name)
        shutil.rmtree(self._set(name), ignore_errors=True)

    def _run(self, name: str) -> Path:
        return self._folder / f"{_plain(name)}.json"

    def _set(self, name: str) -> Path:
        return self._folder / "sets" / _plain(name)


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Problem(404, "name", "There is nothing of this name.")
    return name


def _files(questions: list[dict[str, Json]]) -> tuple[str, str]:
    """queries.jsonl and qrels.tsv of the questions of a body."""
    rows: list[str] = []
    judgements: list[str] = []
    seen: set[str] = set()
    for number, question in enumerate(questions, start=1):
        id_ = str(question.get("id") or number)
        if id_ in seen:
            raise Problem(
                422, "invalid", f"Two questions have the id {id_[:80]!r}.", param="id",
                remedy="Give each its own, or none.",
            )  # fmt: skip
        seen.add(id_)
        answers = question.get("answers")
        row: JsonObject = {"id": id_, "question": question["question"]}
        if isinstance(answers, list) and answers:
            row["answers"] = answers
        if question.get("answerable") is False:
            row["answerability"] = "UNANSWERABLE"  # as the datasets that are read have it
        rows.append(json.dumps(row, ensure_ascii=False))
        relevant = question.get("relevant")
        named = relevant if isinstance(relevant, list) else []
        judgements += [f"{id_}\t{document_id}\t1" for document_id in named]
    return "\n".join(rows) + "\n", "".join(f"{line}\n" for line in judgements)


def _counts(dataset: Dataset) -> JsonObject:
    return {
        "name": dataset.name, "questions": len(dataset.queries), "judged": len(dataset.judged()),
    }  # fmt: skip


def _summary(path: Path) -> JsonObject | None:
    """The head of a saved run, kept for as long as the file stays as it is; None for another."""
    from ragstone.evaluation.runs import evaluation_json, load_evaluation

    try:
        status = path.stat()
    except OSError:
        return None
    key = (str(path), status.st_mtime_ns, status.st_size)
    with _summaries_lock:
        if key in _summaries:
            return _summaries[key]
    found: JsonObject | None = None
    if status.st_size <= _MOST_BYTES:
        try:
            head = cast("JsonObject", evaluation_json(load_evaluation(path)))
            changed = datetime.datetime.fromtimestamp(status.st_mtime, datetime.UTC)
            kept = ("dataset", "measures", "confidence", "n", "settings", "timings_ms")
            found = {
                "name": path.stem, "changed": changed.isoformat(timespec="seconds"),
                **{name: head[name] for name in kept},
            }  # fmt: skip
        except UsageError:
            found = None
    with _summaries_lock:
        while len(_summaries) >= _SUMMARIES_KEPT:
            _summaries.pop(next(iter(_summaries)))
        _summaries[key] = found
    return found
