"""From a brief to an outline of what the corpus really holds.

The passages found for the brief and its parts are clustered; a cluster is named by the heading
that most of its weight stands under. So every section of the plan has passages behind it, and no
heading is made up. A summary of one document follows that document's own headings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ragstone.applications.ask import Components
from ragstone.applications.writing.asking import question_of
from ragstone.applications.writing.brief import Brief, capitalised
from ragstone.applications.writing.chapters import by_headings, called_in, one_document
from ragstone.applications.writing.headings import Used, heading_of, phrase_of, readable
from ragstone.applications.writing.manuscript import Outline, Planned
from ragstone.applications.writing.order import are_numbered, number_of
from ragstone.applications.writing.scope import Scope, scope_of
from ragstone.applications.writing.standing import is_usable
from ragstone.grounding.candidates import candidates_of
from ragstone.grounding.words import terms_of
from ragstone.protocols import Encoder, Filter, Vectors
from ragstone.types import Hit

FOUND = 40  # passages looked up for each part of a brief
NEAR = 0.55  # of the best cosine: a passage below it is about something else
LEAST = 0.2  # cosine of MiniLM below which two texts have nothing in common
_NAMED = 0.33  # cosine to a part of the brief from which a passage speaks of it
_BULK = 0.25  # of likeness: what joining two groups costs that together hold everything
_BEARS, _BEARS_ALONE = 0.75, 0.9  # of the best group's cosine to the topic


def plan(
    brief: Brief,
    components: Components,
    where: Filter | None = None,
    *,
    scope: Scope | None = None,
) -> Outline:
    """The outline for `brief`; without sections where the documents hold nothing about it.

    `scope` is that of the brief's topic, where it is known.
    """
    if brief.kind == "summary":
        one = one_document(brief, components, where)
        if one is not None:
            sections = by_headings(one, brief.sections, components)
            if sections:
                return Outline(f"Summary of “{called_in(one, brief)}”", tuple(sections))
    scope = scope or scope_of(brief.topic, components, where)
    hits = _found(brief, components, scope)
    if not hits:
        return Outline(brief.title, ())
    asked = components.encoder.encode_queries([scope.topic])[0]
    vectors = components.snapshot.vectors([hit.passage.key for hit in hits])
    weights = np.maximum(vectors @ asked, 0.0) ** 2
    parts = _parts(brief, scope, components.encoder)
    if len(parts):
        parts = parts[(parts @ vectors.T).max(axis=1) >= _NAMED]
    nearest = [int(np.argmax(vectors @ part)) for part in parts]
    groups = _clusters(hits, vectors, weights, brief.sections, nearest)
    clusters = _parted(_bearing(groups, vectors, asked, nearest), vectors, parts, nearest)
    sections = _named_in_order(
        hits,
        vectors,
        weights,
        clusters,
        scope.topic,
        Used(brief.title, names=scope.names),
        components.encoder,
    )
    if brief.kind == "faq":
        around = [hit.passage.text for hit in hits]
        sections = [_as_question(each, scope.topic, around, components) for each in sections]
    if brief.kind == "table":
        return _table(brief, sections, hits, weights)
    return Outline(brief.title, tuple(sections))


def _found(brief: Brief, components: Components, scope: Scope) -> list[Hit]:
    """The passages for the brief and its parts that are near enough to one of them, and
    that say something which can stand in a text (a listing of code does not)."""
    questions = [bare for bare in map(scope.bare, brief.questions) if terms_of(bare)]
    found: dict[int, Hit] = {}
    best: dict[int, float] = {}
    for question in dict.fromkeys([*(questions or [scope.topic]), brief.topic]):
        if question == brief.topic and len(found) >= 2 * brief.sections:
            continue  # with the names that stand everywhere, only where little else is found
        hits = components.retriever.retrieve(question, k=FOUND, where=scope.where)
        if not hits:
            continue
        asked = components.encoder.encode_queries([question])[0]
        cosines = components.snapshot.vectors([hit.passage.key for hit in hits]) @ asked
        wanted = terms_of(question)
        top = float(cosines.max())
        for hit, cosine in zip(hits, cosines.tolist(), strict=True):
            shared = bool(wanted & terms_of(hit.passage.text))
            if cosine >= max(NEAR * top, LEAST) and (shared or cosine >= 2 * LEAST):
                found.setdefault(hit.passage.key, hit)
                best[hit.passage.key] = max(best.get(hit.passage.key, 0.0), cosine)
    order = sorted(found, key=lambda key: (-best[key], key))[: 2 * FOUND]
    telling = {
        candidate.hit.passage.key
        for candidate in candidates_of([found[key] for key in order], components.snapshot.document)
        if is_usable(candidate)
    }
    return [found[key] for key in order if key in telling]


def _clusters(
    hits: Sequence[Hit],
    vectors: Vectors,
    weights: npt.NDArray[np.floating],
    sections: int,
    nearest: Sequence[int],
) -> list[list[int]]:
    """Places of `hits` in groups, by average linkage; the heaviest `sections` groups, those with
    what is `nearest` to a part of the brief among them.

    Likeness is the cosine, with a bonus for the same heading and the same document, less something
    for what would become bulky. Half as many groups again are made, so that strays do not force
    unlike passages together.
    """
    likeness = np.asarray(vectors @ vectors.T, dtype=np.float64)
    for i, one in enumerate(hits):
        for j in range(i):
            other = hits[j]
            bonus = 0.0
            if one.document.id == other.document.id:
                bonus = 0.05
                if one.passage.heading_path[:2] == other.passage.heading_path[:2]:
                    bonus = 0.12
                if one.passage.heading_path == other.passage.heading_path:
                    bonus = 0.25
            likeness[i, j] += bonus
            likeness[j, i] += bonus
    groups = [[place] for place in range(len(hits))]
    wanted = min(len(groups), sections + (sections + 1) // 2)
    while len(groups) > wanted:
        best, pair = -np.inf, (0, 1)
        for i in range(len(groups)):
            for j in range(i):
                mean = float(likeness[np.ix_(groups[i], groups[j])].mean())
                mean -= _BULK * (len(groups[i]) + len(groups[j])) / len(hits)
                if mean > best:
                    best, pair = mean, (j, i)
        into, gone = pair
        groups[into] += groups.pop(gone)
    named = set(nearest)

    def order(group: list[int]) -> tuple[bool, float, int]:
        return (named.isdisjoint(group), -float(weights[group].sum()), group[0])

    return sorted(groups, key=order)[:sections]


def _bearing(
    clusters: Sequence[list[int]], vectors: Vectors, asked: Vectors, nearest: Sequence[int]
) -> list[list[int]]:
    """The clusters that bear on what is asked for nearly as much as the best of them, or hold what
    is `nearest` to a part of it. A passage alone has to bear on it more, and joins the cluster
    that is nearest to it."""
    cosines = vectors @ asked

    def strength(cluster: list[int]) -> float:
        return float(np.sort(cosines[cluster])[-3:].mean())

    best = max((strength(c) for c in clusters if len(c) > 1), default=0.0)
    bearing = [
        cluster
        for cluster in clusters
        if strength(cluster) >= (_BEARS if len(cluster) > 1 else _BEARS_ALONE) * best
        or any(place in cluster for place in nearest)
    ]
    groups = [list(cluster) for cluster in bearing if len(cluster) > 1]
    if not groups:
        return bearing
    for (alone,) in (cluster for cluster in bearing if len(cluster) == 1):
        if alone in nearest:
            groups.append([alone])
            continue
        near = [float((vectors[group] @ vectors[alone]).mean()) for group in groups]
        groups[int(np.argmax(near))].append(alone)
    return groups


def _parts(brief: Brief, scope: Scope, encoder: Encoder) -> Vectors:
    """The parts that a brief names ("citations and abstention") as vectors, none for one alone."""
    parts = [part for part in map(scope.bare, brief.questions[1:]) if terms_of(part)]
    found: Vectors = encoder.encode_queries(parts or [scope.topic])
    return found[: len(parts)]


def _parted(
    clusters: Sequence[list[int]], vectors: Vectors, parts: Vectors, nearest: Sequence[int]
) -> list[list[int]]:
    """The clusters; one that holds what is `nearest` to several parts of the brief is cut."""
    found: list[list[int]] = []
    for cluster in clusters:
        inside = [at for at, place in enumerate(nearest) if place in cluster]
        if len({nearest[at] for at in inside}) < 2:
            found.append(cluster)
            continue
        of = np.argmax(vectors[cluster] @ parts[inside].T, axis=1)
        found += [
            [place for place, part in zip(cluster, of.tolist(), strict=True) if part == each]
            for each in range(len(inside))
        ]
    return [cluster for cluster in found if cluster]


def _named_in_order(
    hits: Sequence[Hit],
    vectors: Vectors,
    weights: npt.NDArray[np.floating],
    clusters: Sequence[list[int]],
    topic: str,
    used: Used,
    encoder: Encoder,
) -> list[Planned]:
    """Sections with headings, those of one document together and in its order; documents whose
    files are numbered by their numbers."""
    by_document: dict[str, float] = {}
    for hit, weight in zip(hits, weights.tolist(), strict=True):
        by_document[hit.document.id] = by_document.get(hit.document.id, 0.0) + weight
    named: dict[str, list[int]] = {}
    for cluster in clusters:
        heading = heading_of(hits, vectors, weights, cluster, used, encoder, topic)
        same = "" if heading else _under_same_heading(cluster, named, hits)
        if same:
            named[same] += cluster
            continue
        heading = heading or phrase_of(hits, vectors, cluster, used, encoder)
        used.add(heading)
        named[heading] = list(cluster)
    heads: dict[str, int] = {}
    for name, group in named.items():
        under = [p for p in group if name in map(readable, _headings(hits[p]))]
        heads[name] = max(under or group, key=lambda p: float(weights[p]))
    sources = [hits[place].document.source for place in heads.values()]
    numbered = are_numbered(sources)
    placed: list[tuple[tuple[tuple[int, ...], float, str, int], Planned]] = []
    for heading, cluster in named.items():
        info = hits[heads[heading]].document
        starts = sorted(
            hits[p].passage.span.start for p in cluster if hits[p].document.id == info.id
        )
        number = number_of(info.source) if numbered else ()
        order = (number, -by_document[info.id], info.id, starts[len(starts) // 2])
        keys = tuple(hits[place].passage.key for place in cluster)
        placed.append((order, Planned(heading, keys=keys)))
    return [planned for _, planned in sorted(placed, key=lambda item: item[0])]


def _headings(hit: Hit) -> tuple[str, ...]:
    return (hit.document.title, *hit.passage.heading_path)


def _under_same_heading(
    cluster: Sequence[int], named: Mapping[str, Sequence[int]], hits: Sequence[Hit]
) -> str:
    """The section that holds most of what stands under the same headings as a cluster for which
    no heading is left: the two are one; "" where they share none."""
    mine = {(hits[p].document.id, hits[p].passage.heading_path) for p in cluster}
    shared = {
        name: sum(
            (hits[p].document.id, hits[p].passage.heading_path) in mine
            for p in group
            if hits[p].passage.heading_path
        )
        for name, group in named.items()
    }
    best = max(shared, key=lambda name: shared[name], default="")
    return best if best and shared[best] else ""


def _as_question(
    section: Planned, topic: str, around: Sequence[str], components: Components
) -> Planned:
    """The section under a question: one that a passage asks itself, else made of the heading."""
    passages = components.snapshot.fetch(section.keys)
    for passage, info in passages[:3]:
        for line in (info.title, *passage.heading_path, passage.text.strip().split("\n")[0]):
            if line.strip().endswith("?") and 3 <= len(line.split()) <= 20:
                return Planned(line.strip(), (section.heading,), section.keys)
    texts = [_under_headings(passage.text, passage.heading_path) for passage, _ in passages]
    asked = question_of(section.heading, topic, texts, around=around)
    return Planned(asked, () if asked == section.heading else (section.heading,), section.keys)


def _under_headings(text: str, headings: Sequence[str]) -> str:
    """A passage's lines that are none of its headings."""
    names = {readable(name) for name in headings}
    return "\n".join(line for line in text.split("\n") if readable(line) not in names)


def _table(
    brief: Brief,
    sections: Sequence[Planned],
    hits: Sequence[Hit],
    weights: npt.NDArray[np.floating],
) -> Outline:
    """Aspects as sections (rows) and items as columns: those the brief names, else the documents
    that bear on it most."""
    items, aspects = brief.compared
    columns = [Planned(item, keys=()) for item in items]
    if not columns:
        by_document: dict[str, float] = {}
        titles: dict[str, str] = {}
        for hit, weight in zip(hits, weights.tolist(), strict=True):
            by_document[hit.document.id] = by_document.get(hit.document.id, 0.0) + weight
            titles[hit.document.id] = hit.document.title or hit.document.source
        best = sorted(by_document, key=lambda name: (-by_document[name], name))[:3]
        columns = [Planned(titles[name], document_id=name) for name in best]
    rows = [Planned(capitalised(aspect)) for aspect in aspects] or list(sections)
    return Outline(brief.title, tuple(rows), tuple(columns))
