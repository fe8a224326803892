"""An answer made of nothing but quotes: what is said when no model may or can say it.

Law: every statement of the draft is an evidence text, word for word, with its marker. Only the
marks of the document's format are left out; the citation keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ragstone.text.wording import worded
from ragstone.types import Evidence

MAX_QUOTES = 3
_WORTH = 0.35  # of the best score: a sentence below it adds words, not an answer


def compose(question: str, evidence: Sequence[Evidence], *, max_quotes: int = MAX_QUOTES) -> str:
    """The best one to three pieces of evidence as quotes with markers, "" for no evidence.

    The best comes first; others follow if they score within reach of it, those of the same
    document in the document's order. Markers are places in `evidence`, from 1.
    """
    if not evidence:
        return ""
    order = sorted(range(len(evidence)), key=lambda place: (-evidence[place].score, place))
    best = order[0]
    near = [p for p in order[1:] if evidence[p].score >= _WORTH * evidence[best].score]
    chosen = [best, *near[: max_quotes - 1]]
    return "\n".join(quote(evidence[place], place + 1) for place in chosen)


def quote(item: Evidence, number: int) -> str:
    """One piece of evidence on one line, in quotation marks, with its marker."""
    words = worded(item.text, item.document.format) or " ".join(item.text.split())
    return f"“{words}” [{number}]"
