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
from ragstone.errors import CorpusError
from ragstone.types import Abstention, Answer, Citation, Claim, Span, Verdict


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
        rows = cast("Sequence[Mapping[str, object]]", document["turns"])
        return tuple(_turn(row) for row in rows)
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
        parts.append(f"## {_line(turn.question)}")
        if turn.standalone and turn.standalone != turn.question:
            parts.append(f"*Understood as: {_line(turn.standalone)}*")
        parts.append(answer.text)
        notes = [
            f"{number}. {_place(citation)}: “{_line(citation.quote)}”"
            for number, citation in enumerate(answer.citations, start=1)
        ]
        if notes:
            parts.append("\n".join(notes))
    return "\n\n".join(parts) + "\n"


def _place(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page is not None else ""
    return f"{citation.source}{page}, characters {citation.span.start} to {citation.span.end}"


def _turn(row: Mapping[str, object]) -> Turn:
    question, kind = str(row["question"]), row["kind"]
    if kind not in get_args(TurnKind):
        raise ValueError(f"a turn of kind {kind!r}")
    abstention = None
    if row["abstained"]:
        nearest = tuple(_citation(item) for item in _rows(row["nearest"]))
        abstention = Abstention(str(row["reason"]), _number(row["confidence"]), nearest)
    answer = Answer(
        question=question,
        text=str(row["answer"]),
        claims=tuple(_claim(item) for item in _rows(row["claims"])),
        citations=tuple(_citation(item) for item in _rows(row["citations"])),
        hits=(),
        removed=tuple(_claim(item) for item in _rows(row["removed"])),
        abstention=abstention,
        confidence=_number(row["confidence"]),
        missing=str(row.get("missing", "")),
        conflicts=tuple(str(text) for text in _list(row.get("conflicts", []))),
        highlights=tuple(_pair(item) for item in _list(row.get("highlights", []))),
        model=str(row["model"]),
        version=_whole(row["version"]),
        timings_ms={name: _number(ms) for name, ms in _object(row["timings_ms"]).items()},
    )
    return Turn(
        question, answer, str(row["standalone"]), cast("TurnKind", kind), bool(row["new_topic"])
    )


def _claim(row: Mapping[str, object]) -> Claim:
    verdict = row["verdict"]
    if verdict not in get_args(Verdict):
        raise ValueError(f"a claim with the verdict {verdict!r}")
    return Claim(
        str(row["text"]), _span(row), cast("Verdict", verdict), str(row["reason"]),
        _number(row["confidence"]), tuple(_citation(item) for item in _rows(row["citations"])),
    )  # fmt: skip


def _citation(row: Mapping[str, object]) -> Citation:
    path = cast("Sequence[object]", row["heading_path"])
    return Citation(
        str(row["document_id"]), str(row["source"]), str(row["title"]), _span(row),
        str(row["quote"]), _whole(row["version"]),
        None if row["page"] is None else _whole(row["page"]), tuple(str(name) for name in path),
    )  # fmt: skip


def _span(row: Mapping[str, object]) -> Span:
    return Span(_whole(row["start"]), _whole(row["end"]))


def _pair(value: object) -> Span:
    start, end = _list(value)
    return Span(_whole(start), _whole(end))


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    return [_object(item) for item in _list(value)]


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list is wanted, got {type(value).__name__}")
    return value


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"an object is wanted, got {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a number is wanted, got {value!r}")
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a whole number is wanted, got {value!r}")
    return value


def _line(text: str) -> str:
    return " ".join(text.split())
