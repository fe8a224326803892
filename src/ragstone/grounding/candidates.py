"""The units that evidence is chosen from: sentences, table rows, code, with what leads to them.

Law: `document.text[c.span] == c.text`, and every lead is a span of the same document outside
the unit itself. A lead is what a reader needs to understand the unit: the sentence that a
pronoun points to, the question that it answers, the line that opens a list, a table's header
row. A sentence that only asks is a lead and never a candidate: a question states nothing. A label
(a key, a term) is one unit with the sentence that explains it, where the layout says which that is.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ragstone.grounding.lexicon import PRONOUNS
from ragstone.grounding.quantities import quantities_of
from ragstone.grounding.words import words_of
from ragstone.text.sentences import sentence_spans
from ragstone.text.spaces import trimmed
from ragstone.types import Document, Element, Hit, Passage, Span, UnitKind

_MAX_LEAD = 300  # characters; a longer lead would cost more than the unit itself
_MEASURE = re.compile(r"\b(?:millions?|thousands?|billions?|percent(?:ages?)?|dollars?)\b", re.I)
_YEARS = re.compile(r"\b(?:19|20)\d\d\b")
_ASKS = re.compile(r"[?？؟][\"'”’»›)\]*_\s]*\Z")
_MAX_CODE = 800  # characters of code taken as one unit
_LABEL_WORDS = 14
_LOOK_BACK = 600  # characters searched before a passage for the sentence a pronoun points to


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit of a hit: `place` counts from 0 in its passage, `of` is the passage's number;
    `page` is the unit's own page, slide or sheet, where its document has some."""

    hit: Hit
    span: Span
    text: str
    kind: UnitKind
    place: int
    of: int
    lead: tuple[Span, ...] = ()
    lead_text: str = ""
    page: int | None = None


class _Structure:
    """A document's elements, ready to be asked for by place."""

    def __init__(self, document: Document) -> None:
        self.text = document.text
        self.elements = document.elements
        self._starts = [element.span.start for element in document.elements]
        self._pages = [element for element in document.elements if element.kind == "page"]
        self._page_starts = [page.span.start for page in self._pages]
        # The furthest end seen so far lets a search stop walking back early.
        self._reach: list[int] = []
        furthest = 0
        for element in document.elements:
            furthest = max(furthest, element.span.end)
            self._reach.append(furthest)

    def over(self, span: Span) -> list[Element]:
        """Elements that overlap `span`, containers included, by start."""
        first = bisect_right(self._reach, span.start)
        last = bisect_left(self._starts, span.end)
        return [e for e in self.elements[first:last] if e.span.overlaps(span)]

    def names_columns(self, span: Span) -> bool:
        """Whether a row is one of those that name a table's columns."""
        at = bisect_left(self._starts, span.start)
        rows = (e for e in self.elements[at : at + 4] if e.span.start < span.end)
        return any(e.kind == "row" and e.level == 0 for e in rows)

    def page(self, offset: int, passage: Passage) -> int | None:
        """The number of the page on which `offset` lies: a passage may reach over its end."""
        at = bisect_right(self._page_starts, offset) - 1
        return (self._pages[at].level or at + 1) if at >= 0 else passage.page

    def before(self, offset: int) -> Iterator[Element]:
        """Elements that start before `offset`, the nearest first."""
        for place in range(bisect_left(self._starts, offset) - 1, -1, -1):
            yield self.elements[place]


def candidates_of(hits: Sequence[Hit], document_of: Callable[[str], Document]) -> list[Candidate]:
    """All units of the hits' passages that state something, hits in order, no stretch of a
    document twice; where nothing states anything, the questions, headings, marks and names of
    columns that stand there."""
    structures: dict[str, _Structure] = {}
    seen: dict[str, list[Span]] = {}
    found: list[Candidate] = []
    asking: list[Candidate] = []
    for hit in hits:
        document_id = hit.passage.document_id
        if document_id not in structures:
            structures[document_id] = _Structure(document_of(document_id))
        structure = structures[document_id]
        taken = seen.setdefault(document_id, [])
        units = _explained(structure.text, _units(structure, hit.passage.span))
        for place, (span, kind) in enumerate(units):
            if any(span.overlaps(other) for other in taken):
                continue
            taken.append(span)
            lead = _lead(structure, span, kind, units[place - 1][0] if place else None)
            text = span.of(structure.text)
            only_asks = kind in {"sentence", "list_item"} and asks(text)
            wordless = not any(map(str.isalnum, text))  # the mark of a heading, a rule
            names = kind == "row" and structure.names_columns(span)
            empty = only_asks or wordless or names or _only_heads(structure, span)
            (asking if empty else found).append(
                Candidate(
                    hit=hit,
                    span=span,
                    text=text,
                    kind=kind,
                    place=place,
                    of=len(units),
                    lead=lead,
                    lead_text="\n".join(part.of(structure.text) for part in lead),
                    page=structure.page(span.start, hit.passage),
                )
            )
    return found or asking


def _only_heads(structure: _Structure, span: Span) -> bool:
    """Whether a unit is a heading that names what comes, and says nothing itself."""
    heads = any(e.kind == "heading" and e.span.contains(span) for e in structure.over(span))
    return heads and is_label(span.of(structure.text))


def asks(sentence: str) -> bool:
    """Whether a sentence is a question: it states nothing that could be an answer."""
    return bool(_ASKS.search(sentence))


def _units(structure: _Structure, within: Span) -> Iterator[tuple[Span, UnitKind]]:
    """Rows and code whole, everything else by sentence; headings and furniture left out."""
    text = structure.text
    position = within.start
    headings: list[Span] = []
    any_unit = False
    for element in structure.over(within):
        span = Span(max(element.span.start, within.start), min(element.span.end, within.end))
        if (
            element.kind not in {"row", "code", "heading", "furniture", "list_item"}
            or span.end <= position
        ):
            continue
        if element.kind == "code" and len(span) > _MAX_CODE:
            continue
        if element.kind == "list_item" and _has_inner(structure, element):
            continue
        for sentence in sentence_spans(text, position, max(position, span.start)):
            any_unit = True
            yield sentence, "sentence"
        position = span.end
        if element.kind == "heading":
            headings.append(span)
        elif element.kind == "list_item":
            for sentence in sentence_spans(text, span.start, span.end):
                any_unit = True
                yield sentence, "list_item"
        elif element.kind != "furniture":
            stripped = Span(*trimmed(text, span.start, span.end))
            if len(stripped):
                any_unit = True
                yield stripped, "row" if element.kind == "row" else "code"
    for sentence in sentence_spans(text, position, within.end):
        any_unit = True
        yield sentence, "sentence"
    if not any_unit:  # a passage of nothing but headings still says something
        for span in headings:
            stripped = Span(*trimmed(text, span.start, span.end))
            if len(stripped):
                yield stripped, "sentence"


def _explained(text: str, units: Iterable[tuple[Span, UnitKind]]) -> list[tuple[Span, UnitKind]]:
    """The units with each label made one with the explanation below it: the next line, or a
    paragraph that is set in deeper. Other lines that follow a label may belong to anything."""
    found: list[tuple[Span, UnitKind]] = []
    for span, kind in units:
        if found and kind == found[-1][1] == "sentence":
            last = found[-1][0]
            if _below(text, last, span) and is_label(last.of(text)) and not is_label(span.of(text)):
                found[-1] = Span(last.start, span.end), kind
                continue
        found.append((span, kind))
    return found


def _below(text: str, label: Span, span: Span) -> bool:
    """Whether `span` begins the line below the label's, or one that is set in deeper."""
    between = text[label.end : span.start]
    if "\n" not in between or any(map(str.isalnum, between)):
        return False
    line = text[text.rfind("\n", 0, label.start) + 1 : label.start]
    indents = [len(part.expandtabs(8)) for part in (between.rpartition("\n")[2], line)]
    return between.count("\n") == 1 or (not line.strip() and indents[0] > indents[1])


def is_label(text: str, *, years: bool = False) -> bool:
    """Whether a text is a label rather than a statement: without a full stop and without a number
    of its own, shorter than most sentences; with `years` a year is no number of its own."""
    text = text.rstrip("\"'”’»›)]* ")
    if not text or not (text[-1].isalnum() or text[-1] in ",:;-–—`"):
        return False
    nothing = {"ordinal", "year", "date"} if years else {"ordinal"}
    known = quantities_of(text)
    return len(words_of(text)) < _LABEL_WORDS and all(q.kind in nothing for q in known)


def _has_inner(structure: _Structure, element: Element) -> bool:
    """Whether a list item holds further elements, which then speak for themselves."""
    return any(
        other is not element and element.span.contains(other.span) and other.kind != "list_item"
        for other in structure.over(element.span)
    )


def _lead(
    structure: _Structure, span: Span, kind: UnitKind, previous: Span | None
) -> tuple[Span, ...]:
    if kind == "row":
        return _row_lead(structure, span)
    if kind == "list_item":
        return _list_opening(structure, span)
    back = previous or _sentence_before(structure, span)
    asked = back is not None and asks(back.of(structure.text))
    led = kind == "sentence" and (asked or points_back(span.of(structure.text)))
    if led and back is not None and len(back) <= _MAX_LEAD and back.end <= span.start:
        return (back,)
    return ()


def points_back(sentence: str) -> bool:
    """Whether a sentence opens with a pronoun whose noun stands in the sentence before."""
    return any(word.text.lower() in PRONOUNS for word in words_of(sentence)[:3])


def _sentence_before(structure: _Structure, span: Span) -> Span | None:
    start = max(0, span.start - _LOOK_BACK)
    sentences = sentence_spans(structure.text, start, span.start)
    if not sentences or "\n\n" in structure.text[sentences[-1].end : span.start]:
        return None
    last = sentences[-1]
    return last if last.start > start or start == 0 else None


def _row_lead(structure: _Structure, span: Span) -> tuple[Span, ...]:
    """What names a row's table, its columns and its part of the table, in the text's order.

    These are the rows that name the columns, or the table's first row where none does; the
    measure that stands in a line of its own above ("in millions"); and the nearest label above
    ("Current assets:"). The last to come are left out where all would be too long.
    """
    label: list[Span] = []
    names: list[Span] = []
    for element in structure.before(span.start):
        if element.kind == "row":
            if element.level == 0:
                names.insert(0, element.span)
            elif names:  # the end of another table
                break
            elif element.level == 1 and not _goes_on_above(structure, element):
                names.append(element.span)
                break
            elif not label and _names_rows(element.span.of(structure.text)):
                label.append(element.span)
        elif element.kind == "table":
            if not element.span.contains(span):
                break
        elif element.kind != "page":
            if names and _MEASURE.search(element.span.of(structure.text)):
                names.insert(0, element.span)
            break
    found: list[Span] = []
    for part in (*names, *label):
        part = Span(*trimmed(structure.text, part.start, part.end))
        if len(part) and part not in found and sum(map(len, (*found, part))) <= _MAX_LEAD:
            found.append(part)
    return tuple(sorted(found))


def _goes_on_above(structure: _Structure, first: Element) -> bool:
    """Whether rows that name the columns stand right above the first of the others."""
    above = next(structure.before(first.span.start), None)
    return above is not None and above.kind == "row" and above.level == 0


def _names_rows(row: str) -> bool:
    """Whether a row only names the rows under it."""
    return "; " not in row and "|" not in row and not any(map(str.isdigit, _YEARS.sub("", row)))


def _list_opening(structure: _Structure, span: Span) -> tuple[Span, ...]:
    for element in structure.before(span.start):
        if element.span.contains(span) or element.kind == "list_item":
            continue
        if element.kind != "paragraph":
            return ()
        sentences = sentence_spans(structure.text, element.span.start, element.span.end)
        if sentences and sentences[-1].of(structure.text).rstrip().endswith((":", "：")):
            return (sentences[-1],) if len(sentences[-1]) <= _MAX_LEAD else ()
        return ()
    return ()
