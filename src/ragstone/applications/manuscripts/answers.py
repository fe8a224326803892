"""Answers as HTML for a notebook: each claim with its numbers, each number with its quote."""

from __future__ import annotations

import html as markup

from ragstone.applications.manuscripts.notes import UNPROVED, link, place
from ragstone.types import Answer, Citation

_STYLE = (
    ".ragstone blockquote{border-left:3px solid #8888;margin:.2rem 0 .6rem;padding-left:.8rem;"
    "white-space:pre-line}.ragstone summary{cursor:pointer}.ragstone mark{background:#fd08;"
    "color:inherit}.ragstone small{opacity:.75}"
)


def answer_html(answer: Answer) -> str:
    """The answer, its claims and the quotes they stand on; no script, nothing asked elsewhere."""
    numbers = {_key(citation): n for n, citation in enumerate(answer.citations, start=1)}
    parts = [f'<div class="ragstone"><style>{_STYLE}</style>']
    parts.append(f"<p><b>{markup.escape(answer.question)}</b></p>")
    if answer.abstention is not None:
        parts.append(
            "<p><b>The documents do not answer this.</b> "
            f"{markup.escape(answer.abstention.reason)}</p>"
        )
        shown = list(enumerate(answer.abstention.nearest, start=1))
    else:
        for claim in answer.claims:
            marks = "".join(
                f"<sup>[{numbers[_key(citation)]}]</sup>"
                for citation in claim.citations
                if _key(citation) in numbers
            )
            parts.append(f"<p>{markup.escape(claim.text)}{marks or f' <b>{UNPROVED}</b>'}</p>")
        shown = list(enumerate(answer.citations, start=1))
    for number, citation in shown:
        url = link(citation.source, citation.page)
        where = markup.escape(place(citation))
        head = f'<a href="{markup.escape(url, quote=True)}">{where}</a>' if url else where
        parts.append(
            f"<details><summary>[{number}] {head}</summary><blockquote><mark>"
            f"{markup.escape(citation.quote)}</mark></blockquote></details>"
        )
    parts.append(
        f"<small>confidence {answer.confidence:.2f} · {markup.escape(answer.model)} · "
        f"version {answer.version}</small></div>"
    )
    return "".join(parts)


def _key(citation: Citation) -> tuple[str, int, int]:
    return (citation.document_id, citation.span.start, citation.span.end)
