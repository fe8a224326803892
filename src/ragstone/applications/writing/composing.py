"""Writing: plan, then for each section gather, draft, check; what stands is never taken back.

Laws: what is shown has citations that were checked against the documents; after each section the
work so far is a whole manuscript, so that it can be kept and gone on with later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ragstone.applications.ask import Components
from ragstone.applications.writing import digest
from ragstone.applications.writing.brief import Brief
from ragstone.applications.writing.choosing import Said
from ragstone.applications.writing.drafting import draft
from ragstone.applications.writing.manuscript import (
    Block,
    Manuscript,
    Outline,
    Planned,
    Section,
    Source,
)
from ragstone.applications.writing.material import Material, Piece, gather, within
from ragstone.applications.writing.planning import plan
from ragstone.applications.writing.scope import Scope, is_called, scope_of
from ragstone.applications.writing.standing import leans
from ragstone.grounding.citations import check
from ragstone.grounding.words import terms_of
from ragstone.protocols import Filter

_ADDS = re.compile(r"(?:\S+ ){1,3}also\b")  # "The company also sponsors ...": to something before
_STEM = 5  # letters from which two words with one beginning are forms of one
CELL_WORDS = 40  # of one cell of a comparison table


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The outline, before anything is written; `done` sections are kept from earlier work."""

    outline: Outline
    done: int = 0


@dataclass(frozen=True, slots=True)
class SectionWritten:
    """One more section stands. `manuscript` is the whole of the work so far."""

    section: Section
    manuscript: Manuscript


@dataclass(frozen=True, slots=True)
class Written:
    """The end, with the whole manuscript. Always the last event."""

    manuscript: Manuscript


WriteEvent = PlanMade | SectionWritten | Written


def write(
    brief: Brief,
    components: Components,
    *,
    where: Filter | None = None,
    outline: Outline | None = None,
) -> Manuscript:
    """The whole manuscript. Raises what retrieval or the language model raises."""
    events = write_stream(brief, components, where=where, outline=outline)
    return next(event.manuscript for event in events if isinstance(event, Written))


def write_stream(
    brief: Brief,
    components: Components,
    *,
    where: Filter | None = None,
    outline: Outline | None = None,
    resume: Manuscript | None = None,
) -> Iterator[WriteEvent]:
    """The manuscript section by section; ends with one Written.

    `outline` is a person's; `resume` is the work so far on the same brief, whose outline and
    sections are kept. Raises what retrieval or the language model raises.
    """
    if resume is not None:
        outline = resume.outline
    scope = scope_of(brief.topic, components, where)
    outline = outline or plan(brief, components, where, scope=scope)
    if outline.sections and all(planned.document_id for planned in outline.sections):
        scope = Scope("", where)  # a document's own headings say what each section is about
    model = components.model
    manuscript = Manuscript(
        brief=brief.text,
        kind=brief.kind,
        outline=outline,
        sections=resume.sections if resume else (),
        sources=resume.sources if resume else (),
        model=model.name if model else "none",
        judge=components.judge.name,
        version=components.snapshot.version,
    )
    said = Said()
    for statement in manuscript.statements:
        said.add(statement.text, components.encoder.encode_passages([statement.text])[0])
    yield PlanMade(outline, len(manuscript.sections))
    columns = {item.heading: Said() for item in outline.items}
    among = _items(outline, components, where)
    words = max(30, brief.words // max(1, len(outline.sections)))
    for planned in outline.sections[len(manuscript.sections) :]:
        if outline.items:
            section = _row(planned, outline, among, components, columns)
        else:
            others = {key for o in outline.sections if o is not planned for key in o.keys}
            material = Material(components, scope, said, frozenset(others))
            section = _section(planned, manuscript, brief, material, words)
        _check(section, components)
        manuscript = replace(manuscript, sections=(*manuscript.sections, section))
        manuscript = replace(manuscript, sources=_sources(manuscript, components))
        yield SectionWritten(section, manuscript)
    yield Written(manuscript)


def _section(
    planned: Planned,
    manuscript: Manuscript,
    brief: Brief,
    material: Material,
    words: int,
) -> Section:
    components = material.components
    pieces = gather(planned, material, words=words)
    if not pieces:
        return Section(planned.heading, ())
    if components.model is not None:
        earlier = [statement.text for statement in manuscript.statements]
        blocks, removed = draft(
            planned, pieces, brief, components.model, components.judge, earlier, words=words
        )
        if any(statement.stands for block in blocks for statement in block.statements):
            return Section(planned.heading, blocks, removed)
        return Section(planned.heading, digest.compose(pieces, heading=planned.heading), removed)
    return Section(planned.heading, digest.compose(pieces, heading=planned.heading))


@dataclass(frozen=True, slots=True)
class _Column:
    """Where an item of a comparison is spoken of; of its `own` documents no sentence need name it,
    for they are about it and about no other item."""

    where: Filter | None
    own: frozenset[str] = frozenset()


def _items(outline: Outline, components: Components, where: Filter | None) -> list[_Column]:
    scopes = [
        Scope("", within(item.document_id, where), frozenset([item.document_id]))
        if item.document_id
        else scope_of(item.heading, components, where)
        for item in outline.items
    ]
    called = [
        frozenset(
            name
            for name in scope.documents
            if item.document_id or is_called(components.snapshot.find(name), item.heading)
        )
        for item, scope in zip(outline.items, scopes, strict=True)
    ]
    return [
        _Column(scope.where, own.difference(*(other for other in called if other is not own)))
        for scope, own in zip(scopes, called, strict=True)
    ]


def _row(
    planned: Planned,
    outline: Outline,
    among: Sequence[_Column],
    components: Components,
    said: Mapping[str, Said],
) -> Section:
    """One aspect of a comparison: for each item what stands about it, or nothing.

    A cell of an item that the brief names must name the item or stand in a document about it, and
    say the aspect; no column says a thing twice.
    """
    blocks: list[Block] = []
    for item, column in zip(outline.items, among, strict=True):
        others = [other.heading for other in outline.items if other is not item]
        bare = replace(planned, keys=())
        named = Planned(f"{item.heading} {planned.heading}".strip(), planned.questions)
        cell: list[Piece] = []
        for asked in (bare, named) if column.own else (named,):
            material = Material(components, Scope("", column.where), Said())
            found = gather(asked, material, words=4 * CELL_WORDS)
            cell = _cell(found, planned.heading, item.heading, column, others, said)
            if cell:
                break
        blocks.append(Block(tuple(map(digest.quoted, cell)), item.heading))
    return Section(planned.heading, tuple(blocks))


def _cell(
    found: Sequence[Piece],
    aspect: str,
    item: str,
    column: _Column,
    others: Sequence[str],
    said: Mapping[str, Said],
) -> list[Piece]:
    """The first piece that says the aspect of the item, with what it leans on; [] for none."""
    for piece in found:
        whole = _standing(piece, found)
        if (
            whole
            and (piece.evidence.document.id in column.own or _is_about(piece, item, others))
            and (piece.coverage >= 0.4 or piece.meaning >= 0.45)
            and _says(terms_of(piece.evidence.text), aspect)
            and not said[item].repeats(piece.evidence.text)
        ):
            said[item].add(piece.evidence.text)
            return whole
    return []


def _standing(piece: Piece, found: Sequence[Piece]) -> list[Piece]:
    """A piece that can stand in a cell, which has nothing before it: with the sentence that it
    leans on where that was found too; empty where it was not."""
    item = piece.evidence
    if not _needs_before(item.text):
        return [piece]
    for other in found:
        before = other.evidence
        gap = item.span.start - before.span.end
        if (
            before.document.id == item.document.id
            and 0 <= gap <= 3
            and not _needs_before(before.text)
        ):
            return [other, piece]
    return []


def _needs_before(text: str) -> bool:
    return leans(text) or bool(_ADDS.match(text))


def _is_about(piece: Piece, item: str, others: Sequence[str]) -> bool:
    """Whether a sentence speaks of an item: it says its name, or stands under it and names no
    other of the items."""
    evidence = piece.evidence
    said = terms_of(evidence.text)
    if _holds(said, item):
        return True
    above = terms_of(" ".join((evidence.document.title, *evidence.heading_path)))
    return _holds(above, item) and not any(_holds(said | above, other) for other in others)


def _holds(terms: frozenset[str], name: str) -> bool:
    """Whether the words of a name are among `terms`; of a long name one may be missing."""
    wanted = terms_of(name)
    return bool(wanted) and len(wanted & terms) >= max(min(2, len(wanted)), len(wanted) - 1)


def _says(terms: frozenset[str], aspect: str) -> bool:
    """Whether the words of an aspect are among `terms`, in whatever form: "creation" is said by
    "create", whose stem is the beginning of its own."""
    akin = frozenset(
        wanted
        for wanted in terms_of(aspect)
        for term in terms
        if min(len(wanted), len(term)) >= _STEM
        and (wanted.startswith(term) or term.startswith(wanted))
    )
    return _holds(terms | akin, aspect)


def _check(section: Section, components: Components) -> None:
    """Hold every citation of a section against its document. Raises CorpusError."""
    for statement in section.statements:
        for citation in statement.citations:
            check(citation, components.snapshot.document(citation.document_id))


def _sources(manuscript: Manuscript, components: Components) -> tuple[Source, ...]:
    """The documents that are cited, by first mention."""
    known = {source.document_id: source for source in manuscript.sources}
    found: dict[str, Source] = {}
    for statement in manuscript.statements:
        for citation in statement.citations:
            name = citation.document_id
            if name in found:
                continue
            if name in known:
                found[name] = known[name]
                continue
            info = components.snapshot.find(name)
            found[name] = Source(
                name, info.source, info.title, info.format, info.version, info.content_hash,
                dict(info.metadata),
            )  # fmt: skip
    return tuple(found.values())
