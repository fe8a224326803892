"""Plain text, as it stands; a big file becomes parts that are cut between paragraphs.

Law: the parts together are the text; each part's text is verbatim (one kind of line end). Must
not know any markup, except that outlines (Org, AsciiDoc, MediaWiki) mark their headings at the
begin of a line or underline them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import closing

from ragstone.documents.encoding import decode, text_stream
from ragstone.documents.raw import Raw, Reading
from ragstone.text.spaces import one_line
from ragstone.types import Document, Element, Span

_OUTLINE = re.compile(
    r"^(?:(?P<stars>\*{1,6})[ \t]+(?P<star_text>\S.*)|[ \t]?(?P<marks>={1,6})[ \t]+(?P<text>\S.*?)"
    r"(?:[ \t]+=+)?[ \t]*)$",
    re.MULTILINE,
)
# AsciiDoc's titles of two lines; the second is as long as the first, give or take a character.
_UNDERLINED = re.compile(
    r"^(?P<title>(?=[^\n]*\w)[^\s\[.|][^\n]*?)[ \t]*\n"
    r"(?P<under>(?P<mark>[=~^+-])(?P=mark)+)[ \t]*$",
    re.MULTILINE,
)
_UNDERLINES = "=-~^+"  # by level
_CODE = re.compile(
    r"^#\+BEGIN_(?:SRC|EXAMPLE)[ \t]*(?P<org>\S*).*?\n.*?^#\+END_(?:SRC|EXAMPLE)"
    r"|^(?:\[source,?[ \t]*(?P<adoc>[\w+-]*)[^\]\n]*\]\n)?(?P<fence>-{4,}|\.{4,})\n.*?^(?P=fence)$",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_ORG_KEY = re.compile(r"^#\+(title|author|date|language):[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document, or parts `source#part-N` of about `limits.part_characters` each."""
    parts = _parts(raw, reading.limits.part_characters)
    for number, (text, more) in enumerate(parts, start=1):
        alone = number == 1 and not more
        yield Document(
            id="",
            source=raw.source if alone else f"{raw.source}#part-{number}",
            title=_title(text, raw.stem) if alone else f"{raw.stem} (part {number})",
            text=text,
            format="text",
        )


def parse_outline(raw: Raw, reading: Reading) -> Iterator[Document]:
    """Org, AsciiDoc and MediaWiki text: verbatim, with headings and code blocks located."""
    text = decode(raw.read(), source=raw.source)
    titles = [m for m in _UNDERLINED.finditer(text) if abs(len(m["title"]) - len(m["under"])) <= 1]
    code = list(_code(text, {match.start("under") for match in titles}))
    elements = [Element("code", Span(a, b), label=label) for a, b, label in code]
    for match in titles:
        if not any(a <= match.start() < b for a, b, _ in code):
            level = _UNDERLINES.index(match["mark"]) + 1
            elements.append(Element("heading", Span(*match.span("title")), level))
    for match in _OUTLINE.finditer(text):
        if any(a <= match.start() < b for a, b, _ in code):
            continue
        group = "star_text" if match["stars"] else "text"
        level = len(match["stars"] or match["marks"])
        elements.append(Element("heading", Span(match.start(group), match.end(group)), level))
    elements.sort(key=lambda element: element.span.start)
    said = {m[1].lower(): m[2].strip() for m in _ORG_KEY.finditer(text)}
    title = said.pop("title", "")
    if not title:
        first = next((e for e in elements if e.kind == "heading"), None)
        title = one_line(first.span.of(text)) if first else raw.stem
    yield Document(
        id="", source=raw.source, title=title, text=text, format="org",
        elements=tuple(elements), language=said.pop("language", "")[:2], metadata=said,
    )  # fmt: skip


def _code(text: str, underlines: Collection[int]) -> Iterator[tuple[int, int, str]]:
    """Blocks of code as (start, end, language); a title's underline opens none."""
    at = 0
    while match := _CODE.search(text, at):
        if match["fence"] and match.start("fence") in underlines:
            at = match.start("fence") + 1  # which is no begin of a line any more
            continue
        yield match.start(), match.end(), match["org"] or match["adoc"] or ""
        at = match.end()


def _parts(raw: Raw, size: int) -> Iterator[tuple[str, bool]]:
    """The text in parts, each with whether another one follows."""
    held: list[str] = []
    length = 0
    with closing(raw.open()) as stream:
        for piece in text_stream(stream, source=raw.source):
            held.append(piece)
            length += len(piece)
            while length > size:
                text = "".join(held)
                at = _cut(text, size)
                yield text[:at], True
                held = [text[at:]]
                length -= at
    rest = "".join(held)
    if rest.strip() or not length:
        yield rest, False


def _cut(text: str, size: int) -> int:
    """A place near `size` to part the text at: a blank line, a line end, a blank, else there."""
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, size // 2, size)
        if at > 0:
            return at + len(mark)
    return size


def _title(text: str, stem: str) -> str:
    """The first line where it stands alone like a title, else the file's name."""
    first, _, rest = text[:2000].lstrip().partition("\n")
    line = one_line(first)
    stands = rest[:1] in ("\n", "=", "-") and 3 <= len(line) <= 120
    return line if stands and not line.endswith((".", ",", ";", ":")) else stem
