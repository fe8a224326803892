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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ragstone.applications.wire import JsonObject, citation_json
from ragstone.applications.wire_reading import (
    citations_of,
    list_of,
    number_of,
    objects_of,
    text_of,
    verdict_of,
    whole_of,
)
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
from ragstone.types import Scalar, Span

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


def parse(table: Mapping[str, object]) -> Ledger:
    """The ledger in a JSON object. Raises ValueError, KeyError or TypeError for another form."""
    if table["schema"] != SCHEMA:
        raise ValueError(f"schema {table['schema']}, not {SCHEMA}")
    sections = tuple(
        Section(
            text_of(section["heading"]),
            tuple(
                Block(_statements(block["statements"]), text_of(block["label"]))
                for block in objects_of(section["blocks"])
            ),
            _statements(section["removed"]),
        )
        for section in objects_of(table["sections"])
    )
    outline = Outline(
        text_of(table["title"]),
        tuple(map(_planned, objects_of(table["outline"]))),
        tuple(map(_planned, objects_of(table["items"]))),
    )
    manuscript = Manuscript(
        brief=text_of(table["brief"]),
        kind=cast("Kind", text_of(table["kind"])),
        outline=outline,
        sections=sections,
        sources=tuple(map(_source, objects_of(table["sources"]))),
        model=text_of(table["model"]),
        judge=text_of(table["judge"]),
        version=whole_of(table["version"]),
    )
    return Ledger(manuscript, text_of(table["asked"]), bool(table["complete"]))


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


def _planned(table: Mapping[str, object]) -> Planned:
    return Planned(
        text_of(table["heading"]),
        tuple(text_of(asked) for asked in list_of(table["questions"])),
        tuple(whole_of(key) for key in list_of(table["keys"])),
        text_of(table["document_id"]),
    )


def _statements(value: object) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            text_of(table["text"]),
            verdict_of(table["verdict"]),
            text_of(table["reason"]),
            number_of(table["confidence"]),
            bool(table["quoted"]),
            cast("Form", text_of(table["form"])),
            citations_of(table["citations"]),
        )
        for table in objects_of(value)
    )


def _source(table: Mapping[str, object]) -> Source:
    return Source(
        text_of(table["document_id"]),
        text_of(table["source"]),
        text_of(table["title"]),
        text_of(table["format"]),
        whole_of(table["version"]),
        text_of(table["content_hash"]),
        cast("dict[str, Scalar]", table["metadata"]),
    )
