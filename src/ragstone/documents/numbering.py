"""List numbers as Word counts them: formats and counters by list and level.

Source of the formats: ECMA-376 part 1, 17.18.59 (ST_NumberFormat), the usual ones. Knows no XML.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is marked: its format, its pattern (`%1.%2.`), where it starts."""

    format: str = "decimal"
    pattern: str = "%1."
    start: int = 1


@dataclass(slots=True)
class Counters:
    """The running numbers of every list in a document."""

    _counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def next(self, key: str, levels: dict[int, Level], depth: int) -> str:
        """The marker of the next item of list `key` at `depth` (from 0); "-" for bullets."""
        counts = self._counts.setdefault(key, {})
        level = levels.get(depth, Level())
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [each for each in counts if each > depth]:
            del counts[deeper]
        if level.format == "bullet":
            return "-"
        if level.format == "none":
            return ""
        marker = level.pattern
        for each in range(9):
            name = f"%{each + 1}"
            if name in marker:
                known = levels.get(each, Level())
                number = counts.setdefault(each, known.start)
                marker = marker.replace(name, numeral(number, known.format))
        return marker.strip()


def numeral(number: int, style: str) -> str:
    """The number in one of Word's formats; decimal where the format is not known."""
    if style in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text, rest = "", number
        for value, letters in _ROMAN:
            while rest >= value:
                text, rest = text + letters, rest - value
        return text.upper() if style == "upperRoman" else text
    if style in ("lowerLetter", "upperLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if style == "upperLetter" else letter
    if style == "decimalZero":
        return f"{number:02d}"
    if style == "ordinal":
        tail = (
            "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        )
        return f"{number}{tail}"
    return str(number)
