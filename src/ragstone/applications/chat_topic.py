"""What a conversation is about: the words that its turns carry over to the next question.

Measured on dialogues with human rewrites (`eval chat`): few words, chosen by how often and how
lately they were said, serve better than many; rarity in the corpus and a bonus for names added
nothing. Words are compared by their terms (`text.analysis`) and carried as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ragstone.applications.chat_turns import Turn
from ragstone.grounding.lexicon import word_set
from ragstone.grounding.names import names_of
from ragstone.grounding.words import words_of
from ragstone.text.analysis import analyse

CARRIED = 2  # words; 1 and 3 gain less, 6 lose
DECAY = 0.8  # of a turn's weight with each turn after it
FIRST = 0.5  # the least weight of the first question: it usually names the topic
ANSWERED = 0.3  # weight of an answer's words against those of a question
UNANSWERED = 0.5  # of a question's weight, where the documents had no answer to it

_OF_SOMEBODY = re.compile(
    r"\b(?:its|his|her|their)\b|\bcompare (?:it|him|her|them)\b"
    r"|\b(?:do|does|did|is|are|was|were|has|have|had|can|will)\s+(?:it|he|she|they)\b",
    re.IGNORECASE,
)
_OWNED = re.compile(r"['’]s$")
# Words of conversation, not of any topic, beyond the function words.
_TALK = frozenset(
    term
    for word in word_set(
        """like many much know tell want need use please good get make go also speak speaking ok
        okay thank thanks just give explain mean question talk talking thing things way lot let
        see think sure yes really help find say said ask asked wonder wondering curious
        interested well compare compared difference differ back return returning"""
    )
    for term in analyse(word, "en")
)


def content_terms(text: str) -> dict[str, str]:
    """Terms that a text says something with -> the word as written first, in order."""
    found: dict[str, str] = {}
    for word in words_of(text):
        for term in word.terms:
            if len(term) > 1 and term not in _TALK:
                found.setdefault(term, word.text)
    return found


def salience(turns: Sequence[Turn]) -> dict[str, tuple[float, str]]:
    """Term -> (weight, the word as last written) over the turns, oldest first."""
    weights: dict[str, float] = {}
    words: dict[str, str] = {}
    for place, turn in enumerate(turns):
        age = len(turns) - 1 - place
        weight = DECAY**age
        asked = max(weight, FIRST) if place == 0 else weight
        asked *= UNANSWERED if turn.answer.abstained else 1.0
        for term, word in content_terms(turn.question).items():
            weights[term] = weights.get(term, 0.0) + asked
            words[term] = word
        if turn.answer.abstained:  # a refusal speaks of passages and documents, not of the topic
            continue
        for term, (count, word) in _counted(turn.answer.text).items():
            weights[term] = weights.get(term, 0.0) + weight * ANSWERED * count / (count + 1)
            words.setdefault(term, word)
    return {term: (weight, words[term]) for term, weight in weights.items()}


def carried(
    question: str, weights: Mapping[str, tuple[float, str]], *, count: int = CARRIED
) -> list[str]:
    """The `count` weightiest words of the conversation that the question does not say
    itself, in the order in which they were first said."""
    own = content_terms(question)
    others = [term for term in weights if term not in own]
    chosen = set(sorted(others, key=lambda term: (-weights[term][0], term))[:count])
    return list(dict.fromkeys(weights[term][1] for term in others if term in chosen))


def named(said: str, turns: Sequence[Turn]) -> list[str]:
    """The one name of the latest question with names, where "it" or "its" must be whoever that is:
    "how many employees does it have?" after "What did Astra spend?"."""
    if not _OF_SOMEBODY.search(said) or _names(said):
        return []
    for turn in reversed(turns):
        found = _names(turn.standalone or turn.question)
        if found:
            return found if len(found) == 1 else []
    return []


def spoken_of(turns: Sequence[Turn]) -> list[str]:
    """The names in the questions, each once, in the order in which they were first said."""
    return list(dict.fromkeys(name for turn in turns for name in _names(turn.question)))


def _names(text: str) -> list[str]:
    # What was carried over stands in brackets, where a capital would count as an opening's.
    flat = text.replace("(", ", ").replace(")", " ")
    return list(dict.fromkeys(_OWNED.sub("", n.text) for n in names_of(flat) if not n.weak))


def about(what: str, turns: Sequence[Turn]) -> list[Turn]:
    """The turns whose questions speak of `what`, oldest first."""
    wanted = content_terms(what)
    return [
        turn
        for turn in turns
        if any(term in wanted for term in content_terms(turn.standalone or turn.question))
    ]


def _counted(text: str) -> dict[str, tuple[int, str]]:
    counts: dict[str, tuple[int, str]] = {}
    for word in words_of(text):
        for term in word.terms:
            if len(term) > 1 and term not in _TALK and not term.isdigit():
                count, first = counts.get(term, (0, word.text))
                counts[term] = (count + 1, first)
    return counts
