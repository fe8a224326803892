"""Markdown: the source stays as it is, so that a citation is a line of the file.

The block structure comes from markdown-it-py's line maps; inline markup is not parsed, since the
text keeps it. Front matter (YAML-like or TOML) goes to the metadata and is furniture in the text,
as are comments and link definitions: what a reader of the page does not see.

Law: the document's text is the file's text (one kind of line end).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragstone.documents.encoding import decode
from ragstone.documents.raw import Raw, Reading
from ragstone.text.spaces import one_line, trimmed
from ragstone.types import Document, Element, ElementKind, Scalar, Span

_FRONT = re.compile(
    r"\A(?P<mark>---|\+\+\+)[ \t]*\n(?P<body>.*?)^(?:(?P=mark)|\.\.\.)[ \t]*$", re.M | re.S
)
_KEY = re.compile(r"^([A-Za-z][\w .-]{0,60}?)[ \t]*:[ \t]*(.*)$")
_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\S+.*$", re.MULTILINE)
_COMMENT = re.compile(r"^ {0,3}<!--.*?-->[ \t]*$", re.MULTILINE | re.DOTALL)
_ATX = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_HEADING_EXTRAS = re.compile(r"[ \t]*(?:\{[#.:][^}\n]*\})[ \t]*$")  # {#an-anchor}, {.a-class}
Mark = Callable[[ElementKind, int, int, int, str], None]
_PLAIN = (
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"(\*\*|__|`+|~~)(.+?)\1"), r"\2"),
    (re.compile(r"<[^>]{1,200}>"), ""),
)


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document with the file's text."""
    text = decode(raw.read(), source=raw.source)
    yield document_of(text, raw)


def document_of(text: str, raw: Raw, *, format: str = "markdown") -> Document:
    """The document of a Markdown text."""
    metadata, front_end = front_matter(text)
    elements = structure(text, front_end)
    title = str(metadata.pop("title", "")) or _title(elements, text) or raw.stem
    language = str(metadata.pop("lang", metadata.pop("language", "")))[:2].lower()
    language = language if language.isalpha() else ""
    return Document(
        id="", source=raw.source, title=title, text=text, format=format,
        elements=tuple(elements), metadata=metadata, language=language,
    )  # fmt: skip


def plain(text: str) -> str:
    """One line of Markdown as it is seen: links by their words, no emphasis marks."""
    for pattern, kept in _PLAIN:
        text = pattern.sub(kept, text)
    return one_line(text)


def front_matter(text: str) -> tuple[dict[str, Scalar], int]:
    """Scalars of the front matter (lists joined by commas), and where it ends (0: none)."""
    found = _FRONT.match(text)
    if not found:
        return {}, 0
    if found["mark"] == "+++":
        try:
            table = tomllib.loads(found["body"])
        except tomllib.TOMLDecodeError:
            return {}, 0
        pairs = [(key, _flat(value)) for key, value in table.items()]
        return {key.lower(): value for key, value in pairs if value != ""}, found.end()
    said: dict[str, Scalar] = {}
    listed = ""
    for line in found["body"].split("\n"):
        item = line.strip()
        if listed and item.startswith("- "):
            before = said.get(listed, "")
            said[listed] = f"{before}, {_bare(item[2:])}" if before else _bare(item[2:])
            continue
        pair = _KEY.match(line)
        listed = ""
        if pair:
            key, value = pair[1].strip().lower(), _bare(pair[2])
            if value.startswith("[") and value.endswith("]"):
                value = ", ".join(_bare(part) for part in value[1:-1].split(",") if part.strip())
            if value and value not in ("|", ">", ">-", "|-"):
                said[key] = value
            else:
                listed = key
    return said, found.end()


def _bare(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _flat(value: object) -> Scalar:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return value.isoformat() if hasattr(value, "isoformat") else ""


def structure(text: str, begin: int = 0) -> list[Element]:
    """The elements of a Markdown text, from `begin` on; ordered, containers first."""
    blank = "".join(c if c == "\n" else " " for c in text[:begin]) if begin else ""
    reader = MarkdownIt("commonmark").enable("table")
    reader.core.ruler.enableOnly(["block"])
    tokens = reader.parse(blank + text[begin:])
    lines = [0]
    at = text.find("\n")
    while at >= 0:
        lines.append(at + 1)
        at = text.find("\n", at + 1)
    lines.append(len(text))
    found: list[tuple[int, int, int, Element]] = []

    def mark(kind: ElementKind, start: int, end: int, level: int = 0, label: str = "") -> None:
        start, end = trimmed(text, start, end)
        if start < end:
            found.append((start, -end, len(found), Element(kind, Span(start, end), level, label)))

    if begin:
        mark("furniture", 0, begin)
    _walk(tokens, text, lines, mark)
    covered = [(e.span.start, e.span.end) for *_, e in found if e.kind != "furniture"]
    for pattern in (_DEFINITION, _COMMENT):
        for match in pattern.finditer(text, begin):
            if not any(start <= match.start() < end for start, end in covered):
                mark("furniture", match.start(), match.end())
    found.sort(key=lambda item: item[:3])
    return [element for *_, element in found]


def _walk(tokens: list[Token], text: str, lines: list[int], mark: Mark) -> None:
    depth = 0
    row = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        if token.map is None:
            continue
        start, end = lines[token.map[0]], lines[min(token.map[1], len(lines) - 1)]
        if token.type == "heading_open":
            left, right = _heading(text, start, end, token.markup)
            mark("heading", left, right, int(token.tag[1]), "")
        elif token.type == "paragraph_open" and depth == 0:
            mark("paragraph", start, end, 0, "")
        elif token.type == "list_item_open":
            mark("list_item", start, end, depth, "")
        elif token.type in ("fence", "code_block"):
            info = token.info.strip().split()
            mark("code", start, end, 0, info[0].strip("{}.") if info else "")
        elif token.type == "blockquote_open":
            mark("quote", start, end, 0, "")
        elif token.type == "table_open":
            row = 0
            mark("table", start, end, 0, "")
        elif token.type == "tr_open":
            mark("row", start, end, row, "")
            row += 1
        elif token.type == "html_block" and _COMMENT.fullmatch(text[start:end].rstrip()):
            mark("furniture", start, end, 0, "")


def _heading(text: str, start: int, end: int, markup: str) -> tuple[int, int]:
    """The span of the heading's own words, without its marks."""
    if markup in ("=", "-"):  # underlined: all lines but the last
        body = text[start:end].rstrip("\n")
        return start, start + max(body.rfind("\n"), 0)
    line_end = text.find("\n", start, end)
    line = text[start : line_end if line_end >= 0 else end]
    found = _ATX.match(line)
    if not found or not found[1]:
        return start, start + len(line)
    words = _HEADING_EXTRAS.sub("", found[1])
    return start + found.start(1), start + found.start(1) + len(words or found[1])


def _title(elements: list[Element], text: str) -> str:
    headings = [element for element in elements if element.kind == "heading"]
    if not headings:
        return ""
    top = min(heading.level for heading in headings)
    return plain(next(h for h in headings if h.level == top).span.of(text))
