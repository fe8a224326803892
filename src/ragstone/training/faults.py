"""True statements made false by program, one fault at a time.

Each maker takes a statement and a random generator and returns it with one fault, or None
where it offers no place for that fault. Makers know nothing of any judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ragstone.grounding.lexicon import OPPOSITES
from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import Quantity, quantities_of

Draw = np.random.Generator
Maker = Callable[[str, Draw], str | None]

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|has|have|had|does|did|do|should|may|might|must)\b"
    r"(?! not\b)(?!n't)"
)
_NOT = re.compile(r"\b(is|are|was|were|can|could|will|would|has|have|had|does|did|do) not\b|n't\b")
_ASKING = re.compile(
    r"\b(?:(?:in|on|at|by|from|to|of|for|with) )?"
    r"(?:(?:what|which|whose) (?:\w+ )?"
    r"(?=(?:is|are|was|were|did|does|do|has|have|had|can|will)\b)"
    r"|how (?:many|much|long|old|far|tall)\b|(?:what|which|who|whom|when|where|why|how)\b)",
    re.IGNORECASE,
)
_STRONGER: Mapping[str, str] = {
    "some": "all", "many": "all", "most": "all", "several": "all", "often": "always",
    "usually": "always", "sometimes": "always", "few": "many", "all": "no", "always": "never",
    "every": "no", "never": "always", "rarely": "often", "partly": "entirely",
}  # fmt: skip


def change_number(text: str, draw: Draw) -> str | None:
    """Another number in place of one that is no year or date."""
    found = [q for q in quantities_of(text) if q.kind not in {"year", "date", "ordinal"}]
    if not found:
        return None
    quantity = found[draw.integers(len(found))]
    match = re.search(r"\d[\d,]*(?:\.\d+)?", quantity.text)
    if match is None:
        words = [
            w for w in ("two", "three", "four", "five", "seven", "nine", "twelve") if w not in text
        ]
        first = re.match(r"[a-zA-Z]+", quantity.text)
        if first is None or not words:
            return None
        new = str(draw.choice(words))
        return text[: quantity.start] + new + text[quantity.start + first.end() :]
    old = match.group()
    value = float(old.replace(",", ""))
    for _ in range(10):
        factor = float(draw.choice([0.2, 0.5, 0.8, 0.9, 1.1, 1.3, 2.0, 3.0, 10.0]))
        new = _like(old, value * factor + (1 if value < 10 and factor > 1 else 0))
        if new != old and float(new.replace(",", "")) != value:
            return _at(text, quantity, match, new)
    return None


def change_year(text: str, draw: Draw) -> str | None:
    """Another year, 1 to 30 years off, in place of one."""
    found = [
        q for q in quantities_of(text) if q.kind in {"year", "date"} and re.search(r"\d{4}", q.text)
    ]
    if not found:
        return None
    quantity = found[draw.integers(len(found))]
    match = re.search(r"\d{4}", quantity.text)
    if match is None:
        return None
    shift = int(draw.integers(1, 30)) * int(draw.choice([-1, 1]))
    return _at(text, quantity, match, str(int(match.group()) + shift))


def name_swapper(rivals: Sequence[str]) -> Maker:
    """A maker that puts one of `rivals` in place of a name."""

    def swap_name(text: str, draw: Draw) -> str | None:
        found = [name for name in names_of(text) if not name.weak]
        others = [rival for rival in rivals if rival.lower() not in text.lower()]
        if not found or not others:
            return None
        name = found[draw.integers(len(found))]
        new = others[draw.integers(len(others))]
        return text[: name.start] + new + text[name.end :]

    return swap_name


def negate(text: str, draw: Draw) -> str | None:
    """ "not" put in after an auxiliary, or taken out."""
    present = _NOT.search(text)
    if present is not None:
        kept = present.group(1) or ""
        return (text[: present.start()] + kept + text[present.end() :]).replace("  ", " ")
    places = list(_AUXILIARY.finditer(text))
    if not places:
        return None
    place = places[0] if draw.random() < 0.7 else places[draw.integers(len(places))]
    return f"{text[: place.end()]} not{text[place.end() :]}"


def turn(text: str, draw: Draw) -> str | None:
    """One word turned into its opposite."""
    options: list[tuple[int, int, str]] = []
    for pair in OPPOSITES:
        for side, other in (pair, pair[::-1]):
            for word in side.split():
                options += [
                    (match.start(), match.end(), _best_form(word, other.split()))
                    for match in re.finditer(rf"\b{word}\b", text)
                ]
    if not options:
        return None
    start, end, new = options[draw.integers(len(options))]
    return text[:start] + new + text[end:]


def strengthen(text: str, draw: Draw) -> str | None:
    """A quantifier that says more, or the contrary."""
    options = [
        (match, new)
        for old, new in _STRONGER.items()
        for match in re.finditer(rf"\b{old}\b", text, re.IGNORECASE)
    ]
    if not options:
        return None
    match, new = options[draw.integers(len(options))]
    new = new.capitalize() if match.group()[0].isupper() else new
    return text[: match.start()] + new + text[match.end() :]


def exchange(text: str, draw: Draw) -> str | None:
    """Two names put in each other's place."""
    found = [name for name in names_of(text) if not name.weak]
    if len(found) < 2:
        return None
    first = int(draw.integers(len(found) - 1))
    one, other = found[first], found[first + 1]
    if one.text == other.text:
        return None
    return (
        text[: one.start] + other.text + text[one.end : other.start] + one.text + text[other.end :]
    )


MAKERS: Mapping[str, Maker] = {
    "number": change_number,
    "year": change_year,
    "negation": negate,
    "opposite": turn,
    "quantifier": strengthen,
    "exchanged names": exchange,
}


def statement(question: str, answer: str) -> str:
    """A question and its answer as one statement: the answer in place of the asking words.

    The order of words stays the question's, which reads oddly but says the same.
    """
    asks = _ASKING.search(question)
    bare = question.strip().rstrip("?").strip()
    if asks is None:
        return f"{bare}: {answer}."
    said = f"{bare[: asks.start()]}{answer} {bare[asks.end() :].strip()}".strip()
    return f"{said[0].upper()}{said[1:]}."


def _at(text: str, quantity: Quantity, match: re.Match[str], new: str) -> str:
    start = quantity.start + match.start()
    return text[:start] + new + text[start + len(match.group()) :]


def _like(old: str, value: float) -> str:
    """A number written as `old` is: same decimals, same grouping."""
    decimals = len(old.partition(".")[2])
    return f"{value:,.{decimals}f}" if "," in old else f"{value:.{decimals}f}"


def _best_form(word: str, forms: Sequence[str]) -> str:
    """The opposite whose ending is most like the word's."""

    def alike(form: str) -> int:
        count = 0
        while count < min(len(form), len(word)) and form[-1 - count] == word[-1 - count]:
            count += 1
        return count

    return max(forms, key=alike)
