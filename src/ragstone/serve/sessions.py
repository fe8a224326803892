"""Conversations over HTTP: kept under names, gone on with, exported, forgotten.

They lie where the command line's `chat --session` keeps them (for callers with a key, in a folder
of the key's own), in the same form. Law: a turn is kept when its answer is whole; turns of two
requests at once are both kept; a turn that quotes what its caller may no longer see is withheld.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace

from starlette.responses import Response

from ragstone.applications.chat_transcript import kept_json, markdown, turn_json, turns_of
from ragstone.applications.chat_turns import Turn
from ragstone.applications.events import Done, Event
from ragstone.applications.wire import Json, JsonObject
from ragstone.corpus.sessions import Sessions
from ragstone.errors import CorpusError, UsageError
from ragstone.serve import examples, kept, sse, telemetry
from ragstone.serve.asking import CORPUS, QUESTION, WHERE, K, Renderer, Streaming, failing, whole
from ragstone.serve.operation import Call, Operation, Parameter, Reply, attachment, reply
from ragstone.serve.problem import Problem
from ragstone.trace import Trace
from ragstone.types import Answer

_MOST_KEPT = 500  # conversations of one caller in one corpus
_MOST_TURNS = 300
_NAME: JsonObject = {
    "type": "string", "pattern": r"^[^\W\d_](?:[\w.-]{0,62}[\w-])?$",
    "description": "Letters, digits, dots and dashes, a letter first.",
}  # fmt: skip
_TITLE_CHARACTERS = 100


async def list_sessions(call: Call) -> Response:
    """The caller's conversations, the last changed first."""
    sessions = _sessions(call)

    def act() -> list[Json]:
        return [
            {
                "name": info.name, "changed": info.changed, "turns": info.turns,
                "title": _title(sessions.load(info.name)) if info.turns else "",  # 0: or damaged
            }
            for info in sessions.list()
        ]  # fmt: skip

    return reply({"sessions": await call.library.work.run(act)})


async def create(call: Call) -> Response:
    """Begins a conversation, under a name of the caller's or one made up."""
    sessions = _sessions(call)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    name = call.text("name") or f"chat-{stamp}-{secrets.token_hex(2)}"
    shelf = call.shelf

    def act() -> JsonObject:
        with shelf.keeping:
            if name in {info.name for info in sessions.list()}:
                raise Problem(
                    409, "exists", "There is a conversation of this name.",
                    remedy="Go on with it, or choose another name.", param="name",
                )  # fmt: skip
            if len(sessions.list()) >= _MOST_KEPT:
                raise Problem(
                    409, "too_many", f"{_MOST_KEPT} conversations are kept, which is all.",
                    remedy="Delete one that is no longer needed.",
                )  # fmt: skip
            sessions.save(name, [])
        return {"name": name, "turns": []}

    return reply(await call.library.work.run(act), status=201)


async def show(call: Call) -> Response:
    """A conversation, turn by turn."""
    turns = await call.library.work.run(lambda: _turns(call))
    rows: list[Json] = [
        {**turn_json(_withheld(turn) if is_hidden else turn), "withheld": is_hidden}
        for turn, is_hidden in turns
    ]
    return reply({"name": call.text("session"), "turns": rows})


async def ask(call: Call) -> Response:
    """The next turn, answered whole and kept."""
    asked = _Asked(call)
    answer = await whole(call, asked.events)
    asked.note()
    return reply(asked.json(answer))


async def ask_stream(call: Call) -> Response:
    """The next turn as it arrives; `done` comes when it is kept."""
    asked = _Asked(call)

    def make() -> Iterator[Event]:
        yield from asked.events()
        asked.note()

    source = sse.of_work(call.library.work, make)
    render = Renderer(asked.trace, asked.json).render
    return Streaming(sse.EventStream(source, render, failing(call)))


class _Asked:
    """One question to a kept conversation."""

    def __init__(self, call: Call) -> None:
        self.trace = Trace()
        self._call = call
        self._shelf = call.shelf
        self._where = self._shelf.visible(call.caller, call.text("where"))
        self._turn: Turn | None = None

    def events(self) -> Iterator[Event]:
        """In a thread: the events of the answer. Raises Problem (404, 409)."""
        call = self._call
        every = _turns(call)
        if len(every) >= _MOST_TURNS:
            raise Problem(
                409, "full", f"This conversation has {len(every)} turns, which is all.",
                remedy="Begin another one.",
            )  # fmt: skip
        remembered = [turn for turn, is_hidden in every if not is_hidden]
        chat = self._shelf.corpus.chat(turns=remembered, k=call.maybe("k"), where=self._where)
        for event in chat.stream(call.text("question"), trace=self.trace):
            if isinstance(event, Done):
                self._turn = chat.turns[-1]
                self._keep(self._turn)
            yield event

    def _keep(self, turn: Turn) -> None:
        """Add the turn to what is on disk now; a conversation that was deleted stays so."""
        sessions, name = _sessions(self._call), self._call.text("session")
        with self._shelf.keeping:
            there = sessions.load(name)
            if there is not None:
                rows = [kept_json(each) for each in turns_of(there, origin=name)]
                sessions.save(name, [dict(row) for row in (*rows, kept_json(turn))])

    def json(self, answer: Answer) -> JsonObject:
        """The turn that ends with this answer."""
        turn = self._turn or Turn(answer.question, answer)
        return {**turn_json(replace(turn, answer=answer)), "withheld": False}

    def note(self) -> None:
        """Count the stages of this answer."""
        call = self._call
        telemetry.record("ask", self.trace, call.library.metrics, request_id=call.request_id)


async def export(call: Call) -> Response:
    """The conversation as a file; turns that are withheld are left out."""
    name = call.text("session")
    turns = [turn for turn, is_hidden in await call.library.work.run(lambda: _turns(call))
             if not is_hidden]  # fmt: skip
    if call.text("form", "md") == "json":
        text = json.dumps([turn_json(turn) for turn in turns], ensure_ascii=False, indent=2)
        return attachment(text.encode("utf-8", "replace"), f"{name}.json", "application/json")
    text = markdown(turns, title=name)
    return attachment(text.encode("utf-8", "replace"), f"{name}.md", "text/markdown")


async def delete(call: Call) -> Response:
    """Deletes a conversation for good."""
    sessions, name, shelf = _sessions(call), call.text("session"), call.shelf

    def act() -> None:
        with shelf.keeping:
            try:
                sessions.delete(name)
            except UsageError as error:
                raise _unknown() from error

    await call.library.work.run(act)
    return reply({"deleted": name})


def _sessions(call: Call) -> Sessions:
    return Sessions(kept.folder_of(call.shelf, call.caller))


def _unknown() -> Problem:
    return Problem(
        404, "no_session", "There is no such conversation.", remedy="List them at /sessions."
    )


def _turns(call: Call) -> list[tuple[Turn, bool]]:
    """The turns, each with whether it is withheld. Raises Problem (404)."""
    name = call.text("session")
    try:
        found = _sessions(call).load(name)
        turns = turns_of(found, origin=name) if found is not None else None
    except CorpusError as error:  # its message names the file's place
        raise Problem(
            409, "damaged", "This conversation's file is damaged.", remedy="Delete it."
        ) from error
    if turns is None:
        raise _unknown()
    quoted = [_quoted(turn) for turn in turns]
    hidden = call.shelf.hidden(call.caller, set().union(*quoted))
    return [(turn, bool(ids & hidden)) for turn, ids in zip(turns, quoted, strict=True)]


def _quoted(turn: Turn) -> set[str]:
    answer = turn.answer
    nearest = answer.abstention.nearest if answer.abstention else ()
    return kept.documents_of((*answer.claims, *answer.removed), (*answer.citations, *nearest))


def _withheld(turn: Turn) -> Turn:
    """Of such a turn nothing is told but what its caller asked."""
    empty = Answer(turn.question, "", (), (), (), version=turn.answer.version)
    return Turn(turn.question, empty, kind=turn.kind)


def _title(found: object) -> str:
    """The first question, cut."""
    rows = found.get("turns") if isinstance(found, dict) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    question = first.get("question") if isinstance(first, dict) else ""
    text = " ".join(str(question).split())
    return text if len(text) <= _TITLE_CHARACTERS else text[: _TITLE_CHARACTERS - 1] + "…"


_SESSION = Parameter("session", _NAME, "The conversation's name.", "harbour-dues", "path")
_BODY: JsonObject = {
    "type": "object", "required": ["question"], "additionalProperties": False,
    "properties": {"question": QUESTION, "k": K, "where": WHERE},
}  # fmt: skip
_NEW: JsonObject = {
    "type": "object", "additionalProperties": False, "properties": {"name": _NAME},
}  # fmt: skip
_FORM = Parameter("form", {"type": "string", "enum": ["md", "json"]}, "Markdown or JSON.", "md")
_ALL = "/api/corpora/{corpus}/sessions"
_ONE = f"{_ALL}/{{session}}"
_ASKED: dict[str, Json] = {"follow-up": {"question": "And when was it undone?"}}
OPERATIONS = (
    Operation(
        "GET", _ALL, "List conversations", "sessions", "read", list_sessions,
        Reply("The caller's own, the last changed first.", examples.SESSIONS), (CORPUS,),
        errors=(404,),
    ),
    Operation(
        "POST", _ALL, "Begin a conversation", "sessions", "read", create,
        Reply("Its name.", examples.SESSION_NEW, status=201), (CORPUS,), _NEW,
        {"unnamed": {}, "named": {"name": "harbour-dues"}}, keeps=True, errors=(404, 409),
    ),
    Operation(
        "GET", _ONE, "Show a conversation", "sessions", "read", show,
        Reply("Its turns, oldest first.", examples.SESSION), (CORPUS, _SESSION), errors=(400, 404),
    ),
    Operation(
        "POST", f"{_ONE}/ask", "Ask in a conversation", "sessions", "read", ask,
        Reply("The turn, which is kept.", examples.TURN), (CORPUS, _SESSION), _BODY, _ASKED,
        keeps=True, errors=(404, 409),
    ),
    Operation(
        "POST", f"{_ONE}/ask/stream", "Ask in a conversation, as it arrives", "sessions", "read",
        ask_stream,
        Reply("Events as of /ask/stream; `done` carries the turn.", media=sse.MEDIA),
        (CORPUS, _SESSION), _BODY, _ASKED, keeps=True, errors=(404, 409),
    ),
    Operation(
        "GET", f"{_ONE}/export", "Export a conversation", "sessions", "read", export,
        Reply("A file.", media="text/markdown", others=("application/json",)),
        (CORPUS, _SESSION, _FORM), errors=(400, 404),
    ),
    Operation(
        "DELETE", _ONE, "Delete a conversation", "sessions", "read", delete,
        Reply("What was deleted.", {"deleted": "harbour-dues"}), (CORPUS, _SESSION), keeps=True,
        errors=(400, 404),
    ),
)  # fmt: skip
