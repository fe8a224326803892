"""The name that an entry of a reference stands under: "TRUSTED_HOSTS" over "Validate the host ...".

Pure: a document's text and a place in it. In reStructuredText such a name is the argument of a
directive that describes an object, and the entry is what is indented below it.

Law: a name is words of the document, as they stand there.
"""

from __future__ import annotations

import re

_LOOKED_BACK = 4_000  # characters: a longer entry has headings of its own
_DESCRIBES = re.compile(
    r"^(?P<indent> *)\.\. (?:[a-z]+:)?(?:data|function|class|exception|method|classmethod"
    r"|staticmethod|attribute|property|decorator|module|option|program|envvar|confval|setting"
    r"|describe|object|macro|type|member|var|auto[a-z]+):: *(?P<name>\S[^\n]{0,80}?) *$"
)
_ARGUMENTS = re.compile(r"\(.*$")


def entry_of(text: str, start: int, format: str) -> str:
    """What the entry that holds the character `start` is called; "" where that is no entry."""
    if format != "restructuredtext":
        return ""
    opening = text.rfind("\n", 0, start) + 1
    depth = _indent(text[opening:start]) if text[opening:start].strip() else start - opening
    for line in reversed(text[max(0, opening - _LOOKED_BACK) : opening].split("\n")):
        if not line.strip():
            continue
        indent = _indent(line)
        if indent >= depth:
            continue
        described = _DESCRIBES.match(line)
        if described is not None:
            return _ARGUMENTS.sub("", described["name"]).strip()
        depth = indent
        if not depth:
            return ""
    return ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
