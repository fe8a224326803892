"""A claim held against its evidence: what carries it, how much of it, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragstone.grounding.citations import Alignment, align
from ragstone.grounding.claims import without_markers
from ragstone.grounding.differences import Difference, differences
from ragstone.grounding.words import coverage, rarity, terms_of, words_of
from ragstone.types import Evidence


@dataclass(frozen=True, slots=True)
class Reading:
    """A claim held against evidence: what carries it, how much of it, and where they part."""

    stated: str
    alignments: tuple[Alignment, ...]
    share: float  # of the claim's terms held by the aligned evidence and its context
    missing: tuple[str, ...]  # words of the claim that no evidence holds
    differences: tuple[Difference, ...]


def read(text: str, evidence: Sequence[Evidence]) -> Reading:
    """Hold a claim's text (markers allowed) against `evidence`."""
    stated = without_markers(text)
    alignments = tuple(align(stated, evidence))
    aligned = [evidence[alignment.index] for alignment in alignments]
    context = [context_of(item) for item in evidence]
    held = frozenset[str]().union(
        *(terms_of(item.text) | terms_of(context_of(item)) for item in aligned)
    )
    idf = rarity([item.text for item in evidence])
    unseen = max(idf.values(), default=1.0)
    everything = [*(item.text for item in evidence), *context]
    all_terms = frozenset[str]().union(*(terms_of(text) for text in everything))
    missing = tuple(
        dict.fromkeys(
            word.text
            for word in words_of(stated)
            if word.terms and not all_terms.intersection(word.terms)
        )
    )
    return Reading(
        stated=stated,
        alignments=alignments,
        share=coverage(terms_of(stated), held, idf, unseen=unseen) if alignments else 0.0,
        missing=missing,
        differences=tuple(differences(stated, [item.text for item in aligned], everything)),
    )


def context_of(item: Evidence) -> str:
    """What a reader has in mind at a piece of evidence: title, headings, lead."""
    return " \n ".join((item.document.title, *item.heading_path, item.lead_text))
