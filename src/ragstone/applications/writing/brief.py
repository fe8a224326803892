"""A brief: what is to be written, for whom, and how much of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ragstone.applications.writing.manuscript import Kind
from ragstone.errors import UsageError

# Sections and words by kind where the call names none: what fits one to three pages.
SECTIONS: dict[Kind, int] = {"report": 5, "summary": 4, "briefing": 3, "faq": 6, "table": 4}
WORDS: dict[Kind, int] = {"report": 900, "summary": 400, "briefing": 350, "faq": 500, "table": 400}
_ASKS = re.compile(
    r"^(?:please\s+)?(?:(?:write|draft|give|make|prepare|create|compose|produce)\s+(?:me\s+|us\s+)?)?"
    r"(?:an?\s+|the\s+)?(?:short|brief|long|detailed|full|concise|one-page)?\s*"
    r"(?:report|summary|briefing|overview|faq|table|comparison|introduction|guide|digest|note|memo)"
    r"\s+(?:on|about|of|to|for|covering)\s+",
    re.IGNORECASE,
)
_VERBS = re.compile(
    r"^(?:please\s+)?(?:summari[sz]e|describe|explain|compare|report on|write about)\s+", re.I
)
_JOINTS = re.compile(r"\s*(?:[;:,]|\band\b|\bversus\b|\bvs\.?)\s*", re.IGNORECASE)
_COMMAS = re.compile(r"\s*[,;]\s*(?:and\s+)?", re.IGNORECASE)
_CLAUSE = re.compile(r"(?:how|why|when|where|who|what|which|whether)\b", re.IGNORECASE)
_COMPARED = re.compile(
    r"^(?:a\s+)?(?:comparison of\s+|comparing\s+|compare\s+)?(.+?)\s*"
    r"(?:\b(?:by|on|in terms of|regarding|with respect to)\b|:)\s*(.+)$",
    re.IGNORECASE,
)
_BY = re.compile(r"\s*(\s(?:by|on|in terms of|regarding|with respect to)\b|:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Brief:
    """`text` as given; `sections` and `words` are aims, not promises."""

    text: str
    kind: Kind = "report"
    sections: int = 5
    words: int = 900
    audience: str = ""
    style: str = ""
    failed_claims: Literal["drop", "mark"] = "drop"

    @property
    def topic(self) -> str:
        """The text without the words that ask for it ("Write a report about ...")."""
        topic = _ASKS.sub("", self.text.strip(), count=1)
        topic = _VERBS.sub("", topic, count=1) if topic == self.text.strip() else topic
        return topic.strip().rstrip(".?!") or self.text.strip()

    @property
    def title(self) -> str:
        """The topic, with a capital; that of a comparison says that it is one."""
        topic = " ".join(self.topic.split())
        if self.kind == "table" and self.compared[0] and topic != " ".join(self.text.split()):
            topic = _BY.sub(r" compared\1", topic, count=1)
        return capitalised(topic)

    @property
    def questions(self) -> tuple[str, ...]:
        """What to look for: the topic, and its parts where it names several."""
        parts = [part.strip() for part in _JOINTS.split(self.topic)]
        parts = [part for part in dict.fromkeys(parts) if len(part) > 3]
        if _CLAUSE.match(self.topic):  # "how it finds and ranks" names no two things
            return (self.topic,)
        return (self.topic, *parts) if len(parts) > 1 else (self.topic,)

    @property
    def compared(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The items and the aspects that a brief for a table names, where it does:
        `compare A and B by cost, size` -> (A, B), (cost, size)."""
        match = _COMPARED.match(self.topic)
        if match is None:
            return (), ()
        items, aspects = (_listed(part) for part in match.groups())
        return (items, aspects) if len(items) > 1 else ((), aspects if len(aspects) > 1 else ())


def capitalised(text: str) -> str:
    """Text with a capital, but for a word that has one inside: "nDCG@10" stays."""
    first = text.split(" ", 1)[0]
    return text if first != first.lower() else text[:1].upper() + text[1:]


def brief(
    text: str,
    *,
    kind: Kind = "report",
    sections: int | None = None,
    words: int | None = None,
    audience: str = "",
    style: str = "",
    failed_claims: Literal["drop", "mark"] = "drop",
) -> Brief:
    """A checked brief; raises UsageError for an empty text or sizes out of range."""
    if not text.strip():
        raise UsageError("The brief is empty.", remedy="Say what is to be written about.")
    sections = SECTIONS[kind] if sections is None else sections
    words = WORDS[kind] if words is None else words
    if not 1 <= sections <= 60:
        raise UsageError(f"{sections} sections were asked for.", remedy="Ask for 1 to 60.")
    if not 50 <= words <= 20_000:
        raise UsageError(f"{words} words were asked for.", remedy="Ask for 50 to 20,000.")
    return Brief(text.strip(), kind, sections, words, audience, style, failed_claims)


def _listed(text: str) -> tuple[str, ...]:
    """The members of a list; "a, b and c" has three, and in "staff, research and development,
    taxes" a pair stays whole, for it does not end the list."""
    *before, last = _COMMAS.split(text)
    members = [*before, *_JOINTS.split(last)]
    parts = [re.sub(r"^(?:the|their|its)\s+", "", part.strip()) for part in members]
    return tuple(part for part in dict.fromkeys(parts) if part)
