"""What an answer is made of as it arrives. Nothing that was shown is ever taken back."""

from __future__ import annotations

from dataclasses import dataclass

from ragstone.types import Abstention, Answer, Claim, Evidence, Hit


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages found and the evidence chosen from them, before anything is written.

    `question` is what was searched for: in a dialogue, the turn as it was understood.
    """

    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    question: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """One checked claim, ready to be shown; `text` is what to append to what stands already."""

    text: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Removed:
    """A claim of the draft that failed its check and is not shown as fact."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Abstained:
    """No answer: the documents do not hold it."""

    abstention: Abstention


@dataclass(frozen=True, slots=True)
class Done:
    """The end, with the whole answer. Always the last event."""

    answer: Answer


Event = Retrieved | Stated | Removed | Abstained | Done
