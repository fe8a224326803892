"""A field's value out of its evidence, without a language model: the typed value that stands
nearest to the field's words, in a sentence that speaks of the field.

Law: what is given is stated by the sentence it is cited from; nothing is guessed from a
sentence that holds less than `BEARING` of the field's words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragstone.applications.structured.values import Value, candidates
from ragstone.applications.structured.wanted import Wanted
from ragstone.grounding.quantities import agree, quantities_of
from ragstone.grounding.reading import context_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.types import Document, Evidence, Scalar, Span

# Share of the field's words that the sentence, its lead and its headings must hold: half of "height
# of the tower" also stands in "two spaces beside the tower", so more than half.
BEARING = 0.6
_WHOLE_BEARING = {"boolean": 1.0, "string": 0.6}  # where no typed value says that it is the one
_LEAST = 0.05  # of the probability that a sentence holds the answer
_FAR = 6.0  # words; how quickly nearness to the field's words fades
_ABOUT = 0.25  # share of the subject's words that the sentence or what stands around it must hold
_AGENT = 3.0  # "made by NAME" against another name of the same sentence
_FORMER = 0.3  # "from £8.75 to £9.50": what was, against what is
_FROM_TO = re.compile(r"\bfrom $"), re.compile(r"^\S{0,2} to\b")
_HEAD = 4000  # characters of a document that tell what it is about
_OTHER_SUBJECT = 0.3  # what a sentence is worth that speaks of another year or number


@dataclass(frozen=True, slots=True)
class Extracted:
    """A value, the place of its evidence, and how well it fits (compares within one field)."""

    value: Scalar
    index: int
    span: Span
    worth: float
    keyed: bool = False  # it stands in the column of a row that the field names


def extract(
    asked: Wanted,
    subject: str,
    evidence: Sequence[Evidence],
    *,
    document_of: Callable[[str], Document],
    most: int = 1,
) -> list[Extracted]:
    """The best values of the field, each distinct, best first; none where nothing is stated.

    With `most` above 1 only the values of the best sentence come: what a list names in one
    breath belongs together, what another sentence adds may not.
    """
    found: list[Extracted] = []
    for index, item in enumerate(evidence):
        if item.score < _LEAST:
            continue
        fit = item.score * _of_subject(subject, item, document_of(item.document.id))
        if fit == 0.0:
            continue
        for value in candidates(asked, item.text, item.lead_text):
            share = bearing(asked, item, value)
            least = _WHOLE_BEARING[asked.leaf.kind] if value.whole else BEARING
            if share >= least:
                near = 1.0 if value.key else _nearness(asked, item.text, value.span)
                worth = fit * share**2 * (0.05 + near) * _place(value, item.text)
                found.append(Extracted(value.value, index, value.span, worth, bool(value.key)))
    found.sort(key=lambda one: (-one.worth, one.index, one.span.start))
    if not found:
        return []
    best = [one for one in found if one.index == found[0].index] if most > 1 else found
    distinct = {type(one.value)(one.value): one for one in reversed(best)}
    kept = sorted(distinct.values(), key=lambda one: (-one.worth, one.index, one.span.start))
    kept = kept[:most]
    return kept if most == 1 else sorted(kept, key=lambda one: one.span.start)


def bearing(asked: Wanted, item: Evidence, value: Value | None = None) -> float:
    """How much of the field a piece of evidence speaks of, 0 to 1.

    In a row only the value's own column, the row's title and headings count: the words of its
    other columns say nothing of this value.
    """
    unit = value is not None and asked.unit is not None
    if value is not None and value.key:
        held = terms_of(value.key) | _around(item)
        own = asked.share(terms_of(value.key), unit_held=unit)
        return asked.share(held, unit_held=unit) if own > 0.0 else 0.0
    held = terms_of(item.text) | terms_of(item.lead_text)
    own = asked.share(held, unit_held=unit)
    return asked.share(held | _around(item), unit_held=unit) if own > 0.0 else 0.0


def _around(item: Evidence) -> frozenset[str]:
    terms = terms_of(item.document.title)
    for heading in item.heading_path:
        terms |= terms_of(heading)
    return terms


def _place(value: Value, text: str) -> float:
    """What the words beside a value add or take: "made by NAME", "from X to Y"."""
    before, after = _FROM_TO
    if before.search(text[: value.span.start]) and after.search(text[value.span.end :]):
        return _FORMER
    return _AGENT if value.agent else 1.0


def _of_subject(subject: str, item: Evidence, document: Document) -> float:
    """How surely a piece of evidence is about the subject: 0 where its document does not speak of
    it; less for another number (the row of another year looks like this year's in all else)."""
    near = f"{item.text} \n {context_of(item)} \n {item.document.source}"
    around = f"{near} \n {document.text[:_HEAD]}"
    asked = quantities_of(subject)
    known = quantities_of(around)
    absent = [one for one in asked if not any(agree(one, other) for other in known)]
    words = terms_of(subject)
    share = len(words & terms_of(around)) / len(words) if words else 1.0
    if share < _ABOUT or any(one.kind in {"date", "year"} for one in absent):
        return 0.0
    spoken = quantities_of(near)
    if any(not any(agree(one, other) for other in spoken) for one in asked):
        return _OTHER_SUBJECT
    return 0.5 + 0.5 * (len(words & terms_of(near)) / len(words) if words else 1.0)


def _nearness(asked: Wanted, text: str, span: Span) -> float:
    """How near the field's words stand to a value, 0 to 1: the mean over them, by the way of
    putting the field that stands nearest."""
    words = words_of(text)
    own = [place for place, word in enumerate(words) if span.start <= word.start < span.end]
    if not own:
        return 0.0
    means = []
    for terms in asked.terms:
        nearest = dict.fromkeys(terms, math.inf)
        for place, word in enumerate(words):
            distance = min(abs(place - own[0]), abs(place - own[-1]))
            for term in terms.intersection(word.terms):
                nearest[term] = min(nearest[term], distance)
        means.append(sum(math.exp(-near / _FAR) for near in nearest.values()) / len(terms))
    return max(means, default=0.0)
