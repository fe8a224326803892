"""The small trained models of evidence and claims, each read once from the package.

Which recipe made each: `evidence_words` and `evidence` by `ragstone.training.evidence`,
`verifier` by `ragstone.training.verifier`. (`shortanswers` and `abstention` are read where they
are used, by the modules of these names.)
"""

from __future__ import annotations

from functools import cache

from ragstone.grounding import relevance, support
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
