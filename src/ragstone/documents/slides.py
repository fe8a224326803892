"""PPTX: slides with their titles, texts, tables, charts and speaker's notes, in reading order.

A slide's title comes first, then its shapes from top to bottom and left to right, groups taken
apart in place. Slide numbers, dates and footers are furniture. Read from the XML (ECMA-376).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from ragstone.documents.builder import Builder
from ragstone.documents.charts import write_chart
from ragstone.documents.grids import Cell, write_grid
from ragstone.documents.packages import Package, Relation
from ragstone.documents.raw import Raw, Reading
from ragstone.documents.word_text import formula
from ragstone.errors import DocumentError
from ragstone.types import Document

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FURNITURE = frozenset(("sldNum", "dt", "ftr", "hdr"))
_SAME_LINE = 250_000  # English metric units (914,400 an inch): shapes this near stand on one line


@dataclass(slots=True)
class _Shape:
    """A shape of a slide with its place on it, in English metric units."""

    element: etree._Element
    left: float
    top: float
    kind: str  # of its placeholder: "title", "body", ...; "" for none


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a PPTX. Raises DocumentError: locked, damaged, without slides."""
    with Package(raw) as package:
        main = package.main_part("ppt/presentation.xml")
        if main not in package:
            raise DocumentError(
                f"{raw.source} has no presentation inside.",
                remedy="Open it in a presentation program and save it as PPTX.",
            )
        facts = package.facts()
        title = str(facts.pop("title", ""))
        facts.pop("language", "")
        builder = Builder(raw)
        relations = package.relations(main)
        slides = [
            relations[each.get(_R + "id", "")].target
            for each in package.xml(main).iter(_P + "sldId")
            if each.get(_R + "id", "") in relations
        ]
        for number, part in enumerate(slides, start=1):
            if part in package:
                _Slide(package, part, builder).write(number)
    facts["slides"] = len(slides)
    yield builder.document(format="pptx", title=title, metadata=facts)


class _Slide:
    def __init__(self, package: Package, part: str, builder: Builder) -> None:
        self._package = package
        self._builder = builder
        self._root = package.xml(part)
        self._relations = package.relations(part)
        self._places: dict[tuple[str, str], tuple[float, float]] = {}
        for relation in self._relations.values():
            if relation.kind == "slideLayout" and relation.target in package:
                self._read_places(package, relation)

    def _read_places(self, package: Package, relation: Relation) -> None:
        """A placeholder without a place of its own stands where the layout puts it."""
        for each in package.xml(relation.target).iter(_P + "sp"):
            place = each.find(f"{_P}spPr/{_A}xfrm/{_A}off")
            mark = each.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            if place is not None and mark is not None:
                where = (_number(place.get("x")), _number(place.get("y")))
                self._places[mark.get("type", ""), mark.get("idx", "")] = where

    def write(self, number: int) -> None:
        tree = self._root.find(f"{_P}cSld/{_P}spTree")
        shapes = list(self._shapes(tree)) if tree is not None else []
        shapes = _reading_order(shapes)
        title = next((s for s in shapes if s.kind in ("title", "ctrTitle")), None)
        with self._builder.element("slide", number):
            if title is not None:
                self._builder.heading(" ".join(_lines(title.element)), 2)
            for shape in shapes:
                if shape is not title:
                    self._shape(shape)
            self._notes()

    def _shapes(self, tree: etree._Element, left: float = 0, top: float = 0) -> Iterator[_Shape]:
        for child in tree:
            tag = child.tag
            if tag == _P + "grpSp":
                group = child.find(f"{_P}grpSpPr/{_A}xfrm")
                inner = group.find(_A + "chOff") if group is not None else None
                outer = group.find(_A + "off") if group is not None else None
                if inner is not None and outer is not None:
                    yield from self._shapes(
                        child,
                        left + _number(outer.get("x")) - _number(inner.get("x")),
                        top + _number(outer.get("y")) - _number(inner.get("y")),
                    )
                else:
                    yield from self._shapes(child, left, top)
            elif tag in (_P + "sp", _P + "graphicFrame", _P + "cxnSp"):
                yield self._placed(child, left, top)
            elif tag == _MC + "AlternateContent":
                chosen = child.find(_MC + "Choice")
                if chosen is None:
                    chosen = child.find(_MC + "Fallback")
                if chosen is not None:
                    yield from self._shapes(chosen, left, top)

    def _placed(self, element: etree._Element, left: float, top: float) -> _Shape:
        mark = element.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
        place = element.find(f"{_P}spPr/{_A}xfrm/{_A}off")
        if place is None:
            place = element.find(f"{_P}xfrm/{_A}off")
        kind = mark.get("type", "body") if mark is not None else ""
        if place is not None:
            return _Shape(
                element, left + _number(place.get("x")), top + _number(place.get("y")), kind
            )
        if mark is not None:
            x, y = self._places.get((mark.get("type", ""), mark.get("idx", "")), (0.0, 1e6))
            return _Shape(element, x, y, kind)
        return _Shape(element, left, top, kind)

    def _shape(self, shape: _Shape) -> None:
        element = shape.element
        if shape.kind in _FURNITURE:
            self._builder.furniture(" ".join(_lines(element)))
            return
        if element.tag == _P + "graphicFrame":
            self._frame(element)
            return
        if shape.kind == "subTitle":
            self._builder.paragraph(" ".join(_lines(element)))
            return
        body = element.find(_P + "txBody")
        if body is None:
            return
        for paragraph in body.findall(_A + "p"):
            self._paragraph(paragraph, bulleted=shape.kind == "body")

    def _paragraph(self, paragraph: etree._Element, *, bulleted: bool) -> None:
        text = _text(paragraph).strip()
        if not text:
            return
        properties = paragraph.find(_A + "pPr")
        depth = 0
        if properties is not None:
            depth = int(_number(properties.get("lvl")))
            marks = {each.tag for each in properties}
            if _A + "buNone" in marks:
                bulleted = False
            elif marks & {_A + "buChar", _A + "buAutoNum", _A + "buBlip"}:
                bulleted = True
        if bulleted or depth:
            self._builder.list_item(text, level=min(depth, 8) + 1)
        else:
            self._builder.paragraph(text)

    def _frame(self, frame: etree._Element) -> None:
        table = frame.find(f"{_A}graphic/{_A}graphicData/{_A}tbl")
        if table is not None:
            self._table(table)
            return
        chart = next(frame.iter(_C + "chart"), None)
        target = self._target(chart.get(_R + "id", "")) if chart is not None else ""
        if target:
            write_chart(self._builder, self._package.xml(target))
            return
        diagram = next(frame.iter(_DGM + "relIds"), None)
        target = self._target(diagram.get(_R + "dm", "")) if diagram is not None else ""
        if target:
            for paragraph in self._package.xml(target).iter(_A + "p"):
                self._paragraph(paragraph, bulleted=True)

    def _target(self, id: str) -> str:
        relation = self._relations.get(id)
        known = relation is not None and relation.target in self._package
        return relation.target if relation is not None and known else ""

    def _table(self, table: etree._Element) -> None:
        rows: list[list[Cell]] = []
        above: dict[int, Cell] = {}
        for row in table.findall(_A + "tr"):
            line: list[Cell] = []
            covered = 0
            for column, cell in enumerate(row.findall(_A + "tc")):
                if covered:
                    covered -= 1
                    continue
                if cell.get("vMerge") in ("1", "true") and column in above:
                    line.append(above[column])
                    covered = above[column].columns - 1
                    continue
                span = int(_number(cell.get("gridSpan"))) or 1
                covered = span - 1
                texts = [_text(each).strip() for each in cell.iter(_A + "p")]
                made = Cell(" ".join(text for text in texts if text), span, 1, _is_bold(cell))
                if _number(cell.get("rowSpan")) > 1:
                    above[column] = made
                line.append(made)
            rows.append(line)
        properties = table.find(_A + "tblPr")
        first = properties is not None and properties.get("firstRow") in ("1", "true")
        write_grid(self._builder, rows, stated=1 if first else 0)

    def _notes(self) -> None:
        for relation in self._relations.values():
            if relation.kind == "notesSlide" and relation.target in self._package:
                for shape in self._package.xml(relation.target).iter(_P + "sp"):
                    mark = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
                    if mark is not None and mark.get("type") == "body":
                        self._builder.note("\n".join(_lines(shape)), label="notes")
            elif relation.kind == "comments" and relation.target in self._package:
                for comment in self._package.xml(relation.target).iter(_P + "text"):
                    self._builder.note(f"Comment: {comment.text or ''}", label="comment")


def _reading_order(shapes: list[_Shape]) -> list[_Shape]:
    """From the top; those that begin at nearly the same height from the left."""
    shapes.sort(key=lambda shape: shape.top)
    ordered: list[_Shape] = []
    line: list[_Shape] = []
    for shape in shapes:
        if line and shape.top - line[0].top > _SAME_LINE:
            ordered.extend(sorted(line, key=lambda each: each.left))
            line = []
        line.append(shape)
    ordered.extend(sorted(line, key=lambda each: each.left))
    return ordered


def _lines(shape: etree._Element) -> list[str]:
    body = shape.find(_P + "txBody")
    if body is None:
        return []
    texts = [_text(each).strip() for each in body.findall(_A + "p")]
    return [text for text in texts if text]


def _text(paragraph: etree._Element) -> str:
    parts: list[str] = []
    for child in paragraph:
        if child.tag in (_A + "r", _A + "fld"):
            parts.extend(each.text or "" for each in child.iter(_A + "t"))
        elif child.tag == _A + "br":
            parts.append("\n")
        elif isinstance(child.tag, str):
            parts.extend(formula(each) for each in child.iter(_M + "oMath"))
    return "".join(parts).replace("\x0b", "\n")


def _is_bold(cell: etree._Element) -> bool:
    runs = list(cell.iter(_A + "rPr"))
    return bool(runs) and all(each.get("b") in ("1", "true") for each in runs)


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
