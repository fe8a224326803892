"""From a claim to the exact spans it stands on, and the check that a citation is true.

Laws: a citation's quote is a slice of its document; nothing is cited that was not shown; a
marker that a model wrote is a hint that alignment confirms or overrules. Alignment is by
words: what a claim says must be found, and few sentences that together hold most of it are
better than many.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ragstone.errors import CorpusError
from ragstone.grounding.claims import DraftClaim
from ragstone.grounding.quantities import Quantity, agree, quantities_of
from ragstone.grounding.words import coverage, rarity, terms_of
from ragstone.types import Citation, Document, Evidence

_WORTH = 0.12  # idf-weighted share of a claim that a further sentence must add
_FLOOR = 0.25  # share below which a sentence does not carry a claim at all
_HINT = 0.05  # what a marker adds to its sentence: enough to break a tie, not to win one
MAX_CITATIONS = 3  # sentences per claim
_QUOTATION = re.compile(r"[\"“„«]([^\"“”„«»]{12,400})[\"”“»]")

FaultKind = Literal["unknown_marker", "wrong_marker", "altered_quote"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Evidence `index` (from 0) carries `share` (0 to 1, idf-weighted) of a claim's terms."""

    index: int
    share: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a draft claims about its sources and that is not so."""

    kind: FaultKind
    detail: str


def align(claim: DraftClaim | str, evidence: Sequence[Evidence]) -> list[Alignment]:
    """The few pieces of evidence that together carry `claim`, the strongest first.

    Greedy cover of the claim's terms, numbers counting double; empty if no piece holds a
    quarter of them. A marker breaks ties only.
    """
    text = claim if isinstance(claim, str) else claim.stated
    hints = () if isinstance(claim, str) else claim.markers
    wanted = terms_of(text)
    if not wanted or not evidence:
        return []
    held = [terms_of(item.text) for item in evidence]
    context = [terms_of(item.lead_text) | _titles(item) for item in evidence]
    idf = rarity([item.text for item in evidence])
    unseen = max(idf.values(), default=1.0)
    numbers = quantities_of(text)
    shares = [
        _share(wanted, held[place], context[place], idf, unseen)
        + _number_share(numbers, item.text)
        + (_HINT if place + 1 in hints else 0.0)
        for place, item in enumerate(evidence)
    ]
    best = max(range(len(evidence)), key=lambda place: (shares[place], -place))
    if coverage(wanted, held[best], idf, unseen=unseen) < _FLOOR:
        return []
    chosen = [Alignment(best, coverage(wanted, held[best], idf, unseen=unseen))]
    covered = held[best]
    while len(chosen) < MAX_CITATIONS:
        gains = {
            place: coverage(wanted, covered | held[place], idf, unseen=unseen)
            - coverage(wanted, covered, idf, unseen=unseen)
            for place in range(len(evidence))
        }
        place = max(gains, key=lambda other: (gains[other], -other))
        if gains[place] < _WORTH:
            break
        chosen.append(Alignment(place, coverage(wanted, held[place], idf, unseen=unseen)))
        covered |= held[place]
    return chosen


def cite(evidence: Evidence) -> Citation:
    """The citation of a piece of evidence: its exact span and quote, in the version searched."""
    return Citation(
        document_id=evidence.document.id,
        source=evidence.document.source,
        title=evidence.document.title,
        span=evidence.span,
        quote=evidence.text,
        version=evidence.document.version,
        page=evidence.page,
        heading_path=evidence.heading_path,
    )


def check(citation: Citation, document: Document, *, content_hash: str | None = None) -> None:
    """Raise CorpusError unless the quote stands in `document` exactly where it says.

    With `content_hash` (sha256 of the text, hexadecimal, as `DocumentInfo` keeps it) the whole
    text is held against it too, so that a document changed since it was cited is noticed.
    """
    if citation.document_id != document.id:
        raise CorpusError(
            f"The citation names document {citation.document_id!r}, not {document.id!r}.",
            remedy="Look the document up by the citation's own id.",
        )
    if not citation.quote:
        raise CorpusError(
            f"The citation of {citation.source!r} at {_place(citation)} has no text.",
            remedy="Cite a span that holds at least one character.",
        )
    found = citation.span.of(document.text)
    if found != citation.quote:
        raise CorpusError(
            f"The quote {_short(citation.quote)} does not stand in {citation.source!r} at "
            f"{_place(citation)}; there stands {_short(found)}.",
            remedy="Ask again: the document may have changed since it was cited.",
        )
    if content_hash is not None:
        actual = hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
        if actual != content_hash:
            raise CorpusError(
                f"The text of {citation.source!r} has the hash {actual[:12]}, not the cited "
                f"{content_hash[:12]}.",
                remedy="Ask again: the document has changed since it was cited.",
            )


def was_shown(citation: Citation, evidence: Sequence[Evidence]) -> bool:
    """Whether a citation's span lies within something that was shown for this answer."""
    return any(
        item.document.id == citation.document_id
        and item.document.version == citation.version
        and item.span.contains(citation.span)
        and citation.quote
        == item.text[citation.span.start - item.span.start : citation.span.end - item.span.start]
        for item in evidence
    )


def faults(claim: DraftClaim, evidence: Sequence[Evidence]) -> list[Fault]:
    """What a claim's own markers and quotation marks say about the sources and is not so.

    unknown_marker: a number that no evidence bears. wrong_marker: evidence that carries
    less of the claim than another does, and too little of it to be meant.
    altered_quote: words in quotation marks that no evidence holds in this writing.
    """
    found: list[Fault] = []
    aligned = {alignment.index: alignment.share for alignment in align(claim.stated, evidence)}
    for marker in claim.markers:
        if not 1 <= marker <= len(evidence):
            found.append(
                Fault(
                    "unknown_marker", f"[{marker}] names none of the {len(evidence)} passages shown"
                )
            )
        elif marker - 1 not in aligned and not _carries(
            claim.stated, evidence[marker - 1], aligned
        ):
            better = ", ".join(f"[{place + 1}]" for place in aligned) or "none"
            found.append(
                Fault("wrong_marker", f"[{marker}] does not carry the statement; {better} does")
            )
    for match in _QUOTATION.finditer(claim.text):
        quoted = _flat(match.group(1))
        if not any(quoted in _flat(f"{item.lead_text} {item.text}") for item in evidence):
            found.append(
                Fault("altered_quote", f"{_short(match.group(1))} stands in no passage shown")
            )
    return found


def _carries(text: str, item: Evidence, aligned: dict[int, float]) -> bool:
    idf = rarity([item.text])
    share = coverage(terms_of(text), terms_of(item.text), idf, unseen=1.0)
    return share >= max(aligned.values(), default=_FLOOR) - _WORTH and share >= _FLOOR


def _share(
    wanted: frozenset[str],
    held: frozenset[str],
    context: frozenset[str],
    idf: Mapping[str, float],
    unseen: float,
) -> float:
    own = coverage(wanted, held, idf, unseen=unseen)
    return own + 0.3 * (coverage(wanted, held | context, idf, unseen=unseen) - own)


def _number_share(numbers: Sequence[Quantity], text: str) -> float:
    if not numbers:
        return 0.0
    known = quantities_of(text)
    return 0.5 * sum(any(agree(n, k) for k in known) for n in numbers) / len(numbers)


def _titles(item: Evidence) -> frozenset[str]:
    terms = terms_of(item.document.title)
    for heading in item.heading_path:
        terms |= terms_of(heading)
    return terms


def _place(citation: Citation) -> str:
    return f"[{citation.span.start}, {citation.span.end})"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else flat[:57] + "...")


def _flat(text: str) -> str:
    """For comparing quotations: one kind of space, one kind of quotation mark and dash."""
    table = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "\u00a0": " "})
    return " ".join(text.translate(table).split()).strip(" .,;:…").casefold()
