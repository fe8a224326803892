"""What a section can be made of: the sentences that bear on it, none of them said before.

Laws: every piece is a slice of its document; no piece is taken twice in a manuscript; a sentence
that leans on the one before ("It also ...") is taken together with that one or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ragstone.applications.ask import Components
from ragstone.applications.writing.choosing import Said, choose
from ragstone.applications.writing.entries import entry_of
from ragstone.applications.writing.manuscript import Form, Planned
from ragstone.applications.writing.scope import Scope, among
from ragstone.applications.writing.standing import is_usable, manner, names_of_listing
from ragstone.grounding.candidates import Candidate, candidates_of
from ragstone.grounding.evidence import score as relevance
from ragstone.grounding.evidence import without_instructions
from ragstone.grounding.questions import understand
from ragstone.grounding.words import coverage, rarity, terms_of, words_of
from ragstone.protocols import Filter, Snapshot, Vectors
from ragstone.text.wording import opens_item
from ragstone.types import Evidence, Hit

SEARCHED = 12  # passages looked up for each question of a section
EMBEDDED = 48  # sentences embedded for a section: 1 to 2 ms each
_OF_LISTING = 0.12  # what a sentence loses that speaks of a listing's variables
_FAINT = 0.42  # cosine below which a sentence bears on a heading by chance
_HELD = 0.4  # share of a heading's terms, idf-weighted, from which a sentence bears on it


@dataclass(frozen=True, slots=True)
class Piece:
    """One chosen unit as evidence, with its form and what makes it bear on the section."""

    evidence: Evidence
    form: Form
    coverage: float  # idf-weighted share of the section's terms that it holds
    meaning: float  # cosine to the section's heading or questions


@dataclass(frozen=True, slots=True)
class Material:
    """What all sections draw from: the corpus, the scope of the brief, what was said, and the
    passages that were `reserved` for other sections."""

    components: Components
    scope: Scope
    said: Said
    reserved: frozenset[int] = frozenset()


def find(planned: Planned, material: Material) -> list[Hit]:
    """The passages for a section: those it was planned from, then those found for its heading
    and its questions, if no other section was planned from them."""
    components, topic = material.components, material.scope.topic
    where = material.scope.where
    if planned.document_id:
        where = within(planned.document_id, where)
    fetched = components.snapshot.fetch(planned.keys)
    hits = [Hit(p, info, 0.0, rank) for rank, (p, info) in enumerate(fetched, start=1)]
    seen = set(planned.keys) | material.reserved
    for question in dict.fromkeys(asked_for(planned, topic)):
        for hit in components.retriever.retrieve(question, k=SEARCHED, where=where):
            if hit.passage.key not in seen:
                seen.add(hit.passage.key)
                hits.append(hit)
    return hits


def asked_for(planned: Planned, topic: str) -> list[str]:
    """What is looked for. A planned heading that says no word of the topic means something else
    without it: "Configuration", of a proxy."""
    wide = [f"{planned.heading} {topic}".strip(), *planned.questions]
    if topic and planned.keys and not terms_of(planned.heading) & terms_of(topic):
        return [wide[0], *(f"{question} {topic}" for question in planned.questions)]
    return [wide[0], planned.heading, *planned.questions]


def within(document_id: str, where: Filter | None) -> Filter:
    """The filter narrowed to one document."""
    return among([document_id], where)


def gather(planned: Planned, material: Material, *, words: int) -> list[Piece]:
    """The pieces for a section, about `words` words of them, in the order of their worth.

    What is chosen is added to what was said. Empty where nothing bears on the heading.
    """
    components, topic = material.components, material.scope.topic
    hits = find(planned, material)
    every = without_instructions(candidates_of(hits, components.snapshot.document))
    wanted = terms_of(" ".join((planned.heading, *planned.questions)))
    about = terms_of(topic)
    telling_rows = about or wanted  # a row of figures has to be of what is asked for
    usable = [
        place
        for place, candidate in enumerate(every)
        if is_usable(candidate)
        and (candidate.kind != "row" or telling_rows & terms_of(candidate.text))
    ]
    if not usable:
        return []
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

    listed = frozenset(
        word.text for unit in every if unit.kind == "code" for word in words_of(unit.text)
    )
    lexical = {place: by_words(place) for place in usable}
    nearest = sorted(usable, key=lambda place: (-lexical[place], place))[:EMBEDDED]
    nearest.sort()
    vectors = components.encoder.encode_passages([_flat(every[place].text) for place in nearest])
    asked = components.encoder.encode_queries(asked_for(planned, topic))
    meaning = (vectors @ asked.T).max(axis=1)
    bare = components.encoder.encode_queries([planned.heading, *planned.questions])
    alone = (vectors @ bare.T).max(axis=1)  # without the topic, which every section shares
    planned_at = [at for at, p in enumerate(nearest) if every[p].hit.passage.key in planned_keys]
    middle = centroid(vectors[planned_at] if planned_at else vectors)
    central = (vectors @ middle).clip(min=0.0)
    bears = vectors @ components.encoder.encode_queries([topic])[0] if topic else central
    scores = [
        float(0.35 * meaning[at] + 0.2 * central[at] + 0.15 * bears[at])
        + 0.3 * lexical[place]
        + (0.06 if every[place].hit.passage.key in planned_keys else 0.0)
        + manner(every[place])
        - (_OF_LISTING if names_of_listing(every[place].text) & listed else 0.0)
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
    chance = max(cover) < _HELD and float(alone.max()) < _FAINT
    if chance and not planned.keys and not planned.document_id:
        return []
    fits = frozenset(
        place
        for place in nearest
        if every[place].hit.passage.key in planned_keys or about & terms_of(every[place].text)
    )
    chosen = choose(every, nearest, scores, vectors, material.said, words, fits)
    named = [_entry(every[nearest[at]], components.snapshot) for at in chosen]
    return [
        _piece(every, nearest[at], scores[at], cover[at], float(meaning[at]), name)
        for at, name in zip(chosen, named, strict=True)
    ]


def _named(candidate: Candidate) -> frozenset[str]:
    terms = terms_of(candidate.hit.document.title)
    return terms.union(*(terms_of(heading) for heading in candidate.hit.passage.heading_path))


def _entry(candidate: Candidate, snapshot: Snapshot) -> str:
    info = candidate.hit.document
    return entry_of(snapshot.document(info.id).text, candidate.span.start, info.format)


def _piece(
    every: Sequence[Candidate], place: int, score: float, cover: float, meaning: float, entry: str
) -> Piece:
    candidate = every[place]
    path = candidate.hit.passage.heading_path
    evidence = Evidence(
        document=candidate.hit.document,
        span=candidate.span,
        text=candidate.text,
        score=score,
        page=candidate.page,
        heading_path=(*path, entry) if entry else path,
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
