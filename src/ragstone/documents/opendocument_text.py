"""The text of one OpenDocument paragraph, and which lists are numbered."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

_NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
OFFICE = _NAMESPACE % "office"
TEXT = _NAMESPACE % "text"
TABLE = _NAMESPACE % "table"
DRAW = _NAMESPACE % "drawing"
STYLE = _NAMESPACE % "style"
PRESENTATION = _NAMESPACE % "presentation"
SVG = _NAMESPACE % "svg-compatible"
_SKIPPED = frozenset(
    (
        TEXT + "tracked-changes",
        TEXT + "bookmark",
        TEXT + "change",
        OFFICE + "forms",
        TEXT + "ruby-text",
    )
)


@dataclass(slots=True)
class Text:
    """A paragraph's text, the notes it refers to, and the frames anchored in it."""

    parts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    frames: list[etree._Element] = field(default_factory=list)

    @property
    def plain(self) -> str:
        return "".join(self.parts)


def text_of(paragraph: etree._Element) -> Text:
    """What the paragraph shows: white space collapsed as the format says, its own kept."""
    text = Text()
    _collect(paragraph, text)
    return text


def _collect(element: etree._Element, text: Text) -> None:
    _say(element.text, text)
    for child in element:
        tag = child.tag
        if tag == TEXT + "s":
            count = child.get(TEXT + "c", "1")
            text.parts.append(" " * (min(int(count), 500) if count.isdigit() else 1))
        elif tag == TEXT + "tab":
            text.parts.append("\t")
        elif tag == TEXT + "line-break":
            text.parts.append("\n")
        elif tag == TEXT + "note":
            _note(child, text)
        elif tag == OFFICE + "annotation":
            lines = [text_of(each).plain for each in child.iter(TEXT + "p")]
            text.notes.append("Comment: " + " ".join(lines))
        elif isinstance(tag, str) and tag.startswith(DRAW) and tag != DRAW + "a":
            text.frames.append(child)
        elif tag not in _SKIPPED and isinstance(tag, str):
            _collect(child, text)
        _say(child.tail, text)


def _say(words: str | None, text: Text) -> None:
    if words:
        said = " ".join(words.split())
        lead = (
            " " if words[0].isspace() and not (text.parts and text.parts[-1].endswith(" ")) else ""
        )
        tail = " " if said and words[-1].isspace() else ""
        text.parts.append(f"{lead}{said}{tail}")


def _note(note: etree._Element, text: Text) -> None:
    citation = note.find(TEXT + "note-citation")
    mark = "".join(citation.itertext()).strip() if citation is not None else ""
    body = note.find(TEXT + "note-body")
    lines = [text_of(each).plain for each in body.iter(TEXT + "p")] if body is not None else []
    text.parts.append(f"[{mark}]")
    text.notes.append(f"[{mark}] " + " ".join(lines))


class ListStyles:
    """Which levels of which list styles are numbered."""

    def __init__(self, *roots: etree._Element | None) -> None:
        self._numbered: dict[str, set[int]] = {}
        for root in roots:
            for style in root.iter(TEXT + "list-style") if root is not None else ():
                levels = self._numbered.setdefault(style.get(STYLE + "name", ""), set())
                for level in style.iter(TEXT + "list-level-style-number"):
                    at = level.get(TEXT + "level", "")
                    if at.isdigit() and level.get(STYLE + "num-format", "1"):
                        levels.add(int(at))

    def numbered(self, style: str, depth: int) -> bool:
        """Whether items of this style at this depth (from 1) are numbered."""
        return depth in self._numbered.get(style, set())
