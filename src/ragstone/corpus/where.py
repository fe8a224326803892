"""The filter language of `--where` as a syntax tree, and the tree as parameterised SQL.

`where_parser` reads the tree from text; it is asked over the table `documents`. Laws: a value never
becomes part of the SQL text; `!=` is exactly `NOT =`, so a document that lacks the field is
unequal; a date is compared as far as it is given, and with nothing but dates.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ragstone.errors import UsageError

Value = str | int | float
Comparison = Literal["=", "<", "<=", ">", ">=", "IN", "LIKE"]

COLUMNS = {
    "path": "documents.source",
    "source": "documents.source",
    "id": "documents.id",
    "title": "documents.title",
    "format": "documents.format",
    "language": "documents.language",
    "date": "NULLIF(documents.date, '')",
}


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against one or more values."""

    field: str
    operator: Comparison
    values: tuple[Value, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Not:
    """True where `inner` is not."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Both:
    """AND, OR or WITHIN of two."""

    operator: Literal["AND", "OR", "WITHIN"]
    left: Node
    right: Node


Node = Compare | Not | Both


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed expression: a `protocols.Filter`."""

    expression: str
    tree: Node

    def fields(self) -> Iterator[tuple[Compare, tuple[Node, ...]]]:
        """All comparisons, left to right, each with the conditions that it is asked within."""
        yield from _comparisons(self.tree, ())

    def sql(self) -> tuple[str, list[Value]]:
        """A condition over the table `documents`, and its parameters."""
        parameters: list[Value] = []
        return _sql(self.tree, parameters), parameters

    def unfit_value(self, compare: Compare, held: str, *, remedy: str) -> UsageError:
        """The error for a value of a kind that the field has in no document; `held` says which."""
        what = f"{compare.field!r} is {held}, never like {literal(compare.values[0])}."
        return unreadable(self.expression, compare.position, what, remedy=remedy)

    def unknown_field(self, compare: Compare, known: Collection[str]) -> UsageError:
        """The error for a field that neither a document nor its metadata has."""
        near = difflib.get_close_matches(compare.field, known, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        return unreadable(
            self.expression,
            compare.position,
            f"No document has a field {compare.field!r}.{guess}",
            remedy=f"Known fields: {', '.join(sorted(set(known)))}.",
        )


def literal(value: Value) -> str:
    """A value as a filter writes it: texts in quotes."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def unreadable(source: str, position: int, what: str, *, remedy: str = "") -> UsageError:
    """A UsageError that shows the expression with a mark under the position."""
    start = max(0, position - 40)
    line = source[start : position + 30].replace("\n", " ")
    return UsageError(
        f"The filter cannot be read at position {position + 1}: {what}\n"
        f"  {line}\n  {' ' * (position - start)}^\n",
        remedy=remedy or "Example: year >= 2019 AND format IN ('pdf', 'md')",
    )


def _comparisons(node: Node, scope: tuple[Node, ...]) -> Iterator[tuple[Compare, tuple[Node, ...]]]:
    if isinstance(node, Compare):
        yield node, scope
    elif isinstance(node, Not):
        yield from _comparisons(node.inner, scope)
    else:
        inner = (*scope, node.right) if node.operator == "WITHIN" else scope
        yield from _comparisons(node.left, inner)
        yield from _comparisons(node.right, scope)


def all_of(nodes: Sequence[Node]) -> tuple[str, list[Value]]:
    """The condition that all of them hold, and its parameters."""
    parameters: list[Value] = []
    return " AND ".join(_sql(node, parameters) for node in nodes) or "1", parameters


def _sql(node: Node, parameters: list[Value]) -> str:
    if isinstance(node, Not):
        return f"(NOT {_sql(node.inner, parameters)})"
    if isinstance(node, Both):
        left = _sql(node.left, parameters)
        operator = "OR" if node.operator == "OR" else "AND"
        return f"({left} {operator} {_sql(node.right, parameters)})"
    if node.operator == "LIKE":
        place = place_of(node.field, parameters)
        parameters.append(node.values[0])
        return f"COALESCE(CAST({place} AS TEXT) LIKE ?, 0)"
    if node.operator == "IN":
        return _in(node, parameters)
    return _compare(node.field, node.operator, node.values[0], parameters)


def _in(node: Compare, parameters: list[Value]) -> str:
    if node.field.lower() == "date":
        parts = [_compare(node.field, "=", value, parameters) for value in node.values]
        return f"({' OR '.join(parts)})"
    parts = []
    for kind, form in ((str, "CAST({} AS TEXT)"), ((int, float), "as_number({})")):
        values = [value for value in node.values if isinstance(value, kind)]
        if values:
            place = form.format(place_of(node.field, parameters))
            parameters.extend(values)
            parts.append(f"COALESCE({place} IN ({', '.join('?' * len(values))}), 0)")
    return f"({' OR '.join(parts)})"


def place_of(field: str, parameters: list[Value]) -> str:
    """Where a document's row has the field, as SQL; what that needs is added to the parameters."""
    column = COLUMNS.get(field.lower())
    if column is not None:
        return column
    parameters.append('$."' + field.replace('"', '""') + '"')
    return "json_extract(documents.metadata, ?)"


def _compare(field: str, operator: str, value: Value, parameters: list[Value]) -> str:
    if field.lower() == "date":
        text = str(value).replace(" ", "T", 1)
        parameters.extend((len(text), text))
        return f"COALESCE(substr({COLUMNS['date']}, 1, ?) {operator} ?, 0)"
    place = place_of(field, parameters)
    parameters.append(value)
    if isinstance(value, str):
        return f"COALESCE(CAST({place} AS TEXT) {operator} ?, 0)"
    return f"COALESCE(as_number({place}) {operator} ?, 0)"


def as_number(value: str | float | bytes | None) -> float | int | None:
    """The SQL function of that name: a number, also where it was written as text; else NULL."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None if isinstance(value, bytes) else value
