"""Whether a filter can mean something in a version: its fields are there, and of its values' kind.

Law: a filter that could never pass a document, whatever values the documents had, is an error that
says what to write, not an empty result. Asked within a condition (`WITHIN`), only documents of the
version that pass it count; else all that the corpus has or had.
"""

from __future__ import annotations

from collections.abc import Sequence

from ragstone.corpus.truth import Truth, visible
from ragstone.corpus.where import COLUMNS, Compare, Value, Where, all_of, literal, place_of

_ORDERS = ("<", "<=", ">", ">=")


def check(truth: Truth, version: int, parsed: Where) -> None:
    """Raises UsageError for an unknown field, and for a value that the field cannot have.

    Where there are no documents, every field and every value is as good.
    """
    for compare, scope in parsed.fields():
        among, parameters = all_of(scope)
        if scope:
            among = f"{visible(version)} AND {among}"
        if compare.field.lower() not in COLUMNS:
            _check_field(truth, parsed, compare, among, parameters)
        if compare.field.lower() != "date":  # its values are dates: the parser saw to that
            _check_kind(truth, parsed, compare, among, parameters)


def _check_field(
    truth: Truth, parsed: Where, compare: Compare, among: str, parameters: Sequence[Value]
) -> None:
    fields = f"FROM documents, json_each(documents.metadata) WHERE {among}"
    if truth.all(f"SELECT 1 {fields} AND key = ? LIMIT 1", [*parameters, compare.field]):
        return
    known = truth.all(f"SELECT DISTINCT key {fields}", parameters)
    if known or truth.all(f"SELECT 1 FROM documents WHERE {among} LIMIT 1", parameters):
        raise parsed.unknown_field(compare, [*COLUMNS, *(str(k) for (k,) in known)])


def _check_kind(
    truth: Truth, parsed: Where, compare: Compare, among: str, parameters: Sequence[Value]
) -> None:
    """A number may be compared with texts that are numbers, and a text be equal to anything."""
    numbers = all(isinstance(value, int | float) for value in compare.values)
    ordered = compare.operator in _ORDERS and not numbers and not _is_number(compare.values[0])
    if compare.operator == "LIKE" or not (numbers or ordered):
        return
    named: list[Value] = []
    place = place_of(compare.field, named)
    fits = f"as_number({place}) IS NOT NULL" if numbers else f"typeof({place}) = 'text'"
    held = f"FROM documents WHERE {among}"
    if truth.all(f"SELECT 1 {held} AND {fits} LIMIT 1", [*parameters, *named]):
        return
    others = truth.all(
        f"SELECT {place} {held} AND {place} IS NOT NULL LIMIT 1", [*named, *parameters, *named]
    )
    for (example,) in others:
        shown = literal(example if isinstance(example, int | float) else str(example)[:40])
        if numbers:
            quoted = literal(str(compare.values[0]))
            raise parsed.unfit_value(
                compare, f"a text such as {shown}",
                remedy=f"Write a text, in quotes: {compare.field} {_sign(compare)} {quoted}",
            )  # fmt: skip
        raise parsed.unfit_value(
            compare, f"a number such as {shown}",
            remedy=f"Write a number, without quotes: {compare.field} {_sign(compare)} {shown}",
        )  # fmt: skip


def _sign(compare: Compare) -> str:
    return "=" if compare.operator == "IN" else compare.operator


def _is_number(value: Value) -> bool:
    try:
        return float(value) is not None
    except ValueError:
        return False
