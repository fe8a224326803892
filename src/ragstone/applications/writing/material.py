"""What a section can be made of: the sentences that bear on it, none of them said before.

Laws: every piece is a slice of its document; no piece is taken twice in a manuscript; a sentence
that leans on the one before ("It also ...") is taken together with that one or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ragstone.applications.ask import Components
from ragstone.applications.writing.manuscript import Form, Planned
from ragstone.corpus.where import parse_where
from ragstone.grounding.candidates import Candidate, candidates_of, points_back
from ragstone.grounding.evidence import score as relevance
from ragstone.grounding.evidence import without_instructions
from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import quantities_of
from ragstone.grounding.questions import understand
from ragstone.grounding.words import coverage, rarity, terms_of, words_of
from ragstone.protocols import Filter, Snapshot, Vectors
from ragstone.text.wording import opens_item, worded
from ragstone.types import Evidence, Hit

SEARCHED = 12  # passages looked up for each question of a section
EMBEDDED = 48  # sentences embedded for a section: 1 to 2 ms each
SAME_WORDS = 0.6  # share of terms in common from which a sentence says what another said
SAME_MEANING = 0.84  # cosine from which it does
_WORTH = 0.62  # of the best score of a section: below it a sentence fills space
_SHORTEST, _LONGEST = 5, 70  # words of a sentence that can stand in a text
_LEANS = re.compile(
    r"^(?:however|but|and|also|or|so|then|thus|therefore|hence|moreover|furthermore|additionally"
    r"|otherwise|instead|finally|similarly|in addition|as a result|for example|for instance"
    r"|in this case|in other words|first|second|third|next|here|again|still|yet|see|note that"
    r"|besides|the (?:above|following|former|latter|same))\b",
    re.IGNORECASE,
)
# "You can find it at ... instead.": what it is stands in the sentence before.
_LEANS_LATER = re.compile(
    r"^(?:you|we|one|to \w+|please|simply|just)\b(?: [\w'’]+){0,3} (?:it|them|this|that|these)\b"
    r"|\binstead\W*$",
    re.IGNORECASE,
)
# Entries of a reference, whose subject is the name they stand under: "Will be used for ...", "The
# value of the parameter.", ":data:`x`, use ..."; none says what it speaks of.
_NO_SUBJECT = re.compile(
    r"^(?:will|would|can|may|must|should|is|are|was|were|has|have|returns|defaults|used|see)\b"
    r"|^\W*(?::[\w:]+:)?`[^`]*`\s*,",
    re.IGNORECASE,
)
_NOUN_FIRST = re.compile(r"^(?:the|an?)\s", re.IGNORECASE)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|can|could|will|would|shall|should|may|might|must"
    r"|\w{2,}(?:ed|[a-rt-z]s)|made|became|began|came|gave|got|held|kept|led|left|lost|met|paid|put"
    r"|ran|said|saw|sold|sent|set|spent|stood|took|told|went|won|wrote|rose|fell|grew|built|bought"
    r"|brought|found|felt|cost|need|use)\b",
    re.IGNORECASE,
)
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:below|above|(?:previous|next|this|following) (?:page|section|chapter|tutorial|guide"
    r"|document|example|step|table|figure|list|release)|as follows|following|let's|we'll)\b"
    r"|:(?:doc|ref|rfc|pr|issue):",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"\b(?:forward-looking|conference call|webcast|replay|dial(?:ing)?|all rights reserved"
    r"|hereunto|undersigned|pursuant to the requirements|speaks? only as of|incorporated by"
    r" reference|copyright|check the appropriate box|safe harbor)\b|©",
    re.IGNORECASE,
)
_FAINT = 0.42  # cosine below which a sentence bears on a heading by chance
_HELD = 0.4  # share of a heading's terms, idf-weighted, from which a sentence bears on it
_ENDS = re.compile(r"[.!?。！？।][\"'”’»)\]]*$")
_ADDRESS = re.compile(r"https?://|www\.|\S+@\S+|[<>{}|\\]|::|==|\s--\w")


@dataclass(frozen=True, slots=True)
class Piece:
    """One chosen unit as evidence, with its form and what makes it bear on the section."""

    evidence: Evidence
    form: Form
    coverage: float  # idf-weighted share of the section's terms that it holds
    meaning: float  # cosine to the section's heading or questions


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

    def add(self, text: str, vector: Vectors | None = None) -> None:
        """Remember a statement."""
        self.terms.append(terms_of(text))
        if vector is not None:
            self.vectors.append(vector)


class Naming:
    """Which documents hold a name of the topic: a report on one company must not quote another's.

    A topic without names fits every document.
    """

    def __init__(self, topic: str, snapshot: Snapshot) -> None:
        self._names = [
            " ".join(name.text.casefold().split()) for name in names_of(topic) if not name.weak
        ]
        self._snapshot = snapshot
        self._known: dict[str, bool] = {}

    def fits(self, document_id: str) -> bool:
        """Whether the document holds a name of the topic, or the topic has none."""
        if not self._names:
            return True
        if document_id not in self._known:
            document = self._snapshot.document(document_id)
            text = " ".join(f"{document.title} {document.text}".casefold().split())
            self._known[document_id] = any(name in text for name in self._names)
        return self._known[document_id]


@dataclass(frozen=True, slots=True)
class Material:
    """What all sections draw from: the corpus, the topic, what was said, and the passages that
    were `reserved` for other sections."""

    components: Components
    topic: str
    where: Filter | None
    said: Said
    reserved: frozenset[int] = frozenset()
    naming: Naming | None = None  # keeps to documents that name whom the brief names


def find(planned: Planned, material: Material) -> list[Hit]:
    """The passages for a section: those it was planned from, then those found for its heading
    and its questions, if no other section was planned from them."""
    components, topic, where = material.components, material.topic, material.where
    if planned.document_id:
        where = within(planned.document_id, where)
    fetched = components.snapshot.fetch(planned.keys)
    hits = [Hit(p, info, 0.0, rank) for rank, (p, info) in enumerate(fetched, start=1)]
    seen = set(planned.keys) | material.reserved
    asked = [f"{planned.heading} {topic}", planned.heading, *planned.questions]
    for question in dict.fromkeys(asked):
        for hit in components.retriever.retrieve(question, k=SEARCHED, where=where):
            outside = material.naming is not None and not material.naming.fits(hit.document.id)
            if hit.passage.key not in seen and not outside:
                seen.add(hit.passage.key)
                hits.append(hit)
    return hits


def within(document_id: str, where: Filter | None) -> Filter:
    """The filter narrowed to one document."""
    name = "'" + document_id.replace("'", "''") + "'"
    expression = f"id = {name}"
    return parse_where(f"({where.expression}) AND {expression}" if where else expression)


def gather(planned: Planned, material: Material, *, words: int) -> list[Piece]:
    """The pieces for a section, about `words` words of them, in the order of their worth.

    What is chosen is added to what was said. Empty where nothing bears on the heading.
    """
    components, topic = material.components, material.topic
    hits = find(planned, material)
    every = without_instructions(candidates_of(hits, components.snapshot.document))
    usable = [place for place, candidate in enumerate(every) if _usable(candidate)]
    if not usable:
        return []
    wanted = terms_of(" ".join((planned.heading, *planned.questions)))
    about = terms_of(topic)
    idf = rarity([candidate.text for candidate in every])
    unseen = max(idf.values(), default=1.0)
    planned_keys = set(planned.keys)

    def by_words(place: int) -> float:
        candidate = every[place]
        held = terms_of(candidate.text)
        named = held | _named(candidate)
        return (
            0.6 * coverage(wanted, held, idf, unseen=unseen)
            + 0.2 * coverage(wanted, named, idf, unseen=unseen)
            + 0.2 * coverage(about, named, idf, unseen=unseen)
            + (0.15 if candidate.hit.passage.key in planned_keys else 0.0)
        )

    lexical = {place: by_words(place) for place in usable}
    nearest = sorted(usable, key=lambda place: (-lexical[place], place))[:EMBEDDED]
    nearest.sort()
    vectors = components.encoder.encode_passages([_flat(every[place].text) for place in nearest])
    asked = components.encoder.encode_queries(
        [f"{planned.heading} {topic}", planned.heading, *planned.questions]
    )
    meaning = (vectors @ asked.T).max(axis=1)
    alone = (vectors @ asked[1:].T).max(axis=1)  # without the topic, which every section shares
    planned_at = [at for at, p in enumerate(nearest) if every[p].hit.passage.key in planned_keys]
    middle = centroid(vectors[planned_at] if planned_at else vectors)
    central = (vectors @ middle).clip(min=0.0)
    scores = [
        float(0.45 * meaning[at] + 0.25 * central[at])
        + 0.3 * lexical[place]
        + (0.06 if every[place].hit.passage.key in planned_keys else 0.0)
        + _manner(every[place])
        for at, place in enumerate(nearest)
    ]
    cover = [coverage(wanted, terms_of(every[p].text), idf, unseen=unseen) for p in nearest]
    if not planned.keys:
        bearing = {
            id(every[place].hit)
            for at, place in enumerate(nearest)
            if alone[at] >= _FAINT or cover[at] >= _HELD
        }
        telling = relevance(understand(planned.heading), every, components.reads_with)
        best = max(float(telling.max()), 1e-9)
        scores = [
            score + 0.12 * float(telling[place]) / best if id(every[place].hit) in bearing else 0.0
            for score, place in zip(scores, nearest, strict=True)
        ]
    if not planned.document_id and max(cover) < _HELD and float(alone.max()) < _FAINT:
        return []
    chosen = _choose(every, nearest, scores, vectors, material.said, words)
    return [_piece(every, nearest[at], scores[at], cover[at], float(meaning[at])) for at in chosen]


def _choose(
    every: Sequence[Candidate],
    nearest: Sequence[int],
    scores: Sequence[float],
    vectors: Vectors,
    said: Said,
    words: int,
) -> list[int]:
    """Places in `nearest`: the best first, until there are words enough."""
    order = sorted(range(len(nearest)), key=lambda at: (-scores[at], at))
    known = {place: at for at, place in enumerate(nearest)}
    taken: dict[int, int] = {}
    spent = 0
    for at in order:
        if spent >= words or scores[at] < _WORTH * scores[order[0]]:
            break
        place = nearest[at]
        if place in taken:
            continue
        group = _with_what_it_leans_on(every, place)
        if group is None or any(other not in known and other != place for other in group):
            continue
        fresh = [other for other in group if other not in taken]
        if any(said.repeats(every[o].text, vectors[known[o]]) for o in fresh):
            continue
        cost = sum(len(words_of(every[other].text)) for other in fresh)
        if taken and spent + cost > 1.25 * words:
            continue
        for other in fresh:
            taken[other] = known[other]
            said.add(every[other].text, vectors[known[other]])
        spent += cost
    return list(taken.values())


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
    if before is None or not same or leans(before.text) or not _usable(before):
        return None
    near = candidate.span.start - before.span.end <= 3
    return [place - 1, place] if near else None


def leans(text: str) -> bool:
    """Whether a sentence needs the one before it to be understood."""
    words = words_of(text)
    pronoun = bool(words) and points_back(" ".join(word.text for word in words[:2]))
    bare = text.lstrip("“\"'(*")
    later = _LEANS_LATER.search(bare) is not None
    return pronoun or later or bool(_LEANS.match(bare)) or text[:1].islower()


def _usable(candidate: Candidate) -> bool:
    """Whether a unit can stand in a text: a full sentence, or a row that says something."""
    text = worded(candidate.text, candidate.hit.document.format)
    count = len(words_of(text))
    if text.count('"') % 2 or text.count("“") != text.count("”") or text.startswith("|"):
        return False
    if candidate.kind == "code" or not _SHORTEST <= count <= _LONGEST:
        return False
    letters = sum(character.isalnum() or character.isspace() for character in text)
    prose = sum(character.isalpha() for character in text) >= 0.5 * len(text)
    if candidate.kind == "row":
        return any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and count <= 45
    if text.endswith((":", "?", "：", "？", "...", "…")) or not prose or letters < 0.75 * len(text):
        return False
    if _NO_SUBJECT.match(candidate.text) or (_NOUN_FIRST.match(text) and not _FINITE.search(text)):
        return False
    if candidate.kind == "list_item":
        return count > _SHORTEST
    return bool(_ENDS.search(text))


def _manner(candidate: Candidate) -> float:
    """How well a unit stands alone, whatever it is about."""
    text = candidate.text
    count = len(words_of(text))
    worth = 0.03 if candidate.place == 0 else 0.0
    worth += 0.03 if candidate.kind != "row" and quantities_of(text) else 0.0
    worth -= 0.12 if candidate.kind == "row" else 0.0
    worth -= 0.06 if candidate.kind == "list_item" else 0.0
    worth -= 0.08 if _ADDRESS.search(text) else 0.0
    worth -= 0.12 if _POINTS_ELSEWHERE.search(text) else 0.0
    worth -= 0.25 if _BOILERPLATE.search(text) else 0.0
    worth -= 0.05 if count > 55 or count < 8 else 0.0
    return worth - (0.02 if leans(text) else 0.0)


def _named(candidate: Candidate) -> frozenset[str]:
    terms = terms_of(candidate.hit.document.title)
    return terms.union(*(terms_of(heading) for heading in candidate.hit.passage.heading_path))


def _piece(
    every: Sequence[Candidate], place: int, score: float, cover: float, meaning: float
) -> Piece:
    candidate = every[place]
    evidence = Evidence(
        document=candidate.hit.document,
        span=candidate.span,
        text=candidate.text,
        score=score,
        page=candidate.hit.passage.page,
        heading_path=candidate.hit.passage.heading_path,
        lead=candidate.lead,
        lead_text=candidate.lead_text,
        rank=candidate.hit.rank,
    )
    form: Form = "sentence"
    if candidate.kind == "row":
        form = "row"
    elif candidate.kind == "list_item" and not _goes_on(every, place):
        form = "item"
    return Piece(evidence, form, cover, meaning)


def _goes_on(every: Sequence[Candidate], place: int) -> bool:
    """Whether a unit of a list is a further sentence of the item that the one before is of."""
    before, candidate = every[place - 1], every[place]
    return (
        place > 0
        and before.hit is candidate.hit
        and before.kind == "list_item"
        and opens_item(before.text)
        and not opens_item(candidate.text)
        and 0 <= candidate.span.start - before.span.end <= 8
    )


def centroid(vectors: Vectors) -> Vectors:
    """The mean of unit vectors (n, dim), at unit length."""
    mean: Vectors = vectors.mean(axis=0)
    norm = np.float32(np.linalg.norm(mean))
    return mean / norm if norm > 0 else mean


def _flat(text: str) -> str:
    return " ".join(text.split())
