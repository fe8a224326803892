"""An answer as plain text that carries its citations: for clients that know only text.

The numbers in brackets that an answer's text carries lead to a list of sources at its end. Where
a client reads annotations, each names the range of code points of its claim in that text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from ragstone.applications.wire import JsonObject
from ragstone.documents.places import unit_of
from ragstone.types import Abstention, Citation, Claim

SOURCES = "\n\nSources:\n"
NO_ANSWER = "The documents do not answer this."


@dataclass(slots=True)
class CitedText:
    """Text that grows claim by claim; what `add` returns is what to append."""

    base: str  # where the page is served, such as http://127.0.0.1:8000
    corpus: str
    text: str = ""
    annotations: list[JsonObject] = field(default_factory=list)
    _sources: list[Citation] = field(default_factory=list)

    def add(self, text: str, claim: Claim) -> str:
        """Append a claim; its text carries the numbers of its citations already."""
        for citation in claim.citations:
            if citation not in self._sources:
                self._sources.append(citation)
        start = len(self.text) + len(text) - len(text.lstrip())
        self._append(text)
        for citation in claim.citations:
            self.annotations.append(self._annotation(citation, start, len(self.text)))
        return text

    def abstain(self, abstention: Abstention) -> str:
        """Say that there is no answer, and why."""
        return self._append(f"{NO_ANSWER} {abstention.reason}".strip())

    def finish(self, whole: str) -> str:
        """Append the list of sources; `whole` is said where nothing was said before."""
        piece = "" if self.text else self._append(whole)
        if not self._sources:
            return piece
        lines = [
            f"[{number}] {_place(citation)}: “{citation.quote}”"
            for number, citation in enumerate(self._sources, start=1)
        ]
        return piece + self._append(SOURCES + "\n".join(lines))

    def _append(self, piece: str) -> str:
        self.text += piece
        return piece

    def _annotation(self, citation: Citation, start: int, end: int) -> JsonObject:
        where = f"id={quote(citation.document_id, safe='')}&start={citation.span.start}"
        return {
            "type": "url_citation",
            "start_index": start,
            "end_index": end,
            "title": citation.title or citation.source,
            "url": f"{self.base}/#/{quote(self.corpus, safe='')}/document?{where}"
            f"&end={citation.span.end}&version={citation.version}",
            "document_id": citation.document_id,
            "page": citation.page,
            "quote": citation.quote,
        }


def _place(citation: Citation) -> str:
    name = citation.title or citation.source
    if not citation.page:
        return name
    unit = unit_of(citation.source)
    return f"{name}, {'p.' if unit == 'page' else unit} {citation.page}"
