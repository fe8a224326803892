"""Writing over HTTP: a brief becomes a job; its sections arrive as events; the text is a file.

Events of a job: `job` (its state) and `section` (one more section with its statements, their
verdicts and citations), in order and from the beginning; `done` when it is over. A job that was
stopped, or cut off with the server, goes on from its last whole section, over the version of the
corpus that it began with.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from starlette.responses import Response

from ragstone.applications.wire import Json, JsonObject
from ragstone.applications.writing.brief import SECTIONS, WORDS
from ragstone.applications.writing.composing import (
    PlanMade,
)
from ragstone.applications.writing.ledger import Ledger, ledger_json
from ragstone.applications.writing.manuscript import KINDS, Kind, Manuscript
from ragstone.applications.writing.outline import parse, render
from ragstone.serve import examples, kept, sse
from ragstone.serve.asking import CORPUS, WHERE, Streaming, failing
from ragstone.serve.jobs import OVER, Job, State
from ragstone.serve.manuscripts import Manuscripts, Order, moment, new_id
from ragstone.serve.operation import Call, Operation, Parameter, Reply, attachment, reply
from ragstone.serve.problem import Problem
from ragstone.serve.writer import Writer, sections_of

if TYPE_CHECKING:
    from ragstone.serve.library import Shelf

_MOST_KEPT = 200  # manuscripts of one caller in one corpus
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MEDIA = {"md": "text/markdown", "html": "text/html", "docx": _DOCX}


async def list_manuscripts(call: Call) -> Response:
    """The caller's manuscripts, the newest first."""
    found = await call.library.work.run(_kept(call).list)
    return reply({"manuscripts": [_json(call, order) for order in found]})


async def start(call: Call) -> Response:
    """Begins to write."""
    shelf, manuscripts, order = call.shelf, _kept(call), _order(call)

    def act() -> None:
        _parsed_outline(order)
        with shelf.keeping:
            if len(manuscripts.list()) >= _MOST_KEPT:
                raise Problem(
                    409, "too_many", f"{_MOST_KEPT} manuscripts are kept, which is all.",
                    remedy="Delete one that is no longer needed.",
                )  # fmt: skip
            manuscripts.keep(order)

    order = replace(order, model=await call.library.work.run(lambda: _model_name(shelf)))
    await call.library.work.run(act)
    try:
        job = _begin(call, order)
    except Problem:
        await call.library.work.run(lambda: manuscripts.delete(order.id))
        raise
    return reply({**order.json(), **job.json()}, status=202)


async def outline(call: Call) -> Response:
    """What would be written: the outline, to be edited and given back as `outline`."""
    shelf, order = call.shelf, _order(call)
    where = shelf.visible(call.caller, order.where)

    def act() -> str:
        events = shelf.corpus.write_stream(
            order.as_brief(), outline=order.outline or None, where=where, llm="none"
        )
        for event in events:
            if isinstance(event, PlanMade):
                return render(event.outline) if event.outline.sections else ""
        return ""

    return reply({"outline": await call.library.work.run(act)})


async def show(call: Call) -> Response:
    """How far it is."""
    order = await call.library.work.run(lambda: _kept(call).find(call.text("manuscript")))
    return reply(_json(call, order))


async def watch(call: Call) -> Response:
    """Its events, from the beginning to its end."""
    manuscripts, jobs = _kept(call), call.library.jobs
    order = await call.library.work.run(lambda: manuscripts.find(call.text("manuscript")))
    job = jobs.find(_owner(call), order.id)
    if job is None:  # over: what is on disk is all
        job = await call.library.work.run(lambda: _past(call, order))
    known = job

    def render_(item: JsonObject | Job) -> bytes:
        if isinstance(item, Job):
            current = manuscripts.find(order.id) if item.state in OVER else order
            told: JsonObject = {**current.json(), **item.json()}
            return sse.event("done" if item.state in OVER else "job", told)
        return sse.event("section", item)

    def source() -> contextlib.AbstractAsyncContextManager[AsyncIterator[JsonObject | Job]]:
        return jobs.watch(known)

    return Streaming(sse.EventStream(source, render_, failing(call)))


async def cancel(call: Call) -> Response:
    """Ends it after the section under way; what is written stays."""
    order = await call.library.work.run(lambda: _kept(call).find(call.text("manuscript")))
    job = call.library.jobs.find(_owner(call), order.id)
    if job is None:
        raise Problem(
            409, "over", "It is not under way.", remedy="Go on with it, or start another."
        )
    call.library.jobs.stop(job)
    return reply({**order.json(), **job.json()}, status=202)


async def resume(call: Call) -> Response:
    """Goes on from the last whole section."""
    manuscripts = _kept(call)
    order = await call.library.work.run(lambda: manuscripts.find(call.text("manuscript")))
    if call.library.jobs.find(_owner(call), order.id) is not None:
        raise Problem(409, "running", "It is under way.", remedy="Watch its events.")
    if order.state == "done":
        raise Problem(409, "over", "It is complete.", remedy="Start another one.")
    model = await call.library.work.run(lambda: _model_name(call.shelf))
    if model != order.model:
        raise Problem(
            409, "model", f"It was begun with the model {order.model}; now it is {model}.",
            remedy="Start it anew.",
        )  # fmt: skip
    order = order.now("waiting")
    await call.library.work.run(lambda: manuscripts.keep(order))
    return reply({**order.json(), **_begin(call, order).json()}, status=202)


async def ledger(call: Call) -> Response:
    """The claim ledger: every statement with its verdict and its citations."""
    return reply(ledger_json(await call.library.work.run(lambda: _written(call))))


async def file(call: Call) -> Response:
    """The text as a file; of one that is not complete, what there is."""
    form = call.text("form", "md")

    def act() -> bytes:
        manuscript = _written(call).manuscript
        return _rendered(manuscript, form)

    content = await call.library.work.run(act)
    return attachment(content, f"{call.text('manuscript')}.{form}", _MEDIA[form])


async def delete(call: Call) -> Response:
    """Deletes a manuscript for good."""
    id_ = call.text("manuscript")
    if call.library.jobs.find(_owner(call), id_) is not None:
        raise Problem(409, "running", "It is under way.", remedy="Cancel it first.")
    await call.library.work.run(lambda: _kept(call).delete(id_))
    return reply({"deleted": id_})


def _rendered(manuscript: Manuscript, form: str) -> bytes:
    if form == "docx":
        from ragstone.applications.manuscripts.docx import docx

        return docx(manuscript)
    if form == "html":
        from ragstone.applications.manuscripts.html import html

        return html(manuscript).encode("utf-8", "replace")
    from ragstone.applications.manuscripts.markdown import markdown

    return markdown(manuscript).encode("utf-8", "replace")


def _kept(call: Call) -> Manuscripts:
    return Manuscripts(kept.folder_of(call.shelf, call.caller))


def _owner(call: Call) -> str:
    return f"{call.shelf.name}:{kept.folder_of(call.shelf, call.caller)}"


def _order(call: Call) -> Order:
    """What the body asks for, over the newest version. Raises Problem (400)."""
    shelf, now = call.shelf, moment()
    shelf.visible(call.caller, call.text("where"))
    kind = cast("Kind", call.text("kind", "report"))
    return Order(
        id=new_id(), brief=call.text("brief").strip(), kind=kind,
        sections=call.number("sections", SECTIONS[kind]), words=call.number("words", WORDS[kind]),
        audience=call.text("audience"), style=call.text("style"),
        failed=cast('Literal["drop", "mark"]', call.text("failed", "drop")),
        where=call.text("where"), outline=call.text("outline").strip(), version=shelf.version,
        model="none", created=now, changed=now,
    )  # fmt: skip


def _model_name(shelf: Shelf) -> str:
    model = shelf.corpus.model()
    return model.name if model is not None else "none"


def _parsed_outline(order: Order) -> None:
    """Raises UsageError for an outline that cannot be read, before a job is made of it."""
    brief = order.as_brief()
    if order.outline:
        parse(order.outline, title=brief.title)


def _json(call: Call, order: Order) -> JsonObject:
    """The order with the state of its job; without one, what is unfinished was interrupted."""
    job = call.library.jobs.find(_owner(call), order.id)
    if job is not None:
        return {**order.json(), **job.json()}
    state: State = order.state if order.state in OVER else "interrupted"
    return {**order.json(), "state": state, "stopping": False}


def _begin(call: Call, order: Order) -> Job:
    """Start the job of an order. Raises Problem (429, 503)."""
    shelf, manuscripts = call.shelf, _kept(call)
    where = shelf.visible(call.caller, order.where)
    job = Job(order.id, _owner(call))
    writer = Writer(shelf, manuscripts, order, where)
    filtered = bool(call.caller.where)
    call.library.jobs.start(job, writer.write, ended=writer.ended, filtered=filtered)
    return job


def _past(call: Call, order: Order) -> Job:
    """A job that is over, as it is kept. Raises Problem (403)."""
    found = _kept(call).ledger(order)
    job = Job(order.id, _owner(call), done=order.done, total=order.total, problem=order.problem)
    job.state = order.state if order.state in OVER else "interrupted"
    if found is not None:
        _refuse_hidden(call, found)
        job.pieces = sections_of(found)
    return job


def _written(call: Call) -> Ledger:
    """The ledger of the manuscript that the call names. Raises Problem (403, 404, 409)."""
    manuscripts = _kept(call)
    found = manuscripts.ledger(manuscripts.find(call.text("manuscript")))
    if found is None:
        raise Problem(
            409, "nothing_yet", "Nothing is written yet.", remedy="Wait for its first section."
        )
    _refuse_hidden(call, found)
    return found


def _refuse_hidden(call: Call, ledger: Ledger) -> None:
    statements = (*ledger.manuscript.statements, *ledger.manuscript.removed)
    quoted = {citation.document_id for each in statements for citation in each.citations}
    if call.shelf.hidden(call.caller, quoted):
        raise Problem(
            403, "withheld", "It quotes documents that this key may no longer see.",
            remedy="Delete it, or write it anew.",
        )  # fmt: skip


_ID = Parameter(
    "manuscript", {"type": "string", "maxLength": 40}, "Its id.", "20260105-101500-9f2c61", "path"
)
_TEXT: JsonObject = {"type": "string", "maxLength": 500}
_BODY: JsonObject = {
    "type": "object", "required": ["brief"], "additionalProperties": False,
    "properties": {
        "brief": {
            "type": "string", "minLength": 1, "maxLength": 4000, "pattern": r"\S",
            "description": "What is to be written about.",
        },
        "kind": {"type": "string", "enum": list(KINDS), "default": "report"},
        "sections": {"type": "integer", "minimum": 1, "maximum": 60,
                     "description": "How many to plan."},
        "words": {"type": "integer", "minimum": 50, "maximum": 20_000,
                  "description": "About how long."},
        "audience": {**_TEXT, "description": "For whom."},
        "style": {**_TEXT, "description": "How it should read."},
        "outline": {"type": "string", "maxLength": 40_000,
                    "description": "Your own: a heading a line, questions below."},
        "failed": {"type": "string", "enum": ["drop", "mark"], "default": "drop",
                   "description": "What becomes of a drafted sentence that is not proved."},
        "where": WHERE,
    },
}  # fmt: skip
_EXAMPLES: dict[str, Json] = {
    "simple": {"brief": "The restoration of the lantern gallery"},
    "briefing": {"brief": "Write a briefing on harbour dues", "kind": "briefing", "words": 300,
                 "audience": "the council", "where": "format = 'pdf'"},
}  # fmt: skip
_FORM = Parameter("form", {"type": "string", "enum": list(_MEDIA)}, "The kind of file.", "docx")
_ALL = "/api/corpora/{corpus}/manuscripts"
_ONE = f"{_ALL}/{{manuscript}}"
OPERATIONS = (
    Operation(
        "GET", _ALL, "List manuscripts", "writing", "read", list_manuscripts,
        Reply("The caller's own, newest first.", examples.MANUSCRIPTS), (CORPUS,), errors=(404,),
    ),
    Operation(
        "POST", _ALL, "Write a text", "writing", "read", start,
        Reply("The job.", examples.JOB, status=202), (CORPUS,), _BODY, _EXAMPLES,
        keeps=True, errors=(404, 409),
    ),
    Operation(
        "POST", f"{_ALL}/outline", "Plan a text", "writing", "read", outline,
        Reply("The outline as text.", {"outline": "# Harbour dues\n\n## Rates\n"}), (CORPUS,),
        _BODY, _EXAMPLES, errors=(404,),
    ),
    Operation(
        "GET", _ONE, "Show a manuscript's state", "writing", "read", show,
        Reply("Its state.", examples.MANUSCRIPT), (CORPUS, _ID), errors=(404,),
    ),
    Operation(
        "GET", f"{_ONE}/events", "Watch a manuscript being written", "writing", "read", watch,
        Reply("Events: job, section, done, error.", media=sse.MEDIA), (CORPUS, _ID),
        errors=(404,),
    ),
    Operation(
        "POST", f"{_ONE}/cancel", "Stop writing", "writing", "read", cancel,
        Reply("It ends after the section under way.", examples.JOB, status=202), (CORPUS, _ID),
        keeps=True, errors=(404, 409),
    ),
    Operation(
        "POST", f"{_ONE}/resume", "Go on writing", "writing", "read", resume,
        Reply("The job.", examples.JOB, status=202), (CORPUS, _ID), keeps=True, errors=(404, 409),
    ),
    Operation(
        "GET", f"{_ONE}/ledger", "The claim ledger", "writing", "read", ledger,
        Reply("Every statement with its verdict and evidence.", examples.LEDGER), (CORPUS, _ID),
        errors=(404, 409),
    ),
    Operation(
        "GET", f"{_ONE}/file", "The text as a file", "writing", "read", file,
        Reply("A file.", media="text/markdown", others=("text/html", _DOCX)),
        (CORPUS, _ID, _FORM), errors=(404, 409),
    ),
    Operation(
        "DELETE", _ONE, "Delete a manuscript", "writing", "read", delete,
        Reply("What was deleted.", {"deleted": "20260105-101500-9f2c61"}), (CORPUS, _ID),
        keeps=True, errors=(404, 409),
    ),
)  # fmt: skip
