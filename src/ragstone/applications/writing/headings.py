"""A name for a section: a heading that its passages stand under, or the words they have in common.

Law: no heading is made up; every word of it stands in the documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ragstone.applications.writing.material import centroid
from ragstone.grounding.lexicon import FUNCTION_WORDS, word_set
from ragstone.grounding.words import terms_of, words_of
from ragstone.protocols import Encoder, Vectors
from ragstone.types import Hit

_GENERIC = word_set(
    """introduction overview notes note summary contents background example examples usage general
    details other more misc see also references index preface foreword about conclusion appendix
    welcome read me table of basic a an gentle changelog quickstart log use it options findings
    recommendations measured results purpose scope part i
    ii item signature signatures and the this"""
)
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|part|item|note)\s+)?(?:\d{1,3}(?:\.\d{1,3})*[.):]?|[ivxIVX]{1,5}[.)]"
    r"|[A-Z][.)])\s+(?![(\[])", re.I)  # fmt: skip
_VERSION = re.compile(
    r"^v?\d[\w.+-]*(?:\s*[(\[—–-].*)?$|^\W*(?:unreleased|draft)\W*$", re.IGNORECASE
)
_BROKEN_OFF = re.compile(r"(?:ing|ed|ly)$", re.IGNORECASE)  # how a phrase's last word does not end
_FRAME = 0.6  # share of all passages from which a heading over them tells none from another
_FIRMS = frozenset(
    term
    for word in word_set("company companies inc corp corporation ltd limited plc group holdings")
    for term in terms_of(word)
)
_SPEAKS = 1.6  # what a heading gains by speaking of what is asked for


class Used:
    """The headings that are taken; one of the same words in another form counts as the same, and
    one that only names whom the whole text is about ("3M Company") as taken from the start."""

    def __init__(self, *headings: str, names: Sequence[str] = ()) -> None:
        self._names = frozenset[str]().union(*map(terms_of, names))
        self._words: set[frozenset[str]] = set()
        self.count = 0
        for heading in headings:
            self.add(heading)

    def __contains__(self, heading: str) -> bool:
        said = _said(heading)
        return said in self._words or said - self._names <= _FIRMS

    def add(self, heading: str) -> None:
        """Take a heading."""
        self._words.add(_said(heading))
        self.count += 1


def _said(heading: str) -> frozenset[str]:
    return terms_of(heading) or frozenset([heading.casefold()])


def heading_of(
    hits: Sequence[Hit],
    vectors: Vectors,
    weights: npt.NDArray[np.floating],
    cluster: Sequence[int],
    used: Used,
    encoder: Encoder,
    topic: str,
) -> str:
    """The heading over most of a cluster's weight that no section has yet, `used` being theirs;
    "" where all are taken, or name no subject.

    One that speaks of what is asked for, or is near to it in meaning, goes before one that does
    not ("Cookies" before "Quickstart"), and one that stands over this cluster alone before one
    over everything found ("Form 10-K").
    """
    middle = centroid(vectors[list(cluster)])
    asked = terms_of(topic)
    votes: dict[str, float] = {}
    mine = set(cluster)
    everywhere: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for place, hit in enumerate(hits):
        names = {name.casefold(): (name, depth) for depth, name in _path(hit)}
        everywhere.update(list(names))
        if place not in mine:
            continue
        within.update(list(names))
        near = float(weights[place]) * max(float(vectors[place] @ middle), 0.0)
        for name, depth in names.values():
            if name not in used:
                share = (0.5 if is_generic(name) else 1.0) * (0.7 if depth == 0 else 1.0)
                share *= _SPEAKS if terms_of(name) & asked else 1.0
                votes[name] = votes.get(name, 0.0) + near * share * min(1.0, 0.7 + 0.15 * depth)
    if votes:
        names_ = list(votes)
        meant = encoder.encode_queries([topic])[0]
        likeness = encoder.encode_passages(names_) @ np.stack([meant, middle]).T
        for name, (to_topic, to_middle) in zip(names_, likeness.tolist(), strict=True):
            lowered = name.casefold()
            votes[name] *= 0.4 + max(to_topic, 0.0) + max(to_middle, 0.0)
            if everywhere[lowered] >= _FRAME * len(hits):
                votes[name] *= 0.1
            elif len(cluster) < len(hits):
                votes[name] *= (within[lowered] / everywhere[lowered]) ** 2
        name = max(votes, key=lambda heading: (votes[heading], heading))
        if not is_generic(name):
            return name
        title = readable(hits[cluster[0]].document.title)
        qualified = f"{title}: {name}" if title and title.casefold() != name.casefold() else name
        if qualified not in used:
            return qualified
    return ""


def phrase_of(
    hits: Sequence[Hit], vectors: Vectors, cluster: Sequence[int], used: Used, encoder: Encoder
) -> str:
    """A name from the words that a cluster has in common, where no heading is left for it."""
    middle = centroid(vectors[list(cluster)])
    return _phrase(hits, middle, cluster, used, encoder) or f"Part {used.count}"


def _path(hit: Hit) -> list[tuple[int, str]]:
    """What a passage stands under, from the title inwards, with the depth of each."""
    path = dict.fromkeys([hit.document.title, *hit.passage.heading_path])
    return [(depth, name) for depth, name in enumerate(map(readable, path)) if name]


def _phrase(
    hits: Sequence[Hit],
    middle: Vectors,
    cluster: Sequence[int],
    used: Used,
    encoder: Encoder,
) -> str:
    """The two or three words that a cluster says often, the others seldom, and that are nearest
    to its middle in meaning; "" for none."""
    inside: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    written: dict[str, str] = {}
    mine = set(cluster)
    for place, hit in enumerate(hits):
        counts = inside if place in mine else outside
        phrases = _phrases(hit.passage.text)
        counts.update(list(phrases))
        if place in mine:
            for phrase, form in phrases.items():
                if form != phrase or phrase not in written:
                    written[phrase] = form
    worth = {
        phrase: count**1.5 / (1.0 + outside[phrase]) ** 0.5
        for phrase, count in inside.items()
        if phrase not in used
    }
    best = sorted(worth, key=lambda phrase: (-worth[phrase], phrase))[:24]
    if not best:
        return ""
    near = encoder.encode_passages(best) @ middle
    found = max(range(len(best)), key=lambda at: worth[best[at]] ** 0.5 * float(near[at]))
    phrase = written[best[found]]
    return phrase[:1].upper() + phrase[1:]


def _phrases(text: str) -> dict[str, str]:
    """Runs of two or three words with content, in lower case and as written, without numbers; none
    that ends in the middle of something ("local currencies generally")."""
    found: dict[str, str] = {}
    words = words_of(text)
    for size in (2, 3):
        for place in range(len(words) - size + 1):
            run = words[place : place + size]
            gaps = [text[a.end : b.start] for a, b in pairwise(run)]
            plain = all(w.terms and w.text.isalpha() and len(w.text) > 2 for w in run)
            whole = not _BROKEN_OFF.search(run[-1].text)
            if plain and whole and all(gap == " " for gap in gaps):
                form = " ".join(w.text if w.text.isupper() else w.text.lower() for w in run)
                found[form.lower()] = form
    return found


def readable(heading: str) -> str:
    """A heading without numbering, marks and trailing points; "" for one without words."""
    flat = " ".join(heading.replace("`", "").replace("*", "").split())
    flat = _NUMBERING.sub("", flat).strip(" .:—–-#¶")
    if flat.isupper() and sum(len(word) > 4 for word in flat.split()) > 1:
        flat = " ".join(_quiet(word) for word in flat.split())
    return flat if len(flat) <= 90 and any(c.isalpha() for c in flat) and len(flat) > 2 else ""


def _quiet(word: str) -> str:
    """A word of a heading in capitals as in other headings; short ones may be acronyms."""
    if word.casefold() in FUNCTION_WORDS:
        return word.lower()
    return word.capitalize() if len(word) > 4 else word


def is_generic(heading: str) -> bool:
    """Whether a heading names a part of any text ("Introduction"), or a version of something
    ("0.1.0 (unreleased)"), and no subject."""
    lowered = heading.casefold()
    if _VERSION.match(lowered):
        return True
    return lowered in _GENERIC or all(word in _GENERIC for word in lowered.split())
