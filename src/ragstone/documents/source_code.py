"""Program source and configuration: the text as it stands, definitions as headings.

A line that defines a class or a function is a heading (deeper where it is indented), so that a
passage knows what it lies in; the rest is code and is parted at blank lines.

Law: the document's text is the file's text (one kind of line end).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragstone.documents.encoding import decode
from ragstone.documents.raw import Raw, Reading
from ragstone.types import Document, Element, Span

_DEFINITION = re.compile(
    r"^(?P<indent>[ \t]*)(?P<line>"
    r"(?:(?:export|default|public|private|protected|internal|static|final"
    r"|abstract|async|pub(?:\([\w:]+\))?|unsafe|open|override|sealed|inline|virtual|data)[ \t]+)*"
    r"(?:class|def|fn|func|function|interface|trait|struct|enum|impl|module|namespace|type|object"
    r"|record|sub|CREATE[ \t]+(?:TABLE|VIEW|FUNCTION|PROCEDURE))\b[^\n=;]{1,200}?)[ \t]*[{:;(\n]",
    re.MULTILINE,
)
_SECTION = re.compile(r"^(?P<indent>)(?P<line>\[[^\]\n]{1,100}\]+)[ \t]*$", re.MULTILINE)
_SECTIONED = frozenset(("toml", "ini", "cfg", "conf"))


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document with the file's text; its title is the file's name."""
    text = decode(raw.read(), source=raw.source)
    language = raw.extension or raw.name.lower()
    pattern = _SECTION if language in _SECTIONED else _DEFINITION
    elements: list[Element] = []
    start = len(text) - len(text.lstrip())
    if text.strip():
        elements.append(Element("code", Span(start, len(text.rstrip())), label=language))
    for found in pattern.finditer(text):
        level = min(6, 1 + len(found["indent"].expandtabs(4)) // 4)
        elements.append(Element("heading", Span(found.start("line"), found.end("line")), level))
    yield Document(
        id="", source=raw.source, title=raw.name, text=text, format="code",
        elements=tuple(elements), metadata={"programming_language": language},
    )  # fmt: skip
