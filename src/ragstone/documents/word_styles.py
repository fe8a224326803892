"""What a Word paragraph is, by its style, outline level and numbering. Knows no text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from lxml import etree

from ragstone.documents.numbering import Level

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_HEADING = re.compile(r"(?:heading|überschrift|titre|titolo|título|rubrik|kop|nagłówek)\s*(\d)")
_CODE = re.compile(r"code|preformatted|source|listing|macro text|html pre")
_QUOTE = re.compile(r"quot|zitat|block text")
Kind = Literal["", "code", "quote", "caption"]


def value(element: etree._Element, name: str) -> str:
    """The element's attribute of Word's namespace, "" where it has none."""
    said: str = element.get(W + name, "")
    return said


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph's nature: heading level (0 for none), list, kind."""

    heading: int = 0
    kind: Kind = ""
    bold: bool = False
    list_key: str = ""
    depth: int = 0  # of the list, from 0
    levels: dict[int, Level] = field(default_factory=dict)  # empty where it is no list item


class Styles:
    """The styles and lists of one document."""

    def __init__(self, styles: etree._Element | None, numbering: etree._Element | None) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._default = ""
        for each in styles.iter(W + "style") if styles is not None else ():
            self._elements[value(each, "styleId")] = each
            if value(each, "default") in ("1", "true") and value(each, "type") == "paragraph":
                self._default = value(each, "styleId")
        self._known: dict[str, Style] = {}
        self._lists: dict[str, tuple[str, dict[int, Level]]] = {}
        if numbering is not None:
            self._read_numbering(numbering)

    def of(self, paragraph: etree._Element) -> Style:
        """The paragraph's style with what the paragraph itself says on top."""
        properties = paragraph.find(W + "pPr")
        if properties is None:
            return self._named(self._default)
        name = properties.find(W + "pStyle")
        style = self._named(value(name, "val") if name is not None else self._default)
        return self._with(style, properties)

    def _named(self, name: str, seen: frozenset[str] = frozenset()) -> Style:
        known = self._known.get(name)
        if known is not None:
            return known
        element = self._elements.get(name)
        if element is None or name in seen:
            return Style(heading=_heading_of(name))
        based = element.find(W + "basedOn")
        style = self._named(value(based, "val"), seen | {name}) if based is not None else Style()
        shown = element.find(W + "name")
        label = value(shown, "val") if shown is not None else name
        heading = _heading_of(label) or _heading_of(name)
        if heading:
            style = replace(style, heading=heading)
        kind = _kind_of(label)
        if kind:
            style = replace(style, kind=kind)
        properties = element.find(W + "pPr")
        if properties is not None:
            style = self._with(style, properties)
        if element.find(f"{W}rPr/{W}b") is not None:
            style = replace(style, bold=True)
        self._known[name] = style
        return style

    def _with(self, style: Style, properties: etree._Element) -> Style:
        outline = properties.find(W + "outlineLvl")
        if outline is not None and value(outline, "val").isdigit():
            level = int(value(outline, "val")) + 1
            style = replace(style, heading=min(level, 6) if level <= 9 else 0)
        numbering = properties.find(W + "numPr")
        if numbering is None:
            return style
        number = numbering.find(W + "numId")
        depth = numbering.find(W + "ilvl")
        key = value(number, "val") if number is not None else style.list_key
        if key == "0":
            return replace(style, levels={}, list_key="", depth=0)
        at = (
            int(value(depth, "val"))
            if depth is not None and value(depth, "val").isdigit()
            else (style.depth)
        )
        if key not in self._lists:
            return style
        counter, levels = self._lists[key]
        return replace(style, list_key=counter, depth=min(at, 8), levels=levels)

    def _read_numbering(self, root: etree._Element) -> None:
        abstract: dict[str, dict[int, Level]] = {}
        for each in root.iter(W + "abstractNum"):
            levels = {}
            for level in each.iter(W + "lvl"):
                if value(level, "ilvl").isdigit():
                    levels[int(value(level, "ilvl"))] = _level(level)
            abstract[value(each, "abstractNumId")] = levels
        for each in root.iter(W + "num"):
            reference = each.find(W + "abstractNumId")
            base = value(reference, "val") if reference is not None else ""
            levels = dict(abstract.get(base, {})) or {0: Level("bullet")}
            key = base
            for override in each.iter(W + "lvlOverride"):
                at = value(override, "ilvl")
                start = override.find(W + "startOverride")
                new = override.find(W + "lvl")
                if not at.isdigit():
                    continue
                if new is not None:
                    levels[int(at)] = _level(new)
                if start is not None and value(start, "val").isdigit():
                    known = levels.get(int(at), Level())
                    levels[int(at)] = replace(known, start=int(value(start, "val")))
                    key = f"{base}/{value(each, 'numId')}"  # it counts for itself
            self._lists[value(each, "numId")] = (key, levels)


def _level(level: etree._Element) -> Level:
    def said(name: str, default: str) -> str:
        element = level.find(W + name)
        return value(element, "val") if element is not None else default

    start = said("start", "1")
    return Level(
        said("numFmt", "decimal"), said("lvlText", "%1."), int(start) if start.isdigit() else 1
    )


def _heading_of(name: str) -> int:
    name = name.strip().lower()
    if name in ("title", "titel", "titre"):
        return 1
    match = _HEADING.match(name) or re.fullmatch(r"heading(\d)", name)
    return min(int(match[1]), 6) if match and match[1] != "0" else 0


def _kind_of(label: str) -> Kind:
    label = label.lower()
    if _CODE.search(label):
        return "code"
    if _QUOTE.search(label):
        return "quote"
    return "caption" if label.startswith("caption") else ""
