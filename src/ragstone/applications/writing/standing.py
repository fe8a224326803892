"""Whether a unit of a document can stand in a text by itself, and how well.

Pure: a candidate in, a judgement out. What leans on the sentence before, only points elsewhere,
or is a piece of a form says nothing to somebody who reads it alone.
"""

from __future__ import annotations

import re

from ragstone.grounding.candidates import Candidate, points_back
from ragstone.grounding.lexicon import FUNCTION_WORDS
from ragstone.grounding.quantities import quantities_of
from ragstone.grounding.words import words_of
from ragstone.text.wording import worded

_SHORTEST, _LONGEST = 5, 70  # words of a sentence that can stand in a text
_LEANS = re.compile(
    r"^(?:however|but|and|also|or|so|then|thus|therefore|hence|moreover|furthermore|additionally"
    r"|otherwise|instead|finally|similarly|in addition|as a result|for example|for instance"
    r"|in this case|in other words|first|second|third|fourth|fifth|next|now|here|again|still|yet"
    r"|see|if (?:so|not)|note that|besides|that way|such|remember|conversely|consequently"
    r"|in (?:contrast|particular)"
    r"|on the other hand|to do (?:so|this|that)|because of (?:this|that)"
    r"|the (?:above|following|former|latter|same|other (?:ones?|two|three|few|half))"
    r"|the(?: [\w'’-]+){1,4} (?:ones?|of (?:this|these|that|those|it|them)))\b",
    re.IGNORECASE,
)
# "You can find it at ... instead.": what it is stands in the sentence before.
_LEANS_LATER = re.compile(
    r"^(?:you|we|one|to \w+|please|simply|just)\b(?: [\w'’]+){0,3} (?:it|them|this|that|these)\b"
    r"|\binstead\W*$",
    re.IGNORECASE,
)
# Entries of a reference, whose subject is the name they stand under: "Will be used for ...", "The
# value of the parameter.", ":data:`x`, use ..."; none says what it speaks of.
_NO_SUBJECT = re.compile(
    r"^(?:will|would|can|may|must|should|is|are|was|were|has|have|returns|defaults|used|see)\b"
    r"|^\W*(?::[\w:]+:)?`[^`]*`\s*,",
    re.IGNORECASE,
)
_NOUN_FIRST = re.compile(r"^(?:the|an?)\s", re.IGNORECASE)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|can|could|will|would|shall|should|may|might|must"
    r"|\w{2,}(?:ed|[a-rt-z]s)|made|became|began|came|gave|got|held|kept|led|left|lost|met|paid|put"
    r"|ran|said|saw|sold|sent|set|spent|stood|took|told|went|won|wrote|rose|fell|grew|built|bought"
    r"|brought|found|felt|cost|need|use)\b",
    re.IGNORECASE,
)
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:below|above|(?:previous|next|this|following) (?:page|section|chapter|tutorial|guide"
    r"|document|example|step|table|figure|list|release)|as follows|following"
    r"|(?:listing|figure|chapter) \d[\d.-]*)\b"
    r"|:(?:doc|ref|rfc|pr|issue):",
    re.IGNORECASE,
)
# "Let's look at ...", "As we saw ...", "The code above ...": what the text does, or a listing that
# is not there; nothing of what is the case.
_SIGNPOST = re.compile(
    r"\b(?:let['’]s|let us (?:look|see|turn|consider)|we['’]ll|now that (?:we|you)"
    r"|(?:we|you)(?:['’]ve| have)? (?:just |already )?(?:saw|seen|looked at|learned|learnt|covered"
    r"|discussed|talked about)|as you can see|you(?:['’]ll| will) (?:learn|see)|earlier we"
    r"|try (?:adding|running"
    r"|changing)|in this (?:chapter|section|tutorial|lesson|article)"
    r"|(?:outside|beyond) the scope|this (?:page|doc|document|documentation|guide|section|chapter"
    r"|article|tutorial|book|appendix) (?:outlines|describes|explains|shows|covers|goes over|will"
    r"|is about|introduces|gives an?|assumes|discusses)"
    r"|(?:code|example|listing|snippet|function|line|table|figure|output|command)s? (?:above|below)"
    r"|(?:above|preceding|following) (?:code|example|listing|snippet|function|lines?|command))\b",
    re.IGNORECASE,
)
# "Refer to Note 3.", "... is included in Item 7.": where something stands, not what it is.
_ONLY_POINTS = re.compile(
    r"^(?:please |for (?:[\w'’,-]+ ){1,25}?)?(?:refer to|see|read|consult|head over to)\b"
    r"|\b(?:in the table|table (?:below|above)|that follows?|(?:can|may) be found (?:in|at)) ?"
    r"|\b(?:refer to|see(?: also)?|is|are|found|provided|included|described|discussed|disclosed"
    r"|detailed|contained|presented|set forth)(?: further)? (?:in|under|within|the|at) ?(?:the )?"
    r"[“\"(]?(?:note|item|part|section|appendix|exhibit|chapter|annex)s? ?[“\"]?[\dIVX“\"A-C]",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"(?<!`)`&?([a-z]{1,2}\d?)`(?!`)")
_BOILERPLATE = re.compile(
    r"\b(?:forward-looking|conference call|webcast|replay|dial(?:ing)?|all rights reserved"
    r"|hereunto|undersigned|pursuant to the requirements|speaks? only as of|incorporated by"
    r" reference|copyright|check the appropriate box|safe harbor|certification of|power of attorney"
    r"|registration statement|as used herein|hereby|herein referred to|i have reviewed th|we have"
    r" audited|in our opinion|exhibit \d+|unless the context)\b|©",
    re.IGNORECASE,
)
# A row with a named figure: "Land; 2018: $ 340; 2017: $ 348".
_FIGURE = re.compile(r"[^\W\d_][^;]*;(?:[^;]*;)*\s*[A-Z\d(][^;:]*:\s*[$€£(]{0,2}\s*\d")
_ENDS = re.compile(r"[.!?。！？।][\"'”’»)\]]*$")
_ADDRESS = re.compile(r"https?://|www\.|\S+@\S+|[<>{}|\\]|::|==|\s--\w")


def leans(text: str) -> bool:
    """Whether a sentence needs the one before it to be understood."""
    words = words_of(text)
    pronoun = bool(words) and points_back(" ".join(word.text for word in words[:2]))
    bare = text.lstrip("“\"'(*")
    later = _LEANS_LATER.search(bare) is not None
    return pronoun or later or bool(_LEANS.match(bare)) or text[:1].islower()


def names_of_listing(text: str) -> frozenset[str]:
    """What may be a variable of a listing that is not shown with the sentence: "`r1`", "`s`"."""
    return frozenset(_VARIABLE.findall(text))


def is_usable(candidate: Candidate) -> bool:
    """Whether a unit can stand in a text: a full sentence, or a row that says something."""
    text = worded(candidate.text, candidate.hit.document.format)
    count = len(words_of(text))
    if text.count("(") != text.count(")"):
        return False
    if text.count('"') % 2 or text.count("“") != text.count("”") or text.startswith("|"):
        return False
    if candidate.kind == "code" or not _SHORTEST <= count <= _LONGEST:
        return False
    letters = sum(character.isalnum() or character.isspace() for character in text)
    prose = sum(character.isalpha() for character in text) >= 0.5 * len(text)
    if candidate.kind == "row":
        return bool(_FIGURE.match(text)) and count <= 45
    if text.endswith((":", "?", "：", "？", "...", "…")) or not prose or letters < 0.75 * len(text):
        return False
    if text[:1].islower() or _is_heading(text) or _SIGNPOST.search(text):
        return False
    if _NO_SUBJECT.match(candidate.text) or (_NOUN_FIRST.match(text) and not _FINITE.search(text)):
        return False
    if candidate.kind == "list_item":
        return count > _SHORTEST
    return bool(_ENDS.search(text))


def manner(candidate: Candidate) -> float:
    """How well a unit stands alone, whatever it is about."""
    text = candidate.text
    count = len(words_of(text))
    worth = 0.03 if candidate.place == 0 else 0.0
    worth += 0.03 if candidate.kind != "row" and quantities_of(text) else 0.0
    worth -= 0.12 if candidate.kind == "row" else 0.0
    worth -= 0.06 if candidate.kind == "list_item" else 0.0
    worth -= 0.08 if _ADDRESS.search(text) else 0.0
    worth -= 0.12 if _POINTS_ELSEWHERE.search(text) else 0.0
    worth -= 0.25 if _BOILERPLATE.search(text) or _ONLY_POINTS.search(text) else 0.0
    worth -= 0.05 if count > 55 or count < 8 else 0.0
    return worth - (0.02 if leans(text) else 0.0)


def _is_heading(text: str) -> bool:
    """A short run of capitalised words: "3.3 Relationship to Other Plans." """
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3]
    words = [word for word in words if word not in FUNCTION_WORDS]
    return 0 < len(words) <= 8 and all(word[0].isupper() for word in words)
