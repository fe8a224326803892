"""A chart's numbers as a table: what its bars and lines say, a row for each category.

Read from the values that DrawingML (ECMA-376, 21.2) caches beside the chart. Knows no slides.
"""

from __future__ import annotations

from lxml import etree

from ragstone.documents.builder import Builder

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def write_chart(builder: Builder, root: etree._Element) -> None:
    """Write the chart as a table, its title as caption; nothing where no values are cached."""
    caption = "".join(
        each.text or "" for title in root.iter(_C + "title") for each in title.iter(_A + "t")
    )
    series: list[tuple[str, dict[int, str]]] = []
    categories: dict[int, str] = {}
    for each in root.iter(_C + "ser"):
        name = " ".join(_points(each.find(_C + "tx")).values())
        values = _points(each.find(_C + "val")) or _points(each.find(_C + "yVal"))
        categories = {
            **_points(each.find(_C + "cat")),
            **_points(each.find(_C + "xVal")),
            **categories,
        }
        if values:
            series.append((name, values))
    if not series:
        builder.note(caption)
        return
    count = min(1 + max(max(values) for _, values in series), 10_000)
    rows = [
        [categories.get(at, str(at + 1)), *(values.get(at, "") for _, values in series)]
        for at in range(count)
    ]
    builder.table(rows, header=["", *(name for name, _ in series)], caption=caption)


def _points(element: etree._Element | None) -> dict[int, str]:
    found: dict[int, str] = {}
    if element is None:
        return found
    for point in element.iter(_C + "pt"):
        value = point.find(_C + "v")
        index = point.get("idx", "")
        if value is not None and value.text and index.isdigit():
            found[int(index)] = _short(value.text)
    return found


def _short(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.10g}"
