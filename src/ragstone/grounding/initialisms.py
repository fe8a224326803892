"""Initialisms and what they stand for: `CEO` is "chief executive officer" to a reader.

Law: no list of them. An initialism is the first letters of adjacent words, where small words (of,
and, for) may be passed over; one that is spelled out in small letters has three letters or more
and begins or ends where a phrase does, since such letters stand side by side anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragstone.grounding.lexicon import FUNCTION_WORDS, word_set

_LEAST, _MOST = 2, 6  # letters
_LEAST_SMALL = 3
_PASSED = word_set("of the and for in on to a an at de la")
_WORD = re.compile(r"[^\W\d_]+")
_INITIALISM = re.compile(rf"[^\W\d_]{{{_LEAST},{_MOST}}}?(?=s?$)")
_CAPITALS = re.compile(rf"\b[A-Z]{{{_LEAST},{_MOST}}}(?=s?\b)|\b(?:[A-Z]\.){{{_LEAST},{_MOST}}}")


@dataclass(frozen=True, slots=True)
class _Step:
    """A word of a text, and how it hangs together with the one before."""

    word: str
    joined: bool  # to it: nothing but a space or a hyphen between
    bounded: bool  # from it by a mark, a small word on either side, or a change of case


def spelled_out(initialism: str, text: str) -> bool:
    """Whether `text` holds adjacent words that `initialism` is the first letters of.

    One that is not in capitals itself (somebody typed "ceo") is found in capitalised words alone.
    """
    letters = _letters(initialism)
    if not letters:
        return False
    steps = list(_steps(text))
    least = _LEAST_SMALL if initialism.replace(".", "")[: len(letters)].isupper() else _MOST + 1
    return any(
        _matches(letters, steps, at, least=least)
        for at, step in enumerate(steps)
        if step.word[0].upper() == letters[0] and step.word.lower() not in _PASSED
    )


def shortened(text: str, other: str) -> frozenset[int]:
    """Where words of `text` begin for whose initials `other` writes an initialism in capitals."""
    known = {match.group().replace(".", "") for match in _CAPITALS.finditer(other)}
    words = [m for m in _WORD.finditer(text) if m.group().lower() not in _PASSED]
    found: set[int] = set()
    for first in range(len(words)):
        for count in range(_LEAST, min(_MOST, len(words) - first) + 1):
            run = words[first : first + count]
            if not _adjacent(text, run):
                break
            initials = "".join(m.group()[0] for m in run)
            plain = not any(m.group().lower() in FUNCTION_WORDS for m in run)
            if initials.upper() in known and plain and (count > 2 or initials.isupper()):
                found.update(m.start() for m in run)
    return frozenset(found)


def _letters(initialism: str) -> str:
    """`CEO` of `CEO`, `CEOs`, `C.E.O.`; "" for what is none."""
    match = _INITIALISM.match(initialism.replace(".", ""))
    return match.group().upper() if match else ""


def _steps(text: str) -> Iterator[_Step]:
    before: re.Match[str] | None = None
    for match in _WORD.finditer(text):
        between = text[before.end() : match.start()] if before else ""
        joined = before is not None and between in {" ", "-", "\n", "\u00a0"}
        bounded = (
            before is None
            or not joined
            or not FUNCTION_WORDS.isdisjoint((before.group().lower(), match.group().lower()))
            or before.group()[0].isupper() != match.group()[0].isupper()
        )
        yield _Step(match.group(), joined, bounded)
        before = match


def _matches(letters: str, steps: Sequence[_Step], at: int, *, least: int) -> bool:
    """Whether the words from `at` on have the letters; in small letters only from `least` on."""
    taken: list[str] = []
    for place in range(at, len(steps)):
        step = steps[place]
        if place > at and not step.joined:
            break
        if step.word[0].upper() == letters[len(taken)]:
            taken.append(step.word)
            if len(taken) == len(letters):
                capital = all(w[0].isupper() for w in taken if w.lower() not in _PASSED)
                ends = place + 1 == len(steps) or steps[place + 1].bounded
                return capital or (len(letters) >= least and (steps[at].bounded or ends))
        elif step.word.lower() not in _PASSED:
            break
    return False


def _adjacent(text: str, run: Sequence[re.Match[str]]) -> bool:
    """Whether nothing but spaces, hyphens and passed words stands between the words."""
    between = text[run[-2].end() : run[-1].start()]
    return not between.strip(" -\n\u00a0") or between.strip().lower() in _PASSED
