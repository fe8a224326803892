"""Stretches of a sentence that could be a short answer, and what tells them apart.

Law: every span lies in the text, begins and ends with a word that carries content (with its
currency or per-cent sign) and has at most `MOST_WORDS` words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ragstone.grounding.lexicon import FUNCTION_WORDS, NUMBER_WORDS, word_set
from ragstone.grounding.names import names_of
from ragstone.grounding.quantities import agree, quantities_of
from ragstone.grounding.questions import Question
from ragstone.grounding.relevance import KINDS
from ragstone.grounding.tokens import Encoded
from ragstone.grounding.words import Word, words_of
from ragstone.types import Span

Matrix = npt.NDArray[np.float32]

MOST_WORDS = 8
_INSIDE = word_set("of the and in to de la du von van for on with by from at a an or per 's")
_BEFORE = word_set("in at by of to from for on with as into near")
_BEING = word_set("is are was were be been being became become called named known means")
_SIGNS = "$€£¥₹#"
_FAR = 6.0  # words; how quickly nearness fades

LIKENESS: tuple[str, ...] = (
    "like_asking", "like_asking_most", "like_question", "like_focus", "like_asking_gap",
    "like_focus_gap",
)  # fmt: skip
SPAN: tuple[str, ...] = (
    "words", "content", "asked", "near", "left", "right", "nearest_left", "nearest_right",
    "name", "inside_name", "holds_name", "capitals", "opens", "closes",
    "year", "number", "measure", "money", "part_of_number", "digits", "said_number",
    "after_preposition", "after_being", "after_by", "before_being", "before_comma", "bracketed",
    "quoted", "after_colon", "starts_clause", "ends_clause", "inner_small",
    *LIKENESS, *(f"asks_{kind}" for kind in KINDS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words `first` to `last` (inclusive) of a text, and the span they take."""

    first: int
    last: int
    span: Span


def stretches(text: str) -> list[Stretch]:
    """The stretches of `text` that could be a short answer."""
    words = words_of(text)
    found: list[Stretch] = []
    for first, word in enumerate(words):
        if not _may_start(text, words, first):
            continue
        for last in range(first, min(len(words), first + MOST_WORDS)):
            if last > first and not _runs_on(text, words[last - 1], words[last]):
                break
            if words[last].text.lower() in FUNCTION_WORDS:
                if words[last].text.lower() in _INSIDE:
                    continue
                break
            if _may_end(text, words, last):
                start, end = word.start, words[last].end
                if start and text[start - 1] in _SIGNS:
                    start -= 1
                if text[end : end + 1] == "%":
                    end += 1
                found.append(Stretch(first, last, Span(start, end)))
    return found


def _may_start(text: str, words: Sequence[Word], place: int) -> bool:
    word = words[place]
    if word.text.lower() in FUNCTION_WORDS and not word.text[0].isdigit():
        return False
    if place == 0 or word.text[0].isupper() or word.text[0].isdigit():
        return True
    before = words[place - 1]
    gap = text[before.end : word.start]
    return gap.strip() != "" or before.text.lower() in FUNCTION_WORDS or before.text.isdigit()


def _may_end(text: str, words: Sequence[Word], place: int) -> bool:
    word = words[place]
    if place + 1 == len(words) or word.text[0].isupper() or word.text[-1].isdigit():
        return True
    if word.text.lower() in NUMBER_WORDS:
        return True
    after = words[place + 1]
    gap = text[word.end : after.start]
    return gap.strip() != "" or after.text.lower() in FUNCTION_WORDS


def _runs_on(text: str, last: Word, word: Word) -> bool:
    gap = text[last.end : word.start]
    if gap.strip(" -–&'’°$€£") == "":
        return True
    return gap == ", " and (
        (last.text[0].isupper() or last.text[0].isdigit())
        and (word.text[0].isupper() or word.text[0].isdigit() or word.text == "and")
    )


def span_features(
    question: Question,
    text: str,
    found: Sequence[Stretch],
    asked: Encoded | None,
    unit: Encoded | None,
) -> Matrix:
    """Shape (len(found), len(SPAN)). Without token vectors the signs of meaning are 0."""
    words = words_of(text)
    wanted = set(question.terms)
    hits = [place for place, word in enumerate(words) if wanted.intersection(word.terms)]
    content = [bool(word.terms) for word in words]
    names = [(n.start, n.end) for n in names_of(text)]
    quantities = quantities_of(text)
    asking, focus, whole = _likeness(question, words, asked, unit)
    rows: list[list[float]] = []
    kinds = [float(question.kind == kind) for kind in KINDS]
    for stretch in found:
        first, last, span = stretch.first, stretch.last, stretch.span
        inside = words[first : last + 1]
        left = [first - place for place in hits if place < first]
        right = [place - last for place in hits if place > last]
        held = [q for q in quantities if q.start < span.end and span.start < q.end]
        exact = [q for q in held if span.start <= q.start and q.end <= span.end]
        kinds_held = {q.kind for q in exact}
        before = words[first - 1].text.lower() if first else ""
        after = words[last + 1].text.lower() if last + 1 < len(words) else ""
        gap_before = text[words[first - 1].end if first else 0 : span.start]
        next_start = words[last + 1].start if last + 1 < len(words) else len(text)
        gap_after = text[span.end : next_start]
        rows.append(
            [
                float(last - first + 1),
                float(sum(content[first : last + 1])),
                sum(bool(wanted.intersection(w.terms)) for w in inside) / len(inside),
                sum(math.exp(-d / _FAR) for d in (*left, *right)),
                sum(math.exp(-d / _FAR) for d in left),
                sum(math.exp(-d / _FAR) for d in right),
                float(min(left, default=20)),
                float(min(right, default=20)),
                float(any(s == span.start and e == span.end for s, e in names)),
                float(any(s <= span.start and span.end <= e and (s, e) != (span.start, span.end)
                          for s, e in names)),
                float(any(span.start <= s and e <= span.end for s, e in names)),
                sum(w.text[0].isupper() for w in inside) / len(inside),
                float(first == 0),
                float(last + 1 == len(words)),
                float("year" in kinds_held or "date" in kinds_held),
                float("number" in kinds_held),
                float("measure" in kinds_held),
                float(bool(exact) and text[span.start] in _SIGNS),
                float(len(held) > len(exact)),
                float(any(c.isdigit() for w in inside for c in w.text)),
                float(any(agree(q, other) for q in exact for other in question.quantities)),
                float(before in _BEFORE),
                float(before in _BEING),
                float(before == "by"),
                float(after in _BEING),
                float(gap_after.startswith(",")),
                float("(" in gap_before[-2:] or ")" in gap_after[:1]),
                float(bool(gap_before) and gap_before[-1] in "\"“‘'" ),
                float(":" in gap_before),
                float(gap_before.strip() != ""),
                float(gap_after.strip() != ""),
                sum(w.text.lower() in FUNCTION_WORDS for w in inside) / len(inside),
                float(asking[first : last + 1].mean()),
                float(asking[first : last + 1].max()),
                float(whole[first : last + 1].mean()),
                float(focus[first : last + 1].max()),
                float(asking[first : last + 1].max() - asking.max()),
                float(focus[first : last + 1].max() - focus.max()),
                *kinds,
            ]
        )  # fmt: skip
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(SPAN))


def _likeness(
    question: Question, words: Sequence[Word], asked: Encoded | None, unit: Encoded | None
) -> tuple[Matrix, Matrix, Matrix]:
    """For each word: how like its token is to the asking words, to the noun asked for ("what
    *country*"), and to the question as a whole."""
    nothing = np.zeros(len(words), dtype=np.float32)
    if asked is None or unit is None or not len(asked.vectors) or not len(unit.vectors):
        return nothing, nothing, nothing
    own = words_of(question.text)
    wanted = set(question.terms)
    aims = set(question.focus)
    asking = np.array([o >= 0 and not wanted.intersection(own[o].terms) for o in asked.words])
    focus = np.array([o >= 0 and bool(aims.intersection(own[o].terms)) for o in asked.words])
    table = unit.vectors @ asked.vectors.T
    columns = (
        table[:, asking].max(axis=1) if asking.any() else np.zeros(len(table)),
        table[:, focus].max(axis=1) if focus.any() else np.zeros(len(table)),
        unit.vectors @ asked.mean,
    )
    parts: list[Matrix] = []
    for column in columns:
        by_word = np.zeros(len(words), dtype=np.float32)
        for token, owner in enumerate(unit.words):
            if owner >= 0:
                by_word[owner] = max(by_word[owner], column[token])
        parts.append(by_word)
    return parts[0], parts[1], parts[2]
