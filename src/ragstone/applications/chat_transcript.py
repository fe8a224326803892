"""Turns as JSON and back, and as Markdown for a reader.

Law: reading what was written gives equal turns, but for the hits and the evidence (a transcript
keeps what was cited, not what was found).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast, get_args

from ragstone.applications.chat_turns import Turn, TurnKind
from ragstone.applications.wire import JsonObject, answer_json
from ragstone.applications.wire_reading import (
    citations_of,
    claim_of,
    list_of,
    number_of,
    object_of,
    objects_of,
    text_of,
    whole_of,
)
from ragstone.errors import CorpusError
from ragstone.text.spaces import one_line
from ragstone.types import Abstention, Answer, Citation, Span


def turn_json(turn: Turn) -> JsonObject:
    """One turn: what `ask --json` prints of its answer, and how it was understood."""
    return {
        **answer_json(turn.answer),
        "question": turn.question,
        "standalone": turn.standalone,
        "kind": turn.kind,
        "new_topic": turn.new_topic,
    }


def kept_json(turn: Turn) -> JsonObject:
    """What of a turn is kept on disk: all but the hits and the evidence."""
    return turn_json(replace(turn, answer=replace(turn.answer, hits=(), evidence=())))


def turns_of(document: Mapping[str, object], *, origin: str) -> tuple[Turn, ...]:
    """The turns of a kept session. Raises CorpusError where it is none that was written here."""
    try:
        return tuple(_turn(row) for row in objects_of(document["turns"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorpusError(
            f"The session {origin!r} cannot be read: {type(error).__name__}: {error}.",
            remedy="Delete it with `ragstone chat --delete NAME`, or start another one.",
        ) from error


def markdown(turns: Sequence[Turn], *, title: str = "Conversation") -> str:
    """The transcript with numbered quotes under each answer."""
    parts = [f"# {title}"]
    for turn in turns:
        answer = turn.answer
        parts.append(f"## {one_line(turn.question)}")
        if turn.standalone and turn.standalone != turn.question:
            parts.append(f"*Understood as: {one_line(turn.standalone)}*")
        parts.append(answer.text)
        notes = [
            f"{number}. {_place(citation)}: “{one_line(citation.quote)}”"
            for number, citation in enumerate(answer.citations, start=1)
        ]
        if notes:
            parts.append("\n".join(notes))
    return "\n\n".join(parts) + "\n"


def _place(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page is not None else ""
    return f"{citation.source}{page}, characters {citation.span.start} to {citation.span.end}"


def _turn(row: Mapping[str, object]) -> Turn:
    question, kind = text_of(row["question"]), row["kind"]
    if kind not in get_args(TurnKind):
        raise ValueError(f"a turn of kind {kind!r}")
    abstention = None
    if row["abstained"]:
        abstention = Abstention(
            text_of(row["reason"]),
            number_of(row["confidence"]),
            citations_of(row["nearest"]),
            text_of(row.get("could_answer", _said_to_answer(text_of(row["reason"])))),
        )
    answer = Answer(
        question=question,
        text=text_of(row["answer"]),
        claims=tuple(claim_of(item) for item in objects_of(row["claims"])),
        citations=citations_of(row["citations"]),
        hits=(),
        removed=tuple(claim_of(item) for item in objects_of(row["removed"])),
        abstention=abstention,
        confidence=number_of(row["confidence"]),
        missing=text_of(row.get("missing", "")),
        conflicts=tuple(text_of(text) for text in list_of(row.get("conflicts", []))),
        highlights=tuple(_pair(item) for item in list_of(row.get("highlights", []))),
        model=text_of(row["model"]),
        version=whole_of(row["version"]),
        timings_ms={name: number_of(ms) for name, ms in object_of(row["timings_ms"]).items()},
    )
    return Turn(
        question,
        answer,
        text_of(row["standalone"]),
        cast("TurnKind", kind),
        bool(row["new_topic"]),
    )


def _said_to_answer(reason: str) -> str:
    """What a refusal offers that was kept before that was a field: its reason ends in it."""
    return reason.partition(" They could answer: ")[2]


def _pair(value: object) -> Span:
    start, end = list_of(value)
    return Span(whole_of(start), whole_of(end))
