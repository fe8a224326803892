"""Evaluations over HTTP: sets of judged questions, runs over them as jobs, and their comparison.

What `ragstone eval --output FILE` wrote into the folder `evaluations` of the corpus is listed
beside what was measured here; a set lies in `evaluations/sets/NAME` in the form that `ragstone
eval` reads. Evaluations name documents of the whole corpus, so a key with a filter sees none.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from starlette.responses import Response

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve import examples, sse
from ragstone.serve.asking import CORPUS, Streaming, failing
from ragstone.serve.jobs import OVER, Job
from ragstone.serve.judged import Folder
from ragstone.serve.operation import Call, Operation, Parameter, Reply, reply
from ragstone.serve.problem import Problem
from ragstone.serve.versions import refuse_filtered
from ragstone.types import Answer

if TYPE_CHECKING:
    from ragstone.evaluation.datasets import Dataset
    from ragstone.evaluation.retrieval import Evaluation
    from ragstone.serve.library import Shelf

_MOST_QUERIES_SHOWN = 2000


async def list_evaluations(call: Call) -> Response:
    """The runs, newest first, the sets, and what is being measured."""
    folder = _folder(call)
    runs = await call.library.work.run(folder.runs)
    sets = await call.library.work.run(folder.sets)
    jobs: list[Json] = [job.json() for job in call.library.jobs.of(_owner(call))]
    return reply({"runs": list(runs), "sets": list(sets), "jobs": jobs})


async def put_set(call: Call) -> Response:
    """Keeps a set of questions with the documents that answer them."""
    folder, shelf = _folder(call), call.shelf

    def act() -> JsonObject:
        with shelf.keeping:
            return folder.keep_set(call.text("set"), call.body)

    return reply(await call.library.work.run(act), status=201)


async def delete_set(call: Call) -> Response:
    """Deletes a set; runs over it stay."""
    folder, name = _folder(call), call.text("set")
    await call.library.work.run(lambda: folder.delete_set(name))
    return reply({"deleted": name})


async def start(call: Call) -> Response:
    """Begins to measure."""
    folder, shelf = _folder(call), call.shelf
    dataset = await call.library.work.run(lambda: folder.load_set(call.text("set")))
    kind = call.text("kind", "retrieval")
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    job = Job(f"{dataset.name}-{kind}-{stamp}-{secrets.token_hex(2)}", _owner(call))
    measure: Callable[[Job], Evaluation]
    if kind == "answers":
        measure = _answers(shelf, dataset, call.maybe("limit"), call.number("seed", 0))
    else:
        mode = call.text("mode", "hybrid")
        measure = _retrieval(shelf, dataset, mode, call.maybe("limit"), call.number("seed", 0))

    def act(job: Job) -> None:
        folder.keep_run(job.id, measure(job))

    call.library.jobs.start(job, act)
    return reply(job.json(), status=202)


async def watch(call: Call) -> Response:
    """The progress of a run that is under way, to its end."""
    jobs, name = call.library.jobs, call.text("run")
    job = jobs.find(_owner(call), name)
    if job is None:
        await call.library.work.run(lambda: _folder(call).load_run(name))
        job = Job(name, _owner(call), state="done")
    known = job

    def render(item: JsonObject | Job) -> bytes:
        told = item.json() if isinstance(item, Job) else item
        return sse.event("done" if known.state in OVER else "job", told)

    def source() -> contextlib.AbstractAsyncContextManager[AsyncIterator[JsonObject | Job]]:
        return jobs.watch(known)

    return Streaming(sse.EventStream(source, render, failing(call)))


async def cancel(call: Call) -> Response:
    """Ends a run that is under way; nothing of it is kept."""
    _folder(call)
    job = call.library.jobs.find(_owner(call), call.text("run"))
    if job is None:
        raise Problem(404, "no_run", "No such run is under way.", remedy="List /evaluations.")
    call.library.jobs.stop(job)
    return reply(job.json(), status=202)


async def show(call: Call) -> Response:
    """A run: its measures with intervals, and each question."""
    folder, name = _folder(call), call.text("run")
    run = await call.library.work.run(lambda: folder.load_run(name))
    return reply(_whole_json(name, run))


async def compare(call: Call) -> Response:
    """Two runs over the same questions, B against A."""
    from ragstone.evaluation.comparison import compare as compare_runs
    from ragstone.evaluation.report import comparison_json

    folder = _folder(call)

    def act() -> JsonObject:
        a, b = folder.load_run(call.text("run")), folder.load_run(call.text("with"))
        shared = [name for name in a.measures if name in b.measures]
        main = call.text("measure") or next(iter(shared), "nDCG@10")
        found = compare_runs(a, b, main=main)
        deltas: list[Json] = [round(two - one, 6) for one, two in found.values.values()]
        told = cast("JsonObject", comparison_json(found))
        return {**told, "a": call.text("run"), "b": call.text("with"), "deltas": deltas}

    return reply(await call.library.work.run(act))


async def delete(call: Call) -> Response:
    """Deletes a run."""
    folder, name = _folder(call), call.text("run")
    await call.library.work.run(lambda: folder.delete_run(name))
    return reply({"deleted": name})


def _whole_json(name: str, run: Evaluation) -> JsonObject:
    from ragstone.evaluation.runs import evaluation_json

    queries: list[Json] = [
        {
            "id": query.id, "question": query.question, "values": dict(query.values),
            "ms": round(query.ms, 2), "ranking": [id_ for id_, _ in query.ranking[:10]],
        }
        for query in run.queries[:_MOST_QUERIES_SHOWN]
    ]  # fmt: skip
    return {"name": name, **cast("JsonObject", evaluation_json(run)), "queries": queries}


def _retrieval(
    shelf: Shelf, dataset: Dataset, mode: str, limit: int | None, seed: int
) -> Callable[[Job], Evaluation]:
    from ragstone.evaluation.datasets import sample
    from ragstone.evaluation.retrieval import evaluate_retrieval

    def measure(job: Job) -> Evaluation:
        with shelf.corpus.snapshot() as snapshot:
            return evaluate_retrieval(
                shelf.corpus.retriever(snapshot, mode),  # type: ignore[arg-type]
                sample(dataset.judged(), limit=limit, seed=seed),
                dataset.qrels,
                dataset=dataset.name,
                settings={"mode": mode, "limit": limit or 0, "version": snapshot.version},
                versions=_versions(shelf),
                checksums=dataset.checksums,
                seed=seed,
                on_progress=job.step,
            )

    return measure


def _answers(
    shelf: Shelf, dataset: Dataset, limit: int | None, seed: int
) -> Callable[[Job], Evaluation]:
    from ragstone.evaluation.answering import ask_all, evaluate_answers, timed
    from ragstone.evaluation.datasets import sample

    def ask(question: str) -> tuple[Answer, float]:
        return timed(shelf.corpus.ask_stream(question))

    def measure(job: Job) -> Evaluation:
        queries = sample(dataset.queries, limit=limit, seed=seed)
        asked = ask_all(ask, queries, dataset.qrels, on_progress=job.step)
        with shelf.corpus.snapshot() as snapshot:
            found = evaluate_answers(
                asked,
                dataset.qrels,
                text_of=lambda id_: snapshot.document(id_).text,
                dataset=dataset.name,
                settings={
                    "llm": asked[0].answer.model if asked else "none",
                    "caution": shelf.corpus.settings.caution,
                    "limit": limit or 0,
                    "seed": seed,
                    "version": snapshot.version,
                },
                seed=seed,
            )
        return replace(found, versions=_versions(shelf), checksums=dataset.checksums)

    return measure


def _versions(shelf: Shelf) -> dict[str, str]:
    return {
        "ragstone": importlib.metadata.version("ragstone"),
        "encoder": shelf.corpus.encoder.identity,
    }


def _folder(call: Call) -> Folder:
    """The corpus's evaluations. Raises Problem (403) for a key with a filter."""
    refuse_filtered(call)
    return Folder(Path(call.shelf.folder) / "evaluations")


def _owner(call: Call) -> str:
    return f"{call.shelf.name}:evaluations"


_NAME: JsonObject = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
_SET_NAME: JsonObject = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$"}
_RUN = Parameter("run", _NAME, "The run's name.", "dues-retrieval-20260105-101500", "path")
_SET = Parameter("set", _SET_NAME, "The set's name.", "dues", "path")
_ID: JsonObject = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"^[^\t\r\n]+$"}
_SET_BODY: JsonObject = {
    "type": "object", "required": ["questions"], "additionalProperties": False,
    "properties": {
        "questions": {
            "type": "array", "minItems": 1, "maxItems": 10_000,
            "items": {
                "type": "object", "required": ["question"], "additionalProperties": False,
                "properties": {
                    "id": {**_ID, "description": "Unique; a number where it is left out."},
                    "question": {"type": "string", "minLength": 1, "maxLength": 8000,
                                 "pattern": r"\S"},
                    "answers": {"type": "array", "maxItems": 20,
                                "items": {"type": "string", "maxLength": 2000}},
                    "relevant": {"type": "array", "maxItems": 1000, "items": _ID,
                                 "description": "Ids of the documents that answer it."},
                    "answerable": {"type": "boolean", "default": True},
                },
            },
        },
    },
}  # fmt: skip
_START: JsonObject = {
    "type": "object", "required": ["set"], "additionalProperties": False,
    "properties": {
        "set": _SET_NAME,
        "kind": {"type": "string", "enum": ["retrieval", "answers"], "default": "retrieval"},
        "mode": {"type": "string", "enum": ["hybrid", "dense", "lexical"], "default": "hybrid"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100_000},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**31, "default": 0},
    },
}  # fmt: skip
_QUESTIONS: JsonObject = {
    "questions": [
        {"id": "q1", "question": "What are the dues for a yacht?", "answers": ["12 crowns"],
         "relevant": ["9f2c61d0"]},
        {"id": "q2", "question": "Who won the cup?", "answerable": False},
    ]
}  # fmt: skip
_ALL = "/api/corpora/{corpus}/evaluations"
_ONE = f"{_ALL}/{{run}}"
_SETS = f"{_ALL}/sets/{{set}}"
OPERATIONS = (
    Operation(
        "GET", _ALL, "List evaluations", "evaluations", "read", list_evaluations,
        Reply("Runs, sets, and what is under way.", examples.EVALUATIONS), (CORPUS,),
        errors=(404,),
    ),
    Operation(
        "POST", _ALL, "Measure", "evaluations", "write", start,
        Reply("The job; its id is the name of the run.", examples.EVALUATING, status=202),
        (CORPUS,), _START,
        {"retrieval": {"set": "dues", "mode": "lexical"},
         "answers": {"set": "dues", "kind": "answers", "limit": 50}}, errors=(404, 409),
    ),
    Operation(
        "PUT", _SETS, "Keep a set of questions", "evaluations", "write", put_set,
        Reply("The set.", {"name": "dues", "questions": 2, "judged": 1}, status=201),
        (CORPUS, _SET), _SET_BODY, {"two": _QUESTIONS}, errors=(404,),
    ),
    Operation(
        "DELETE", _SETS, "Delete a set", "evaluations", "write", delete_set,
        Reply("What was deleted.", {"deleted": "dues"}), (CORPUS, _SET), errors=(404,),
    ),
    Operation(
        "GET", _ONE, "Show a run", "evaluations", "read", show,
        Reply("Measures with 95% intervals, and each question.", examples.EVALUATION),
        (CORPUS, _RUN), errors=(400, 404),
    ),
    Operation(
        "GET", f"{_ONE}/events", "Watch a run", "evaluations", "read", watch,
        Reply("Events: job, done, error.", media=sse.MEDIA), (CORPUS, _RUN), errors=(400, 404),
    ),
    Operation(
        "GET", f"{_ONE}/compare", "Compare two runs", "evaluations", "read", compare,
        Reply("Differences with intervals and p-values, B minus A.", examples.COMPARED),
        (CORPUS, _RUN, Parameter("with", _NAME, "The other run, B.",
                                 "dues-retrieval-20260105-104000", required=True),
         Parameter("measure", {"type": "string", "maxLength": 60}, "To look into.", "nDCG@10")),
        errors=(400, 404),
    ),
    Operation(
        "POST", f"{_ONE}/cancel", "Stop a run", "evaluations", "write", cancel,
        Reply("It ends with the question under way.", examples.EVALUATING, status=202),
        (CORPUS, _RUN), errors=(404,),
    ),
    Operation(
        "DELETE", _ONE, "Delete a run", "evaluations", "write", delete,
        Reply("What was deleted.", {"deleted": "dues-retrieval-20260105-101500"}),
        (CORPUS, _RUN), errors=(404,),
    ),
)  # fmt: skip
