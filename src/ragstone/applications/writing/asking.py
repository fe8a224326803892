"""A heading as the question of a FAQ, in the words of the documents.

Pure. "Propagating Errors" becomes "How do you propagate errors?" only where the documents use the
verb in a form that shows it is one ("propagate the error"); "operating expenses" is a thing, and
what is asked of a thing is what it is or what there is to know about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ragstone.applications.writing.headings import is_generic
from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.grounding.names import names_of
from ragstone.grounding.words import terms_of

_GERUND = re.compile(r"^(?P<stem>[A-Za-z][a-z]{1,14})ing \S")
_HOW_TO = re.compile(r"^(?:how to|how do (?:i|you|we)) (?P<act>\S.*)$", re.IGNORECASE)
_CLAUSE = re.compile(r"^(?:why|when|where|how|what|which|who|whether)\b", re.IGNORECASE)
_SEVERAL = re.compile(r"^[A-Za-z-]+[^siu\W]s (?:for|of|to|on|in) \S", re.IGNORECASE)
_DOUBLED = re.compile(r"([b-df-hj-np-tv-z])\1$")
_AFTER_NOUN = "is|are|was|were|can|will|has|have|that|which|to|of|for|in|on|and|or|provides|gives"
_PLAIN = re.compile(r"^[A-Z][a-z’'-]*[,;]?$")
_BOUND = re.compile(
    r"^(?:a|an|the|your|its|our|their|from|with|to|into|for|in|on|by|of|why|when|where|how|what"
    r"|which|whether)$"
)


def question_of(
    heading: str, topic: str, texts: Sequence[str], *, around: Sequence[str] = ()
) -> str:
    """A heading as a question; `texts` are the passages under it, which with those `around` show
    how its words are used. One that names only a part of a text is asked for the `topic`."""
    if heading.endswith("?"):
        return heading
    before = heading.partition(": ")[0]  # "The corpus: what it promises, how ..."
    if terms_of(before) and not is_generic(before):
        heading = before
    how = _HOW_TO.match(heading)
    if how:
        return f"How do you {how['act']}?"
    act = _act(heading, (*texts, *around))
    if act:
        return f"How do you {act}?"
    if _CLAUSE.match(heading):
        return f"Do the documents say {lowered(heading, texts)}?"
    if is_generic(heading) or not _is_subject(heading, texts):
        return f"What does “{heading}” say about {lowered(topic.rstrip('?. '), texts)}?"
    thing = lowered(heading, texts)
    if _SEVERAL.match(heading):
        return f"What are the {thing}?"
    verb = _defined(heading, texts)
    if verb:
        return f"What {verb} {thing}?"
    return f"What is there to know about {_article(thing, texts)}{thing}?"


def _act(heading: str, texts: Sequence[str]) -> str:
    """ "propagate errors" for "Propagating Errors", where the documents say so; "" else."""
    match = _GERUND.match(heading)
    if match is None:
        return ""
    stem, rest = match["stem"].lower(), lowered(heading, texts).split(" ", 1)[1]
    words = [word.strip(".,;:`\"'“”") for word in rest.split()]
    bound = bool(_BOUND.match(words[0].lower()))
    object_ = _head(words)
    if not object_ or any(word.endswith("ing") for word in words[1:]):
        return ""
    flat = " ".join(" ".join(texts).split())
    root = re.escape(object_.rstrip("s")[:12])
    for verb in (stem, f"{stem}e", _DOUBLED.sub(r"\1", stem)):
        # "running the tests" shows a verb by itself; else it must be used as one with its object.
        shown = (
            rf"\b{verb}(?:s|es|d|ed)?\b"
            if bound
            else rf"\b{verb}(?:s|es)?\b(?:\W+\w+){{0,3}}\W+`?{root}"
            rf"|\b{stem}ing\W+(?:a|an|the|your|its|these|those)\W+(?:\w+\W+)?`?{root}"
        )
        if re.search(rf"\b{verb}(?:s|es)?\b", flat, re.IGNORECASE) and re.search(
            shown, flat, re.IGNORECASE
        ):
            return f"{verb} {rest}"
    return ""


def _head(words: Sequence[str]) -> str:
    """The noun that a verb is of: the last word before a preposition; "" for none."""
    head = ""
    for word in words:
        if _BOUND.match(word.lower()) or word.lower() in FUNCTION_WORDS:
            if head:
                break
            continue
        head = word
    return head


def _is_subject(heading: str, texts: Sequence[str]) -> bool:
    """Whether the passages under a heading speak of what it names: those under "Quickstart" do
    not say "quickstart"."""
    spoken = frozenset[str]().union(*map(terms_of, texts))
    named = terms_of(heading)
    return bool(named) and 2 * len(named & spoken) >= len(named)


def _article(thing: str, texts: Sequence[str]) -> str:
    """ "the " where the texts say "the session interface" of one thing; "" else."""
    said = rf"\b(?:the|an?) {re.escape(thing)}(?=[.,;:)?]|\s(?:{_AFTER_NOUN})\b|\s*$)"
    return "the " if any(re.search(said, text, re.IGNORECASE) for text in texts) else ""


def _defined(heading: str, texts: Sequence[str]) -> str:
    """ "is" or "are", where a sentence says what the thing of a heading is; "" else."""
    thing = re.escape(heading.rstrip(".")).replace(r"\ ", r"\s+")
    opened = rf"(?:^|[.!?:]\s+)(?:an?\s+|the\s+)?`?{thing}`?\s+(is|are)\s+(?:an?|the|one|sets?)\s"
    for text in texts:
        match = re.search(opened, text, re.IGNORECASE)
        if match:
            return match[1].lower()
    return ""


def lowered(heading: str, texts: Sequence[str] = ()) -> str:
    """A heading inside a sentence: small letters where only the form of a heading made them
    capital; names, what `texts` never write small, and words in capitals, as they are."""
    flat = " ".join(texts)
    words = heading.split(" ")
    capital = [word for word in words if word[:1].isupper()]
    titled = len(capital) > 1 and len(capital) >= 0.6 * len(words)
    if not titled:
        opening = any(name.start == 0 and not name.weak for name in names_of(heading))
        if opening and not words[0][1:].islower():
            return heading
        words[0] = _small(words[0], flat)
        return " ".join(words)
    return " ".join(_small(word, flat) for word in words)


def _small(word: str, flat: str) -> str:
    """A word with a small letter, unless it is a name in `flat` or no plain word."""
    if not _PLAIN.match(word):
        return word
    small = word.lower()
    bare = re.escape(small.strip(",;:"))
    written = re.escape(word.strip(",;"))
    is_code = re.search(rf"`{written}\b[^`]*`", flat)
    is_name = re.search(rf"[a-z,] {written}\b", flat) and not re.search(rf"\b{bare}\b", flat)
    return word if is_code or is_name else small
