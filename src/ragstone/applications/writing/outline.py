"""Outlines as text: a person's file becomes a plan, and a plan becomes a file to edit.

A title, a heading a line, and questions below it:

    # The lamp of Northmoor
    ## Its construction
    - When was it lit?
    ## Its restoration

Plain lines and list items without headings are sections too.
"""

from __future__ import annotations

import re

from ragstone.applications.writing.manuscript import Outline, Planned
from ragstone.errors import UsageError

MAX_SECTIONS = 60
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(.*)$")


def parse(text: str, *, title: str) -> Outline:
    """The outline in `text`; `title` where it names none. Raises UsageError without sections.

    A single heading of the highest level above others is the title. Below headings, list items
    and lines are the questions of their section.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    levels = [len(m.group(1)) for line in lines if (m := _HEADING.match(line.strip()))]
    top = min(levels, default=0)
    titled = levels.count(top) == 1 and len(levels) > 1 and levels[0] == top
    sections: list[tuple[str, list[str]]] = []
    for line in lines:
        heading = _HEADING.match(line.strip())
        item = _ITEM.match(line)
        if heading is not None:
            if titled and len(heading.group(1)) == top:
                title = heading.group(2)
            else:
                sections.append((heading.group(2), []))
        elif levels:
            if sections:
                sections[-1][1].append(item.group(2) if item else line.strip())
        elif item is not None and item.group(1) and sections:
            sections[-1][1].append(item.group(2))
        else:
            sections.append(((item.group(2) if item else line).strip(), []))
    if not 1 <= len(sections) <= MAX_SECTIONS:
        raise UsageError(
            f"The outline has {len(sections)} sections.",
            remedy=f"Write 1 to {MAX_SECTIONS} headings, one a line, each beginning with ##.",
        )
    return Outline(title, tuple(Planned(head, tuple(asked)) for head, asked in sections))


def render(outline: Outline) -> str:
    """The outline as a file that `parse` reads back."""
    lines = [f"# {outline.title}"]
    for section in outline.sections:
        lines += ["", f"## {section.heading}", *(f"- {asked}" for asked in section.questions)]
    return "\n".join(lines) + "\n"
