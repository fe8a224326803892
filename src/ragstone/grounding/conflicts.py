"""Where pieces of evidence disagree: the same thing with two different numbers or dates.

Law: nothing is resolved here. Both sides are reported, each with where it stands, so that an
answer can show them with their dates instead of choosing silently. No conflict are two sentences
that speak of different years (a course of events), of different stretches of time (the rate of a
quarter and that of a year), or of different things among those that the question names; nor are
two rows of one table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ragstone.grounding.answerable import held_by
from ragstone.grounding.names import names_of
from ragstone.grounding.periods import apart
from ragstone.grounding.quantities import Quantity, agree, comparable, quantities_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.types import Evidence

_ALIKE = 0.6  # share of the shorter sentence's words that the other must hold
_ALIKE_WITHIN = 0.8  # of the longer one's in one document: its author means two things by two
_CELL = re.compile(r"([^:]{1,80}):\s*(.+)")
_AROUND = 4  # words on each side of a number that say what it counts


@dataclass(frozen=True, slots=True)
class Conflict:
    """Evidence `first` and `second` (places from 0) say `said` and `other` of one thing."""

    first: int
    second: int
    said: Quantity
    other: Quantity

    def worded(self, evidence: Sequence[Evidence]) -> str:
        """One sentence for a reader, with titles, and dates where the documents carry them."""
        one, other = evidence[self.first], evidence[self.second]
        said, known = _plain(self.said), _plain(self.other)
        if one.document.id == other.document.id:
            return f"{_named(one)} says both {said} and {known}."
        return f"The documents disagree: {_named(one)} says {said}, {_named(other)} says {known}."


def find(evidence: Sequence[Evidence], *, question: str = "") -> list[Conflict]:
    """Disagreements between pieces of evidence about the same thing, in the order of evidence.

    Of two pieces of which one holds a name of `question` and the other does not, in its words, its
    title and its headings, each speaks of something else.
    """
    named = frozenset(term for name in names_of(question) for term in name.terms)
    found: list[Conflict] = []
    for first, second in combinations(range(len(evidence)), 2):
        one, other = evidence[first], evidence[second]
        if _rows_apart(one.text, other.text) or not _same_subject(one, other, named):
            continue
        if _times_apart(one, other):
            continue
        pair = _disagreement(one.text, other.text)
        if pair is not None:
            found.append(Conflict(first, second, *pair))
    return found


def _rows_apart(one: str, other: str) -> bool:
    """Whether both are rows of a table with different first cells, so of different things."""
    mine, theirs = _cells(one), _cells(other)
    if len(mine) < 2 or len(mine) != len(theirs):
        return False
    names = [[name for name, _ in cells] for cells in (mine, theirs)]
    return names[0] == names[1] and mine[0][1] != theirs[0][1]


def _cells(text: str) -> list[tuple[str, str]]:
    """A row's cells as (column, value): `a: 1; b: 2`, or `| 1 | 2 |` without columns' names."""
    line = text.strip()
    if line.startswith("|") and line.endswith("|"):
        return [("", cell.strip().casefold()) for cell in line.strip("|").split("|")]
    found = [_CELL.fullmatch(part.strip()) for part in line.rstrip(".").split(";")]
    return [(cell[1].casefold(), cell[2].strip().casefold()) for cell in found if cell]


def _times_apart(one: Evidence, other: Evidence) -> bool:
    """Whether they speak of stretches of different length, or their titles of different years."""
    if apart(f"{one.lead_text} {one.text}", f"{other.lead_text} {other.text}"):
        return True
    mine, theirs = _years(one), _years(other)
    return bool(mine and theirs) and mine.isdisjoint(theirs)


def _years(item: Evidence) -> frozenset[int]:
    """The years that the title and the headings over a piece of evidence name."""
    labels = " \n ".join((item.document.title, *item.heading_path)).replace("_", " ")
    return frozenset(int(q.value) for q in quantities_of(labels) if q.kind == "year")


def _same_subject(one: Evidence, other: Evidence, asked: frozenset[str]) -> bool:
    if asked & held_by(one) != asked & held_by(other):
        return False
    mine, theirs = _without_numbers(one.text), _without_numbers(other.text)
    shorter, longer = sorted((len(mine), len(theirs)))
    within = one.document.id == other.document.id
    least = _ALIKE_WITHIN * longer if within else _ALIKE * shorter
    if shorter < 2 or len(mine & theirs) < least:
        return False
    named = [frozenset(t for n in names_of(e.text) for t in n.terms) for e in (one, other)]
    # A name of one side must be spoken of on the other: in its sentence, title or headings.
    return not (named[0] - held_by(other)) and not (named[1] - held_by(one))


def _disagreement(one: str, other: str) -> tuple[Quantity, Quantity] | None:
    mine, theirs = quantities_of(one), quantities_of(other)
    pairs = [
        (said, known)
        for said in mine
        for known in theirs
        if comparable(said, known)
        and said.kind != "ordinal"
        and not _designates(one, said)
        and not _designates(other, known)
    ]
    apart = [
        (said, known)
        for said, known in pairs
        if not any(agree(said, k) or agree(k, said) for k in theirs)
        and not any(agree(known, m) or agree(m, known) for m in mine)
        and _counts_the_same(one, said, other, known)
    ]
    dated = [pair for pair in apart if pair[0].kind in {"year", "date"}]
    rest = [pair for pair in apart if pair[0].kind not in {"year", "date"}]
    if rest and not dated:
        return rest[0]
    return dated[0] if dated and not rest else None


def _designates(text: str, quantity: Quantity) -> bool:
    """Whether a number is part of a name (Exhibit 4.7, Table 3): it counts nothing."""
    before = words_of(text[: quantity.start])[-1:]
    bare = quantity.kind == "number" and not quantity.unit
    return bare and any(
        word.text[0].isupper() and text[word.end : quantity.start] == " " and word.start > 0
        for word in before
    )


def _counts_the_same(one: str, said: Quantity, other: str, known: Quantity) -> bool:
    """Whether the words around two quantities overlap: what they count or date."""
    return bool(_around(one, said) & _around(other, known))


def _around(text: str, quantity: Quantity) -> frozenset[str]:
    words = words_of(text)
    places = [p for p, w in enumerate(words) if quantity.start <= w.start < quantity.end]
    if not places:
        return frozenset()
    near = (
        *words[max(0, places[0] - _AROUND) : places[0]],
        *words[places[-1] + 1 : places[-1] + 1 + _AROUND],
    )
    return frozenset(term for word in near for term in word.terms)


def _without_numbers(text: str) -> frozenset[str]:
    return frozenset(term for term in terms_of(text) if not any(c.isdigit() for c in term))


def _named(item: Evidence) -> str:
    name = item.document.title or item.document.source
    date = next(
        (str(item.document.metadata[key]) for key in ("date", "modified", "created", "published_at")
         if item.document.metadata.get(key)),
        "",
    )  # fmt: skip
    return f"“{name}” ({date[:10]})" if date else f"“{name}”"


def _plain(quantity: Quantity) -> str:
    return " ".join(quantity.text.split())
