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
    "removed": [], "citations": [_CITATION], "nearest": [], "evidence": [], "hits": [_HIT],
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
    "caller": {"name": "local", "role": "admin", "may_write": True},
}
