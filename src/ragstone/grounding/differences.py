"""Where a claim and a sentence of its evidence part: numbers, names, negation, strength, order.

Each check is a pure function of two texts that returns differences, strongest first. A
difference is "missing" (the evidence does not say it) or "contrary" (it says otherwise).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Literal

from ragstone.grounding.lexicon import NEGATORS, OPPOSITES, QUANTIFIERS
from ragstone.grounding.names import acronym_of, names_of
from ragstone.grounding.quantities import Quantity, agree, comparable, quantities_of
from ragstone.grounding.words import terms_of, words_of
from ragstone.text.analysis import stem

DifferenceKind = Literal[
    "number", "date", "name", "negation", "opposite", "strength", "order", "word"
]
_VERBATIM = 0.75  # share of a claim's content words that stand in the sentence in the same order
_LEAST_SHARED = 4  # content words in common below which two sentences are not "the same but one"

_COMPARES = re.compile(
    r"\b(?:(?P<more>more|greater|higher|larger|bigger|longer|older|better|faster|stronger|earlier)"
    r"|(?P<less>less|fewer|lower|smaller|shorter|younger|worse|slower|weaker|later))\s+than\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One point on which a claim leaves its evidence, worded for a reader."""

    kind: DifferenceKind
    contrary: bool
    detail: str


def number_differences(
    claim: str, sentences: Sequence[str], everything: Sequence[str]
) -> list[Difference]:
    """Numbers and dates of the claim that no text of `everything` bears out.

    Contrary where one of `sentences` (those that the claim aligns with) gives another
    quantity of the same sort and none that agrees.
    """
    known = [quantity for text in everything for quantity in quantities_of(text)]
    near = [quantity for text in sentences for quantity in quantities_of(text)]
    mine = quantities_of(claim)
    found: list[Difference] = []
    for said in mine:
        if any(agree(said, other) for other in known):
            continue
        if said.kind == "ordinal" or (said.kind == "number" and said.value <= 2):
            rivals = [other for other in near if comparable(said, other)]
            if not rivals:
                continue
        rivals = [
            other
            for other in near
            if comparable(said, other) and not any(agree(own, other) for own in mine)
        ]
        dated = said.kind in {"year", "date"}
        if rivals:
            nearest = min(rivals, key=lambda other: abs(other.value - said.value))
            detail = f"the documents say {_plain(nearest)}, not {_plain(said)}"
        else:
            detail = f"{_plain(said)} is not in the documents"
        found.append(Difference("date" if dated else "number", bool(rivals), detail))
    return found


def name_differences(claim: str, everything: Sequence[str]) -> list[Difference]:
    """Names of the claim of which the evidence holds no word (or not their initials)."""
    held = frozenset[str]().union(*(terms_of(text) for text in everything))
    acronyms = {
        stem(acronym) for text in everything for name in names_of(text)
        if len(acronym := acronym_of(name.text)) > 1
    }  # fmt: skip
    lowered = " ".join(everything).casefold()
    found: list[Difference] = []
    for name in names_of(claim):
        if not name.terms or name.weak:
            continue
        missing = [
            term
            for term in name.terms
            if term not in held and term not in acronyms and not _derived(term, held)
        ]
        if not missing or name.text.casefold() in lowered:
            continue
        initials = acronym_of(name.text)
        if len(initials) > 1 and stem(initials) in held:
            continue
        # "Angela Merkel" is borne out by "Merkel": the last word of a name carries it.
        if len(missing) < len(name.terms) and name.terms[-1] not in missing:
            continue
        detail = f"the name {name.text!r} is not in the documents"
        found.append(Difference("name", contrary=False, detail=detail))
    return found


def _derived(term: str, held: frozenset[str]) -> bool:
    """Whether a term of the same root is held: `European` for `Europe`, `Africans` for `Africa`."""
    root = term[: max(4, len(term) - 3)]
    return len(term) > 4 and any(other.startswith(root) for other in held)


def negation_differences(claim: str, sentence: str) -> list[Difference]:
    """Whether one of the two denies what the other states: a different number of negators
    near the words that both share."""
    mine, theirs = _negated(claim), _negated(sentence)
    shared = terms_of(claim) & terms_of(sentence)
    against = [term for term in shared if (term in mine) != (term in theirs)]
    if mine & theirs & shared:
        return []  # both deny the same thing
    if not against or len(against) * 2 < len(shared & (mine | theirs)) or len(shared) < 2:
        return []
    return [
        Difference(
            "negation", contrary=True,
            detail="the documents deny this" if not mine else "the documents state this as a fact",
        )
    ]  # fmt: skip


def opposite_differences(claim: str, sentence: str) -> list[Difference]:
    """Words of the claim whose opposite stands in the sentence, and not the word itself."""
    mine, theirs = _stems(claim), _stems(sentence)
    found: list[Difference] = []
    for word in sorted(mine - theirs):
        for opposites, same in _opposed().get(word, ()):
            against = (theirs - mine) & opposites
            if against and not theirs & same:
                theirs_written, mine_written = (
                    _writing(sentence, min(against)),
                    _writing(claim, word),
                )
                detail = f"the documents say {theirs_written!r}, not {mine_written!r}"
                found.append(Difference("opposite", contrary=True, detail=detail))
                break
    return found


def strength_differences(claim: str, sentence: str) -> list[Difference]:
    """Quantifiers of the claim that say more than the sentence does ("all" against "some")."""
    mine = [
        (word.text.lower(), QUANTIFIERS[word.text.lower()])
        for word in words_of(claim)
        if word.text.lower() in QUANTIFIERS
    ]
    theirs = [
        QUANTIFIERS[word.text.lower()]
        for word in words_of(sentence)
        if word.text.lower() in QUANTIFIERS
    ]
    for word, strength in mine:
        if strength == 0 and theirs and min(theirs) > 0:
            return [
                Difference(
                    "strength", contrary=True, detail=f"{word!r} is not what the documents say"
                )
            ]
        if strength >= 5 and word not in sentence.lower() and (not theirs or max(theirs) < 5):
            return [
                Difference(
                    "strength",
                    contrary=bool(theirs),
                    detail=f"{word!r} says more than the documents do",
                )
            ]
    return []


def order_differences(claim: str, sentence: str) -> list[Difference]:
    """A comparison turned round: "A is larger than B" against "B is larger than A"."""
    mine, theirs = _comparison(claim), _comparison(sentence)
    if mine is None or theirs is None:
        return []
    (left, right, up), (other_left, other_right, other_up) = mine, theirs
    left, right = left - right, right - left
    straight = len(left & other_left) + len(right & other_right)
    crossed = len(left & other_right) + len(right & other_left)
    if straight == crossed:
        return []
    if (crossed > straight) == (up == other_up):
        return [
            Difference("order", contrary=True, detail="the documents compare the other way round")
        ]
    return []


def word_differences(claim: str, sentence: str) -> list[Difference]:
    """One word put in another's place in a statement that is otherwise the sentence's own.

    Content words are aligned in order; a stretch of one or two of them that stands against a
    stretch of one or two others, with the same words before and after, is another statement.
    Words of one root, and numbers (which are judged by value), do not count.
    """
    mine = [word for word in words_of(claim) if word.terms]
    theirs = [word for word in words_of(sentence) if word.terms]
    own, other = [w.terms[0] for w in mine], [w.terms[0] for w in theirs]
    matcher = SequenceMatcher(None, own, other, autojunk=False)
    shared = sum(block.size for block in matcher.get_matching_blocks())
    if shared < _LEAST_SHARED or shared < _VERBATIM * len(own):
        return []
    said, known = frozenset(own), frozenset(other)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "replace" or last - first > 2 or end - start > 2:
            continue
        new, old = mine[first:last], theirs[start:end]
        if any(c.isdigit() for word in (*new, *old) for c in word.text):
            continue
        if {w.terms[0] for w in new} & known or {w.terms[0] for w in old} & said:
            continue
        if any(_derived(w.terms[0], known) for w in new):
            continue
        if any(_derived(w.terms[0], said) for w in old):
            continue
        written, claimed = (" ".join(word.text for word in part) for part in (old, new))
        if _letters(written) == _letters(claimed):
            continue
        detail = f"the documents say {written!r}, not {claimed!r}"
        return [Difference("word", contrary=True, detail=detail)]
    return []


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def differences(
    claim: str, sentences: Sequence[str], everything: Sequence[str]
) -> list[Difference]:
    """All differences of `claim` from the sentences that it aligns with, contrary ones first.

    `everything` is all text that may bear out a number or a name (evidence, leads, titles).
    """
    found = number_differences(claim, sentences, everything)
    found += name_differences(claim, everything)
    if sentences:
        best = sentences[0]
        found += negation_differences(claim, best)
        joined = " ".join(sentences)
        if _comparison(claim) is None or _comparison(best) is None:
            found += opposite_differences(claim, joined)
        found += strength_differences(claim, joined)
        found += order_differences(claim, best)
        found += word_differences(claim, best)
    return sorted(found, key=lambda difference: not difference.contrary)


def _negated(text: str) -> frozenset[str]:
    """Content terms within four words after (or one before) a negator."""
    words = words_of(text)
    marked: set[str] = set()
    for place, word in enumerate(words):
        bare = word.text.lower().replace("'", "").replace("’", "")
        if bare in NEGATORS and not _only(words, place):
            for other in words[max(0, place - 1) : place + 6]:
                marked.update(other.terms)
    return frozenset(marked)


def _only(words: Sequence[object], place: int) -> bool:
    """`not only`, `no longer than`, `not until` do not deny."""
    following = getattr(words[place + 1], "text", "").lower() if place + 1 < len(words) else ""
    return following in {"only", "just", "until", "least", "more", "less", "later"}


def _comparison(text: str) -> tuple[frozenset[str], frozenset[str], bool] | None:
    match = _COMPARES.search(text)
    if match is None:
        return None
    return terms_of(text[: match.start()]), terms_of(text[match.end() :]), match["more"] is not None


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word.text) for word in words_of(text))


@cache
def _opposed() -> dict[str, list[tuple[frozenset[str], frozenset[str]]]]:
    """Stem -> (stems of the other side, stems of its own side) for each pair it is in."""
    table: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
    for one, other in OPPOSITES:
        left = frozenset(stem(word) for word in one.split())
        right = frozenset(stem(word) for word in other.split())
        left, right = left - right, right - left
        for word in left:
            table.setdefault(word, []).append((right, left))
        for word in right:
            table.setdefault(word, []).append((left, right))
    return table


def _writing(text: str, term: str) -> str:
    return next((word.text for word in words_of(text) if stem(word.text) == term), term)


def _plain(quantity: Quantity) -> str:
    return " ".join(quantity.text.split())
