"""Jupyter notebooks: Markdown cells as they stand, code cells as code, their printed results.

Law: cells come in order; images and other non-text results are left out. Must not run anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ragstone.documents.builder import Builder
from ragstone.documents.encoding import decode
from ragstone.documents.markdown import structure
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.types import Document

_MAX_RESULT = 4_000  # characters of one printed result: beyond, it is a log


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document. Raises DocumentError where the file is no notebook."""
    try:
        notebook = json.loads(decode(raw.read(), source=raw.source))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError(
            f"{raw.source} is no Jupyter notebook: {error}.",
            remedy="Open it in Jupyter and save it again.",
        ) from error
    built = Builder(raw)
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") == "markdown":
            _markdown(built, source)
        elif cell.get("cell_type") == "code":
            built.code(source, str(language))
            for result in cell.get("outputs", ()):
                built.block("note", _result(result)[:_MAX_RESULT].strip("\n"), label="output")
        else:
            built.paragraph(source)
    yield built.document(format="notebook", metadata={"kernel": str(language)})


def _markdown(built: Builder, source: str) -> None:
    """A cell's Markdown verbatim, its elements moved to where it stands."""
    if not source.strip():
        return
    built.part()
    start = built.position
    built.write(source.rstrip())
    for element in structure(source.rstrip()):
        span = element.span
        built.mark(element.kind, start + span.start, start + span.end, element.level, element.label)


def _joined(value: object) -> str:
    if isinstance(value, str):
        return value
    return "".join(map(str, value)) if isinstance(value, Sequence) else ""


def _result(result: object) -> str:
    """The text of one output: a stream, an error's last line, a plain value."""
    if not isinstance(result, dict):
        return ""
    if result.get("output_type") == "error":
        return f"{result.get('ename', '')}: {result.get('evalue', '')}"
    if "text" in result:
        return _joined(result["text"])
    data = result.get("data", {})
    return _joined(data.get("text/plain", "")) if isinstance(data, dict) else ""
