"""What a field asks of the documents: its question in words, its terms, the unit of its value.

Pure: a leaf of the schema and the subject in, a `Wanted` out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ragstone.applications.structured.schema import Leaf
from ragstone.grounding.lexicon import ASKING_WORDS, CURRENCIES, UNITS, word_set
from ragstone.grounding.questions import AnswerKind, understand
from ragstone.grounding.words import terms_of, words_of

_SHORT = {"m": "metres", "s": "seconds", "h": "hours", "pct": "percent"}  # units as names end
# Ends of names that count or name something rather than measure it: founding_year, visits_per_day.
_NO_UNIT = word_set("year month week day hour minute min times fold degrees mi v w")
_PERCENT = re.compile(r"\b(?:percent|per cent|percentage)\b|%", re.IGNORECASE)
_IN_UNIT = re.compile(r"(?:\bin (?:\w+ )?|\()(?P<unit>[A-Za-zµ°$€£¥]+)\)?\W*$")
_TIMED = terms_of("when date year founded born died")
_MONEY = terms_of("price cost fee fare income revenue salary budget rent wage profit turnover")


@dataclass(frozen=True, slots=True)
class Unit:
    """`dimension` as `grounding.quantities` names it; one of it is `factor` base units; `word`
    is how the field writes it."""

    dimension: str
    factor: float = 1.0
    word: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`question` is what is searched for. `terms` are the ways in which the field is put (its
    name, its description), each as terms without those of the subject; `kind` is that of its
    value where the words tell."""

    leaf: Leaf
    question: str
    terms: tuple[frozenset[str], ...]
    kind: AnswerKind
    unit: Unit | None

    @property
    def yearly(self) -> bool:
        """Whether a number of this field is a year."""
        words = f"{self.leaf.words} {self.leaf.description}".lower()
        return re.search(r"\b(?:year|when)\b(?!s)", words) is not None

    @property
    def monetary(self) -> bool:
        """Whether a number of this field is an amount of money."""
        return any(terms & _MONEY for terms in self.terms)

    def share(self, held: frozenset[str], *, unit_held: bool = False) -> float:
        """How much of the field is spoken of, 0 to 1: of its name or its description, whichever
        is held better; a value in the field's own unit counts as one more of its words."""
        shares = [
            (len(ways & held) + unit_held) / (len(ways) + (self.unit is not None))
            for ways in self.terms
        ]
        return max(shares, default=0.0)


def wanted(leaf: Leaf, subject: str) -> Wanted:
    """The leaf's question about `subject` (a name, or a question of the user's own)."""
    unit = unit_of(leaf)
    about = terms_of(subject)
    asking = frozenset(term for word in ASKING_WORDS for term in terms_of(word))
    named = _without_unit(leaf.words) if unit else leaf.words
    described = _IN_UNIT.sub("", leaf.description) if unit else leaf.description
    ways = [terms_of(words) for words in (named, described) if terms_of(words)]
    # What is left of "name" or "year" without the asking words and the subject would be nothing.
    fewer = [way - about - asking or way - about or way for way in ways]
    question = _question(leaf, named, described, subject)
    return Wanted(leaf, question, tuple(fewer), _kind(leaf, question, named), unit)


def unit_of(leaf: Leaf) -> Unit | None:
    """The unit that a field's name ends in (`height_m`, `costGBP`) or its description names
    ("in metres", "(GBP)"); None for values that are no numbers."""
    if leaf.kind not in {"number", "integer"}:
        return None
    if _PERCENT.search(leaf.description) or leaf.words.endswith(("percent", "pct")):
        return Unit("%")
    match = _IN_UNIT.search(leaf.description)
    ends = [match["unit"]] if match else []
    if " " in leaf.words:
        ends.append(_end(leaf.words))
    for end in ends:
        word = _SHORT.get(end.lower(), end.lower())
        if word in CURRENCIES:
            return Unit(CURRENCIES[word])
        if word in UNITS:
            return Unit(*UNITS[word], word)
    return None


def _end(words: str) -> str:
    """The last word, if it can be a unit; "" where it counts: "visits per day"."""
    before, _, end = words.rpartition(" ")
    return "" if end in _NO_UNIT or before.endswith("per") else end


def _without_unit(words: str) -> str:
    end = _end(words)
    is_unit = _SHORT.get(end, end) in UNITS or end in CURRENCIES or end in {"percent", "pct"}
    return words.rpartition(" ")[0] if is_unit else words


def _question(leaf: Leaf, named: str, described: str, subject: str) -> str:
    """The field as a question that stands alone; a description that asks is taken as it is."""
    subject = subject.strip()
    words = described if described and not described.endswith("?") else named
    if described.endswith("?"):
        apart = terms_of(subject) - terms_of(described)
        return f"{described} ({subject.rstrip('?. ')})" if apart else described
    if subject.endswith("?"):
        return f"{subject} {words}"
    if leaf.kind == "date":
        return f"When: {words}, {subject}?" if words else f"When was {subject}?"
    if leaf.kind in {"number", "integer"}:
        return f"What number is the {words} of {subject}?"
    return f"What is the {words} of {subject}?"


def _kind(leaf: Leaf, question: str, named: str) -> AnswerKind:
    if leaf.kind == "date":
        return "time"
    if leaf.kind in {"number", "integer"}:
        return "number"
    kind = understand(question).kind
    if kind == "thing" and any(_TIMED & set(word.terms) for word in words_of(named)):
        return "time"
    return kind
