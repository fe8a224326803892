"""One turn of a conversation, and what of earlier turns is remembered.

Law: remembering never invents: every claim of a remembered turn is a claim of the turn itself,
with its citations unchanged and its span in the remembered text. What is forgotten here is
forgotten for understanding alone; the transcript keeps every turn whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ragstone.types import Answer, Citation, Claim, Span

TurnKind = Literal["answer", "courtesy", "clarification"]
HISTORY_TOKENS = 1500  # about ten turns whole; beyond, older turns shrink to their best claim
_COMPACT_CLAIMS = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said, how it was understood, and what was answered.

    `standalone` is the question that was searched for, "" where nothing was. A `courtesy` is a
    reply to a greeting or thanks, a `clarification` asks back; both are made without documents.
    """

    question: str
    answer: Answer
    standalone: str = ""
    kind: TurnKind = "answer"
    new_topic: bool = False


def said(question: str, reply: str) -> Turn:
    """A turn of which only the words are known: one that a client or a data set tells of."""
    return Turn(question, Answer(question, reply, (), (), ()), standalone=question)


def approximate_tokens(text: str) -> int:
    """About four characters a token, as the budgets of evidence count."""
    return (len(text) + 3) // 4


def remember(
    turns: Sequence[Turn],
    *,
    max_tokens: int = HISTORY_TOKENS,
    count: Callable[[str], int] = approximate_tokens,
) -> tuple[Turn, ...]:
    """The turns that fit `max_tokens`, oldest first: the newest whole, older ones compacted to
    their surest claim, then to their question; what does not fit even so is left out.
    """
    left = max_tokens
    kept: list[Turn] = []
    level = 0
    for turn in reversed(turns):
        while level < len(_FORMS):
            form = _FORMS[level](turn)
            cost = count(form.question) + count(form.answer.text)
            if cost <= left:
                kept.append(form)
                left -= cost
                break
            level += 1
        else:
            break
    return tuple(reversed(kept))


def compacted(answer: Answer, *, claims: int = _COMPACT_CLAIMS) -> Answer:
    """The answer shrunk to its `claims` surest claims, their citations numbered anew.

    An answer without claims keeps its first sentence or line, at most 200 characters.
    """
    if not answer.claims:
        line = answer.text.strip().split("\n", 1)[0].split(". ", 1)[0]
        return replace(answer, text=line[:200], hits=(), evidence=(), removed=(), highlights=())
    best = sorted(range(len(answer.claims)), key=lambda i: (-answer.claims[i].confidence, i))
    chosen = [answer.claims[place] for place in sorted(best[:claims])]
    text = ""
    placed: list[Claim] = []
    numbers: dict[Citation, int] = {}
    for claim in chosen:
        start = len(text) + (1 if text else 0)
        marks = ""
        for citation in claim.citations:
            marks += f"[{numbers.setdefault(citation, len(numbers) + 1)}]"
        text += f"{' ' if text else ''}{claim.text}{' ' if marks else ''}{marks}"
        placed.append(replace(claim, span=Span(start, start + len(claim.text))))
    return replace(
        answer,
        text=text,
        claims=tuple(placed),
        citations=tuple(numbers),
        hits=(),
        evidence=(),
        removed=(),
        highlights=(),  # they lie in the text as it was
    )


def _whole(turn: Turn) -> Turn:
    return turn


def _compact(turn: Turn) -> Turn:
    return replace(turn, answer=compacted(turn.answer))


def _question_only(turn: Turn) -> Turn:
    return replace(
        turn,
        answer=replace(
            turn.answer,
            text="",
            claims=(),
            citations=(),
            hits=(),
            evidence=(),
            removed=(),
            highlights=(),
        ),
    )


_FORMS = (_whole, _compact, _question_only)
