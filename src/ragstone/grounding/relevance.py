"""How strongly a sentence bears on a question: features, cheap ones first.

Each feature is a plain number of one (question, unit) pair among its rivals; the scorer over
them is trained by `ragstone.training.evidence`. No feature needs more than the texts, the
rank of the hit, and one cosine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ragstone.grounding.candidates import Candidate, points_back
from ragstone.grounding.names import names_of, within
from ragstone.grounding.quantities import agree, quantities_of
from ragstone.grounding.questions import AnswerKind, Question
from ragstone.grounding.tokens import Encoded
from ragstone.grounding.words import coverage, terms_of, words_of
from ragstone.types import DocumentInfo

Matrix = npt.NDArray[np.float32]

KINDS: tuple[AnswerKind, ...] = (
    "person", "place", "time", "number", "reason", "manner", "choice", "definition", "thing",
)  # fmt: skip
LEXICAL: tuple[str, ...] = (
    "coverage", "coverage_gap", "coverage_with_context", "context_gap", "passage_coverage",
    "names", "names_with_context", "quantities", "pairs", "nearness", "answer_kind",
    "answer_near", "quoted", "focus", "rank", "place", "first", "words",
    "before", "after", "points_back", "row", "list_item", "code", "fresh", "matched",
    "has_number", "has_year", "has_name",
    *(f"asks_{kind}" for kind in KINDS),
)  # fmt: skip
MEANING: tuple[str, ...] = (
    "cosine", "cosine_gap", "late", "late_gap", "late_least", "late_rare", "late_rare_gap",
    "late_missing", "late_answer",
)  # fmt: skip
FEATURES: tuple[str, ...] = LEXICAL + MEANING

_REASON = re.compile(
    r"\b(because|due to|since|as a result|caused?|reason|led to|in order to|so that|therefore"
    r"|owing to|thus|why)\b",
    re.I,
)
_MANNER = re.compile(r"\b(by|through|using|via|with|method|process|way)\b", re.I)
_DEFINING = re.compile(
    r"\b(?:is|are|was|were|refers? to|means?|known as|called|defined as)\b", re.I
)
_NEAR_VERB = 3  # words that may stand between a subject and its verb: "(T&T)", "of 1979"


def lexical_features(
    question: Question, candidates: Sequence[Candidate], idf: Mapping[str, float]
) -> Matrix:
    """Shape (len(candidates), len(LEXICAL)): what words, numbers and places alone tell."""
    if not candidates:
        return np.zeros((0, len(LEXICAL)), dtype=np.float32)
    unseen = max(idf.values(), default=1.0)
    covered = [
        coverage(question.terms, terms_of(candidate.text), idf, unseen=unseen)
        for candidate in candidates
    ]
    with_context = [
        coverage(question.terms, terms_of(c.text) | context_terms(c, question), idf, unseen=unseen)
        for c in candidates
    ]
    passages = {
        id(c.hit): coverage(
            question.terms,
            terms_of(c.hit.passage.text) | context_terms(c, question),
            idf,
            unseen=unseen,
        )
        for c in candidates
    }
    best, best_context = max(covered), max(with_context)
    rows: list[list[float]] = []
    for place, candidate in enumerate(candidates):
        row = [
            covered[place],
            covered[place] - best,
            with_context[place],
            with_context[place] - best_context,
            passages[id(candidate.hit)],
            *_pair(question, candidate, idf, unseen),
            1.0 / candidate.hit.rank,
            float(min(candidate.place, 10)),
            float(candidate.place == 0),
            math.log1p(len(words_of(candidate.text))),
            *_neighbours(candidates, covered, place),
            float(bool(candidate.lead) or points_back(candidate.text)),
            float(candidate.kind == "row"),
            float(candidate.kind == "list_item"),
            float(candidate.kind == "code"),
            *_content(question, candidate),
            *(float(question.kind == kind) for kind in KINDS),
        ]
        rows.append(row)
    return np.asarray(rows, dtype=np.float32)


def meaning_features(
    question: Question,
    candidates: Sequence[Candidate],
    asked: Encoded,
    units: Sequence[Encoded],
    idf: Mapping[str, float],
) -> Matrix:
    """Shape (len(candidates), len(MEANING)): each question token's likest token in the unit
    (late interaction, Khattab and Zaharia 2020), whole and by rarity, and the plain cosine."""
    words = words_of(question.text)
    wanted = set(question.terms)
    telling = np.array(
        [owner >= 0 and bool(wanted.intersection(words[owner].terms)) for owner in asked.words],
        dtype=bool,
    )
    if not telling.any():
        telling = np.ones(len(asked.words), dtype=bool)
    unseen = max(idf.values(), default=1.0)
    rarities = np.array(
        [
            max((idf.get(term, unseen) for term in words[owner].terms), default=0.1)
            if owner >= 0
            else 0.1
            for owner in asked.words
        ]
    )[telling]
    rows: list[list[float]] = []
    for candidate, unit in zip(candidates, units, strict=True):
        if not len(unit.vectors) or not len(asked.vectors):
            rows.append([0.0] * 6)
            continue
        table = asked.vectors @ unit.vectors.T
        likest = table.max(axis=1)
        own = likest[telling]
        held = terms_of(candidate.text)
        lost = np.array(
            [owner >= 0 and not held.intersection(words[owner].terms) for owner in asked.words]
        )[telling]
        rows.append(
            [
                float(asked.mean @ unit.mean),
                float(own.mean()),
                float(own.min()),
                float((own * rarities).sum() / rarities.sum()),
                float(own[lost].mean()) if lost.any() else 1.0,
                # How like the asking words ("what country") some token of the unit is.
                float(likest[~telling].mean()) if (~telling).any() else 0.0,
            ]
        )
    plain = np.asarray(rows, dtype=np.float32)
    cosine, late, least, rare, missing, answer = plain.T
    return np.stack(
        [
            cosine, cosine - cosine.max(), late, late - late.max(), least, rare,
            rare - rare.max(), missing, answer,
        ],
        axis=1,
    )  # fmt: skip


def context_terms(candidate: Candidate, question: Question | None = None) -> frozenset[str]:
    """Terms that a reader has in mind at this unit: title, headings, lead, and the names of
    `question` that the document's title or file name runs together."""
    terms = terms_of(candidate.hit.document.title) | terms_of(candidate.lead_text)
    if question is not None and question.names:
        terms |= labelled(question, candidate.hit.document)
    for heading in candidate.hit.passage.heading_path:
        terms |= terms_of(heading)
    return terms


def labelled(question: Question, document: DocumentInfo) -> frozenset[str]:
    """Terms of the question's names that name the document."""
    file_name = document.source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return within(question.names, f"{document.title} {file_name}")


def own_title(document: DocumentInfo) -> str:
    """The title without the file's name, which readers put behind a title that says less."""
    file_name = document.source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return document.title.removesuffix(f"({file_name.rpartition('.')[0]})")


def _neighbours(
    candidates: Sequence[Candidate], covered: Sequence[float], place: int
) -> tuple[float, float]:
    """Coverage of the unit before and after in the same passage."""
    around: list[float] = []
    for other in (place - 1, place + 1):
        same = 0 <= other < len(candidates) and candidates[other].hit is candidates[place].hit
        around.append(covered[other] if same else 0.0)
    return around[0], around[1]


def _pair(
    question: Question, candidate: Candidate, idf: Mapping[str, float], unseen: float
) -> tuple[float, ...]:
    """names, names_with_context, quantities, pairs, nearness, answer_kind, answer_near,
    quoted, focus."""
    held = terms_of(candidate.text)
    context = held | context_terms(candidate, question)
    name_terms = [term for name in question.names for term in name.terms]
    names = coverage(name_terms, held, idf, unseen=unseen)
    names_context = coverage(name_terms, context, idf, unseen=unseen)
    known = quantities_of(candidate.text)
    quantities = (
        sum(any(agree(q, k) for k in known) for q in question.quantities) / len(question.quantities)
        if question.quantities
        else 1.0
    )
    places = _matched_places(question, candidate.text)
    answer = answer_places(question, candidate.text)
    near = 0.0
    if answer and places:
        near = max(math.exp(-min(abs(a - p) for p in places) / 4.0) for a in answer)
    lowered = candidate.text.lower()
    quoted = (
        sum(phrase.lower() in lowered for phrase in question.quoted) / len(question.quoted)
        if question.quoted
        else 0.0
    )
    focus = sum(t in held for t in question.focus) / len(question.focus) if question.focus else 0.0
    return (
        names, names_context, quantities, _pairs(question, candidate.text),
        _nearness(places), float(bool(answer)), near, quoted, focus,
    )  # fmt: skip


def _matched_places(question: Question, text: str) -> list[int]:
    wanted = set(question.terms)
    return [place for place, word in enumerate(words_of(text)) if wanted.intersection(word.terms)]


def _pairs(question: Question, text: str) -> float:
    """Share of the question's neighbouring content words that stand close in the text."""
    order: dict[str, list[int]] = {}
    for place, word in enumerate(words_of(text)):
        for term in word.terms:
            order.setdefault(term, []).append(place)
    pairs = list(zip(question.terms, question.terms[1:], strict=False))
    if not pairs:
        return 0.0
    close = sum(
        any(abs(a - b) <= 3 for a in order.get(first, ()) for b in order.get(second, ()))
        for first, second in pairs
    )
    return close / len(pairs)


def _nearness(places: Sequence[int]) -> float:
    """How densely the matched words stand: matches per word of the stretch they cover."""
    return len(places) / (places[-1] - places[0] + 1) if len(places) > 1 else 0.0


def answer_places(question: Question, text: str) -> list[int]:
    """Places (in words) of things in `text` that could be the answer by their kind, leaving
    out what the question itself says."""
    starts = [word.start for word in words_of(text)]
    kind = question.kind
    offsets: list[int] = []
    if kind in {"person", "place"}:
        said = set(question.terms)
        offsets = [n.start for n in names_of(text) if not set(n.terms) <= said]
    elif kind == "time":
        offsets = [
            q.start
            for q in quantities_of(text)
            if q.kind in {"date", "year"}
            or (q.kind == "measure" and q.unit in {"day", "month", "time"})
            if not any(agree(q, other) for other in question.quantities)
        ]
    elif kind == "number":
        offsets = [
            q.start
            for q in quantities_of(text)
            if q.kind not in {"date", "year", "ordinal"}
            and not any(agree(q, other) for other in question.quantities)
        ]
    elif kind == "reason":
        offsets = [match.start() for match in _REASON.finditer(text)]
    elif kind == "manner":
        offsets = [match.start() for match in _MANNER.finditer(text)]
    elif kind == "definition":
        offsets = [match.start() for match in _DEFINING.finditer(text)]
    return [sum(start <= offset for start in starts) - 1 for offset in offsets]


def _content(question: Question, candidate: Candidate) -> tuple[float, ...]:
    """fresh, matched, has_number, has_year, has_name."""
    held = terms_of(candidate.text)
    matched = len(held.intersection(question.terms))
    kinds = {q.kind for q in quantities_of(candidate.text)}
    said = set(question.terms)
    return (
        math.log1p(len(held) - matched),
        math.log1p(matched),
        float(bool(kinds - {"year", "date", "ordinal"})),
        float(bool(kinds & {"year", "date"})),
        float(any(not set(name.terms) <= said for name in names_of(candidate.text))),
    )


def defines(question: Question, text: str) -> bool:
    """Whether a unit opens with what the question asks for and says what it is: "Opry Mills is
    a shopping mall" to "What is Opry Mills?"."""
    words = words_of(text)
    wanted = set(question.terms)
    first = [word for word in words[:8] if word.terms][:3]
    matched = [word for word in first if wanted.intersection(word.terms)]
    if not matched or matched[0] is not first[0]:
        return False
    verb = _DEFINING.search(text, matched[-1].end, matched[-1].end + 60)
    between = sum(matched[-1].end < word.start < verb.start() for word in words) if verb else 99
    return between <= _NEAR_VERB
