"""The small trained models of this room, each read once from the package.

Which recipe made each: `evidence_words` and `evidence` by `ragstone.training.evidence`,
`verifier` by `ragstone.training.verifier`, `abstention` by `ragstone.training.abstention`.
"""

from __future__ import annotations

from functools import cache

from ragstone.grounding import answerable, relevance, support
from ragstone.grounding.trees import Trees, shipped


@cache
def by_words() -> Trees:
    """Whether a unit holds the answer, from words alone."""
    return shipped("evidence_words", relevance.LEXICAL)


@cache
def by_words_and_meaning() -> Trees:
    """Whether a unit holds the answer, from words and token vectors."""
    return shipped("evidence", relevance.FEATURES)


@cache
def support_of_claims() -> Trees:
    """Whether evidence bears a claim out."""
    return shipped("verifier", support.FEATURES)


@cache
def answerability() -> Trees:
    """Whether evidence answers a question."""
    return shipped("abstention", answerable.SIGNS)
