"""The nouns of the data's way: Document -> Passage -> Hit -> Evidence -> Answer.

Law: a span is a half-open range of code points into `Document.text`, everywhere; what is
quoted is a slice of that text and never a copy that was touched. Values here are frozen; a
Hit holds a Passage, a Passage never grows a score. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scalar = str | int | float | bool
Metadata = Mapping[str, Scalar]

ElementKind = Literal[
    "page",  # level: page number from 1; label: the printed label, where the file has one
    "sheet",  # label: the sheet's name
    "slide",  # level: slide number from 1
    "heading",  # level: 1 (title) to 6; the span is the heading's own text
    "paragraph",
    "list_item",  # level: depth from 1
    "table",  # the whole table; label: its caption
    # one row of a table or sheet, intelligible alone; level: row number from 1, 0 for the rows that
    # name the columns where the text keeps them as they stand
    "row",
    "code",  # label: the language, where known
    "quote",
    "note",  # footnotes, speaker notes, captions
    "header",  # an e-mail's or a record's header fields
    "furniture",  # running headers, footers, page numbers: kept in the text, left out of passages
]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of code points `[start, end)` in one document's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"A span needs 0 <= start <= end, got [{self.start}, {self.end}).")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The slice of `text` that this span names."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two share at least one code point."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Span) -> bool:
        """Whether `other` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a document's structure, as a span over its text."""

    kind: ElementKind
    span: Span
    level: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A source's text, and its structure as spans over that text.

    `id` names the document for as long as it lives in a corpus; `source` says where it came
    from (a normalised absolute path, a URL, or a given id; a part of a container is
    `path#part`). `elements` are ordered by start, containers before what they contain.
    """

    id: str
    source: str
    title: str
    text: str
    format: str
    elements: tuple[Element, ...] = ()
    metadata: Metadata = field(default_factory=dict)
    language: str = ""  # ISO 639-1, "" where unknown


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What a corpus knows of a document besides its text."""

    id: str
    source: str
    title: str
    format: str
    metadata: Metadata
    language: str
    content_hash: str  # sha256 of the text, hexadecimal: what a citation's quote is held against
    characters: int
    passages: int
    version: int  # the corpus version that added this state of the document


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document that is retrieved as one. Its text IS `document.text[span]`.

    `heading_path` leads from the title down; `page` is the number (from 1) of the page, slide
    or sheet on which it starts. `context` is what may be put in front when it is embedded
    (title and headings); it is never stored as text nor cited.
    """

    document_id: str
    span: Span
    text: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    key: int = -1  # the corpus's own number for it, never reused; -1 before it is stored


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question, with the scores of each stage that made it."""

    passage: Passage
    document: DocumentInfo
    score: float
    rank: int  # from 1
    scores: Mapping[str, float] = field(default_factory=dict)


UnitKind = Literal["sentence", "list_item", "row", "code"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence-level span chosen from a hit for this question.

    `lead` is text in front that the span needs to be understood (a table's header, the lead-in
    of a list, the sentence a pronoun points to): spans of the same document, shown to the
    model but not cited by this evidence.
    """

    document: DocumentInfo
    span: Span
    text: str
    score: float
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    lead: tuple[Span, ...] = ()
    lead_text: str = ""
    rank: int = 0  # of the hit it came from
    kind: UnitKind = "sentence"


Verdict = Literal["supported", "unsupported", "contradicted"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a claim stands. Law: `document.text[span] == quote` in the cited version."""

    document_id: str
    source: str
    title: str
    span: Span
    quote: str
    version: int
    page: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a draft: its span in the answer's text, and the verdict on it."""

    text: str
    span: Span
    verdict: Verdict
    reason: str = ""
    confidence: float = 0.0  # of the verdict "supported", 0 to 1
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Abstention:
    """Why no answer is given. A value, not an exception.

    `could_answer` is a question that the nearest passages hold an answer to, "" for none; the
    reason says it too.
    """

    reason: str
    confidence: float  # that the documents can answer, 0 to 1
    nearest: tuple[Citation, ...] = ()
    could_answer: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, what proves it, and what was taken out because nothing did.

    `text` is what is shown; every claim's span lies in it. `removed` holds the claims of the
    draft that failed. `timings_ms` are wall-clock milliseconds by stage.
    """

    question: str
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...] = ()
    removed: tuple[Claim, ...] = ()
    abstention: Abstention | None = None
    confidence: float = 0.0  # that the evidence answers the question, 0 to 1
    missing: str = ""  # which part of the question the documents say nothing about
    conflicts: tuple[str, ...] = ()  # where the evidence disagrees with itself, in words
    highlights: tuple[Span, ...] = ()  # in `text`: the few words that answer most directly
    model: str = "none"
    version: int = 0
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def abstained(self) -> bool:
        return self.abstention is not None


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be read, why, and what to do about it."""

    source: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    content: str
