"""A draft taken apart into statements that can each be held against the documents.

Law: `draft[c.span] == c.text`, claims are ordered and disjoint, and what lies between them is
white space, list marks, headings, citation markers and remarks that state nothing. Markers
(`[1]`, `(2)`, `[1, 3]`, `【4】`, `[^5]`) are read as hints and never trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ragstone.grounding.words import words_of
from ragstone.text.sentences import sentence_spans
from ragstone.text.spaces import trimmed
from ragstone.types import Span

_NUMBERS = r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*"
MARKER = re.compile(
    rf"\[\^?(?:source|sources|evidence|doc|passage|ref)?\.?\s*#?({_NUMBERS})\]"
    rf"|【({_NUMBERS})(?:†[^】]*)?】|\((?:source|sources|evidence|passage)s?:?\s*({_NUMBERS})\)",
    re.IGNORECASE,
)
# A marker with the gap before it, where nothing or a closing mark follows ("... in 1931 [1].").
_MARKED = re.compile(
    rf"(?:\s*(?:{MARKER.pattern}))+(?=[.,;:!?]|\s|$)|{MARKER.pattern}", re.IGNORECASE
)
_LEADING = re.compile(r"(?:\s|[-*•◦·–—>]\s|#{1,6}\s|\d{1,3}[.)]\s|\([a-z0-9]{1,2}\)\s)*")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|\*\*[^*]+\*\*:?)\s*$")
# Sentences that frame an answer instead of stating something about the world.
_REMARK = re.compile(
    r"^(?:sure|certainly|of course|here (?:is|are)|i hope|let me know|please (?:let|note)|thank"
    r"|in summary:?$|answer:?$|based on the (?:evidence|documents?|text|passages?|sources?)[,:]?$"
    r"|(?:i am|i'm) (?:glad|happy|sorry)|hello|hi\b)",
    re.IGNORECASE,
)
_SUBJECT = (
    r"(?:I|we|(?:the|this|these|provided|given|available) (?:\w+ ){0,2}"
    r"(?:evidence|context|passages?|documents?|texts?|sources?|information|articles?|question))"
)
_REFUSAL = re.compile(
    rf"\b{_SUBJECT}\b[^.]{{0,60}}\b(?:not|cannot|can't|don't|doesn't|unable|no|insufficient)\b"
    r"|\b(?:is|are|was|were) not (?:\w+ )?(?:stated|mentioned|specified|given|provided|answered)\b"
    r"|\bno (?:\w+ )?(?:information|mention|answer|evidence)\b|\binsufficient information\b"
    r"|\bcannot be (?:answered|determined)\b"
    r"|^\W*i (?:do not|don't|cannot|can't) (?:know|answer|say|tell)\b",
    re.IGNORECASE,
)
NO_ANSWER = "NO ANSWER"  # what a model is told to say where the evidence holds no answer
_CLAUSE = re.compile(r";\s+(?=\S)")
_SHORT = 3  # words below which a part is not a claim of its own


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """One statement of a draft. `stated` is its text without markers; `markers` are the
    evidence numbers it names, from 1, as written."""

    text: str
    span: Span
    stated: str
    markers: tuple[int, ...] = ()


def split(draft: str) -> list[DraftClaim]:
    """The statements of `draft` in order; headings, greetings and framing are left out.

    A marker after the full stop belongs to the sentence before it. Sentences are cut at
    semicolons where both sides can stand alone.
    """
    claims: list[DraftClaim] = []
    for span in _statements(draft):
        text = span.of(draft)
        claims.append(DraftClaim(text, span, without_markers(text), markers_of(text)))
    return claims


def is_refusal(draft: str) -> bool:
    """Whether a draft says no more than that it cannot answer from what it was shown: in the
    agreed words (`NO_ANSWER`) or in a model's own."""
    if draft.strip().strip("*_\"'“”. \n").upper().startswith(NO_ANSWER):
        return True
    statements = split(draft)
    return bool(statements) and all(_REFUSAL.search(claim.stated) for claim in statements)


def markers_of(text: str) -> tuple[int, ...]:
    """The evidence numbers that `text` names, in order, ranges spelled out, each once."""
    numbers: dict[int, None] = {}
    for match in MARKER.finditer(text):
        group = next(part for part in match.groups() if part is not None)
        for part in re.split(r"\s*[,;]\s*", group):
            first, _, last = part.replace("–", "-").partition("-")
            low, high = int(first), int(last or first)
            numbers.update(
                dict.fromkeys(range(low, high + 1) if low <= high <= low + 20 else (low, high))
            )
    return tuple(numbers)


def without_markers(text: str) -> str:
    """`text` without citation markers, emphasis marks and the gaps that they leave."""
    bare = re.sub(r"\*\*|__|`", "", _MARKED.sub("", text))
    return re.sub(r"[^\S\n]+", " ", bare).strip()


def _statements(draft: str) -> Iterator[Span]:
    pending: Span | None = None
    for sentence in sentence_spans(draft, 0, len(draft)):
        for span in _parts(draft, sentence):
            text = span.of(draft)
            if not words_of(MARKER.sub("", text)):
                # Markers or marks alone: they belong to the statement before.
                if pending is not None and MARKER.search(text):
                    pending = Span(pending.start, span.end)
                continue
            leading = MARKER.match(text)
            if (
                leading is not None
                and pending is not None
                and "\n" not in draft[pending.end : span.start]
                and not MARKER.search(pending.of(draft))
            ):
                # "Fact one. [1] Fact two. [2]": a marker that opens is the one of before.
                pending = Span(pending.start, span.start + leading.end())
                span = Span(*trimmed(draft, span.start + leading.end(), span.end))
                text = span.of(draft)
            if pending is not None:
                yield pending
            pending = None if _states_nothing(text) else span
    if pending is not None:
        yield pending


def _parts(draft: str, sentence: Span) -> Iterator[Span]:
    """A sentence without its list mark, cut at semicolons between full statements."""
    text = sentence.of(draft)
    if _HEADING.match(text):
        return
    leading = _LEADING.match(text)
    start = sentence.start + (leading.end() if leading else 0)
    for match in _CLAUSE.finditer(draft, start, sentence.end):
        left, right = draft[start : match.start()], draft[match.end() : sentence.end]
        if min(_stated_words(left), _stated_words(right)) > _SHORT:
            yield Span(*trimmed(draft, start, match.start()))
            start = match.end()
    if start < sentence.end:
        yield Span(*trimmed(draft, start, sentence.end))


def _stated_words(text: str) -> int:
    return len(words_of(MARKER.sub("", text)))


def _states_nothing(text: str) -> bool:
    stated = without_markers(text)
    return (stated.endswith((":", "?", "：", "？")) and len(words_of(stated)) < 12) or bool(
        _REMARK.match(stated)
    )
