"""Signs that evidence can answer a question, read before anything is written.

Features of a whole question with its evidence and hits; the model over them is trained by
`ragstone.training.abstention`. Scores of the search whose scale depends on the corpus (BM25, fused
scores) are used only relative to each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ragstone.grounding.initialisms import shortened, spelled_out
from ragstone.grounding.quantities import agree, quantities_of
from ragstone.grounding.questions import Question
from ragstone.grounding.relevance import KINDS, answer_places, labelled
from ragstone.grounding.words import terms_of, words_of
from ragstone.types import Evidence, Hit

Matrix = npt.NDArray[np.float32]

SIGNS: tuple[str, ...] = (
    "best", "second", "third", "any", "items",
    "cosine", "cosine_second", "cosine_fall", "words_fall", "words_per_term",
    "best_coverage", "evidence_coverage", "hit_coverage", "hits_coverage",
    "names", "names_missing_best", "names_missing_evidence", "names_missing_hits",
    "numbers", "numbers_missing_evidence", "numbers_missing_hits",
    "words_missing_evidence", "words_missing_hits", "answer_kind", "answer_kinds", "terms",
    *(f"asks_{kind}" for kind in KINDS),
)  # fmt: skip


def signs(question: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]) -> Matrix:
    """Shape (1, len(SIGNS)). Without a score of a stage, that stage's signs are 0."""
    scores = sorted((item.score for item in evidence), reverse=True) + [0.0] * 3
    missing = 1.0
    for item in evidence:
        missing *= 1.0 - min(1.0, max(0.0, item.score))
    cosines = sorted((h.scores["cosine"] for h in hits if "cosine" in h.scores), reverse=True)
    bm25 = sorted((h.scores["bm25"] for h in hits if "bm25" in h.scores), reverse=True)
    texts = [held_by(item, question) for item in evidence]
    found = [held_in(hit, question) for hit in hits]
    together = frozenset[str]().union(*texts)
    anywhere = together.union(*found)
    terms = frozenset(question.terms)
    named = frozenset(term for name in question.names for term in name.terms)
    known = [q for item in evidence for q in quantities_of(f"{item.lead_text} {item.text}")]
    everywhere = [q for hit in hits for q in quantities_of(hit.passage.text)]
    best = texts[0] if texts else frozenset[str]()
    first = found[0] if found else frozenset[str]()
    row = [
        *scores[:3],
        1.0 - missing,
        float(len(evidence)),
        cosines[0] if cosines else 0.0,
        cosines[1] if len(cosines) > 1 else 0.0,
        cosines[0] - float(np.mean(cosines)) if cosines else 0.0,
        1.0 - float(np.mean(bm25)) / bm25[0] if bm25 and bm25[0] > 0 else 0.0,
        bm25[0] / max(1, len(terms)) if bm25 else 0.0,
        _share(terms, best),
        _share(terms, together),
        _share(terms, first),
        _share(terms, anywhere),
        float(len(named)),
        float(len(named - best)),
        float(len(named - together)),
        float(len(named - anywhere)),
        float(len(question.quantities)),
        float(sum(not any(agree(q, k) for k in known) for q in question.quantities)),
        float(sum(not any(agree(q, k) for k in everywhere) for q in question.quantities)),
        float(len(terms - together)),
        float(len(terms - anywhere)),
        float(bool(evidence and answer_places(question, evidence[0].text))),
        float(sum(bool(answer_places(question, item.text)) for item in evidence[:3])),
        float(len(terms)),
        *(float(question.kind == kind) for kind in KINDS),
    ]
    return np.array([row], dtype=np.float32)


def held_by(item: Evidence, question: Question | None = None) -> frozenset[str]:
    """Terms of a piece of evidence with what a reader has in mind at it: title, headings, lead,
    and those names of `question` that the document's file name runs together."""
    terms = labelled(question, item.document) if question is not None else frozenset[str]()
    terms |= terms_of(item.text) | terms_of(item.lead_text) | terms_of(item.document.title)
    for heading in item.heading_path:
        terms |= terms_of(heading)
    return terms


def held_in(hit: Hit, question: Question) -> frozenset[str]:
    """Terms of a hit's passage, title, file name and headings."""
    terms = labelled(question, hit.document)
    terms |= terms_of(hit.passage.text) | terms_of(hit.document.title)
    for heading in hit.passage.heading_path:
        terms |= terms_of(heading)
    return terms


def missing_words(
    question: Question, evidence: Sequence[Evidence], hits: Sequence[Hit]
) -> tuple[str, ...]:
    """Words of the question that no hit and no evidence holds, names first.

    An initialism is held by what it stands for, and those words by the initialism.
    """
    held = frozenset[str]().union(
        *(held_by(item, question) for item in evidence),
        *(held_in(hit, question) for hit in hits),
    )
    wanted = set(question.terms)
    named = {term for name in question.names for term in name.terms}
    absent = [
        word
        for word in words_of(question.text)
        if word.terms and wanted.intersection(word.terms) and not held.intersection(word.terms)
    ]
    if absent:
        texts = [item.text for item in evidence] + [hit.passage.text for hit in hits]
        short = frozenset[int]().union(*(shortened(question.text, text) for text in texts))
        absent = [
            word
            for word in absent
            if word.start not in short and not any(spelled_out(word.text, text) for text in texts)
        ]
    absent.sort(key=lambda word: not named.intersection(word.terms))
    return tuple(dict.fromkeys(word.text for word in absent))


def _share(wanted: frozenset[str], held: frozenset[str]) -> float:
    return len(wanted & held) / len(wanted) if wanted else 0.0
