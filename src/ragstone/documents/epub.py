"""EPUB: the chapters of the spine in reading order, read like web pages without their menus.

The navigation document and the table of contents' duplicate are left out; the package's metadata
give title, author, date and language. Source: EPUB 3.3.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from ragstone.documents import html
from ragstone.documents.builder import Builder
from ragstone.documents.encoding import declared_encoding, decode
from ragstone.documents.packages import Package, parse_xml
from ragstone.documents.raw import Raw, Reading
from ragstone.errors import DocumentError
from ragstone.text.spaces import one_line
from ragstone.types import Document, Scalar

_CONTAINER = "META-INF/container.xml"
_DRM = "META-INF/encryption.xml"
_DC = "{http://purl.org/dc/elements/1.1/}"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
# In XML any element may close itself; in HTML that would leave it open to the end of the page.
_SELF_CLOSED = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|param)\b)"
    r"([a-zA-Z][\w:-]*)((?:\s[^<>]*?)?)\s*/>"
)
_PICTURE = re.compile(r"<img\b[^>]*?\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*>")
_TELLING = re.compile(r"(?:\S+\s+){3}\S|[\u3040-\u9fff]{5}")  # more than "cover" or a file's name
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL | re.IGNORECASE)
_DRAWN_TEXT = re.compile(r"<text\b[^>]*>(.*?)</text>", re.DOTALL | re.IGNORECASE)
_NEXT_LINE = re.compile(r"</tspan>\s*<tspan\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_PROLOGUE = re.compile(r"^\s*(?:<\?xml[^>]*\?>)\s*")


def parse(raw: Raw, reading: Reading) -> Iterator[Document]:
    """The one document of a book. Raises DocumentError: copy-protected, damaged, no chapters."""
    with Package(raw) as package:
        root_file = _package_document(raw, package)
        package_xml = package.xml(root_file)
        locked = _locked(package)
        facts = _facts(package_xml)
        built = Builder(raw)
        chapters = list(_spine(package_xml, root_file))
        read = 0
        for name, kind in chapters:
            if name not in package:
                continue
            if name in locked:
                raise DocumentError(
                    f"{raw.source} is copy-protected: its chapters are encrypted.",
                    remedy="Use an edition without copy protection.",
                )
            data = package.read(name)
            if kind == "image/svg+xml":
                _write_drawing(built, data, raw.source)
            else:
                markup = decode(data, source=raw.source, declared=declared_encoding(data))
                html.write(built, as_html(markup), whole=True)
            read += 1
        if not read:
            raise DocumentError(
                f"{raw.source} has no chapters that can be read.",
                remedy="Convert it with an e-book program and add it again.",
            )
    title = str(facts.pop("title", ""))
    language = str(facts.pop("language", ""))[:2].lower()
    yield built.document(
        format="epub",
        title=title,
        metadata=facts,
        language=language if language.isalpha() else "",
    )


def as_html(markup: str) -> str:
    """XHTML as HTML reads it: elements that close themselves are opened and closed.

    A picture that is described in words stands with its description, a drawing with the text in
    it: in comics and fixed layouts these are all the text there is.
    """
    markup = _DRAWING.sub(_drawn, _PROLOGUE.sub("", markup))
    return _PICTURE.sub(_described, _SELF_CLOSED.sub(r"<\1\2></\1>", markup))


def _drawn(drawing: re.Match[str]) -> str:
    texts = (
        one_line(_TAG.sub("", _NEXT_LINE.sub(" ", text)))
        for text in _DRAWN_TEXT.findall(drawing[0])
    )
    words = " ".join(text for text in texts if text)
    return f"<p>{words}</p>" if words else ""


def _described(picture: re.Match[str]) -> str:
    words = (picture[1] or picture[2] or "").strip()
    if not _TELLING.search(words):
        return picture[0]
    return f"{picture[0]}<figcaption>{words}</figcaption>"


def _package_document(raw: Raw, package: Package) -> str:
    if _CONTAINER in package:
        for each in package.xml(_CONTAINER).iter("{*}rootfile"):
            path = unquote(each.get("full-path", ""))
            if path in package:
                return path
    for name in package.names:
        if name.lower().endswith(".opf"):
            return name
    raise DocumentError(
        f"{raw.source} is no e-book: it names no package document.",
        remedy="Convert it with an e-book program and add it again.",
    )


def _locked(package: Package) -> set[str]:
    """Members that are encrypted; fonts that are only obfuscated do not count."""
    if _DRM not in package:
        return set()
    found: set[str] = set()
    for each in package.xml(_DRM).iter("{*}EncryptedData"):
        method = each.find("{*}EncryptionMethod")
        target = each.find(".//{*}CipherReference")
        algorithm = method.get("Algorithm", "") if method is not None else ""
        if target is not None and algorithm not in _FONTS:
            found.add(posixpath.normpath(unquote(target.get("URI", ""))))
    return found


def _spine(package: etree._Element, root_file: str) -> Iterator[tuple[str, str]]:
    """(member, media type) of each chapter in order, the navigation document left out."""
    folder = posixpath.dirname(root_file)
    items = {each.get("id", ""): each for each in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or "nav" in item.get("properties", "").split():
            continue
        kind = item.get("media-type", "")
        if kind in ("application/xhtml+xml", "text/html", "image/svg+xml", "application/xml"):
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "")))), kind


def _facts(package: etree._Element) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {}
    authors: list[str] = []
    for each in package.iter(_DC + "title", _DC + "creator", _DC + "date", _DC + "language"):
        text = one_line("".join(each.itertext()))
        name = etree.QName(each).localname
        if not text:
            continue
        if name == "creator":
            authors.append(text)
        else:
            facts.setdefault(name, text)
    if authors:
        facts["author"] = "; ".join(authors)[:500]
    return facts


def _write_drawing(built: Builder, data: bytes, source: str) -> None:
    """A page that is a drawing: its title and the texts on it."""
    for each in parse_xml(data, source).iter("{*}title", "{*}desc", "{*}text"):
        built.paragraph(one_line("".join(each.itertext())))
