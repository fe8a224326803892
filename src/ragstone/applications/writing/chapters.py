"""The plan of a summary: one document, by its own headings.

Law: every section is a heading of the document, or a name it is called by; no passage is in two.
"""

from __future__ import annotations

import re

from ragstone.applications.ask import Components
from ragstone.applications.writing.brief import Brief
from ragstone.applications.writing.headings import readable
from ragstone.applications.writing.manuscript import Planned
from ragstone.applications.writing.material import within
from ragstone.errors import UsageError
from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.grounding.words import terms_of
from ragstone.protocols import Filter
from ragstone.types import DocumentInfo

_FRAME = 0.6  # share of a document's text from which a heading is its frame


def one_document(brief: Brief, components: Components, where: Filter | None) -> DocumentInfo | None:
    """The one document that the brief or the filter names, if it names one."""
    try:
        return components.snapshot.find(brief.topic, where)
    except UsageError:
        pass
    topic = " ".join(brief.topic.casefold().split()).removeprefix("the ")
    words = [word for word in re.findall(r"\w+", topic) if word not in FUNCTION_WORDS]
    every: list[DocumentInfo] = []
    called: list[DocumentInfo] = []
    for info in components.snapshot.documents(where):
        every.append(info)
        name = info.source.rsplit("/", 1)[-1].rsplit(".", 1)[0].casefold()
        title = " ".join(info.title.casefold().split())
        if topic in {title, name}:
            return info
        if len(words) > 1 and all(word in f"{title} {name}" for word in words):
            called.append(info)
    if len(called) == 1:
        return called[0]
    return every[0] if len(every) == 1 else None


def called_in(info: DocumentInfo, brief: Brief) -> str:
    """The document's title, if it has to do with what the brief calls it."""
    topic = brief.topic.removeprefix("the ")
    return info.title if terms_of(info.title) & terms_of(topic) else topic


def by_headings(info: DocumentInfo, sections: int, components: Components) -> list[Planned]:
    """A document's own sections: those of the highest level that gives two or more, the
    longest of them where there are too many; its passages in equal parts where it has none."""
    hits = components.retriever.retrieve(
        info.title or info.source, k=2000, where=within(info.id, None)
    )
    passages = sorted((hit.passage for hit in hits), key=lambda passage: passage.span.start)
    frames: set[str] = set()
    for depth in range(6):
        groups: dict[str, list[int]] = {}
        sizes: dict[str, int] = {}
        for passage in passages:
            path = [name for name in map(readable, passage.heading_path) if name]
            name = path[min(depth, len(path) - 1)] if path else readable(info.title)
            groups.setdefault(name, []).append(passage.key)
            sizes[name] = sizes.get(name, 0) + len(passage.span)
        # One that holds most of the text is the document's frame: what it frames says more.
        largest = max(sizes, key=lambda name: sizes[name], default="")
        framed = sizes.get(largest, 0) > _FRAME * sum(sizes.values())
        for frame in frames:
            groups.pop(frame, None)
        if framed:
            frames.add(largest)
        if len(groups) > 1 and (not framed or depth == 5):
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
