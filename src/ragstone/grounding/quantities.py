"""Numbers as they are written in prose: with units, percentages, money, dates and years.

Law: `text[q.start:q.end] == q.text`. Two quantities agree if one is the other, converted or
rounded as its writing shows; dates agree if the parts that both name are equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ragstone.grounding.lexicon import (
    CURRENCIES,
    MONTHS,
    NUMBER_WORDS,
    ORDINAL_WORDS,
    SCALES,
    UNITS,
)

QuantityKind = Literal["number", "percent", "money", "measure", "year", "date", "ordinal"]

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_DATES = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>[01]\d)-(?P<d>[0-3]\d)(?!\d)"),
    re.compile(
        rf"\b{_DAY.format('d')}(?: of)? (?P<month>{_MONTH})\b\.?(?:,? (?P<y>\d{{4}})(?!\d))?", re.I
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})\.? {_DAY.format('d')}(?!\d|[.,]\d)(?:,? (?P<y>\d{{4}})(?!\d))?",
        re.I,
    ),
    re.compile(rf"\b(?P<month>{_MONTH})\.?,? (?:of )?(?P<y>\d{{4}})(?!\d)", re.I),
)
_CURRENCY = "|".join(re.escape(c) for c in ("us$", "$", "€", "£", "¥", "₹"))
_SCALE = "|".join(sorted((s for s in SCALES if s != "k"), key=len, reverse=True))
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?:(?<![\w.])|(?<=\bFY)(?=\d{{4}}\b))(?P<currency>{_CURRENCY})?\s?(?P<sign>[-−](?=[\d.]))?(?P<digits>{_DIGITS})"
    rf"(?P<rank>st|nd|rd|th)?(?P<decade>s\b)?(?:[ -]?(?P<scale>{_SCALE}|k)\b)?"
    r"(?:\s?(?P<percent>%|per ?cent\b|percentage points?\b)|[ -]?(?P<unit>[a-zµ°][a-z/°]*)\b)?",
    re.I,
)
_SMALL = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_WORDED = re.compile(
    rf"\b(?P<first>{_SMALL}|a(?= (?:hundred|thousand|million|billion)\b)"
    r"|one(?=[ -](?:hundred|thousand|million|billion|percent|per cent)\b))"
    rf"(?:[ -](?P<second>{_SMALL})\b)?(?P<scales>(?:[ -](?:{_SCALE})\b)*)"
    r"(?: (?P<percent>percent|per cent)\b| (?P<unit>[a-z]+)\b)?",
    re.IGNORECASE,
)
_ROUGH = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|over|under|some|circa|ca\.?|c\."
    r"|more than|less than|up to|at least|at most|an estimated|estimated)\s+\W?$|[~≈]\s*$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_ORDINAL = re.compile(rf"\b(?P<word>{'|'.join(ORDINAL_WORDS)})\b", re.I)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity of a text.

    `value` is in the base unit of `unit` (a dimension such as "length", a currency code, "%",
    or "" for a bare count); a date's value is year * 10000 + month * 100 + day with 0 for
    what is not said. `step` is the precision of its writing, in the same unit: 1.2 million
    has a step of 100,000.
    """

    kind: QuantityKind
    value: float
    unit: str
    step: float
    text: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def quantities_of(text: str) -> tuple[Quantity, ...]:
    """The quantities of `text` by place; dates are one quantity each."""
    found: list[Quantity] = []
    taken: list[tuple[int, int]] = []
    for quantity in _all(text):
        if all(quantity.end <= start or end <= quantity.start for start, end in taken):
            found.append(quantity)
            taken.append((quantity.start, quantity.end))
    return tuple(sorted(found, key=lambda quantity: quantity.start))


def agree(said: Quantity, known: Quantity) -> bool:
    """Whether `said` may stand for `known`: equal, converted, or rounded as it is written."""
    if "date" in (said.kind, known.kind):
        return _dates_agree(said, known)
    if said.unit != known.unit and said.unit and known.unit:
        return False
    if said.kind == "ordinal" and known.kind != "ordinal":
        return False
    if math.isclose(said.value, known.value, rel_tol=1e-9, abs_tol=1e-12):
        return True
    if said.kind == "year" or known.kind == "year":
        # A decade ("1990s", step 10) holds its years.
        return said.step == 10 and 0 <= known.value - said.value < 10
    if said.step <= known.step:
        return False
    return abs(said.value - known.value) <= said.step / 2 * (1 + 1e-9)


def comparable(one: Quantity, other: Quantity) -> bool:
    """Whether the two measure the same sort of thing, so that a difference means something."""
    years = {"year", "date"}
    if one.kind in years or other.kind in years:
        return one.kind in years and other.kind in years
    return one.kind == other.kind and one.unit == other.unit


def _all(text: str) -> Iterator[Quantity]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            word = parts.get("month")
            if word is not None and word.lower() in {"may", "mar"} and not word[0].isupper():
                continue
            month = MONTHS[word.lower()] if word else int(parts["m"])
            year, day = int(parts.get("y") or 0), int(parts.get("d") or 0)
            if month <= 12 and day <= 31:
                value = float(year * 10_000 + month * 100 + day)
                yield Quantity(
                    "date", value, "date", 1.0, match.group(), match.start(), match.end()
                )
    for match in _NUMBER.finditer(text):
        quantity = _number(match)
        if quantity is not None:
            yield quantity
    for match in _WORDED.finditer(text):
        yield _worded(match)
    for match in _ORDINAL.finditer(text):
        yield Quantity(
            "ordinal", ORDINAL_WORDS[match["word"].lower()], "", 0.0, match.group(), match.start(),
            match.end(),
        )  # fmt: skip


def _number(match: re.Match[str]) -> Quantity | None:
    digits = match["digits"]
    start = match.start("currency") if match["currency"] else match.start("sign")
    start = start if start >= 0 else match.start("digits")
    end = match.end("digits")
    before = match.string[:start]
    if before and before[-1] in "-–" and len(before) > 1 and before[-2].isalpha():
        return None  # COVID-19, F-16: a name, not a number
    value = float(digits.replace(",", ""))
    step = _step(digits, rough=_ROUGH.search(before) is not None)
    scale = (match["scale"] or "").lower()
    if scale:
        value, step, end = value * SCALES[scale], step * SCALES[scale], match.end("scale")
    if match["sign"] and not before[-1:].isdigit():
        value = -value
    unit = (match["unit"] or "").lower()
    if match["rank"]:
        return Quantity(
            "ordinal",
            value,
            "",
            0.0,
            match.string[start : match.end("rank")],
            start,
            match.end("rank"),
        )
    kind: QuantityKind = "number"
    name = ""
    if match["percent"]:
        kind, name, end = "percent", "%", match.end("percent")
    elif match["currency"] or unit in CURRENCIES:
        kind = "money"
        name = CURRENCIES[(match["currency"] or unit).lower()]
        end = end if match["currency"] else match.end("unit")
    elif unit in UNITS and not (unit == "year" and _YEAR.fullmatch(digits)):
        kind = "measure"
        name, factor = UNITS[unit]
        value, step, end = value * factor, step * factor, match.end("unit")
    elif match["decade"] and value.is_integer() and 1000 <= value <= 2100:
        kind, step, end = "year", 10.0, match.end("decade")
    elif _YEAR.fullmatch(digits) and not scale:
        kind = "year"
    return Quantity(kind, value, name, step, match.string[start:end], start, end)


def _worded(match: re.Match[str]) -> Quantity:
    value = NUMBER_WORDS.get(match["first"].lower(), 1.0)
    if match["second"]:
        value += NUMBER_WORDS[match["second"].lower()]
    end = match.end("second") if match["second"] else match.end("first")
    for scale in re.findall(r"[a-z]+", match["scales"].lower()):
        value *= SCALES[scale]
        end = match.end("scales")
    kind: QuantityKind = "number"
    name = ""
    unit = (match["unit"] or "").lower()
    step = 1.0
    if match["percent"]:
        kind, name, end = "percent", "%", match.end("percent")
    elif unit in CURRENCIES:
        kind, name, end = "money", CURRENCIES[unit], match.end("unit")
    elif unit in UNITS:
        name, factor = UNITS[unit]
        kind, value, step, end = "measure", value * factor, factor, match.end("unit")
    return Quantity(kind, value, name, step, match.string[match.start() : end], match.start(), end)


def _step(digits: str, *, rough: bool) -> float:
    """The precision of a writing: 0.1 for 3.4, 1 for 12. Zeros at the end of a whole number
    are rounding in full after "about"; else they excuse 3% at most."""
    bare = digits.replace(",", "")
    if "." in bare:
        return float(10.0 ** -len(bare.partition(".")[2]))
    zeros = min(len(bare) - len(bare.rstrip("0")), len(bare) - 1)
    step = float(10.0**zeros)
    return step if rough else max(1.0, min(step, 0.06 * float(bare)))


def _dates_agree(one: Quantity, other: Quantity) -> bool:
    first, second = _parts(one), _parts(other)
    both = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    return bool(both) and all(a == b for a, b in both)


def _parts(quantity: Quantity) -> tuple[int, int, int]:
    if quantity.kind == "date":
        number = int(quantity.value)
        return number // 10_000, number // 100 % 100, number % 100
    if quantity.kind in {"year", "number"}:
        return int(quantity.value), 0, 0
    return 0, 0, 0
