"""Typed values in a text: those that a field could take, and whether a text states one.

Law: a value that `candidates` finds at a span is stated by that span's text; what is a number
there is the number that is written, in the field's own unit where the field names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragstone.applications.structured.wanted import Wanted
from ragstone.grounding.lexicon import NEGATORS
from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import Quantity, quantities_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.types import Scalar, Span

_CELL = re.compile(r"(?:^|; )([^:;\n]{1,60}): ([^;\n]*)")
_ENTRY = re.compile(r"\W*([^:;.!?\n]{1,40}): ([^:;\n]{1,120}?)\.?\s*")
_ITEM = re.compile(r"\s*\d{1,3}[.)]\s")  # the number of a list's item is no value
_AGENT = re.compile(r"\bby (?:the |an? )?$")
_YES = re.compile(r"\s*(?:(yes|true)|(no|false))\s*\.?\s*", re.IGNORECASE)
_LONGEST = 400  # characters of a sentence that is a value as a whole
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")


@dataclass(frozen=True, slots=True)
class Value:
    """A value and the span of the text that states it. `key` is its column's name in a row;
    `whole` says that it is the whole sentence, where nothing tells which words of it are meant;
    `agent` that it is named as who did it ("made by")."""

    value: Scalar
    span: Span
    key: str = ""
    whole: bool = False
    agent: bool = False


def cells(text: str, lead: str = "") -> list[tuple[str, Span]]:
    """The cells of a row that reads alone (`key: value; key: value`), of a line that is one
    (`Chair: Ruth Adeyemi.`), or of a Markdown row under the header in `lead`, as (column, span of
    the value); none for prose."""
    found = [(m[1].strip(), Span(m.start(2), m.end(2))) for m in _CELL.finditer(text)]
    if len(found) >= 2 and found[0][1].start <= len(found[0][0]) + 2:
        return found
    entry = _ENTRY.fullmatch(text)
    if entry and len(words_of(entry[1])) <= 4:
        return [(entry[1].strip(), Span(entry.start(2), entry.end(2)))]
    header = lead.strip().splitlines()[0] if lead.strip() else ""
    if not (text.lstrip().startswith("|") and header.startswith("|")):
        return []
    columns = [column.strip() for column in header.strip("| ").split("|")]
    spans = [Span(m.start(), m.end()) for m in re.finditer(r"(?<=\|)[^|\n]+(?=\|)", text)]
    return list(zip(columns, spans, strict=False)) if len(columns) == len(spans) else []


def candidates(asked: Wanted, text: str, lead: str = "") -> list[Value]:
    """The values in `text` that `asked` could mean, by place."""
    row = cells(text, lead)
    if not row:
        return list(_in_prose(asked, text))
    found: list[Value] = []
    for key, span in row:
        inside = span.of(text)
        for value in _in_cell(asked, key, inside):
            start = span.start + value.span.start
            found.append(Value(value.value, Span(start, start + len(value.span)), key))
    return found


def states(asked: Wanted, value: Scalar, text: str, lead: str = "") -> bool:
    """Whether `text` states `value` as a value of this field."""
    if isinstance(value, bool):
        return any(found.value == value for found in candidates(asked, text, lead))
    if isinstance(value, (int, float)):
        return any(
            isinstance(found.value, (int, float)) and abs(found.value - value) <= 1e-9 * abs(value)
            for found in candidates(asked, text, lead)
        )
    if asked.leaf.kind == "date":
        return any(found.value == value for found in candidates(asked, text, lead))
    if _flat(value) and _flat(value) in _flat(text):
        return True
    terms = terms_of(value)
    said = {(q.kind, q.value) for q in quantities_of(value)}
    held = {(q.kind, q.value) for q in quantities_of(text)}
    return bool(terms) and terms <= terms_of(text) and said <= held


def denies(text: str) -> bool:
    """Whether a sentence holds an odd number of denials."""
    words = [_APOSTROPHES.sub("", word.text.lower()) for word in words_of(text)]
    return sum(word in NEGATORS for word in words) % 2 == 1


def _in_cell(asked: Wanted, key: str, text: str) -> Iterator[Value]:
    leaf = asked.leaf
    if leaf.choices or leaf.kind == "date":
        yield from _in_prose(asked, text)
    elif leaf.kind == "boolean":
        match = _YES.fullmatch(text)
        if match:
            yield Value(match[1] is not None, Span(0, len(text)))
    elif leaf.kind == "string":
        stripped = text.strip()
        start = text.find(stripped)
        if stripped:
            yield Value(stripped, Span(start, start + len(stripped)))
    else:
        for quantity in quantities_of(text):
            number = _number(asked, quantity, column=key)
            if number is not None:
                yield Value(number, Span(quantity.start, quantity.end))


def _in_prose(asked: Wanted, text: str) -> Iterator[Value]:
    leaf = asked.leaf
    if leaf.kind == "boolean":
        if text.strip():
            yield Value(not denies(text), Span(0, len(text)), whole=True)
    elif leaf.choices:
        yield from _choices(leaf.choices, text)
    elif leaf.kind == "date":
        for quantity in quantities_of(text):
            iso = _iso(quantity)
            if iso:
                yield Value(iso, Span(quantity.start, quantity.end))
    elif leaf.kind in {"number", "integer"}:
        item = _ITEM.match(text)
        for quantity in quantities_of(text):
            if item and quantity.start < item.end():
                continue
            number = _number(asked, quantity, after=text[quantity.end :])
            if number is not None:
                yield Value(number, Span(quantity.start, quantity.end))
    else:
        yield from _strings(asked, text)


def _strings(asked: Wanted, text: str) -> Iterator[Value]:
    """Names for persons and places, times as they are written, else the sentence as a whole."""
    if asked.kind in {"person", "place"}:
        about = frozenset[str]().union(*asked.terms)
        for name in names_of(text):
            if name.terms and not about.intersection(name.terms):
                yield Value(name.text, Span(name.start, name.end), agent=_by(text, name.start))
    elif asked.kind in {"time", "number"}:
        for quantity in quantities_of(text):
            if (quantity.kind in {"date", "year"}) == (asked.kind == "time"):
                yield Value(quantity.text, Span(quantity.start, quantity.end))
    elif 0 < len(text.strip()) <= _LONGEST:
        yield Value(" ".join(text.split()), Span(0, len(text)), whole=True)


def _by(text: str, start: int) -> bool:
    return _AGENT.search(text[:start]) is not None


def _choices(choices: Sequence[Scalar], text: str) -> Iterator[Value]:
    words = words_of(text)
    for choice in choices:
        said = words_of(str(choice).replace("_", " "))
        forms = [(set(word.terms), word.text.lower()) for word in said]
        for start in range(len(words) - len(said) + 1 if said else 0):
            window = words[start : start + len(said)]
            if all(
                word.text.lower() == form or (terms and terms & set(word.terms))
                for word, (terms, form) in zip(window, forms, strict=True)
            ):
                yield Value(choice, Span(window[0].start, window[-1].end))


def _iso(quantity: Quantity) -> str:
    """A whole date as ISO 8601 writes it, "" for one without day or year."""
    number = int(quantity.value)
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    whole = quantity.kind == "date" and year and month and day
    return f"{year:04}-{month:02}-{day:02}" if whole else ""


def _number(
    asked: Wanted, quantity: Quantity, *, column: str = "", after: str = ""
) -> int | float | None:
    """The number that is written, converted to the field's unit; None where it cannot be meant."""
    if quantity.kind == "ordinal":
        return None
    yearly = asked.yearly
    if quantity.kind == "date":
        year = int(quantity.value) // 10_000
        return year if yearly and year and asked.leaf.kind == "integer" else None
    if (quantity.kind == "year") != yearly and not column:
        return None
    value = quantity.value
    if asked.unit is not None:
        told = [word.text.lower() for word in words_of(after)[:2]]  # "21 nautical miles"
        bare = not quantity.unit and (bool(column) or asked.unit.word in told)
        if quantity.unit != asked.unit.dimension and not bare:
            return None
        value = value if bare else value / asked.unit.factor
    elif asked.monetary and quantity.kind != "money" and not column:
        return None
    elif quantity.kind == "measure":
        value = _bare(quantity)
    rounded = float(f"{value:.12g}")
    if rounded.is_integer():
        return int(rounded)
    return None if asked.leaf.kind == "integer" else rounded


def _bare(quantity: Quantity) -> float:
    """The number of a measure without its unit: 41 of "41 metres"."""
    written = quantity.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ°/ -")
    alone = quantities_of(quantity.text[: max(len(written), 1)])
    worded = quantities_of(quantity.text.rsplit(" ", 1)[0])
    best = worded or alone
    return best[0].value if best else quantity.value


def _flat(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:\"'“”")
