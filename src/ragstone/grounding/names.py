"""Names in prose without a model: runs of capitalised words, acronyms, identifiers, quotations.

Law: `text[name.start:name.end] == name.text`. A word that opens a sentence counts as a name
only if it is no common word; scripts without capitals give no names but identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ragstone.grounding.lexicon import FUNCTION_WORDS, MONTHS, word_set
from ragstone.grounding.words import Word, words_of

_CONNECTORS = word_set("of de la le du der von van den di da el al bin the and for")
_LEAST_SQUASHED = 5  # letters below which a name may stand in a label by chance
_TITLES = word_set("mr mrs ms dr prof sir lord lady saint st")
_OPENING = re.compile(r"(?:^|[.!?:;\n•*]\s*|[\"“‘(\[]\s*)$")
_OPENERS = FUNCTION_WORDS | word_set(
    """however therefore thus hence moreover furthermore additionally overall finally first second
    third next later today yes once instead meanwhile similarly consequently nevertheless often
    sometimes usually generally typically recently currently according based given due following
    despite regarding including although new people several including many"""
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name: its writing, its place, and whether it only looks so for opening a sentence."""

    text: str
    start: int
    end: int
    terms: tuple[str, ...]
    weak: bool = False


@lru_cache(maxsize=8192)
def names_of(text: str) -> tuple[Name, ...]:
    """The names of `text` by place."""
    found: list[Name] = []
    run: list[Word] = []
    for word in (*words_of(text), None):
        if word is not None and run and _joins(text, run[-1], word):
            run.append(word)
            continue
        while run and run[-1].text.lower() in _CONNECTORS:
            run.pop()
        if run:
            found += _names(text, run)
        run = [word] if word is not None and _starts(word.text) else []
    return tuple(found)


def _starts(word: str) -> bool:
    return (word[0].isupper() or _is_identifier(word)) and word.lower() not in MONTHS


def _is_identifier(word: str) -> bool:
    """`H5N1`, `iPhone`, `max_tokens`, `COVID-19`: letters with digits or inner capitals."""
    letters = any(character.isalpha() for character in word)
    digits = any(character.isdigit() for character in word)
    if letters and digits:
        return not re.fullmatch(r"\d+(?:st|nd|rd|th|s|[a-zµ]{1,2}|-[a-z]+(?:-[a-z]+)*)", word)
    return letters and any(character.isupper() for character in word[1:])


def _joins(text: str, last: Word, word: Word) -> bool:
    between = text[last.end : word.start]
    if between not in {" ", "-", "\u00a0", ". ", " & "}:
        return False
    if between == ". " and (len(last.text) > 2 and last.text.lower() not in _TITLES):
        return False
    lower = word.text.lower()
    if lower in _CONNECTORS and word.text[0].islower():
        return last.text.lower() not in _CONNECTORS or lower == "the"
    return _starts(word.text) and (lower not in FUNCTION_WORDS or word.text.isupper())


def _names(text: str, run: list[Word]) -> list[Name]:
    opening = bool(_OPENING.search(text[: run[0].start]))
    if run[0].text.lower() in _OPENERS and (opening or len(run) == 1 or run[0].text == "The"):
        if run[0].text.isupper() and len(run[0].text) > 1 and not opening:
            return [_name(text, run, weak=False)]
        rest = run[1:]
        while rest and rest[0].text.lower() in _CONNECTORS:
            rest = rest[1:]
        return _split(text, rest) if rest and _starts(rest[0].text) else []
    weak = opening and len(run) == 1 and not _is_identifier(run[0].text)
    return [_name(text, run, weak=weak)] if weak else _split(text, run)


def _split(text: str, run: list[Word]) -> list[Name]:
    """One name, or two where a lower-case `and` joins them."""
    for place, word in enumerate(run):
        if word.text == "and" and 0 < place < len(run) - 1:
            return [_name(text, run[:place], weak=False), *_split(text, run[place + 1 :])]
    return [_name(text, run, weak=False)]


def _name(text: str, run: list[Word], *, weak: bool) -> Name:
    terms = tuple(dict.fromkeys(term for word in run for term in word.terms))
    start, end = run[0].start, run[-1].end
    return Name(text[start:end], start, end, terms, weak)


def acronym_of(name: str) -> str:
    """The initials of a name's capitalised words: `World Health Organization` -> `WHO`."""
    return "".join(word.text[0] for word in words_of(name) if word.text[0].isupper())


def within(names: Iterable[Name], label: str) -> frozenset[str]:
    """Terms of those of `names` that a title or file name writes without gaps:
    `American Express` in `AMERICANEXPRESS_2022_10K`."""
    flat = _squashed(label)
    return frozenset(
        term
        for name in names
        if len(squashed := _squashed(name.text)) >= _LEAST_SQUASHED and squashed in flat
        for term in name.terms
    )


@lru_cache(maxsize=8192)
def _squashed(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
