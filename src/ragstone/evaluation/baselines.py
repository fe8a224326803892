"""What people do today, to compare with: the best passages in a prompt, the reply as it comes.

Same passages, same language model; no evidence selection, no checks, no abstention. Citations
are what the reply's own markers say, each a whole passage.
"""

from __future__ import annotations

import re
import time

from ragstone.protocols import Finish, LanguageModel, Retriever
from ragstone.types import Answer, Citation, Claim, Message, Span

PASSAGES = 5
_PROMPT = (
    "Answer the question from the passages. Cite them as [1], [2]. "
    "If they do not hold the answer, say that you do not know."
)
_MARKER = re.compile(r"\[(\d+)\]")
_UNKNOWN = re.compile(r"\b(?:do(?:es)? not|don't|cannot) (?:know|contain|mention|say)\b", re.I)


def plain_rag(
    question: str, *, retriever: Retriever, model: LanguageModel, max_tokens: int = 160
) -> tuple[Answer, float]:
    """The reply as an Answer, and seconds to its first word."""
    started = time.perf_counter()
    hits = retriever.retrieve(question, k=PASSAGES)
    passages = "\n\n".join(
        f"[{number}] {hit.passage.text}" for number, hit in enumerate(hits, start=1)
    )
    messages = [
        Message("system", _PROMPT),
        Message("user", f"{passages}\n\nQuestion: {question}"),
    ]
    text, first_s = "", 0.0
    for item in model.generate(messages, max_tokens=max_tokens):
        if isinstance(item, Finish):
            break
        if not text:
            first_s = time.perf_counter() - started
        text += item.text
    numbers = dict.fromkeys(int(number) - 1 for number in _MARKER.findall(text))
    cited = tuple(
        Citation(
            hits[number].document.id,
            hits[number].document.source,
            hits[number].document.title,
            hits[number].passage.span,
            hits[number].passage.text,
            hits[number].document.version,
        )
        for number in numbers
        if 0 <= number < len(hits)
    )
    claim = Claim(text, Span(0, len(text)), "unsupported", "unchecked", 0.0, cited)
    answer = Answer(
        question=question,
        text=text,
        claims=(claim,),
        citations=cited,
        hits=tuple(hits),
        confidence=0.0 if _UNKNOWN.search(text) else 1.0,
        model=f"{model.name} (plain)",
    )
    return answer, first_s
