"""The JSON forms of the nouns: one place, read by the command line, the server and files.

Law: what is printed by `--json` and sent over HTTP is made here and nowhere else, so that the
two cannot differ. Keys are the contract of the command line's documentation.
"""

from __future__ import annotations

from typing import TypeAlias

from ragstone.applications.sync import SyncReport
from ragstone.applications.sync_estimate import Estimate
from ragstone.trace import Stage
from ragstone.types import (
    Abstention,
    Answer,
    Citation,
    Claim,
    Document,
    DocumentInfo,
    Evidence,
    Failure,
    Hit,
)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def hit_json(hit: Hit) -> JsonObject:
    """One hit, as `search --json` prints it."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "document_id": passage.document_id,
        "source": hit.document.source,
        "title": hit.document.title,
        "page": passage.page,
        "heading_path": list(passage.heading_path),
        "start": passage.span.start,
        "end": passage.span.end,
        "text": passage.text,
        "scores": {name: round(score, 6) for name, score in hit.scores.items()},
    }


def citation_json(citation: Citation) -> JsonObject:
    """One citation: where the quote stands, and the quote."""
    return {
        "document_id": citation.document_id,
        "source": citation.source,
        "title": citation.title,
        "page": citation.page,
        "heading_path": list(citation.heading_path),
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "version": citation.version,
    }


def claim_json(claim: Claim) -> JsonObject:
    """One claim with its verdict, the reason, and what it stands on."""
    return {
        "text": claim.text,
        "start": claim.span.start,
        "end": claim.span.end,
        "verdict": claim.verdict,
        "reason": claim.reason,
        "confidence": round(claim.confidence, 4),
        "citations": [citation_json(citation) for citation in claim.citations],
    }


def evidence_json(evidence: Evidence) -> JsonObject:
    """One piece of evidence."""
    return {
        "document_id": evidence.document.id,
        "source": evidence.document.source,
        "page": evidence.page,
        "start": evidence.span.start,
        "end": evidence.span.end,
        "text": evidence.text,
        "lead": evidence.lead_text,
        "score": round(evidence.score, 6),
        "rank": evidence.rank,
    }


def abstention_json(abstention: Abstention) -> JsonObject:
    """Why no answer is given, and what came nearest."""
    return {
        "reason": abstention.reason,
        "confidence": round(abstention.confidence, 4),
        "nearest": [citation_json(citation) for citation in abstention.nearest],
        "could_answer": abstention.could_answer,
    }


def answer_json(answer: Answer) -> JsonObject:
    """A whole answer, as `ask --json` prints it."""
    abstention = answer.abstention
    return {
        "question": answer.question,
        "answer": answer.text,
        "abstained": answer.abstained,
        "reason": abstention.reason if abstention else "",
        "confidence": round(answer.confidence, 4),
        "missing": answer.missing,
        "conflicts": list(answer.conflicts),
        "highlights": [[span.start, span.end] for span in answer.highlights],
        "claims": [claim_json(claim) for claim in answer.claims],
        "removed": [claim_json(claim) for claim in answer.removed],
        "citations": [citation_json(citation) for citation in answer.citations],
        "nearest": [citation_json(c) for c in abstention.nearest] if abstention else [],
        "could_answer": abstention.could_answer if abstention else "",
        "evidence": [evidence_json(evidence) for evidence in answer.evidence],
        "hits": [hit_json(hit) for hit in answer.hits],
        "version": answer.version,
        "timings_ms": {name: round(ms, 1) for name, ms in answer.timings_ms.items()},
        "model": answer.model,
    }


def document_info_json(info: DocumentInfo) -> JsonObject:
    """A line of `list --json`."""
    return {
        "document_id": info.id,
        "source": info.source,
        "title": info.title,
        "format": info.format,
        "language": info.language,
        "metadata": dict(info.metadata),
        "content_hash": info.content_hash,
        "characters": info.characters,
        "passages": info.passages,
        "version": info.version,
    }


def document_json(document: Document) -> JsonObject:
    """A whole document with its structure, as `show --json` prints it."""
    return {
        "document_id": document.id,
        "source": document.source,
        "title": document.title,
        "format": document.format,
        "language": document.language,
        "metadata": dict(document.metadata),
        "text": document.text,
        "elements": [
            {
                "kind": element.kind,
                "start": element.span.start,
                "end": element.span.end,
                "level": element.level,
                "label": element.label,
            }
            for element in document.elements
        ],
    }


def failure_json(failure: Failure) -> JsonObject:
    """A source that could not be read."""
    return {"source": failure.source, "reason": failure.reason, "remedy": failure.remedy}


def stage_json(stage: Stage) -> JsonObject:
    """One step of a trace with the steps inside it, as `explain --json` prints it."""
    notes: JsonObject = {}
    for name, value in stage.notes.items():
        if isinstance(value, dict):
            notes[name] = dict(value)
        else:
            notes[name] = list(value) if isinstance(value, list) else value
    return {
        "name": stage.name,
        "ms": round(stage.ms, 3),
        "notes": notes,
        "stages": [stage_json(inner) for inner in stage.stages],
    }


def sync_report_json(report: SyncReport) -> JsonObject:
    """What a sync did, as `sync --json` prints it."""
    return {
        "version": report.version,
        "added": list(report.added),
        "changed": list(report.changed),
        "removed": list(report.removed),
        "renamed": [{"from": old, "to": new} for old, new in report.renamed],
        "unchanged": report.unchanged,
        "skipped": [failure_json(failure) for failure in report.skipped],
        "failed": [failure_json(failure) for failure in report.failed],
        "passages": report.passages,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
    }


def estimate_json(estimate: Estimate) -> JsonObject:
    """What a sync would do, as `sync --dry-run --json` prints it."""
    return {
        "new": estimate.new,
        "changed": estimate.changed,
        "removed": estimate.removed,
        "renamed": estimate.renamed,
        "unchanged": estimate.unchanged,
        "size_bytes": estimate.size_bytes,
        "pages": estimate.pages,
        "passages": estimate.passages,
        "seconds": round(estimate.seconds, 1),
        "growth_bytes": estimate.growth_bytes,
        "failed": [failure_json(failure) for failure in estimate.failed],
    }
