"""What of an answer has been shown so far: its text, its claims, and numbered citations.

Law: every citation is checked against its document before it is shown, and nothing that was shown
is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ragstone.applications.events import Done, Removed, Stated
from ragstone.grounding import abstention, citations, claims, conflicts, shortanswers
from ragstone.protocols import Judge, Snapshot
from ragstone.trace import Trace
from ragstone.types import Abstention, Answer, Citation, Claim, Document, Evidence, Hit, Span

UNPROVED = "[unproved]"  # marks a failed claim that is shown on request


class Sheet:
    """One answer in the making, from one snapshot."""

    def __init__(
        self,
        question: str,
        evidence: Sequence[Evidence],
        *,
        hits: Sequence[Hit],
        confidence: float,
        judge: Judge,
        snapshot: Snapshot,
        model: str,
        trace: Trace,
    ) -> None:
        """`model` is the name of who writes, "none" for nobody."""
        self.question = question
        self.evidence = tuple(evidence)
        self.confidence = confidence
        self.trace = trace
        self.text = ""
        self.claims: list[Claim] = []
        self.failed: list[Claim] = []
        self.highlights: list[Span] = []
        self.repeats = 0
        self._judge = judge
        self._snapshot = snapshot
        self._model = model
        self._hits = tuple(hits)
        self._numbers: dict[tuple[str, Span], int] = {}
        self._citations: list[Citation] = []
        self._documents: dict[str, Document] = {}  # a cited document is read once
        self._said: set[str] = set()
        self._end = 0  # of the last claim, in its draft

    def judge(
        self, found: claims.DraftClaim, draft: str, *, mark: bool
    ) -> Iterator[Stated | Removed]:
        """Check one statement of a draft, and show it if it stands; with `mark` also where not."""
        words = " ".join(found.stated.casefold().split())
        if words in self._said:
            self.repeats += 1
            return
        self._said.add(words)
        between = draft[self._end : found.span.start]
        self._end = found.span.end
        claim = Claim(found.text, Span(0, 0), "unsupported")
        claim = self._judge.judge(claim, self.evidence)
        claim = replace(claim, text=found.stated)
        if claim.verdict == "supported" and claim.citations:
            yield self.show(claim, "\n" if "\n" in between else " ")
            return
        self.failed.append(claim)
        if mark:
            yield self.show(replace(claim, citations=()), " ")
        else:
            yield Removed(claim)

    def show(self, claim: Claim, separator: str) -> Stated:
        """Append a claim and its citation numbers; every citation is checked first."""
        marks = ""
        for citation in claim.citations:
            citations.check(citation, self._document(citation.document_id))
            key = (citation.document_id, citation.span)
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers) + 1
                self._citations.append(citation)
            marks += f"[{self._numbers[key]}]"
        before = separator if self.text else ""
        start = len(self.text) + len(before)
        placed = replace(claim, span=Span(start, start + len(claim.text)))
        added = f"{before}{claim.text} {marks or UNPROVED}"
        self.text += added
        self.claims.append(placed)
        return Stated(added, placed)

    def cited(self) -> list[Evidence]:
        """The evidence that the shown claims stand on, the most telling first."""
        spans = {(c.document_id, c.span) for claim in self.claims for c in claim.citations}
        return [item for item in self.evidence if (item.document.id, item.span) in spans]

    def _document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            self._documents[document_id] = self._snapshot.document(document_id)
        return self._documents[document_id]

    def highlight(self, item: Evidence, short: shortanswers.ShortAnswer) -> None:
        """Mark the few words that answer most directly, where they stand in the text: in what
        rests on the piece that holds them, else in the first statement that says them."""
        words = " ".join(short.text.split())
        before = len(" ".join(item.text[: short.span.start].split()))
        resting = [c for c in self.claims if any(one.span == item.span for one in c.citations)]
        for claim in (*resting, *self.claims):
            start = claim.text.find(words, before)  # in a quote; a model's words may stand earlier
            start = start if start >= 0 else claim.text.find(words)
            if start >= 0:
                start += claim.span.start
                self.highlights.append(Span(start, start + len(words)))
                return

    def done(self, declined: Abstention | None) -> Done:
        """The end, with everything in one value."""
        shown = {claim.text for claim in self.claims}
        return Done(
            Answer(
                question=self.question,
                text=declined.reason if declined else self.text,
                claims=tuple(self.claims),
                citations=tuple(self._citations),
                hits=self._hits,
                evidence=self.evidence,
                removed=tuple(claim for claim in self.failed if claim.text not in shown),
                abstention=declined,
                confidence=self.confidence,
                missing=""
                if declined
                else abstention.missing_part(self.question, self.evidence, self._hits),
                conflicts=()
                if declined
                else tuple(
                    conflict.worded(self.evidence)
                    for conflict in conflicts.find(self.evidence, question=self.question)
                ),
                highlights=tuple(self.highlights),
                model=self._model,
                version=self._snapshot.version,
                timings_ms=self.trace.timings_ms(),
            )
        )
