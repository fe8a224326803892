"""How far a sentence leans on the one before: pronouns, connectives, words in common.

A passage that begins with "Its genome is ..." is hardly found by what it is about, since its
subject stands in the sentence before; a place where the words change is a better one to part at
(Hearst 1997, TextTiling, on two sentences instead of windows). Costs microseconds a sentence,
where comparing embeddings would cost as much as embedding the text once more.
"""

from __future__ import annotations

import re

_FIRST = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CONTENT = re.compile(r"[^\W_]{4,}")
_STEM = 6  # letters: enough to hold "infect-ion" and "infect-ed" together

# First words that point back, or join on to what was said; by language where they stand alone.
_POINTING = frozenset(
    (
        *("it", "its", "it's", "this", "these", "those", "that", "they", "their", "them", "he"),
        *(
            "she",
            "his",
            "her",
            "him",
            "such",
            "both",
            "here",
            "there",
            "neither",
            "each",
            "another",
        ),
        *("however", "thus", "therefore", "hence", "moreover", "furthermore", "additionally"),
        *("also", "similarly", "likewise", "consequently", "instead", "otherwise", "nevertheless"),
        *("nonetheless", "meanwhile", "then", "but", "and", "so", "yet", "or", "accordingly"),
        *("er", "dies", "diese", "dieser", "dieses", "sein", "seine", "ihre", "daher", "deshalb"),
        *("jedoch", "außerdem", "dabei", "damit", "dadurch", "il", "elle", "ils", "elles", "ce"),
        *("cette", "ces", "cela", "ainsi", "cependant", "donc", "este", "esta", "estos", "estas"),
        *("ello", "sin", "además", "isso", "esse", "essa", "questo", "questa", "inoltre", "quindi"),
        *("он", "она", "оно", "они", "это", "этот", "эта", "эти", "его", "поэтому", "однако"),
    )
)
_OF_POINTING = 0.4  # the rest of the scale is the share of common words


def content_words(text: str, start: int, end: int) -> frozenset[str]:
    """The first letters of the words of four and more in the range, in lower case."""
    return frozenset(
        word[:_STEM] for word in _CONTENT.findall(text[start : min(end, start + 600)].lower())
    )


def leaning(
    text: str, start: int, end: int, before: frozenset[str], words: frozenset[str]
) -> float:
    """How far the sentence at `[start, end)` leans on one with the words `before`, 0 to 1."""
    first = _FIRST.search(text, start, min(end, start + 40))
    pointing = first is not None and first[0].lower() in _POINTING
    smaller = min(len(words), len(before))
    common = len(words & before) / smaller if smaller else 0.0
    return _OF_POINTING * pointing + (1 - _OF_POINTING) * min(1.0, 2 * common)
