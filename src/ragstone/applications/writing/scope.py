"""Whom a brief speaks of, and which documents speak of them.

"Capital expenditure of 3M" asks for 3M's filing and for nobody else's; inside that filing "3M"
tells no passage from another, so it is looked for without the name. A name that stands in few of
those documents ("background tasks with Celery in Flask") goes on to tell. What a whole collection
is about (Flask, in Flask's manual) tells nothing at all: it is left out, and no document for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ragstone.applications.ask import Components
from ragstone.corpus.where_parser import parse_where
from ragstone.grounding.names import Name, names_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.protocols import Filter, Snapshot
from ragstone.types import DocumentInfo

_LOOKED_THROUGH = 60  # passages whose documents are held against a name
_MOST_DOCUMENTS = 40
_DENSE = 2_500  # characters for each mention of what a document is about
_EVERYWHERE = 0.6  # share of the documents from which a name tells none from another
_LISTED, _SAMPLED = 5_000, 60  # documents looked at, and read, for what a collection is about
_FEW = 6  # documents that are no collection: in two filings each name is of one of them
_LOOSE = re.compile(
    r"^(?:and|or|of|in|at|by|for|from|to|on|with|the|its|their)\s+"
    r"|\s+(?:and|or|of|in|at|by|for|from|to|on|with|the|a|an)$",
    re.IGNORECASE,
)

# A preposition whose name was taken out: "the lamp of [Northmoor] and its restoration".
_HANGING = re.compile(
    r"\s(?:of|in|at|by|for|from|to|on|with)(?=\s(?:and|or|of|in|at|by|for|from|to|its|their)\s)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look, and for what: `topic` without the `names` that `where` stands for.

    `documents` are those about whom the brief names; empty where it names nobody or no document
    is about them.
    """

    topic: str
    where: Filter | None
    documents: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    def bare(self, question: str) -> str:
        """A question without the names that were taken out of the topic."""
        return _without(question, self.names)


def scope_of(topic: str, components: Components, where: Filter | None = None) -> Scope:
    """The scope of a topic: all documents, unless it names somebody whom some are about. A topic
    that is nothing but a name may open with it."""
    shared = _of_all(topic, components.snapshot, where)
    if shared and terms_of(bare := _without(topic, shared)):
        inner = scope_of(bare, components, where)
        return Scope(inner.topic, inner.where, inner.documents, (*shared, *inner.names))
    names = [name for name in names_of(topic) if not name.weak or name.text == topic]
    if not names:
        return Scope(topic, where)
    infos: dict[str, DocumentInfo] = {}
    for question in (topic, *(name.text for name in names)):
        for hit in components.retriever.retrieve(question, k=_LOOKED_THROUGH, where=where):
            infos.setdefault(hit.document.id, hit.document)
    about: dict[str, set[str]] = {}
    for info in infos.values():
        held = {name.text for name in names if is_about(info, name, components.snapshot)}
        if held:
            about[info.id] = held
    if not about:
        return Scope(topic, where)
    everywhere = tuple(
        name.text
        for name in names
        if sum(name.text in held for held in about.values()) >= _EVERYWHERE * len(about)
    )
    documents = list(about)[:_MOST_DOCUMENTS]
    bare = _without(topic, everywhere)
    if not terms_of(bare):
        return Scope(topic, among(documents, where), frozenset(documents))
    return Scope(bare, among(documents, where), frozenset(documents), everywhere)


def _of_all(topic: str, snapshot: Snapshot, where: Filter | None) -> tuple[str, ...]:
    """The names in `topic` of what the collection is about: they stand in most of its documents.

    A name in small letters is known by a document that is called by it and nothing else.
    """
    infos = list(islice(snapshot.documents(where), _LISTED))
    if len(infos) < _FEW:
        return ()
    titles = {info.title.strip().casefold() for info in infos}
    wanted: dict[str, frozenset[str]] = {}
    for name in names_of(topic):
        if not name.weak and name.terms:
            wanted[name.text] = frozenset(name.terms)
        if name.start == 0 and " " in name.text:  # "Deploying Flask": the first is a plain word
            rest = name.text.split(" ", 1)[1]
            wanted[rest] = terms_of(rest)
    for word in words_of(topic):
        if word.terms and word.text.casefold() in titles:
            wanted[word.text] = frozenset(word.terms)
    if not wanted:
        return ()
    read = infos[:: max(1, len(infos) // _SAMPLED)]
    held = [terms_of(snapshot.document(info.id).text) for info in read]
    return tuple(
        name
        for name, terms in wanted.items()
        if terms and sum(terms <= words for words in held) >= _EVERYWHERE * len(held)
    )


def is_about(info: DocumentInfo, name: Name | str, snapshot: Snapshot) -> bool:
    """Whether a document is about a name: its title or its file says it, or it does so often."""
    if is_called(info, name if isinstance(name, str) else name.text):
        return True
    text = " ".join(snapshot.document(info.id).text.casefold().split())
    written = re.escape(" ".join((name if isinstance(name, str) else name.text).casefold().split()))
    mentions = len(re.findall(rf"(?<!\w){written}(?!\w)", text))
    return mentions >= 2 and mentions * _DENSE >= len(text)


def is_called(info: DocumentInfo, name: str) -> bool:
    """Whether a document's title or its file says a name."""
    wanted = _squashed(name)
    return bool(wanted) and wanted in _squashed(f"{info.title} {info.source.rsplit('/', 1)[-1]}")


def among(documents: Sequence[str], where: Filter | None) -> Filter:
    """The filter narrowed to some documents."""
    quoted = ["'" + document.replace("'", "''") + "'" for document in documents]
    expression = " OR ".join(f"id = {name}" for name in quoted)
    return parse_where(f"({where.expression}) AND ({expression})" if where else expression)


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?:['’]s)?(?!\w)", " ", text)
    text = _HANGING.sub("", " ".join(text.split()))
    while (shorter := _LOOSE.sub("", text).strip(" ,;:-–—")) != text:
        text = shorter
    return text


def _squashed(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
