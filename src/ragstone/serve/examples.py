"""Examples of replies, for the OpenAPI document. A test holds their keys to real replies."""

from __future__ import annotations

from ragstone.applications.wire import JsonObject

_HIT: JsonObject = {
    "rank": 1, "score": 0.93, "document_id": "9f2c61d0", "source": "/docs/versions.md",
    "title": "Versions", "page": None, "heading_path": ["Versions", "Rollback"],
    "start": 120, "end": 410, "text": "Rollback makes an earlier version the current one.",
    "scores": {"dense": 0.71, "lexical": 8.2},
}  # fmt: skip
_CITATION: JsonObject = {
    "document_id": "9f2c61d0", "source": "/docs/versions.md", "title": "Versions", "page": None,
    "heading_path": ["Versions", "Rollback"], "start": 120, "end": 169,
    "quote": "Rollback makes an earlier version the current one.", "version": 3,
}  # fmt: skip
SEARCH: JsonObject = {"hits": [_HIT], "timings_ms": {"retrieve": 5.1, "total": 5.1}}
ANSWER: JsonObject = {
    "question": "How is a version rolled back?",
    "answer": "Rollback makes an earlier version the current one.",
    "abstained": False, "reason": "", "confidence": 0.94, "missing": "", "conflicts": [],
    "highlights": [[0, 8]],
    "claims": [
        {"text": "Rollback makes an earlier version the current one.", "start": 0, "end": 49,
         "verdict": "supported", "reason": "", "confidence": 0.97, "citations": [_CITATION]}
    ],
    "removed": [], "citations": [_CITATION], "nearest": [], "could_answer": "",
    "evidence": [], "hits": [_HIT],
    "version": 3, "timings_ms": {"retrieve": 5.1, "total": 90.4}, "model": "none",
}  # fmt: skip
_INFO: JsonObject = {
    "document_id": "9f2c61d0", "source": "/docs/versions.md", "title": "Versions",
    "format": "markdown", "language": "en", "metadata": {}, "content_hash": "5e8848…",
    "characters": 2048, "passages": 3, "version": 3,
}  # fmt: skip
DOCUMENTS: JsonObject = {
    "total": 1,
    "all": 12,
    "offset": 0,
    "formats": {"markdown": 9, "pdf": 3},
    "documents": [_INFO],
}
DOCUMENT: JsonObject = {
    **_INFO, "start": 0, "end": 20, "text": "# Versions\n\nRollback", "pages": 0,
    "has_images": False,
    "elements": [{"kind": "heading", "start": 2, "end": 10, "level": 1, "label": ""}],
}  # fmt: skip
MARKS: JsonObject = {
    "page": 1,
    "width": 612.0,
    "height": 792.0,
    "pages": 4,
    "boxes": [[0.12, 0.31, 0.88, 0.33]],
}
UPLOADED: JsonObject = {"documents": [_INFO], "replaced": False, "version": 4}
VERSIONS: JsonObject = {
    "current": 3,
    "versions": [
        {
            "version": 3,
            "time": "2026-01-05T10:00:00+00:00",
            "note": "sync",
            "documents": 12,
            "passages": 80,
            "tags": [],
        }
    ],
}
DIFF: JsonObject = {
    "from": 2, "to": 3, "counts": {"added": 1, "changed": 0, "removed": 0},
    "added": [{"document_id": "9f2c61d0", "source": "/docs/versions.md"}],
    "changed": [], "removed": [],
}  # fmt: skip
CORPORA: JsonObject = {
    "corpora": [{"name": "main", "documents": 12, "version": 3, "encoder": "all-MiniLM-L6-v2"}],
    "caller": {
        "name": "local",
        "role": "admin",
        "may_write": True,
        "may_roll_back": True,
        "filtered": False,
        "may_keep": True,
    },
}
SESSION_NEW: JsonObject = {"name": "harbour-dues", "turns": []}
SESSIONS: JsonObject = {
    "sessions": [
        {"name": "harbour-dues", "changed": "2026-01-05T10:00:00+00:00", "turns": 2,
         "title": "What are the dues for a yacht?"}
    ]
}  # fmt: skip
TURN: JsonObject = {
    **ANSWER, "standalone": "How is a version rolled back?", "kind": "answer", "new_topic": False,
    "withheld": False,
}  # fmt: skip
SESSION: JsonObject = {"name": "harbour-dues", "turns": [TURN]}
MANUSCRIPT: JsonObject = {
    "id": "20260105-101500-9f2c61", "brief": "The restoration of the lantern gallery",
    "kind": "report", "sections": 5, "words": 900, "audience": "", "style": "", "failed": "drop",
    "where": "", "outline": "", "version": 3, "model": "none",
    "created": "2026-01-05T10:15:00+00:00", "changed": "2026-01-05T10:15:20+00:00",
    "state": "done", "title": "The restoration of the lantern gallery", "done": 4, "total": 4,
    "statements": 17, "notes": 15, "problem": "", "stopping": False,
}  # fmt: skip
MANUSCRIPTS: JsonObject = {"manuscripts": [MANUSCRIPT]}
JOB: JsonObject = {**MANUSCRIPT, "state": "running", "done": 1}
LEDGER: JsonObject = {
    "schema": 1, "brief": "The restoration of the lantern gallery", "kind": "report",
    "asked": "9f2c61d09f2c61d0", "complete": True, "model": "none", "judge": "features",
    "version": 3, "title": "The restoration of the lantern gallery",
    "outline": [{"heading": "Cost", "questions": [], "keys": [7], "document_id": ""}], "items": [],
    "counts": {"statements": 1, "supported": 1, "quoted": 1, "removed": 0, "notes": 1},
    "sections": [
        {"heading": "Cost", "removed": [],
         "blocks": [{"label": "Versions", "statements": [
             {"text": "Rollback makes an earlier version the current one.",
              "hash": "9f2c61d09f2c61d0", "verdict": "supported", "reason": "",
              "confidence": 1.0, "quoted": True, "form": "sentence", "notes": [1],
              "citations": [_CITATION]}]}]}
    ],
    "sources": [
        {"document_id": "9f2c61d0", "source": "/docs/versions.md", "title": "Versions",
         "format": "markdown", "version": 3, "content_hash": "5e8848…", "metadata": {}}
    ],
}  # fmt: skip
EVALUATING: JsonObject = {
    "id": "dues-retrieval-20260105-101500", "state": "running", "stopping": False, "done": 12,
    "total": 50, "problem": "",
}  # fmt: skip
_MEASURED: JsonObject = {
    "dataset": "dues", "measures": {"nDCG@10": 0.81}, "confidence": {"nDCG@10": [0.74, 0.88]},
    "n": 50, "settings": {"mode": "hybrid", "version": 3},
    "timings_ms": {"p50": 8.1, "p95": 12.4},
}  # fmt: skip
EVALUATION: JsonObject = {
    "name": "dues-retrieval-20260105-101500", **_MEASURED, "versions": {"ragstone": "1.0"},
    "checksums": {"qrels.tsv": "5e8848…"},
    "queries": [
        {"id": "q1", "question": "What are the dues for a yacht?", "values": {"nDCG@10": 1.0},
         "ms": 8.0, "ranking": ["9f2c61d0"]}
    ],
}  # fmt: skip
EVALUATIONS: JsonObject = {
    "runs": [
        {"name": "dues-retrieval-20260105-101500", "changed": "2026-01-05T10:15:20+00:00",
         **_MEASURED}
    ],
    "sets": [{"name": "dues", "questions": 2, "judged": 1}],
    "jobs": [],
}  # fmt: skip
COMPARED: JsonObject = {
    "dataset": "dues", "n": 50, "only_a": 0, "only_b": 0, "main": "nDCG@10",
    "measures": {
        "nDCG@10": {"a": 0.78, "b": 0.81, "difference": 0.03, "interval": [0.01, 0.05],
                    "p": 0.012, "wins": 9, "losses": 3, "ties": 38}
    },
    "changes": [], "settings": {"mode": ["lexical", "hybrid"]},
    "timings_ms": {"p50": [5.0, 8.1]}, "a": "dues-lexical", "b": "dues-hybrid",
    "deltas": [0.0, 0.37],
}  # fmt: skip
