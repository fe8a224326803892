"""A text as words with their places and their terms: the common ground of this room.

Law: `text[word.start:word.end] == word.text`. Terms are those of the indexes
(`ragstone.text.analysis`), so that what was found by a term is also aligned by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.text.analysis import analyse

_CACHED_TEXTS = 8192  # sentences met again: the question's, the hits' and the claims'
# Letters with the marks that belong to them, joined by hyphens, apostrophes and inner points.
_MARK = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u200d"
_WORD = re.compile(rf"[^\W_](?:[\w{_MARK}]|[-.'’](?=[^\W_]))*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its writing, its place in the text, and the terms it is compared by.

    `terms` is empty for function words, so that only words with content are compared.
    """

    text: str
    start: int
    end: int
    terms: tuple[str, ...]


@lru_cache(maxsize=_CACHED_TEXTS)
def words_of(text: str) -> tuple[Word, ...]:
    """The words of `text` in order."""
    return tuple(
        Word(match.group(), match.start(), match.end(), _terms(match.group()))
        for match in _WORD.finditer(text)
    )


@lru_cache(maxsize=65536)
def _terms(word: str) -> tuple[str, ...]:
    if word.lower() in FUNCTION_WORDS:
        return ()
    return tuple(dict.fromkeys(analyse(word)))


@lru_cache(maxsize=_CACHED_TEXTS)
def terms_of(text: str) -> frozenset[str]:
    """The distinct content terms of `text`."""
    return frozenset(term for word in words_of(text) for term in word.terms)


def rarity(
    texts: Sequence[str], *, prior: Mapping[str, float] | None = None
) -> Mapping[str, float]:
    """Inverse document frequency of each term over `texts` taken as the whole collection.

    idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5)), BM25's form, always positive. What all
    candidate sentences share (the topic) says little about which of them answers; what few
    hold says much. `prior` gives a term's idf in the corpus, where the caller knows it; the
    two are averaged.
    """
    counts: dict[str, int] = {}
    for text in texts:
        for term in terms_of(text):
            counts[term] = counts.get(term, 0) + 1
    total = len(texts)
    found = {
        term: math.log(1.0 + (total - count + 0.5) / (count + 0.5))
        for term, count in counts.items()
    }
    if prior:
        found = {term: (idf + prior.get(term, idf)) / 2 for term, idf in found.items()}
    return found


def coverage(
    wanted: Iterable[str], held: frozenset[str], idf: Mapping[str, float], *, unseen: float
) -> float:
    """The idf-weighted share of `wanted` terms that `held` contains, 0 to 1 (1 for none wanted).

    A term missing from `idf` weighs `unseen`.
    """
    total = 0.0
    covered = 0.0
    for term in wanted:
        weight = idf.get(term, unseen)
        total += weight
        if term in held:
            covered += weight
    return covered / total if total > 0.0 else 1.0
