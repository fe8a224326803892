"""Versions over HTTP: what there is, what changed between two, and the way back."""

from __future__ import annotations

import datetime

from starlette.responses import Response

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve import examples
from ragstone.serve.asking import CORPUS
from ragstone.serve.operation import Call, Operation, Parameter, Reply, reply
from ragstone.serve.problem import Problem

_MOST_NAMED = 1000


async def list_versions(call: Call) -> Response:
    """All versions, newest first."""
    refuse_filtered(call)
    store = call.shelf.corpus.store
    infos = await call.library.work.run(store.versions)
    rows: list[Json] = [
        {
            "version": info.number,
            "time": datetime.datetime.fromtimestamp(info.created, datetime.UTC).isoformat(
                timespec="seconds"
            ),
            "note": info.note,
            "documents": info.documents,
            "passages": info.passages,
            "tags": list(info.tags),
        }
        for info in reversed(infos)
    ]
    return reply({"current": call.shelf.version, "versions": rows})


async def diff(call: Call) -> Response:
    """The documents that one version has and another has not, or has otherwise."""
    refuse_filtered(call)
    store = call.shelf.corpus.store
    found = await call.library.work.run(
        lambda: store.diff(call.number("from", 0), call.maybe("to"))
    )
    return reply(
        {
            "from": found.a, "to": found.b,
            "counts": {
                "added": len(found.added), "changed": len(found.changed),
                "removed": len(found.removed),
            },
            "added": _named(found.added), "changed": _named(found.changed),
            "removed": _named(found.removed),
        }
    )  # fmt: skip


def _named(pairs: tuple[tuple[str, str], ...]) -> Json:
    return [{"document_id": id_, "source": source} for id_, source in pairs[:_MOST_NAMED]]


async def rollback(call: Call) -> Response:
    """Publishes a new version that holds what an earlier one held."""
    refuse_filtered(call)
    shelf = call.shelf

    def act() -> int:
        with shelf.writing:
            return shelf.corpus.store.rollback(call.number("version", 0))

    number = await call.library.work.run(act)
    return reply({"version": number})


def refuse_filtered(call: Call) -> None:
    """For what tells of the whole corpus: a key with a filter may not see it. Raises Problem."""
    if call.caller.where:
        raise Problem(
            403, "filtered_key", "A key that sees only some documents cannot see this.",
            remedy="Use a key without a filter.",
        )  # fmt: skip


_NUMBER: JsonObject = {"type": "integer", "minimum": 1, "maximum": 2**31}
_BODY: JsonObject = {
    "type": "object", "required": ["version"], "additionalProperties": False,
    "properties": {"version": {**_NUMBER, "description": "The version to go back to."}},
}  # fmt: skip
OPERATIONS = (
    Operation(
        "GET", "/api/corpora/{corpus}/versions", "List versions", "versions", "read",
        list_versions, Reply("Newest first.", examples.VERSIONS), (CORPUS,), errors=(404,),
    ),
    Operation(
        "GET", "/api/corpora/{corpus}/versions/diff", "Compare two versions", "versions", "read",
        diff, Reply("What changed; at most 1,000 of each kind are named.", examples.DIFF),
        (CORPUS, Parameter("from", _NUMBER, "The earlier version.", 2, required=True),
         Parameter("to", _NUMBER, "The later one; the newest, where it is left out.", 3)),
        errors=(400, 404),
    ),
    Operation(
        "POST", "/api/corpora/{corpus}/versions/rollback", "Go back to a version", "versions",
        "admin", rollback, Reply("The new version.", {"version": 5}), (CORPUS,), _BODY,
        {"simple": {"version": 2}}, errors=(404,),
    ),
)  # fmt: skip
