"""What a question asks for: the kind of its answer, its terms, names and numbers.

English question words are read; a question in another language has the kind "thing" and is
served by its names and its terms without the function words of its language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from ragstone.grounding.lexicon import ASKING_WORDS, FUNCTION_WORDS, word_set
from ragstone.grounding.names import Name, names_of
from ragstone.grounding.quantities import Quantity, quantities_of
from ragstone.grounding.words import words_of
from ragstone.text.language import detect_language
from ragstone.text.stopwords import STOP_WORDS

AnswerKind = Literal[
    "person", "place", "time", "number", "reason", "manner", "choice", "definition", "thing"
]

_PERSON = word_set(
    """person man woman king queen president leader author writer actor actress singer director
    scientist inventor founder ruler emperor pope bishop general player artist musician composer
    philosopher mathematician architect engineer physicist chemist governor minister chancellor
    character individual ceo wife husband father mother son daughter brother sister duke"""
)
_PLACE = word_set(
    """country city state town region place continent river area location province county village
    island nation district street mountain ocean sea lake park building capital where"""
)
_TIME = word_set("year date day month century decade time era period season")
_NUMBER = word_set(
    """number percentage percent amount rate population price cost value size length height
    distance age temperature weight ratio proportion total sum speed score margin share quantity
    revenue income dose fee fare charge rent salary wage tax budget deposit fine profit turnover
    capacity limit"""
)
_HOW_NUMBER = re.compile(
    r"\bhow (many|much|old|tall|far|long|big|large|high|deep|wide|fast|heavy|often|few)\b", re.I
)
_CHOICE = re.compile(
    r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)\b", re.I
)
_ASKS = re.compile(r"\b(who|whom|whose|when|where|why|how|what|which)\b", re.I)
_AFTER = re.compile(r"\b(?:what|which|whose)\s+((?:[\w'’-]+\s*){1,4})", re.I)
_DEFINES = re.compile(
    r"^(?:what|who)(?:\s+(?:is|are|was|were)|['’]s)\s+(?:an?\s+|the\s+)?[\w' -]+\??$", re.I
)
_PERIOD = re.compile(r"FY((?:19|20)\d\d)")  # a fiscal year: tables write it as a year
_QUOTED = re.compile(r"[\"“]([^\"”]{2,80})[\"”]")
_VERBS = word_set("is are was were did does do has have had can could will would should")


# Content terms from which a question is taken for one of several steps: so are 80% of HotpotQA's,
# every one of MultiHop-RAG's, 20% of SQuAD's.
STEPS_FROM = 7
_IN_SENTENCES = frozenset({"reason", "manner", "choice"})
_OF_SOMETHING = re.compile(r"\b(?:of|for|in|at|on|by|to|from|with|between)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart. `terms` are its content terms without the asking words;
    `focus` the terms of the noun after `what` or `which` ("what *country*")."""

    text: str
    kind: AnswerKind
    terms: tuple[str, ...]
    names: tuple[Name, ...]
    quantities: tuple[Quantity, ...]
    quoted: tuple[str, ...]
    focus: tuple[str, ...]

    @property
    def in_steps(self) -> bool:
        """Whether it asks so much that one sentence seldom answers all of it."""
        return len(self.terms) >= STEPS_FROM

    @property
    def explained(self) -> bool:
        """Whether sentences answer it, not a few words: a reason, a manner, a choice, or what
        something is ("What is a narthex?", not "What is the height of the tower?")."""
        defines = self.kind == "definition" and not _OF_SOMETHING.search(self.text)
        return defines or self.kind in _IN_SENTENCES


@lru_cache(maxsize=1024)
def understand(question: str) -> Question:
    """Take a question apart. Any text is accepted; a text without words has no terms."""
    every: dict[str, None] = {}
    telling: dict[str, None] = {}
    small = ASKING_WORDS | _small_words(detect_language(question))
    for word in words_of(question):
        period = _PERIOD.fullmatch(word.text)
        terms = (period[1],) if period else word.terms
        every.update(dict.fromkeys(terms))
        if word.text.lower() not in small:
            telling.update(dict.fromkeys(terms))
    kind, focus = _kind(question)
    return Question(
        text=question,
        kind=kind,
        terms=tuple(telling or every),
        names=tuple(
            name
            for name in names_of(question)
            if name.terms and not name.weak and not _PERIOD.fullmatch(name.text)
        ),
        quantities=quantities_of(question),
        quoted=tuple(_QUOTED.findall(question)),
        focus=focus,
    )


@cache
def _small_words(language: str) -> frozenset[str]:
    """The function words of another language than English, its question words among them."""
    return frozenset() if language == "en" else frozenset(STOP_WORDS.get(language, "").split())


def _kind(question: str) -> tuple[AnswerKind, tuple[str, ...]]:
    text = question.strip()
    nouns = _asked_nouns(text)
    focus = tuple(term for noun in nouns for word in words_of(noun) for term in word.terms)
    lowered = {noun.lower().rstrip("s") for noun in nouns} | {noun.lower() for noun in nouns}
    how = _HOW_NUMBER.search(text)
    if how:
        return "number", focus
    asks = _ASKS.search(text)
    if asks is None:
        return ("choice" if _CHOICE.match(text) else "thing"), focus
    word = asks.group().lower()
    if word == "when":
        return "time", focus
    if word in {"who", "whom", "whose"}:
        return "person", focus
    if word == "where":
        return "place", focus
    if word == "why":
        return "reason", focus
    if word == "how":
        return "manner", focus
    if _CHOICE.match(text) and asks.start() > 0:
        return "choice", focus
    if nouns and "capital" in lowered and nouns[-1].lower() != "capital":
        lowered.discard("capital")  # expenditure, gain, ratio: not a city
    for words, kind in (
        (_PERSON, "person"),
        (_PLACE, "place"),
        (_TIME, "time"),
        (_NUMBER, "number"),
    ):
        if lowered & words:
            return kind, focus  # type: ignore[return-value]
    return ("definition" if _DEFINES.match(text) else "thing"), focus


def _asked_nouns(text: str) -> list[str]:
    """The words after `what` or `which` up to the verb; after `what is the`, the next two."""
    match = _AFTER.search(text)
    if match is None:
        return []
    words = match.group(1).split()
    if words and words[0].lower() in _VERBS:
        rest = re.search(
            r"\b(?:what|which)\s+(?:is|are|was|were)\s+(?:the|a|an)\s+((?:[\w'’-]+\s*){1,3})",
            text,
            re.I,
        )
        words = rest.group(1).split() if rest else []
        for place, word in enumerate(words):
            if word.lower() in {"of", "for", "in", "on", "to", "that"}:
                words = words[:place]
                break
    nouns: list[str] = []
    for word in words:
        if word.lower() in FUNCTION_WORDS:
            break
        nouns.append(word.strip("'’-"))
    return nouns
