"""Which of the units found a section is made of, and what was said before it.

Pure. Laws: nothing is chosen that says what was said; a unit that leans on the one before is chosen
with it or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ragstone.applications.writing.standing import is_usable, leans
from ragstone.grounding.candidates import Candidate
from ragstone.grounding.words import terms_of, words_of
from ragstone.protocols import Vectors

SAME_WORDS = 0.6  # share of terms in common from which a sentence says what another said
SAME_MEANING = 0.84  # cosine from which it does
_WORTH = 0.62  # of the best score of a section: below it a sentence fills space
_FOLLOWS = 0.4  # of the best score, for what goes on from a chosen sentence ("It cost ...")
_SHORT = 0.4  # of the words asked for: a section with fewer takes what bears on it less
_BESIDE, _TOGETHER = 0.05, 0.02  # what a unit gains beside a chosen one, and under its heading
_ALONE = 0.82  # of the best score: below it a unit that stands alone under its heading is left out


@dataclass(slots=True)
class Said:
    """What the manuscript has said so far, so that no section says it again."""

    terms: list[frozenset[str]] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)

    def repeats(self, text: str, vector: Vectors | None = None) -> bool:
        """Whether `text` says what was said: by words, or by meaning where a vector is given."""
        mine = terms_of(text)
        for other in self.terms:
            smaller = min(len(mine), len(other))
            if smaller and len(mine & other) / len(mine | other) >= SAME_WORDS:
                return True
            if smaller > 4 and len(mine & other) / smaller >= 0.9:
                return True
        return vector is not None and any(float(v @ vector) >= SAME_MEANING for v in self.vectors)

    def copy(self) -> Said:
        """The same memory, to be added to apart."""
        return Said(list(self.terms), list(self.vectors))

    def add(self, text: str, vector: Vectors | None = None) -> None:
        """Remember a statement."""
        self.terms.append(terms_of(text))
        if vector is not None:
            self.vectors.append(vector)


def choose(
    every: Sequence[Candidate],
    nearest: Sequence[int],
    scores: Sequence[float],
    vectors: Vectors,
    said: Said,
    words: int,
    fits: frozenset[int],
) -> list[int]:
    """Places in `nearest`: the best first, until there are words enough.

    What stands beside or under the same heading as a chosen unit gains: a few places told in whole
    sentences read better than many torn ones. A lone unit that is far from the best is given up,
    unless the section is short: while there is much room, what `fits` comes along.
    """
    known = {place: at for at, place in enumerate(nearest)}
    heard = said.copy()
    taken: dict[int, int] = {}
    left = set(range(len(nearest)))
    best = max(scores)
    spent = 0
    while left and spent < words:
        at = max(left, key=lambda at: (scores[at] + _company(every, nearest[at], taken), -at))
        left.discard(at)
        place = nearest[at]
        rest = spent < _SHORT * words and place in fits
        along = _follows(every, place, taken) or rest
        if scores[at] < (_FOLLOWS if along else _WORTH) * best:
            continue
        if place in taken:
            continue
        group = _with_what_it_leans_on(every, place)
        if group is None or any(other not in known and other != place for other in group):
            continue
        fresh = [other for other in group if other not in taken]
        if any(heard.repeats(every[o].text, vectors[known[o]]) for o in fresh):
            continue
        cost = sum(len(words_of(every[other].text)) for other in fresh)
        if taken and spent + cost > 1.25 * words:
            continue
        for other in fresh:
            taken[other] = known[other]
            heard.add(every[other].text, vectors[known[other]])
        spent += cost
    short = spent < _SHORT * words
    kept = list(taken) if short else _without_strays(every, taken, scores, best, fits)
    for place in kept:
        said.add(every[place].text, vectors[known[place]])
    return [taken[place] for place in kept]


def _company(every: Sequence[Candidate], place: int, taken: Mapping[int, int]) -> float:
    """What a unit gains by those already chosen: beside one of them, or under its heading."""
    if not taken or every[place].kind == "row":
        return 0.0
    hit = every[place].hit
    if any(abs(other - place) == 1 and every[other].hit is hit for other in taken):
        return _BESIDE
    return (
        _TOGETHER if any(_where(every[other]) == _where(every[place]) for other in taken) else 0.0
    )


def _follows(every: Sequence[Candidate], place: int, taken: Mapping[int, int]) -> bool:
    """Whether a unit goes on from a chosen one that it leans on ("It cost ...")."""
    before = place - 1
    return before in taken and every[before].hit is every[place].hit and leans(every[place].text)


def _without_strays(
    every: Sequence[Candidate],
    taken: Mapping[int, int],
    scores: Sequence[float],
    best: float,
    fits: frozenset[int],
) -> list[int]:
    """The chosen places without those that stand alone under their heading and are no more than
    fair, or do not say a word of the topic, where something else is left."""
    counts = Counter(_where(every[place]) for place in taken)
    kept = [
        place
        for place, at in taken.items()
        if counts[_where(every[place])] > 1 or (scores[at] >= _ALONE * best and place in fits)
    ]
    return kept or list(taken)


def _where(candidate: Candidate) -> tuple[str, tuple[str, ...]]:
    return (candidate.hit.document.id, candidate.hit.passage.heading_path)


def _with_what_it_leans_on(every: Sequence[Candidate], place: int) -> list[int] | None:
    """The place with the one before it where it needs that; None where that cannot be had."""
    candidate = every[place]
    if candidate.kind == "row" or not leans(candidate.text):
        return [place]
    before = every[place - 1] if place else None
    same = (
        before is not None
        and before.hit is candidate.hit
        and before.span.end <= candidate.span.start
    )
    if before is None or not same or leans(before.text) or not is_usable(before):
        return None
    near = candidate.span.start - before.span.end <= 3
    return [place - 1, place] if near else None
