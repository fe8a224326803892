"""An edited manuscript read back: its sentences, the notes they name, the heading above them.

Only what is stated is read: titles, labels, notes and the list of sources are left out. Sentences
that the ledger knows are found whole, however they would be cut; the rest is cut into sentences.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree
from selectolax.lexbor import LexborHTMLParser, LexborNode

from ragstone.applications.manuscripts.notes import GAP, UNPROVED
from ragstone.applications.writing.checking import Stated
from ragstone.applications.writing.ledger import hash_of
from ragstone.errors import UsageError
from ragstone.grounding.words import words_of
from ragstone.text.sentences import sentence_spans

_NOTE = re.compile(r"\[\^(\d{1,5})\]")
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_DEFINITION = re.compile(r"^\[\^\d{1,5}\]:")
_ESCAPE = re.compile(r"\\([\\`*\[\]<>|_#+.)-])")
_SOURCES = ("sources", "notes", "bibliography")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_UNSTATED = {"Title", "Subtitle", "Source", "Entry"}

Line = tuple[str, str]  # heading, text with notes as [^1]


def read_statements(path: Path, known: Sequence[str] = ()) -> list[Stated]:
    """The sentences of a manuscript's file in order. Raises UsageError for one that cannot be
    read."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".docx":
            lines = list(_docx_lines(path.read_bytes(), path))
        elif suffix in (".html", ".htm"):
            lines = list(_html_lines(path.read_text(encoding="utf-8")))
        else:
            lines = list(_markdown_lines(path.read_text(encoding="utf-8")))
    except (
        OSError,
        UnicodeDecodeError,
        zipfile.BadZipFile,
        KeyError,
        etree.XMLSyntaxError,
    ) as error:
        raise UsageError(
            f"{path} cannot be read ({error}).",
            remedy="Name a file that `ragstone write` made: .md, .html or .docx.",
        ) from error
    hashes = {hash_of(text) for text in known}
    return [stated for heading, text in lines for stated in _stated(heading, text, hashes)]


def _stated(heading: str, text: str, hashes: set[str]) -> Iterator[Stated]:
    """One line cut at its notes; what stands between two of them, into sentences."""
    text = text.replace(GAP, " ").replace(UNPROVED, " ")
    position = 0
    for match in re.finditer(r"((?:\[\^\d{1,5}\]\s*,?)+)|$", text):
        chunk = text[position : match.start()].strip()
        position = match.end()
        if not words_of(chunk):
            continue
        notes = tuple(int(number) for number in _NOTE.findall(match.group()))
        for part, last in _sentences(chunk, hashes):
            yield Stated(" ".join(part.split()), notes if last else (), heading)


def _sentences(chunk: str, hashes: set[str]) -> Iterator[tuple[str, bool]]:
    """The sentences of a chunk, and whether each is the last; a known ending stays whole."""
    if hash_of(chunk) in hashes:
        yield chunk, True
        return
    spans = sentence_spans(chunk)
    for first in range(1, len(spans)):
        if hash_of(chunk[spans[first].start :]) in hashes:
            yield from (
                (part, False) for part, _ in _sentences(chunk[: spans[first].start], hashes)
            )
            yield chunk[spans[first].start :], True
            return
    for place, span in enumerate(spans, start=1):
        if words_of(span.of(chunk)):
            yield span.of(chunk), place == len(spans)


def _markdown_lines(text: str) -> Iterator[Line]:
    heading, level, rows = "", 0, 0
    paragraph: list[str] = []

    def ended() -> Iterator[Line]:
        joined = " ".join(paragraph)
        paragraph.clear()
        if joined and not (joined.startswith("*") and joined.endswith("*")):
            yield heading, _ESCAPE.sub(r"\1", joined)

    for raw in (*text.splitlines(), ""):
        line = re.sub(r"^\s*(?:>\s?)+", "", raw).strip()
        found = _HEADING.match(line)
        if found is not None:
            yield from ended()
            heading, level = _ESCAPE.sub(r"\1", found.group(2)), len(found.group(1))
        elif level == 2 and heading.casefold() in _SOURCES:
            continue
        elif line.startswith("|"):
            yield from ended()
            rows += 1
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            if rows > 2:
                name = cells[0].strip(" *")
                yield from ((name, _ESCAPE.sub(r"\1", cell.strip())) for cell in cells[1:])
        elif not line or _DEFINITION.match(line) or line.startswith(("- ", "* ")):
            yield from ended()
            if line.startswith(("- ", "* ")):
                paragraph.append(line[2:])
        else:
            paragraph.append(line)
    yield from ended()


def _html_lines(text: str) -> Iterator[Line]:
    tree = LexborHTMLParser(text)
    main = tree.css_first("main")
    if main is None:
        return
    heading = ""
    for node in main.css("h2, p, li, td, th"):
        if node.tag == "h2" or (node.tag == "th" and node.attributes.get("scope") == "row"):
            heading = node.text().strip()
        elif node.tag in ("p", "li", "td") and not _inside(node, ("nav", "header")):
            kind = node.attributes.get("class") or ""
            if kind not in ("label", "about", "nothing"):
                yield heading, _html_text(node)


def _inside(node: LexborNode, tags: tuple[str | None, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag in tags:
            return True
        parent = parent.parent
    return False


def _html_text(node: LexborNode) -> str:
    parts: list[str] = []
    for child in node.iter(include_text=True):
        if child.tag == "sup":
            parts += [f"[^{number}]" for number in re.findall(r"\d+", child.text())[:1]]
        elif child.tag == "-text":
            parts.append(child.text(deep=False))
        else:
            parts.append(_html_text(child))
    return "".join(parts)


def _docx_lines(data: bytes, path: Path) -> Iterator[Line]:
    import io

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > 500_000_000:
            raise UsageError(f"{path} unpacks to over 500 MB.", remedy="Give the file of `write`.")
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(archive.read("word/document.xml"), parser)
    heading = ""
    for paragraph in root.iter(f"{_W}p"):
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        name = "" if style is None else style.get(f"{_W}val", "")
        text = "".join(_docx_runs(paragraph))
        if name.replace(" ", "").lower() in {"heading1", "heading2"}:
            heading = text.strip()
        elif name not in _UNSTATED and text.strip():
            yield heading, text


def _docx_runs(paragraph: etree._Element) -> Iterator[str]:
    for node in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}footnoteReference"):
        if node.tag == f"{_W}footnoteReference":
            yield f"[^{node.get(f'{_W}id')}]"
        elif node.tag == f"{_W}tab":
            yield " "
        else:
            style = node.getparent().find(f"{_W}rPr/{_W}rStyle")
            mark = style is not None and style.get(f"{_W}val") == "FootnoteReference"
            text = node.text or ""
            yield (f"[^{text}]" if text.isdigit() else "") if mark else text
