"""reStructuredText: the source stays as it is; a light scan by lines locates its structure.

docutils would execute directives and needs to know every one of them (Sphinx has hundreds), so
what matters here is found by the marks themselves: underlined titles, literal blocks and code
directives, list items, grid and simple tables, quotes, field lists, comments.

Law: the document's text is the file's text (one kind of line end).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragstone.documents.encoding import decode
from ragstone.documents.raw import Raw, Reading
from ragstone.text.spaces import one_line
from ragstone.types import Document, Element, ElementKind, Scalar, Span

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+•]|\(?(?:\d{1,3}|#|[a-zA-Z])[.)])[ \t]+\S")
_DIRECTIVE = re.compile(r"([ \t]*)\.\.[ \t]+(?:\|[^|]+\|[ \t]+)?([\w:.+-]+?)::[ \t]*(.*)$")
_CODE_DIRECTIVES = frozenset(
    ("code", "code-block", "sourcecode", "parsed-literal", "prompt", "doctest", "testcode")
)
_UNSEEN_DIRECTIVES = frozenset(
    ("toctree", "index", "highlight", "module", "currentmodule", "include", "meta", "default-role")
)
_RULED = re.compile(r"[ \t]*\+?={2,}")
_FIELD = re.compile(r":([^:\n]{1,40}):[ \t]+(.*)$")
_TARGET = re.compile(r"[ \t]*\.\. (?:_[^:]*:|__ )")
_FOOTNOTE = re.compile(r"[ \t]*\.\. \[[^\]]+\]")
_ROLE = re.compile(
    r":[\w:+.-]+:`([^`<]*?)(?:[ \t]*<[^`]*>)?`|``([^`]+)``|`([^`<]+?)(?:[ \t]*<[^`]*>)?`_{0,2}"
)
# A message's header at the beginning of the file, as Python's and other proposals have it.
_HEADER = re.compile(r"(?P<name>[A-Z][\w-]{1,24}):(?:[ \t]+(?P<value>.*\S))?[ \t]*$")
_DAY = re.compile(r"(?P<day>\d{1,2})-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4})")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_METADATA = {
    "author": "author", "authors": "author", "date": "date", "created": "date",
    "version": "version", "status": "status", "type": "type", "title": "title",
}  # fmt: skip


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document with the file's text."""
    text = decode(raw.read(), source=raw.source)
    scan = _Scan(text)
    scan.run()
    metadata = dict(scan.fields)
    title = str(metadata.pop("title", "")) or _title(scan.elements, text) or raw.stem
    yield Document(
        id="", source=raw.source, title=title, text=text, format="restructuredtext",
        elements=tuple(scan.elements), metadata=metadata,
    )  # fmt: skip


def _dated(value: str) -> str:
    """`05-Jul-2001` as ISO 8601; anything else as it stands."""
    found = _DAY.fullmatch(value)
    if found is None or found["month"] not in _MONTHS:
        return value
    return f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}-{int(found['day']):02}"


def _title(elements: list[Element], text: str) -> str:
    first = next((e for e in elements if e.kind == "heading"), None)
    if first is None:
        return ""
    return one_line(_ROLE.sub(lambda m: m[1] or m[2] or m[3], first.span.of(text)))


class _Scan:
    """One pass over the lines; each method takes the line at which its construct begins and
    gives the line behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.elements: list[Element] = []
        self.fields: dict[str, Scalar] = {}
        self._ranks: list[tuple[str, bool]] = []  # adornments in order of appearance

    def run(self) -> None:
        """Fill `elements` (ordered) and `fields`."""
        at = self._header()
        while at < len(self.lines):
            at = self._step(at)

    def _step(self, at: int) -> int:
        line = self.lines[at]
        if not line.strip():
            return at + 1
        heading = self._heading(at)
        if heading:
            return heading
        if line.startswith(("+-", "+=")) or re.match(r"[ \t]*={2,}(?:[ \t]+={2,})+[ \t]*$", line):
            return self._table(at)
        if line.lstrip().startswith(".. ") or line.strip() == "..":
            return self._explicit(at)
        if line.lstrip().startswith(">>> "):
            return self._add("code", at, self._paragraph_end(at), label="pycon")
        if _FIELD.match(line):
            return self._fields(at)
        if _ITEM.match(line):
            return self._item(at)
        end = self._paragraph_end(at)
        kind: ElementKind = "quote" if line[0] in " \t" else "paragraph"
        self._add(kind, at, end)
        if self.lines[end - 1].rstrip().endswith("::"):
            return self._literal(end, self._indent(at))
        return end

    def _header(self) -> int:
        """Two or more `Name: value` that begin the text, each with the lines set in under it."""
        end = self._paragraph_end(0)
        names = 0
        for at, line in enumerate(self.lines[:end]):
            found = _HEADER.match(line)
            if found is None and not (at and line[0] in " \t"):
                return 0
            if found is not None:
                names += 1
                key = _METADATA.get(found["name"].lower(), "")
                if key and found["value"]:
                    value = found["value"]
                    self.fields.setdefault(key, _dated(value) if key == "date" else value)
        return self._add("header", 0, end) if names > 1 else 0

    def _add(self, kind: ElementKind, first: int, end: int, level: int = 0, label: str = "") -> int:
        while end > first and not self.lines[end - 1].strip():
            end -= 1
        if end > first:
            line = self.lines[first]
            start = self.starts[first] + (0 if kind == "code" else len(line) - len(line.lstrip()))
            stop = self.starts[end - 1] + len(self.lines[end - 1].rstrip())
            self.elements.append(Element(kind, Span(start, stop), level, label))
        return end

    def _heading(self, at: int) -> int:
        """A title with a line below, or above and below; 0 where there is none."""
        over = bool(_RULE.match(self.lines[at]))
        words = at + 1 if over else at
        if words + 1 >= len(self.lines) or not self.lines[words].strip():
            return self._transition(at) if over else 0
        under = self.lines[words + 1]
        if not _RULE.match(under) or (not over and self.lines[words][0] in " \t"):
            return 0
        if over and under.strip()[0] != self.lines[at].strip()[0]:
            return 0
        if len(under.rstrip()) < min(len(self.lines[words].strip()), 4):
            return 0
        mark = (under[0], over)
        if mark not in self._ranks:
            self._ranks.append(mark)
        self._add("heading", words, words + 1, min(self._ranks.index(mark) + 1, 6))
        return words + 2

    def _transition(self, at: int) -> int:
        return self._add("furniture", at, at + 1)

    def _indent(self, at: int) -> int:
        line = self.lines[at].expandtabs()
        return len(line) - len(line.lstrip())

    def _paragraph_end(self, at: int) -> int:
        end = at + 1
        while end < len(self.lines) and self.lines[end].strip():
            end += 1
        return end

    def _body_end(self, at: int, indent: int) -> int:
        """The line behind all that stands deeper than `indent`, from `at` on."""
        end = at
        while end < len(self.lines) and (not self.lines[end].strip() or self._indent(end) > indent):
            end += 1
        return end

    def _literal(self, at: int, indent: int) -> int:
        end = self._body_end(at, indent)
        first = at
        while first < end and not self.lines[first].strip():
            first += 1
        self._add("code", first, end)
        return max(end, at)

    def _explicit(self, at: int) -> int:
        """What begins with two dots: directives, footnotes, targets, comments."""
        line, indent = self.lines[at], self._indent(at)
        directive = _DIRECTIVE.match(line)
        if directive:
            name = directive[2].rsplit(":", 1)[-1]
            if name in _CODE_DIRECTIVES:
                return self._add_code(at, indent, directive[3])
            if name in _UNSEEN_DIRECTIVES:
                return self._add("furniture", at, self._body_end(at + 1, indent))
            end = at + 1  # its options, then its body is read like any text
            while end < len(self.lines) and re.match(r"[ \t]+:[\w-]+:", self.lines[end]):
                end += 1
            if name in ("image", "figure", "only", "contents", "raw", "math") or not directive[3]:
                return self._add("furniture", at, end)
            return self._add("paragraph", at, end)
        if _FOOTNOTE.match(line):
            return self._add("note", at, self._body_end(at + 1, indent))
        if _TARGET.match(line):
            return self._add("furniture", at, self._body_end(at + 1, indent))
        return self._add("furniture", at, self._body_end(at + 1, indent))  # a comment

    def _add_code(self, at: int, indent: int, language: str) -> int:
        end = self._body_end(at + 1, indent)
        self._add("code", at, end, label=language.strip())
        return end

    def _table(self, at: int) -> int:
        """A grid or simple table, as it stands: the table and its lines of text as rows.

        Lines above the rule that ends a header have level 0, those below count from 1.
        """
        grid = self.lines[at].startswith("+")
        end = at + 1
        if grid:
            while end < len(self.lines) and self.lines[end][:1] in ("+", "|"):
                end += 1
        else:
            rules = 1
            while end < len(self.lines) and rules < 3:
                line = self.lines[end]
                if re.match(r"[ \t]*={2,}", line):
                    rules += 1
                    blank_follows = end + 1 >= len(self.lines) or not self.lines[end + 1].strip()
                    if blank_follows and rules >= 2:
                        end += 1
                        break
                end += 1
        self._add("table", at, end)
        ruled = [index for index in range(at, end) if _RULED.match(self.lines[index])]
        # a grid's header ends at its only rule of `=`, a simple table's at the second of three
        header_end = (ruled[0] if grid else ruled[1]) if len(ruled) == (1 if grid else 3) else at
        number = 0
        for index in range(at, end):
            if re.search(r"\w", self.lines[index]):
                number += index > header_end or header_end == at
                self._add("row", index, index + 1, number)
        return end

    def _fields(self, at: int) -> int:
        end = at
        opening = all(e.kind in ("heading", "furniture", "header") for e in self.elements)
        while end < len(self.lines) and self.lines[end].strip():
            found = _FIELD.match(self.lines[end])
            if found and found[1].lower() in _METADATA and opening:
                self.fields.setdefault(_METADATA[found[1].lower()], found[2].strip())
            end += 1
        self._add("header", at, end)
        return end

    def _item(self, at: int) -> int:
        """A list item with the lines that are indented under it, up to a blank line."""
        indent = self._indent(at)
        end = at + 1
        while (
            end < len(self.lines)
            and self.lines[end].strip()
            and self._indent(end) > indent
            and not _ITEM.match(self.lines[end])
        ):
            end += 1
        self._add("list_item", at, end, 1 + indent // 2)
        if self.lines[end - 1].rstrip().endswith("::"):
            return self._literal(end, indent)
        return end
