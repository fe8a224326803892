"""From hits to the few sentences that bear on the question.

Law: every evidence is a slice of its document (`document.text[e.span] == e.text`), no two
overlap, and together with their leads they fit the budget. What is chosen is decided by a
score that estimates whether a sentence holds the answer; choosing stops when enough is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ragstone.grounding.candidates import Candidate, candidates_of
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.relevance import features
from ragstone.grounding.scoring import evidence_probabilities
from ragstone.grounding.words import coverage, rarity, terms_of, words_of
from ragstone.protocols import Encoder
from ragstone.types import Document, Evidence, Hit

MAX_EMBEDDED = 24  # sentences embedded per question, at about 1 ms each on one core
ENOUGH = 0.97  # stop when the answer is held with this probability by the scorer's own estimate
TELLING = 0.03  # a sentence below this probability is not worth its tokens (the first always is)
SAME = 0.9  # share of terms in common from which two sentences say the same


def select(
    question: str,
    hits: Sequence[Hit],
    *,
    encoder: Encoder | None,
    document_of: Callable[[str], Document],
    max_tokens: int = 320,
    max_items: int = 6,
    enough: float = ENOUGH,
) -> list[Evidence]:
    """The sentences and rows of `hits` that bear on `question`, the most telling first.

    `score` of each is the probability that it holds the answer. `max_tokens` bounds texts
    and leads together (about 4 characters a token); at least one item comes back if any hit
    has text. Without an encoder the choice is lexical. `enough` moves how many are taken.
    """
    candidates = candidates_of(hits, document_of)
    if not candidates:
        return []
    asked = understand(question)
    probabilities = score(asked, candidates, encoder)
    chosen: list[Candidate] = []
    spent = 0
    missing = 1.0  # probability that nothing chosen so far holds the answer
    scores: list[float] = []
    for place in np.argsort(-probabilities, kind="stable"):
        candidate = candidates[int(place)]
        probability = float(probabilities[place])
        if chosen and (probability < TELLING or missing < 1.0 - enough or len(chosen) >= max_items):
            break
        cost = approximate_tokens(candidate.text) + approximate_tokens(candidate.lead_text)
        if chosen and (spent + cost > max_tokens or _says_the_same(candidate, chosen)):
            continue
        chosen.append(candidate)
        scores.append(probability)
        spent += cost
        missing *= 1.0 - probability
    return [_evidence(c, s, chosen) for c, s in zip(chosen, scores, strict=True)]


def score(
    question: Question, candidates: Sequence[Candidate], encoder: Encoder | None
) -> npt.NDArray[np.float64]:
    """The probability that each candidate holds the answer, shape (len(candidates),)."""
    idf = rarity([candidate.text for candidate in candidates])
    cosines = np.full(len(candidates), np.nan, dtype=np.float32)
    if encoder is not None:
        places = prefilter(question, candidates)
        vector = encoder.encode_queries([question.text])[0]
        vectors = encoder.encode_passages([candidates[place].text for place in places])
        cosines[places] = vectors @ vector
    return evidence_probabilities(features(question, candidates, cosines, idf))


def prefilter(question: Question, candidates: Sequence[Candidate]) -> list[int]:
    """Places of the candidates worth an embedding: by words in common, then by the hit's rank."""
    if len(candidates) <= MAX_EMBEDDED:
        return list(range(len(candidates)))
    idf = rarity([candidate.text for candidate in candidates])
    unseen = max(idf.values(), default=1.0)

    def promise(place: int) -> float:
        candidate = candidates[place]
        covered = coverage(question.terms, terms_of(candidate.text), idf, unseen=unseen)
        return covered + 0.5 / candidate.hit.rank

    return sorted(sorted(range(len(candidates)), key=promise, reverse=True)[:MAX_EMBEDDED])


def approximate_tokens(text: str) -> int:
    """Tokens of a text to within a fifth, without a tokenizer: 4 for 3 words, or 1 for 4
    characters where words are long or not spaced."""
    return max(len(words_of(text)) * 4 // 3, len(text) // 4) if text else 0


def _says_the_same(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    mine = terms_of(candidate.text)
    for other in chosen:
        theirs = terms_of(other.text)
        union = len(mine | theirs)
        if candidate.text == other.text or (union > 3 and len(mine & theirs) / union >= SAME):
            return True
    return False


def _evidence(candidate: Candidate, probability: float, chosen: Sequence[Candidate]) -> Evidence:
    """A lead that is itself chosen is not shown twice."""
    document_id = candidate.hit.passage.document_id
    shown = {(other.hit.passage.document_id, other.span) for other in chosen}
    led = all((document_id, span) not in shown for span in candidate.lead)
    return Evidence(
        document=candidate.hit.document,
        span=candidate.span,
        text=candidate.text,
        score=probability,
        page=candidate.hit.passage.page,
        heading_path=candidate.hit.passage.heading_path,
        lead=candidate.lead if led else (),
        lead_text=candidate.lead_text if led else "",
        rank=candidate.hit.rank,
    )
