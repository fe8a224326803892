"""The claim ledger: every sentence with its evidence and verdict, as JSON; also the state of
work that was interrupted.

Laws: reading what was written gives the same manuscript; a file is replaced whole or not at all;
a sentence's hash depends on its words alone, not on spaces, emphasis or quotation marks.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ragstone.applications.wire import JsonObject, citation_json
from ragstone.applications.writing.brief import Brief
from ragstone.applications.writing.manuscript import (
    Block,
    Form,
    Kind,
    Manuscript,
    Outline,
    Planned,
    Section,
    Source,
    Statement,
)
from ragstone.errors import UsageError
from ragstone.types import Citation, Scalar, Span, Verdict

SCHEMA = 1
_MARKS = re.compile(r"[“”„\"«»*_`\\]")


@dataclass(frozen=True, slots=True)
class Ledger:
    """A manuscript with what it was made for. `asked` is the digest of brief and options: work
    is resumed only where it is the same. `complete` once the last section stands."""

    manuscript: Manuscript
    asked: str
    complete: bool


def hash_of(text: str) -> str:
    """The first 16 hexadecimal digits of sha256 over the words of a sentence."""
    words = " ".join(_MARKS.sub("", text).split())
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def asked_of(brief: Brief, *, model: str, where: str, outline: str, version: int) -> str:
    """The digest of everything that makes a manuscript what it is."""
    parts = [
        brief.text, brief.kind, str(brief.sections), str(brief.words), brief.audience, brief.style,
        brief.failed_claims, model, where, outline, str(version),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def ledger_json(ledger: Ledger) -> JsonObject:
    """The ledger as JSON; notes are numbered as in the manuscript."""
    manuscript = ledger.manuscript
    numbers = manuscript.numbers()
    return {
        "schema": SCHEMA,
        "brief": manuscript.brief,
        "kind": manuscript.kind,
        "asked": ledger.asked,
        "complete": ledger.complete,
        "model": manuscript.model,
        "judge": manuscript.judge,
        "version": manuscript.version,
        "title": manuscript.title,
        "outline": [_planned_json(planned) for planned in manuscript.outline.sections],
        "items": [_planned_json(planned) for planned in manuscript.outline.items],
        "counts": {
            "statements": len(manuscript.statements),
            "supported": sum(s.verdict == "supported" for s in manuscript.statements),
            "quoted": sum(s.quoted for s in manuscript.statements),
            "removed": len(manuscript.removed),
            "notes": len(numbers),
        },
        "sections": [
            {
                "heading": section.heading,
                "blocks": [
                    {
                        "label": block.label,
                        "statements": [_statement_json(s, numbers) for s in block.statements],
                    }
                    for block in section.blocks
                ],
                "removed": [_statement_json(s, numbers) for s in section.removed],
            }
            for section in manuscript.sections
        ],
        "sources": [
            {
                "document_id": source.document_id,
                "source": source.source,
                "title": source.title,
                "format": source.format,
                "version": source.version,
                "content_hash": source.content_hash,
                "metadata": dict(source.metadata),
            }
            for source in manuscript.sources
        ],
    }


def save(ledger: Ledger, path: Path) -> None:
    """Write the ledger beside its place and move it there, so that a cut leaves the old one."""
    text = json.dumps(ledger_json(ledger), ensure_ascii=False, indent=1)
    write_whole(path, text.encode("utf-8", "surrogatepass"))


def write_whole(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step. Raises UsageError for a folder that is not there."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.",
            remedy="Give another --output, in a folder that exists and may be written to.",
        ) from error


def load(path: Path) -> Ledger:
    """The ledger at `path`. Raises UsageError for a file that is none or of another version."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no claim ledger at {path}.",
            remedy="It is written beside --output; name another with --ledger.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no claim ledger of this version ({type(error).__name__}: {error}).",
            remedy="Write the manuscript again with --fresh.",
        ) from error


def parse(table: JsonObject) -> Ledger:
    """The ledger in a JSON object. Raises ValueError, KeyError or TypeError for another form."""
    if table["schema"] != SCHEMA:
        raise ValueError(f"schema {table['schema']}, not {SCHEMA}")
    sections = tuple(
        Section(
            _text(section["heading"]),
            tuple(
                Block(_statements(block["statements"]), _text(block["label"]))
                for block in _objects(section["blocks"])
            ),
            _statements(section["removed"]),
        )
        for section in _objects(table["sections"])
    )
    outline = Outline(
        _text(table["title"]),
        tuple(map(_planned, _objects(table["outline"]))),
        tuple(map(_planned, _objects(table["items"]))),
    )
    manuscript = Manuscript(
        brief=_text(table["brief"]),
        kind=cast("Kind", _text(table["kind"])),
        outline=outline,
        sections=sections,
        sources=tuple(map(_source, _objects(table["sources"]))),
        model=_text(table["model"]),
        judge=_text(table["judge"]),
        version=_whole(table["version"]),
    )
    return Ledger(manuscript, _text(table["asked"]), bool(table["complete"]))


def _statement_json(statement: Statement, numbers: dict[tuple[str, Span], int]) -> JsonObject:
    notes = [numbers.get((c.document_id, c.span)) for c in statement.citations]
    return {
        "text": statement.text,
        "hash": hash_of(statement.text),
        "verdict": statement.verdict,
        "reason": statement.reason,
        "confidence": statement.confidence,
        "quoted": statement.quoted,
        "form": statement.form,
        "notes": [number for number in notes if number is not None],
        "citations": [citation_json(citation) for citation in statement.citations],
    }


def _planned_json(planned: Planned) -> JsonObject:
    return {
        "heading": planned.heading,
        "questions": list(planned.questions),
        "keys": list(planned.keys),
        "document_id": planned.document_id,
    }


def _planned(table: JsonObject) -> Planned:
    return Planned(
        _text(table["heading"]),
        tuple(_text(asked) for asked in _list(table["questions"])),
        tuple(_whole(key) for key in _list(table["keys"])),
        _text(table["document_id"]),
    )


def _statements(value: object) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            _text(table["text"]),
            cast("Verdict", _text(table["verdict"])),
            _text(table["reason"]),
            float(cast("float", table["confidence"])),
            bool(table["quoted"]),
            cast("Form", _text(table["form"])),
            tuple(map(_citation, _objects(table["citations"]))),
        )
        for table in _objects(value)
    )


def _citation(table: JsonObject) -> Citation:
    page = table["page"]
    return Citation(
        _text(table["document_id"]),
        _text(table["source"]),
        _text(table["title"]),
        Span(_whole(table["start"]), _whole(table["end"])),
        _text(table["quote"]),
        _whole(table["version"]),
        None if page is None else _whole(page),
        tuple(_text(heading) for heading in _list(table["heading_path"])),
    )


def _source(table: JsonObject) -> Source:
    return Source(
        _text(table["document_id"]),
        _text(table["source"]),
        _text(table["title"]),
        _text(table["format"]),
        _whole(table["version"]),
        _text(table["content_hash"]),
        cast("dict[str, Scalar]", table["metadata"]),
    )


def _objects(value: object) -> Sequence[JsonObject]:
    found = _list(value)
    if not all(isinstance(item, dict) for item in found):
        raise TypeError("a list of objects is expected")
    return cast("Sequence[JsonObject]", found)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list is expected, not {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, not {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    return value
