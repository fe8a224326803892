"""Honest small doubles of a reader and a chunker: plain text, rows of JSON, paragraphs.

They are importable, so that worker processes can be given them. A file's own words make them
misbehave on purpose: see `read_plain`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from ragstone.errors import DocumentError
from ragstone.types import Document, Passage, Span

_PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:\n(?!\s*\n).*\S)*")


def read_plain(path: Path) -> Iterator[Document]:
    """One document for a text, one for each row of a `.jsonl` with `id`, `title` and `text`.

    A text that begins with `!refuse`, `!crash`, `!hang`, `!spin` or `!raise` does what it says;
    `!slow` works for half a second of processor time, in three seconds and more by the clock.
    """
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        for line in filter(str.strip, text.splitlines()):
            row = json.loads(line)
            yield Document(
                str(row["id"]), f"{path}#{row['id']}", row.get("title", ""), row["text"], "jsonl"
            )
        return
    if text.startswith("!refuse") or not text.strip():
        raise DocumentError(f"{path} holds no text.", remedy="Write something into it.")
    if text.startswith("!crash"):
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    if text.startswith("!hang"):
        time.sleep(3600)
    while text.startswith("!spin"):
        pass
    for _ in range(50 if text.startswith("!slow") else 0):
        begun = time.process_time()
        while time.process_time() - begun < 0.01:
            pass
        time.sleep(0.05)
    if text.startswith("!raise"):
        raise RuntimeError("a parser's own bug")
    yield Document(
        str(path), str(path), path.stem, text, "text", metadata={"words": len(text.split())}
    )


def chunk_paragraphs(document: Document) -> list[Passage]:
    """A passage for each paragraph; the whole text where there is none."""
    return [
        Passage(document.id, Span(*match.span()), match.group(), (document.title,))
        for match in _PARAGRAPH.finditer(document.text)
    ]


def titled_text(document: Document, passage: Passage) -> str:
    """The title in front of the passage's text."""
    return f"{document.title}\n{passage.text}"
