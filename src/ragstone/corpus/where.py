"""The filter language of `--where`: text to a syntax tree to parameterised SQL over `documents`.

    expression := either (WITHIN either)*    either := term (OR term)*
    term       := factor (AND factor)*
    factor     := NOT factor | ( expression ) | comparison
    comparison := field (= | == | != | <> | < | <= | > | >=) value
                | field [NOT] IN ( value, ... ) | field [NOT] LIKE 'pattern'

Values are 'strings', numbers, TRUE, FALSE and dates (2024, 2024-05, 2024-05-17). `LIKE` knows `%`
and `_` and ignores ASCII case. `a WITHIN b` is `a AND b` asked as if there were no documents but
those that pass b: a field that none of them has is unknown in a, whatever others have. Laws: a
value never becomes part of the SQL text; `!=` is exactly `NOT =`, so a document that lacks the
field is unequal; a date is compared as far as it is given.
"""

from __future__ import annotations

import difflib
import re
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
_MOST_CHARACTERS = 20_000
_MOST_DEPTH = 100
_MOST_COMPARISONS = 400  # SQLite nests ANDs and ORs at most 1,000 deep
_MOST_DATES = 400
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<date>\d{4}-\d\d(?:-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)?(?![\w.-]))
    | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
    | (?P<word>[^\W\d][\w.:-]*)
    | (?P<operator><=|>=|!=|<>|==|[=<>(),])
    )""",
    re.VERBOSE,
)


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

    def unknown_field(self, compare: Compare, known: Collection[str]) -> UsageError:
        """The error for a field that neither a document nor its metadata has."""
        near = difflib.get_close_matches(compare.field, known, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        return _error(
            self.expression,
            compare.position,
            f"No document has a field {compare.field!r}.{guess}",
            remedy=f"Known fields: {', '.join(sorted(set(known)))}.",
        )


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_where(expression: str) -> Where:
    """Parse a filter expression. Raises UsageError that points at the position."""
    if len(expression) > _MOST_CHARACTERS:
        raise UsageError(
            f"The filter has {len(expression)} characters; at most {_MOST_CHARACTERS} are read.",
            remedy="Filter on a shared field instead of naming every document.",
        )
    parser = _Parser(expression, list(_tokens(expression)))
    tree = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.error("AND, OR or the end of the filter")
    return Where(expression, tree)


def _tokens(expression: str) -> Iterator[_Token]:
    at = 0
    while expression[at:].strip():
        match = _TOKEN.match(expression, at)
        start = at + len(expression[at:]) - len(expression[at:].lstrip())
        if match is None or match.lastgroup is None:
            what = "A text that is not closed" if expression[start] in "'\"`" else "Not understood"
            raise _error(expression, start, f"{what}: {expression[start : start + 12]!r}.")
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
        at = match.end()
    yield _Token("end", "", len(expression))


class _Parser:
    """Recursive descent over tokens; `token` is the next one."""

    def __init__(self, source: str, tokens: list[_Token]) -> None:
        self._source = source
        self._tokens = tokens
        self._at = 0
        self._comparisons = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._at]

    def error(self, expected: str) -> UsageError:
        found = repr(self.token.text) if self.token.text else "the end"
        return _error(self._source, self.token.position, f"Expected {expected}, found {found}.")

    def _take(self) -> _Token:
        token = self.token
        self._at += token.kind != "end"
        return token

    def _is(self, word: str) -> bool:
        return self.token.kind in ("word", "operator") and self.token.text.upper() == word

    def _expect(self, word: str) -> None:
        if not self._is(word):
            raise self.error(repr(word))
        self._take()

    def expression(self, depth: int) -> Node:
        node = self._either(depth)
        while self._is("WITHIN"):
            self._take()
            node = Both("WITHIN", node, self._either(depth))
        return node

    def _either(self, depth: int) -> Node:
        node = self._term(depth)
        while self._is("OR"):
            self._take()
            node = Both("OR", node, self._term(depth))
        return node

    def _term(self, depth: int) -> Node:
        node = self._factor(depth)
        while self._is("AND"):
            self._take()
            node = Both("AND", node, self._factor(depth))
        return node

    def _factor(self, depth: int) -> Node:
        if depth > _MOST_DEPTH:
            raise self.error(f"at most {_MOST_DEPTH} levels of parentheses and NOT")
        if self._is("NOT"):
            self._take()
            return Not(self._factor(depth + 1))
        if self._is("("):
            self._take()
            node = self.expression(depth + 1)
            self._expect(")")
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        if self.token.kind not in ("word", "quoted") or self._is("AND") or self._is("OR"):
            raise self.error("a field, such as format or title")
        token = self._take()
        field = token.text[1:-1] if token.kind == "quoted" else token.text
        negated = self._is("NOT")
        if negated:
            self._take()
        self._comparisons += 1
        if self._comparisons > _MOST_COMPARISONS:
            what = f"More than {_MOST_COMPARISONS} comparisons."
            raise _error(self._source, token.position, what, remedy="Use IN (...) for many values.")
        if '"' in field:
            raise _error(self._source, token.position, 'A field cannot have a " in its name.')
        node = self._rest(field, token.position, negated)
        return Not(node) if negated else node

    def _rest(self, field: str, position: int, negated: bool) -> Node:
        if self._is("IN"):
            self._take()
            self._expect("(")
            values = [self._value()]
            while self._is(","):
                self._take()
                values.append(self._value())
            if len(values) > _MOST_DATES and field.lower() == "date":
                raise self.error(f"at most {_MOST_DATES} dates; use >= and <=")
            self._expect(")")
            return Compare(field, "IN", tuple(values), position)
        if self._is("LIKE"):
            self._take()
            if self.token.kind not in ("string", "quoted"):
                raise self.error("a pattern in quotes, such as '%report%'")
            return Compare(field, "LIKE", (self._value(),), position)
        if negated or self.token.kind != "operator" or self.token.text in ("(", ")", ","):
            raise self.error("IN or LIKE" if negated else "one of = != < <= > >= IN LIKE")
        operator = self._take().text
        value = self._value()
        if operator in ("!=", "<>"):
            return Not(Compare(field, "=", (value,), position))
        operators: dict[str, Comparison] = {
            "=": "=", "==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="
        }  # fmt: skip
        return Compare(field, operators[operator], (value,), position)

    def _value(self) -> Value:
        token = self.token
        if token.kind == "number":
            self._take()
            number = float(token.text)
            if token.text.lstrip("-").isdigit() and abs(number) < 2**63:
                return int(token.text)
            return number
        if token.kind == "string":
            return self._take().text[1:-1].replace("''", "'")
        if token.kind == "quoted":
            return self._take().text[1:-1].replace('""', '"')
        if token.kind == "date":
            return self._take().text
        if token.kind == "word" and token.text.upper() in ("TRUE", "FALSE"):
            return int(self._take().text.upper() == "TRUE")
        raise self.error("a value: a number, a date, or a text in 'quotes'")


def _error(source: str, position: int, what: str, *, remedy: str = "") -> UsageError:
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
        place = _place(node.field, parameters)
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
            place = form.format(_place(node.field, parameters))
            parameters.extend(values)
            parts.append(f"COALESCE({place} IN ({', '.join('?' * len(values))}), 0)")
    return f"({' OR '.join(parts)})"


def _place(field: str, parameters: list[Value]) -> str:
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
    place = _place(field, parameters)
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
