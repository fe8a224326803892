"""The filter language of `--where`, read: text to the syntax tree of `where`.

    expression := either (WITHIN either)*    either := term (OR term)*
    term       := factor (AND factor)*
    factor     := NOT factor | ( expression ) | comparison
    comparison := field (= | == | != | <> | < | <= | > | >=) value
                | field [NOT] IN ( value, ... ) | field [NOT] LIKE 'pattern'

Values are 'strings', numbers, TRUE, FALSE and dates (2024, 2024-05, 2024-05-17). `LIKE` knows `%`
and `_` and ignores ASCII case. `a WITHIN b` is `a AND b` asked as if there were no documents but
those that pass b: a field that none of them has is unknown in a, whatever others have. Law: any
text is a filter or a UsageError that points at the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ragstone.corpus.where import (
    Both,
    Compare,
    Comparison,
    Node,
    Not,
    Value,
    Where,
    literal,
    unreadable,
)
from ragstone.errors import UsageError

_MOST_CHARACTERS = 20_000
_MOST_DEPTH = 100
_MOST_COMPARISONS = 400  # SQLite nests ANDs and ORs at most 1,000 deep
_MOST_DATES = 400
_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])(?:[T ].*)?)?)?")
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
            raise unreadable(expression, start, f"{what}: {expression[start : start + 12]!r}.")
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
        return unreadable(self._source, self.token.position, f"Expected {expected}, found {found}.")

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
            raise unreadable(
                self._source, token.position, what, remedy="Use IN (...) for many values."
            )
        if '"' in field:
            raise unreadable(self._source, token.position, 'A field cannot have a " in its name.')
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
            return self._compared(Compare(field, "IN", tuple(values), position))
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
            return Not(self._compared(Compare(field, "=", (value,), position)))
        operators: dict[str, Comparison] = {
            "=": "=", "==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="
        }  # fmt: skip
        return self._compared(Compare(field, operators[operator], (value,), position))

    def _compared(self, compare: Compare) -> Compare:
        if compare.field.lower() == "date":
            for value in compare.values:
                if not _DATE.fullmatch(str(value)):
                    what = f"A date cannot be compared with {literal(value)}."
                    remedy = "Write a year, a month or a day: date >= 2024-05"
                    raise unreadable(self._source, compare.position, what, remedy=remedy)
        return compare

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
