"""What is written: sections of blocks of statements, each statement with its citations.

Laws: every statement that stands has at least one citation, and every citation's quote equals
`document.text[span]`. A block's label says where the block comes from and nothing else. Notes
are numbered by first mention, one number for each span of a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ragstone.types import Citation, Scalar, Span, Verdict

Kind = Literal["report", "summary", "briefing", "faq", "table"]
KINDS: tuple[Kind, ...] = ("report", "summary", "briefing", "faq", "table")
Form = Literal["sentence", "item", "row"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A section to be written: its heading, what it should answer, and where to look.

    `keys` are passages of the corpus that made the planner propose it; a section that a person
    planned has none. `document_id` keeps the section to one document.
    """

    heading: str
    questions: tuple[str, ...] = ()
    keys: tuple[int, ...] = ()
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """The title and the sections in order. `items` are the columns of a comparison table."""

    title: str
    sections: tuple[Planned, ...]
    items: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the manuscript. `quoted` ones are the documents' own words."""

    text: str
    verdict: Verdict
    reason: str = ""
    confidence: float = 0.0
    quoted: bool = False
    form: Form = "sentence"
    citations: tuple[Citation, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it is proved; what is not is shown only where failed claims are marked."""
        return self.verdict == "supported" and bool(self.citations)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph. `label` says where it comes from (or, in a table, which item it is of)."""

    statements: tuple[Statement, ...]
    label: str = ""

    @property
    def quoted(self) -> bool:
        return all(statement.quoted for statement in self.statements)


@dataclass(frozen=True, slots=True)
class Section:
    """A written section; without blocks where the documents hold nothing for its heading."""

    heading: str
    blocks: tuple[Block, ...]
    removed: tuple[Statement, ...] = ()

    @property
    def statements(self) -> Iterator[Statement]:
        for block in self.blocks:
            yield from block.statements


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the bibliography."""

    document_id: str
    source: str
    title: str
    format: str
    version: int
    content_hash: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """A numbered note: the citation that it leads to."""

    number: int
    citation: Citation


@dataclass(frozen=True, slots=True)
class Manuscript:
    """What was written to a brief, and what proves it.

    `text` is Markdown without notes; `ragstone.applications.manuscripts` makes files of it.
    """

    brief: str
    kind: Kind
    outline: Outline
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    model: str = "none"
    judge: str = ""
    version: int = 0

    @property
    def title(self) -> str:
        return self.outline.title

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement that is shown, in order."""
        return tuple(s for section in self.sections for s in section.statements)

    @property
    def removed(self) -> tuple[Statement, ...]:
        """Every statement that was drafted and is not shown."""
        return tuple(s for section in self.sections for s in section.removed)

    @property
    def shown(self) -> tuple[Section, ...]:
        """The sections to show: an empty one only where a person asked for it."""
        asked = {planned.heading for planned in self.outline.sections if not planned.keys}
        return tuple(s for s in self.sections if s.blocks or s.heading in asked)

    @property
    def abstained(self) -> bool:
        """Whether the documents hold nothing for the brief."""
        return not self.statements

    def notes(self) -> tuple[Note, ...]:
        """The notes by number, from 1."""
        numbers = self.numbers()
        found: dict[int, Citation] = {}
        for statement in self.statements:
            for citation in statement.citations:
                found.setdefault(numbers[place_of(citation)], citation)
        return tuple(Note(number, found[number]) for number in sorted(found))

    def numbers(self) -> dict[tuple[str, Span], int]:
        """The number of each cited span."""
        numbers: dict[tuple[str, Span], int] = {}
        for statement in self.statements:
            for citation in statement.citations:
                numbers.setdefault(place_of(citation), len(numbers) + 1)
        return numbers

    @property
    def text(self) -> str:
        """The words alone: title, headings and statements, as Markdown."""
        lines = [f"# {self.title}"]
        for section in self.shown:
            lines.append(f"## {section.heading}")
            lines += [" ".join(s.text for s in block.statements) for block in section.blocks]
        return "\n\n".join(lines)


def place_of(citation: Citation) -> tuple[str, Span]:
    """What makes two citations one note."""
    return (citation.document_id, citation.span)
