"""How long a stretch of time a text speaks of: a quarter, half a year, a year, a month, a day.

A figure of a quarter and one of a year are two figures, though they have one name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ragstone.grounding.lexicon import NUMBER_WORDS

_NUMBER = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_PATTERN = re.compile(
    rf"""\b(?:
      (?P<rank>first|second|third|fourth|last|[1-4](?:st|nd|rd|th))[ -](?P<part>quarter|half)
    | (?P<letter>[QH])(?P<number>[1-4])
    | (?:the|this|previous|prior|same)[ ](?P<this>quarter|half[ -]year)
    | (?P<count>\d{{1,2}}|{_NUMBER})[ -](?P<counted>week|month)s?[ ](?:ended|ending|period|to)
    | (?P<every>hourly|daily|weekly|monthly|quarterly|yearly|annual(?:ly)?|year[ -]to[ -]date)
    | (?:per|each|every|a)[ ](?P<per>hour|day|week|month|quarter(?![ ]of)|year)
    | (?:full|whole|fiscal|financial|calendar)[ -](?P<whole>year)
    | (?P<ended>year)s?[ ](?:ended|ending)
    | (?:fiscal|FY)[ ]?(?P<fiscal>\d{{2,4}})
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_EVERY = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "yearly": "year", "annual": "year", "annually": "year",
}  # fmt: skip
_COUNTED = {
    (13, "week"): "quarter", (3, "month"): "quarter", (26, "week"): "half", (6, "month"): "half",
    (52, "week"): "year", (53, "week"): "year", (12, "month"): "year",
}  # fmt: skip
_RANKS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "last": "last"}


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time: its length ("quarter", "9 month"), and which of them where said."""

    length: str
    rank: str = ""


@lru_cache(maxsize=8192)
def periods_of(text: str) -> frozenset[Period]:
    """The stretches of time that `text` names."""
    return frozenset(_period(match) for match in _PATTERN.finditer(text))


def apart(one: str, other: str) -> bool:
    """Whether two texts speak of stretches of different length, or of different ones.

    One that names none, beside one that does, speaks of nobody knows what: that counts as apart.
    """
    mine, theirs = periods_of(one), periods_of(other)
    if {period.length for period in mine} != {period.length for period in theirs}:
        return True
    ranks = [{p.rank for p in periods if p.rank} for periods in (mine, theirs)]
    return bool(ranks[0] and ranks[1]) and ranks[0].isdisjoint(ranks[1])


def _period(match: re.Match[str]) -> Period:
    if match["part"]:
        rank = match["rank"].lower()
        return Period(match["part"].lower(), _RANKS.get(rank, rank[0]))
    if match["letter"]:
        return Period("quarter" if match["letter"] in "Qq" else "half", match["number"])
    if match["counted"]:
        count, unit = match["count"].lower(), match["counted"].lower()
        number = int(NUMBER_WORDS.get(count) or count)
        return Period(_COUNTED.get((number, unit), f"{number} {unit}"))
    if match["every"]:
        return Period(_EVERY.get(match["every"].lower(), "year to date"))
    said = match["this"] or match["per"] or "year"
    return Period(said.lower().partition("-")[0].partition(" ")[0])
