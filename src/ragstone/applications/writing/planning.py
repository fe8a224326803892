"""From a brief to an outline of what the corpus really holds.

The passages found for the brief and its parts are clustered; a cluster is named by the heading
that most of its weight stands under. So every section of the plan has passages behind it, and no
heading is made up. A summary of one document follows that document's own headings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.applications.ask import Components
from ragstone.applications.writing.brief import Brief
from ragstone.applications.writing.manuscript import Outline, Planned
from ragstone.applications.writing.material import Naming, centroid, within
from ragstone.errors import UsageError
from ragstone.grounding.lexicon import word_set
from ragstone.grounding.names import names_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.protocols import Encoder, Filter, Vectors
from ragstone.types import DocumentInfo, Hit

FOUND = 40  # passages looked up for each part of a brief
NEAR = 0.55  # of the best cosine: a passage below it is about something else
LEAST = 0.2  # cosine of MiniLM below which two texts have nothing in common
_GENERIC = word_set(
    """introduction overview notes note summary contents background example examples usage general
    details other more misc see also references index preface foreword about conclusion appendix
    welcome read me table of basic part i ii item signature signatures and the this"""
)
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|part|item)\s+)?(?:\d{1,3}(?:\.\d{1,3})*[.):]?|[ivxIVX]{1,5}[.)]"
    r"|[A-Z][.)])\s+", re.I)  # fmt: skip
_BROKEN_OFF = re.compile(r"(?:ing|ed|ly)$", re.IGNORECASE)  # how a phrase's last word does not end
_SPEAKS = 1.6  # what a heading gains by speaking of what is asked for
_GERUND = re.compile(r"^[A-Z]?[a-z]+ing\b")


def plan(brief: Brief, components: Components, where: Filter | None = None) -> Outline:
    """The outline for `brief`; without sections where the documents hold nothing about it."""
    if brief.kind == "summary":
        one = _one_document(brief, components, where)
        if one is not None:
            sections = _by_headings(one, brief.sections, components)
            if sections:
                return Outline(f"Summary of {one.title or one.source}", tuple(sections))
    hits = _found(brief, components, where)
    naming = Naming(brief.topic, components.snapshot)
    hits = [hit for hit in hits if naming.fits(hit.document.id)] or hits
    if not hits:
        return Outline(brief.title, ())
    asked = components.encoder.encode_queries([brief.topic])[0]
    vectors = components.snapshot.vectors([hit.passage.key for hit in hits])
    weights = np.maximum(vectors @ asked, 0.0) ** 2
    clusters = _clusters(hits, vectors, weights, brief.sections)
    sections = _named_in_order(hits, vectors, weights, clusters, brief, components.encoder)
    if brief.kind == "faq":
        sections = [_as_question(section, brief, components) for section in sections]
    if brief.kind == "table":
        return _table(brief, sections, hits, weights)
    return Outline(brief.title, tuple(sections))


def _found(brief: Brief, components: Components, where: Filter | None) -> list[Hit]:
    """The passages for the brief and its parts that are near enough to one of them."""
    found: dict[int, Hit] = {}
    best: dict[int, float] = {}
    for question in brief.questions:
        hits = components.retriever.retrieve(question, k=FOUND, where=where)
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
    order = sorted(found, key=lambda key: (-best[key], key))
    return [found[key] for key in order[: 2 * FOUND]]


def _clusters(
    hits: Sequence[Hit], vectors: Vectors, weights: npt.NDArray[np.floating], sections: int
) -> list[list[int]]:
    """Places of `hits` in groups, by average linkage; the heaviest `sections` groups.

    Likeness is the cosine, with a bonus for the same heading and the same document. Half as many
    groups again are made, so that strays do not force unlike passages together.
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
                if mean > best:
                    best, pair = mean, (j, i)
        into, gone = pair
        groups[into] += groups.pop(gone)
    groups.sort(key=lambda group: (-float(weights[group].sum()), group[0]))
    return groups[:sections]


def _named_in_order(
    hits: Sequence[Hit],
    vectors: Vectors,
    weights: npt.NDArray[np.floating],
    clusters: Sequence[list[int]],
    brief: Brief,
    encoder: Encoder,
) -> list[Planned]:
    """Sections with headings, those of one document together and in its order."""
    by_document: dict[str, float] = {}
    for hit, weight in zip(hits, weights.tolist(), strict=True):
        by_document[hit.document.id] = by_document.get(hit.document.id, 0.0) + weight
    used: set[str] = {brief.title.casefold()}
    placed: list[tuple[tuple[float, str, int], Planned]] = []
    for cluster in clusters:
        heading = _heading(hits, vectors, weights, cluster, used, encoder, terms_of(brief.topic))
        used.add(heading.casefold())
        head = max(cluster, key=lambda place: float(weights[place]))
        document = hits[head].document.id
        start = min(hits[p].passage.span.start for p in cluster if hits[p].document.id == document)
        keys = tuple(hits[place].passage.key for place in cluster)
        order = (-by_document[document], document, start)
        placed.append((order, Planned(heading, keys=keys)))
    return [planned for _, planned in sorted(placed, key=lambda item: item[0])]


def _heading(
    hits: Sequence[Hit],
    vectors: Vectors,
    weights: npt.NDArray[np.floating],
    cluster: list[int],
    used: set[str],
    encoder: Encoder,
    asked: frozenset[str],
) -> str:
    """The heading over most of a cluster's weight that no section has yet; one that speaks of
    what is asked for before one that does not ("Cookies" before "Quickstart")."""
    middle = centroid(vectors[cluster])
    votes: dict[str, float] = {}
    for place in cluster:
        hit = hits[place]
        near = float(weights[place]) * max(float(vectors[place] @ middle), 0.0)
        path = [hit.document.title, *hit.passage.heading_path]
        for depth, heading in enumerate(dict.fromkeys(path)):
            name = readable(heading)
            if not name or name.casefold() in used:
                continue
            share = (0.5 if is_generic(name) else 1.0) * (0.7 if depth == 0 else 1.0)
            share *= _SPEAKS if terms_of(name) & asked else 1.0
            votes[name] = votes.get(name, 0.0) + near * share * min(1.0, 0.7 + 0.15 * depth)
    if votes:
        name = max(votes, key=lambda heading: (votes[heading], heading))
        if not is_generic(name):
            return name
        title = readable(hits[cluster[0]].document.title)
        qualified = f"{title}: {name}" if title and title.casefold() != name.casefold() else name
        if qualified.casefold() not in used:
            return qualified
    return _phrase(hits, middle, cluster, used, encoder) or f"Part {len(used)}"


def _phrase(
    hits: Sequence[Hit], middle: Vectors, cluster: list[int], used: set[str], encoder: Encoder
) -> str:
    """The two or three words that a cluster says often, the others seldom, and that are nearest
    to its middle in meaning; "" for none."""
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    mine = set(cluster)
    for place, hit in enumerate(hits):
        counts = inside if place in mine else outside
        counts.update(_phrases(hit.passage.text))
    worth = {
        phrase: count**1.5 / (1.0 + outside[phrase]) ** 0.5
        for phrase, count in inside.items()
        if phrase not in used
    }
    best = sorted(worth, key=lambda phrase: (-worth[phrase], phrase))[:24]
    if not best:
        return ""
    near = encoder.encode_passages(best) @ middle
    found = max(range(len(best)), key=lambda at: worth[best[at]] ** 0.5 * float(near[at]))
    return best[found][:1].upper() + best[found][1:]


def _phrases(text: str) -> set[str]:
    """Runs of two or three words with content, in lower case, without numbers; none that ends in
    the middle of something ("local currencies generally", "expenditures relating")."""
    found: set[str] = set()
    words = words_of(text)
    for size in (2, 3):
        for place in range(len(words) - size + 1):
            run = words[place : place + size]
            gaps = [text[a.end : b.start] for a, b in pairwise(run)]
            plain = all(w.terms and w.text.isalpha() and len(w.text) > 2 for w in run)
            whole = not _BROKEN_OFF.search(run[-1].text)
            if plain and whole and all(gap == " " for gap in gaps):
                found.add(" ".join(word.text.lower() for word in run))
    return found


def readable(heading: str) -> str:
    """A heading without numbering, marks and trailing points; "" for one without words."""
    flat = " ".join(heading.replace("`", "").replace("*", "").split())
    flat = _NUMBERING.sub("", flat).strip(" .:—–-#¶")
    return flat if len(flat) <= 90 and any(c.isalpha() for c in flat) and len(flat) > 2 else ""


def is_generic(heading: str) -> bool:
    """Whether a heading names a part of any text ("Introduction") and no subject."""
    lowered = heading.casefold()
    return lowered in _GENERIC or all(word in _GENERIC for word in lowered.split())


def _one_document(
    brief: Brief, components: Components, where: Filter | None
) -> DocumentInfo | None:
    """The one document that the brief or the filter names, if it names one."""
    try:
        return components.snapshot.find(brief.topic, where)
    except UsageError:
        pass
    topic = " ".join(brief.topic.casefold().split())
    left: list[DocumentInfo] = []
    for info in components.snapshot.documents(where):
        title = " ".join(info.title.casefold().split())
        if title and title in {topic, topic.removeprefix("the ")}:
            return info
        left.append(info)
    return left[0] if len(left) == 1 else None


def _by_headings(info: DocumentInfo, sections: int, components: Components) -> list[Planned]:
    """A document's own sections: those of the highest level that gives two or more, the
    longest of them where there are too many; its passages in equal parts where it has none."""
    hits = components.retriever.retrieve(
        info.title or info.source, k=2000, where=within(info.id, None)
    )
    passages = sorted((hit.passage for hit in hits), key=lambda passage: passage.span.start)
    for depth in range(5):
        groups: dict[str, list[int]] = {}
        sizes: dict[str, int] = {}
        for passage in passages:
            path = [name for name in map(readable, passage.heading_path) if name]
            name = path[min(depth, len(path) - 1)] if path else readable(info.title)
            groups.setdefault(name, []).append(passage.key)
            sizes[name] = sizes.get(name, 0) + len(passage.span)
        if len(groups) >= min(2, len(passages)) and len(groups) > 1:
            kept = sorted(groups, key=lambda name: -sizes[name])[:sections]
            return [
                Planned(name or "Opening", keys=tuple(keys), document_id=info.id)
                for name, keys in groups.items()
                if name in kept
            ]
    if not passages:
        return []
    keys = tuple(passage.key for passage in passages)
    return [Planned(readable(info.title) or "Contents", keys=keys, document_id=info.id)]


def _as_question(section: Planned, brief: Brief, components: Components) -> Planned:
    """The section under a question: one that a passage asks itself, else made of the heading."""
    passages = components.snapshot.fetch(section.keys[:3])
    for passage, info in passages:
        for line in (info.title, *passage.heading_path, passage.text.strip().split("\n")[0]):
            if line.strip().endswith("?") and 3 <= len(line.split()) <= 20:
                return Planned(line.strip(), (section.heading,), section.keys)
    name = section.heading
    if name.endswith("?"):
        return section
    if not terms_of(name) & terms_of(brief.topic):  # "Quickstart" says nothing of what is asked
        opening = any(found.start == 0 and not found.weak for found in names_of(brief.title))
        topic = brief.title if opening else brief.title[:1].lower() + brief.title[1:]
        return Planned(
            f"What does “{name}” say about {topic.rstrip('?. ')}?", (name,), section.keys
        )
    shown = name[:1].lower() + name[1:] if _GERUND.match(name) else f"“{name}”"
    return Planned(f"What do the documents say about {shown}?", (name,), section.keys)


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
    rows = [Planned(aspect[:1].upper() + aspect[1:]) for aspect in aspects] or list(sections)
    return Outline(brief.title, tuple(rows), tuple(columns))
