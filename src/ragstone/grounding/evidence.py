"""From hits to the few sentences that bear on the question.

Law: every evidence is a slice of its document (`document.text[e.span] == e.text`), no two
overlap, and together with their leads they fit the budget. What is chosen is decided by a
score that estimates whether a sentence holds the answer; choosing stops when enough is held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ragstone.grounding.candidates import Candidate, candidates_of, is_label
from ragstone.grounding.comprehension import NOTHING, READABLE, Comprehension, held_in_unit
from ragstone.grounding.instructions import addresses_model, instructing
from ragstone.grounding.questions import Question, understand
from ragstone.grounding.relevance import (
    defines,
    labelled,
    lexical_features,
    meaning_features,
    own_title,
)
from ragstone.grounding.scoring import by_words, by_words_and_meaning
from ragstone.grounding.tokens import TokenMemory, token_encoder
from ragstone.grounding.words import rarity, terms_of, words_of
from ragstone.protocols import Encoder
from ragstone.types import Document, Evidence, Hit

MAX_EMBEDDED = 10  # of 60 units the best 10 by words hold the answer 99% as often as the best 16
ENOUGH = 0.97  # stop when the answer is held with this probability by the scorer's own estimate
RIVAL = 0.8  # share of the best probability: what is as likely may say otherwise, and is shown too
TELLING = 0.03  # a sentence below this probability is not worth its tokens (the first always is)
DEFINES = 1.5  # log-odds for "X is a ..." where the question is what X is
FRAGMENT = -1.5  # log-odds for a line that states nothing
POINTER = -1.5  # log-odds for a sentence that only says where something stands
# Log-odds for a row of a table, of which the label says what it is about: all of the label is what
# the question asks for, or nothing in the row is.
NAMED_ROW = 1.0
STRANGE_ROW = -1.0
# Log-odds for a document that is not the asked company's or person's, where file names tell whose
# each is (`BESTBUY_2024_10Q` beside `AMERICANEXPRESS_2022_10K`).
FOREIGN = -1.0
_POINTS = re.compile(
    r"(?:please )?(?:see|refer to)\b|for (?:a |an )?(?:\w+ ){0,3}"
    r"(?:information|discussion|details?|description)\b[^.]*\b(?:see|refer)\b",
    re.IGNORECASE,
)
_CELLS = ("; ", ": ", "|")  # what stands between the cells of a row, or a name and its value
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
    memory: TokenMemory | None = None,
    read: Comprehension = NOTHING,
) -> list[Evidence]:
    """The sentences and rows of `hits` that bear on `question`, the most telling first.

    `score` of each is the probability that it holds the answer. `max_tokens` bounds texts
    and leads together (about 4 characters a token); at least one item comes back if any hit
    has text. `enough` moves how many are taken; `memory` keeps the
    token vectors for what reads the evidence next. Without an encoder that gives token vectors
    (`tokens.TokenEncoder`) the choice is by words alone. `read` is what a reader makes of the same
    hits.
    """
    candidates = without_instructions(candidates_of(hits, document_of))
    if not candidates:
        return []
    asked = understand(question)
    probabilities = score(asked, candidates, encoder, memory=memory)
    if read:
        units = zip(candidates, probabilities.tolist(), strict=True)
        probabilities = np.array(
            [
                held_in_unit(read, c.hit.rank, c.span, p) if c.kind in READABLE else p
                for c, p in units
            ]
        )
    chosen: list[Candidate] = []
    spent = 0
    missing = 1.0  # probability that nothing chosen so far holds the answer
    scores: list[float] = []
    for place in np.argsort(-probabilities, kind="stable"):
        candidate = candidates[int(place)]
        probability = float(probabilities[place])
        held = missing < 1.0 - enough and probability < RIVAL * scores[0]  # nothing is at first
        if chosen and (probability < TELLING or held or len(chosen) >= max_items):
            break
        cost = approximate_tokens(candidate.text) + approximate_tokens(candidate.lead_text)
        if chosen and (spent + cost > max_tokens or _says_the_same(candidate, chosen)):
            continue
        chosen.append(candidate)
        scores.append(probability)
        spent += cost
        missing *= 1.0 - probability
    return [_evidence(c, s, chosen) for c, s in zip(chosen, scores, strict=True)]


def without_instructions(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates without those that tell a model what to do, nor leads that do."""
    told: set[int] = set()
    for hit in {id(candidate.hit): candidate.hit for candidate in candidates}.values():
        places = [p for p, candidate in enumerate(candidates) if candidate.hit is hit]
        marks = instructing([candidates[place].text for place in places])
        told.update(place for place, marked in zip(places, marks, strict=True) if marked)
    return [
        replace(candidate, lead=(), lead_text="")
        if candidate.lead and addresses_model(candidate.lead_text)
        else candidate
        for place, candidate in enumerate(candidates)
        if place not in told
    ]


def score(
    question: Question,
    candidates: Sequence[Candidate],
    encoder: Encoder | None,
    *,
    memory: TokenMemory | None = None,
) -> npt.NDArray[np.float64]:
    """The probability that each candidate holds the answer, shape (len(candidates),).

    Words alone choose which candidates are worth an embedding; of the others, none is scored
    above the least of those.
    """
    idf = rarity([candidate.text for candidate in candidates])
    lexical = lexical_features(question, candidates, idf)
    probabilities = by_words().probabilities(lexical)
    by_token = token_encoder(encoder)
    if by_token is None:
        return with_priors(question, candidates, probabilities)
    places = np.sort(np.argsort(-probabilities, kind="stable")[:MAX_EMBEDDED])
    nearer = [candidates[place] for place in places]
    memory = memory or TokenMemory(by_token)
    asked, *units = memory.encode([question.text, *(c.text for c in nearer)])
    meaning = meaning_features(question, nearer, asked, units, idf)
    found = by_words_and_meaning().probabilities(np.hstack([lexical[places], meaning]))
    probabilities = np.minimum(probabilities, found.min())
    probabilities[places] = found
    return with_priors(question, candidates, probabilities)


def with_priors(
    question: Question, candidates: Sequence[Candidate], probabilities: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Probabilities moved by what the trained scorers cannot know: their texts are clean prose,
    where every unit is a statement and names stand in the sentences."""
    moved = probabilities.copy()
    labels = {
        c.hit.document.id: labelled(question, c.hit.document) - terms_of(own_title(c.hit.document))
        for c in candidates
    }
    owned = frozenset[str]().union(*labels.values())
    asked = asked_terms(question)
    for place, candidate in enumerate(candidates):
        shift = 0.0
        if owned and not labels[candidate.hit.document.id]:
            spoken_of = terms_of(candidate.hit.passage.text) & owned
            rows = 2.0 if candidate.kind == "row" else 1.0  # a row speaks of its document's own
            shift += 0.0 if spoken_of else rows * FOREIGN
        if question.kind == "definition" and defines(question, candidate.text):
            shift += DEFINES
        if is_fragment(candidate):
            shift += FRAGMENT
        if candidate.kind != "row" and _POINTS.match(candidate.text):
            shift += POINTER
        if candidate.kind == "row":
            shift += row_shift(asked, candidate)
        if shift:
            bounded = min(1.0 - 1e-6, max(1e-6, float(probabilities[place])))
            moved[place] = 1.0 / (1.0 + (1.0 - bounded) / bounded * float(np.exp(-shift)))
    return moved


def asked_terms(question: Question) -> frozenset[str]:
    """The question's terms without those of names and numbers: what the answer is to be about."""
    named = {term for name in question.names for term in name.terms}
    return frozenset(
        term for term in question.terms if term not in named and not any(map(str.isdigit, term))
    )


def row_shift(asked: frozenset[str], candidate: Candidate) -> float:
    """How a table's row is moved by its label, a first cell that no column's name stands before: it
    is all asked for, or neither it nor a heading above is. A row without a label is moved by
    all its words; the names of columns are shared by its whole table."""
    if not asked:
        return 0.0
    first, more, _ = candidate.text.partition("; ")
    label = terms_of(first if more and ": " not in first else candidate.text)
    if more and label and label <= asked:
        return NAMED_ROW
    above = (terms_of(heading) for heading in candidate.hit.passage.heading_path)
    return 0.0 if asked & label.union(*above) else STRANGE_ROW


def is_fragment(candidate: Candidate) -> bool:
    """Whether a unit is a label rather than a statement; so is a row of one cell whose only number
    is a year ("Current assets", "2022")."""
    if candidate.kind == "row":
        one_cell = not any(mark in candidate.text for mark in _CELLS)
        return one_cell and is_label(candidate.text, years=True)
    return candidate.kind == "sentence" and is_label(candidate.text)


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
        page=candidate.page,
        heading_path=candidate.hit.passage.heading_path,
        lead=candidate.lead if led else (),
        lead_text=candidate.lead_text if led else "",
        rank=candidate.hit.rank,
        kind=candidate.kind,
    )
