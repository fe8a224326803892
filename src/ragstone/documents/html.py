"""HTML: what a person reads on the page, in order, without its menus.

The tree comes from lexbor (the parsing rules of browsers) and is walked without recursion. What
is the page's frame and what its content is decided in `html_frame`; tables are read in
`html_table`.

Law: however broken or deep the markup, it is read; text that a simple page shows is in the
document. `write` is also how e-book chapters and e-mail bodies are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ragstone.documents.builder import Builder
from ragstone.documents.encoding import declared_encoding, decode
from ragstone.documents.html_frame import Frame, hidden
from ragstone.documents.html_table import is_data, raises, write_table
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Scalar

_BLOCKS = frozenset(
    (
        *("p", "div", "section", "article", "main", "header", "footer", "aside", "nav", "form"),
        *("ul", "ol", "dl", "dt", "dd", "li", "blockquote", "figure", "figcaption", "caption"),
        *("table", "thead", "tbody", "tfoot", "tr", "td", "th", "pre", "hr", "address", "details"),
        *("summary", "fieldset", "legend", "center", "body", "html", "h1", "h2", "h3", "h4", "h5"),
        *("h6", "hgroup", "menu", "dir", "listing", "xmp", "plaintext", "search", "optgroup"),
    )
)
_CODE = frozenset(("pre", "listing", "xmp", "plaintext"))
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
# Elements that nest where they are not closed.
_NESTING = re.compile(
    r"<(/?)(?:div|span|section|article|blockquote|ul|ol|dl|table|center|b|i|em|strong|font|small|big"
    r"|code|u|tt|details|fieldset|main|figure|object|button|label)\b",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u200b\ufeff\u00ad]")  # zero width, and where a word may be hyphenated
_BULLETS = "•◦▪‣·●○"
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:)[-\s]*([\w+#]+)"
)


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """One document with the page's content; title, author, date, language from its head."""
    data = raw.read()
    markup = decode(data, source=raw.source, declared=declared_encoding(data))
    _check_depth(markup, raw)
    tree = LexborHTMLParser(markup)
    built = Builder(raw)
    write_tree(built, tree)
    metadata = page_metadata(tree)
    title = str(metadata.pop("title", ""))
    language = str(metadata.pop("language", ""))
    yield built.document(format="html", title=title, metadata=metadata, language=language)


def _check_depth(markup: str, raw: Raw) -> None:
    """Raises DocumentError where elements lie far deeper than any page: the parser's time grows
    with the square of the depth (20,000 levels take seconds, 100,000 minutes)."""
    most = raw.limits.max_nesting * 25
    if markup.count("<") < most:
        return
    depth = 0
    for tag in _NESTING.finditer(markup):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > most:
            raise DocumentError(
                f"{raw.source} nests elements deeper than {most:,} levels.",
                remedy="It is hardly a page; or raise the limit `max_nesting`.",
            )


def write(built: Builder, markup: str, *, whole: bool = False) -> None:
    """Read a page or a piece of markup into `built`. `whole`: it has no frame of menus."""
    write_tree(built, LexborHTMLParser(markup), whole=whole)


def write_tree(built: Builder, tree: LexborHTMLParser, *, whole: bool = False) -> None:
    """As `write`, from a parsed tree. Where the frame seems to be all, everything is read."""
    body = tree.body or tree.root
    if body is None:
        return
    before = built.position
    if not whole:
        frame = Frame(body)
        if frame.lost_title is not None:
            built.heading(frame.lost_title.text(), 1)
        _Walk(built, frame).run(frame.root)
    if built.position == before:
        _Walk(built, None).run(body)


def page_metadata(tree: LexborHTMLParser) -> dict[str, Scalar]:
    """Title, author, description, date, language as the head gives them; only what is there."""
    said: dict[str, Scalar] = {}
    wanted = {
        "author": "author", "article:author": "author", "dc.creator": "author",
        "citation_author": "author", "description": "description", "og:description": "description",
        "keywords": "keywords", "date": "date", "dc.date": "date", "dcterms.date": "date",
        "article:published_time": "date", "citation_publication_date": "date",
        "datepublished": "date", "og:title": "title",
    }  # fmt: skip
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property") or attributes.get("itemprop")
        key = wanted.get((name or "").lower())
        content = one_line(attributes.get("content") or "")
        if key and content and not (key == "author" and content.startswith("http")):
            said.setdefault(key, content)
    titles = tree.css("head > title") or tree.css("title")
    title = one_line(_UNSEEN.sub("", titles[0].text())) if titles else ""
    if title:
        said["title"] = title
    headings = [one_line(_UNSEEN.sub("", node.text())) for node in tree.css("h1")[:2]]
    if len(headings) == 1 and 2 < len(headings[0]) < len(title) and headings[0] in title:
        said["title"] = headings[0]  # "Page - Site" is the page
    root = tree.css_first("html")
    language = (root.attributes.get("lang") or "")[:2].lower() if root is not None else ""
    if language.isalpha():
        said["language"] = language
    return said


@dataclass(slots=True)
class _List:
    """An open list: whether numbered, the next number, and whether the item's marker is due."""

    numbered: bool
    number: int = 1
    due: bool = False


@dataclass(slots=True)
class _Walk:
    """One pass over a subtree, entering and leaving each node once, with no recursion."""

    built: Builder
    frame: Frame | None
    inline: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    terms: list[str] = field(default_factory=list)  # open dt, dd

    def run(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        depth = 0
        while node is not None:
            entered = self._enter(node)
            child = node.child if entered else None
            if child is not None:
                node, depth = child, depth + 1
                continue
            if entered:
                self._leave(node)
            while depth and node.next is None:
                parent = node.parent
                if parent is None:
                    break
                node, depth = parent, depth - 1
                self._leave(node)
            if depth == 0:
                break
            node = node.next
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        """Take the node's begin; whether to go inside."""
        tag = node.tag or ""
        if tag == "-text":
            self.inline.append(_SPACES.sub(" ", _UNSEEN.sub("", node.text_content or "")))
            return False
        if hidden(node, tag) or (self.frame is not None and self.frame.drops(node, tag)):
            return False
        if tag == "br":
            self.inline.append("\n")
            return False
        if tag == "sup" and self.inline and raises(self.inline[-1], node):
            self.inline.append("^")
        if tag not in _BLOCKS:
            return True
        self._flush()
        if tag in _CODE:
            self.built.code(_code_text(node), _language(node))
            return False
        if tag == "table" and is_data(node):
            write_table(self.built, node)
            return False
        if tag in ("ul", "ol", "menu", "dir"):
            start = node.attributes.get("start") or "1"
            number = int(start) if start.lstrip("-").isdigit() and len(start) < 9 else 1
            self.lists.append(_List(tag == "ol", number))
        elif tag == "li" and self.lists:
            self.lists[-1].due = True
        elif tag == "blockquote":
            self.quotes += 1
        elif tag in ("dt", "dd"):
            self.terms.append(tag)
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag not in _BLOCKS:
            return
        self._flush(tag)
        if tag in ("ul", "ol", "menu", "dir") and self.lists:
            self.lists.pop()
        elif tag == "li" and self.lists and self.lists[-1].due:
            self.lists[-1].due = False
        elif tag == "blockquote":
            self.quotes -= 1
        elif tag in ("dt", "dd") and self.terms:
            self.terms.pop()

    def _flush(self, tag: str = "") -> None:
        """Write the text gathered so far as what it is by its place in the tree."""
        if not self.inline:
            return
        text = "\n".join(one_line(line) for line in "".join(self.inline).strip().split("\n")).strip(
            "\n"
        )
        self.inline.clear()
        if not text:
            return
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.built.heading(text, int(tag[1]))
        elif tag in ("figcaption", "caption"):
            self.built.note(text)
        elif self.lists:
            level = len(self.lists)
            self.built.list_item(text.lstrip(_BULLETS), level=level, marker=self._marker())
        elif self.terms:
            self.built.list_item(text, level=len(self.terms) + (self.terms[-1] == "dd"), marker="")
        elif self.quotes:
            self.built.quote(text)
        else:
            self.built.paragraph(text)

    def _marker(self) -> str:
        """The marker of the open item; for what follows in the same item a blank of its width."""
        innermost = self.lists[-1]
        if not innermost.due:
            return ""
        innermost.due = False
        if not innermost.numbered:
            return "-"
        innermost.number += 1
        return f"{innermost.number - 1}."


def _code_text(node: LexborNode) -> str:
    """The text as it stands; line breaks by element count too."""
    parts: list[str] = []
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text":
            parts.append(inner.text_content or "")
        elif inner.tag == "br":
            parts.append("\n")
    return "".join(parts)


def _language(node: LexborNode) -> str:
    """The programming language by the classes on the block or its nearest relatives."""
    inner = node.css_first("code")
    near = [node, inner, node.parent, node.parent.parent if node.parent is not None else None]
    for candidate in near:
        if candidate is not None and candidate.tag in ("pre", "code", "div"):
            found = _LANGUAGE.search(candidate.attributes.get("class") or "")
            if found and found[1] not in ("default", "none", "text"):
                return found[1]
    return ""
