"""XML of any vocabulary: prose as paragraphs and headings, data as rows `tag: value`.

An element with text between its children is a paragraph; one whose children only hold values is a
record and becomes a row; elements called title, section, table, list and so on (DocBook, JATS,
TEI, DITA, RSS and their kin) are what their names say. Where a file has no text but attributes,
those are its values.

Law: no entity is expanded from outside, none is declared here; nesting is bounded by libxml2 (256
levels), which is why walking may recurse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

from lxml import etree

from ragstone.documents.builder import Builder
from ragstone.documents.encoding import declared_encoding, decode
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document

_DECLARATION = re.compile(r"\A\s*<\?xml.*?\?>", re.DOTALL)
_TITLES = frozenset(
    ("title", "article-title", "book-title", "head", "heading", "subtitle", "chapter-title")
)
_PARAGRAPHS = frozenset(
    (
        "p",
        "para",
        "simpara",
        "ab",
        "l",
        "line",
        "abstract",
        "description",
        "summary",
        "note",
        "quote",
    )
)
_SECTIONS = frozenset(
    (
        *("sec", "section", "chapter", "part", "div", "appendix", "topic", "body", "item", "entry"),
        *("sect1", "sect2", "sect3", "sect4", "abstract", "ref-list", "app"),
    )
)
_CODE = frozenset(("programlisting", "screen", "codeblock", "preformat", "code", "literallayout"))
_ITEMS = frozenset(("listitem", "list-item", "li"))
_ROWS = frozenset(("tr", "row"))
_CELLS = frozenset(("td", "th", "entry", "cell", "entrytbl"))
_INLINE_ONLY = frozenset(("style", "script", "math", "tex-math", "object-id", "inline-graphic"))
_NOISE_ATTRIBUTES = frozenset(("id", "type", "schemaLocation", "lang", "space", "style", "class"))


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document. Raises DocumentError where the file is no XML at all."""
    root = _root(raw)
    built = Builder(raw)
    prose = any(isinstance(e.tag, str) and _name(e) in ("p", "para") for e in root.iter())
    _Writer(built, prose).element(root, 0)
    if not built.position:
        _attributes(built, root)
    titled = next((e for e in root.iter() if isinstance(e.tag, str) and _name(e) in _TITLES), None)
    language = next((v for k, v in root.attrib.items() if str(k).endswith("lang")), "")
    yield built.document(
        format="xml",
        title=_text(titled)[:200] if titled is not None and prose else "",
        metadata={"root": _name(root)},
        language=str(language)[:2].lower(),
    )


def _root(raw: Raw) -> etree._Element:
    data = raw.read()
    text = decode(data, source=raw.source, declared=declared_encoding(data))
    packed = _DECLARATION.sub("", text).lstrip().encode("utf-8")
    options = {"resolve_entities": False, "no_network": True, "remove_comments": True}
    try:
        return etree.fromstring(packed, etree.XMLParser(**options))
    except etree.XMLSyntaxError as error:
        root = None
        if "Excessive depth" not in str(error):
            root = _recovered(packed, options)
        if root is None:
            raise DocumentError(
                f"{raw.source} is no XML that can be read: {error}.",
                remedy="Correct it at that place; if it is text, give it the extension .txt.",
            ) from error
        return root


def _recovered(packed: bytes, options: dict[str, bool]) -> etree._Element | None:
    """What can be saved of a broken file; None where nothing says anything."""
    try:
        root = etree.fromstring(packed, etree.XMLParser(recover=True, **options))
    except etree.XMLSyntaxError:
        return None
    return root if root is not None and (len(root) or (root.text or "").strip()) else None


def _name(element: etree._Element) -> str:
    return cast("str", etree.QName(element).localname)


def _text(element: etree._Element) -> str:
    return one_line("".join(element.itertext()))


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _mixed(element: etree._Element) -> bool:
    """Whether text stands between the element's children."""
    children = list(element)
    return bool(children) and (
        bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)
    )


class _Writer:
    """Writes a tree into a builder; `prose` where the file is a text rather than data."""

    def __init__(self, built: Builder, prose: bool) -> None:
        self._built = built
        self._prose = prose

    def element(self, element: etree._Element, sections: int) -> None:
        name = _name(element)
        built, children = self._built, _children(element)
        if name in _INLINE_ONLY:
            return
        if name in _CODE:
            built.code("".join(element.itertext()))
        elif name in _TITLES and self._prose:
            built.heading(_text(element), max(sections, 1))
        elif name == "table" or any(_name(child) in _ROWS for child in children):
            self._table(element)
        elif name in _ITEMS and not any(_children(child) for child in children):
            built.list_item(_text(element))
        elif _mixed(element) or (name in _PARAGRAPHS and not any(map(_children, children))):
            built.paragraph(_text(element))
        elif not children:
            self._leaf(element, name)
        elif self._is_record(children):
            values = [(_name(child), _text(child)) for child in children]
            built.block("row", "; ".join(f"{key}: {value}" for key, value in values if value))
        else:
            deeper = sections + (name in _SECTIONS or (sections == 0 and self._prose))
            for child in children:
                self.element(child, deeper)

    def _leaf(self, element: etree._Element, name: str) -> None:
        text = _text(element)
        if text:
            self._built.block("row", f"{name}: {text}")

    def _is_record(self, children: Sequence[etree._Element]) -> bool:
        if any(_children(child) for child in children):
            return False
        names = [_name(child) for child in children]
        if self._prose and any(name in _TITLES or name in _PARAGRAPHS for name in names):
            return False
        return sum(len(_text(child)) for child in children) < 2000

    def _table(self, table: etree._Element) -> None:
        rows = [e for e in table.iter() if isinstance(e.tag, str) and _name(e) in _ROWS]
        header: list[str] = []
        body: list[list[str]] = []
        for row in rows:
            cells = [child for child in _children(row) if _name(child) in _CELLS]
            values = [_text(cell) for cell in cells] or [_text(child) for child in _children(row)]
            parent = row.getparent()
            heads = parent is not None and _name(parent) == "thead"
            if not body and not header and (heads or all(_name(cell) == "th" for cell in cells)):
                header = values
            else:
                body.append(values)
        caption = next((e for e in table if isinstance(e.tag, str) and _name(e) == "caption"), None)
        self._built.table(
            body, header=header, caption=_text(caption) if caption is not None else ""
        )


def _attributes(built: Builder, root: etree._Element) -> None:
    """A row for each element that says something in its attributes."""
    for element in root.iter():
        if isinstance(element.tag, str):
            said = [
                f"{etree.QName(str(key)).localname}: {value}"
                for key, value in element.attrib.items()
                if str(value).strip() and etree.QName(str(key)).localname not in _NOISE_ATTRIBUTES
            ]
            if said:
                built.block("row", f"{_name(element)}: {'; '.join(said)}")
