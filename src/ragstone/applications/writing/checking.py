"""An edited manuscript held against its ledger: only what a person changed is judged again.

Laws: a sentence whose words stand in the ledger keeps its verdict without any work; a new one is
judged against the notes it names and what the corpus holds about it. Quotes that no longer stand
in the documents are named, whoever wrote the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragstone.applications.ask import Components
from ragstone.applications.writing.ledger import Ledger, hash_of
from ragstone.applications.writing.manuscript import Block, Manuscript, Section, Statement
from ragstone.errors import CorpusError, UsageError
from ragstone.grounding import citations, evidence
from ragstone.types import Citation, Claim, Evidence, Span

_SEARCHED = 10
_EVIDENCE_TOKENS = 480


@dataclass(frozen=True, slots=True)
class Stated:
    """A sentence of the edited file: its words, the notes it names, the heading it is under."""

    text: str
    notes: tuple[int, ...] = ()
    heading: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What became of an edited manuscript.

    `changed` are the sentences that were judged now; `gone` those of the ledger that the file
    no longer holds; `stale` citations whose quote no longer stands in its document.
    """

    unchanged: int
    changed: tuple[Statement, ...]
    gone: tuple[Statement, ...]
    stale: tuple[Citation, ...]
    ledger: Ledger

    @property
    def failed(self) -> tuple[Statement, ...]:
        return tuple(statement for statement in self.changed if not statement.stands)


def check(ledger: Ledger, stated: Sequence[Stated], components: Components) -> CheckReport:
    """Judge what changed; `report.ledger` is the ledger of the edited text."""
    manuscript = ledger.manuscript
    known: dict[str, Statement] = {}
    for statement in (*manuscript.statements, *manuscript.removed):
        known.setdefault(hash_of(statement.text), statement)
    notes = {note.number: note.citation for note in manuscript.notes()}
    unchanged = 0
    changed: list[Statement] = []
    by_heading: dict[str, list[Statement]] = {}
    met: set[str] = set()
    for sentence in stated:
        digest = hash_of(sentence.text)
        if digest in known:
            statement = known[digest]
            unchanged += 1
        else:
            cited = [notes[number] for number in sentence.notes if number in notes]
            statement = judge(sentence.text, cited, components)
            known[digest] = statement
            changed.append(statement)
        met.add(digest)
        by_heading.setdefault(sentence.heading, []).append(statement)
    gone = tuple(s for s in manuscript.statements if hash_of(s.text) not in met)
    cited_now = [c for row in by_heading.values() for s in row for c in s.citations]
    stale = tuple(c for c in dict.fromkeys(cited_now) if not _holds(c, components))
    edited = _edited(manuscript, by_heading)
    return CheckReport(unchanged, tuple(changed), gone, stale, replace(ledger, manuscript=edited))


def judge(text: str, cited: Sequence[Citation], components: Components) -> Statement:
    """One sentence held against the quotes it names, then against what the corpus holds."""
    claim = Claim(text, Span(0, 0), "unsupported")
    named = [item for citation in cited if (item := _evidence(citation, components)) is not None]
    if named:
        found = _statement(components.judge.judge(claim, named), named)
        if found.stands:
            return found
    hits = components.retriever.retrieve(text, k=_SEARCHED)
    looked_up = evidence.select(
        text,
        hits,
        encoder=components.reads_with,
        document_of=components.snapshot.document,
        max_tokens=_EVIDENCE_TOKENS,
    )
    spans = {(item.document.id, item.span) for item in named}
    every = [*named, *(i for i in looked_up if (i.document.id, i.span) not in spans)]
    return _statement(components.judge.judge(claim, every), every)


def _statement(claim: Claim, evidence_: Sequence[Evidence]) -> Statement:
    """The judged claim; one that no sentence carries in words does not stand by meaning alone."""
    carried = bool(citations.align(claim.text, evidence_))
    stands = claim.verdict == "supported" and bool(claim.citations) and carried
    verdict = claim.verdict if stands or claim.verdict != "supported" else "unsupported"
    return Statement(
        claim.text, verdict, claim.reason, claim.confidence,
        citations=claim.citations if stands else (),
    )  # fmt: skip


def _evidence(citation: Citation, components: Components) -> Evidence | None:
    """A note's quote as evidence, where it still stands."""
    if not _holds(citation, components):
        return None
    info = components.snapshot.find(citation.document_id)
    return Evidence(info, citation.span, citation.quote, 1.0, citation.page, citation.heading_path)


def _holds(citation: Citation, components: Components) -> bool:
    try:
        document = components.snapshot.document(citation.document_id)
        citations.check(citation, document)
    except (CorpusError, UsageError):
        return False
    return True


def _edited(manuscript: Manuscript, by_heading: dict[str, list[Statement]]) -> Manuscript:
    """The manuscript with the sentences of the file, by heading; labels are not kept."""
    removed = {section.heading: section.removed for section in manuscript.sections}
    sections = tuple(
        Section(heading, (Block(tuple(statements)),), removed.get(heading, ()))
        for heading, statements in by_heading.items()
    )
    return replace(manuscript, sections=sections)
