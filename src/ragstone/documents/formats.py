"""Which formats there are, by what extensions and first bytes they are known, and who reads them.

A plain table: name, extensions, parser as "module:function" (imported only when it is needed, so
that `import ragstone.documents` stays fast). Adding a format is adding a line.
Must not open files: it judges a name and a few bytes.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import cast

from ragstone.documents.raw import Parser


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name (`Document.format`), extensions without dot, parser, nature."""

    name: str
    extensions: tuple[str, ...]
    parser: str
    binary: bool = False

    def load(self) -> Parser:
        """The parser function. Imports its module."""
        module, _, function = self.parser.partition(":")
        return cast("Parser", getattr(importlib.import_module(module), function))


_ROOM = "ragstone.documents."

FORMATS: tuple[Format, ...] = (
    Format("text", ("txt", "text", "log", "asc", "me", "1st", "srt", "vtt"), _ROOM + "plain:parse"),
    Format("markdown", ("md", "markdown", "mdx", "mkd", "qmd", "rmd"), _ROOM + "markdown:parse"),
    Format("restructuredtext", ("rst", "rest"), _ROOM + "restructured:parse"),
    Format("org", ("org", "adoc", "asciidoc", "textile"), _ROOM + "plain:parse_outline"),
    Format("html", ("html", "htm", "xhtml", "shtml"), _ROOM + "html:parse"),
    Format("csv", ("csv",), _ROOM + "tabular:parse"),
    Format("tsv", ("tsv", "tab"), _ROOM + "tabular:parse"),
    Format("json", ("json", "geojson", "webmanifest"), _ROOM + "records:parse_json"),
    Format("jsonl", ("jsonl", "ndjson"), _ROOM + "records:parse_jsonl"),
    Format("xml", ("xml", "rss", "atom", "dita", "docbook", "fb2", "tei"), _ROOM + "xml:parse"),
    Format("notebook", ("ipynb",), _ROOM + "notebook:parse"),
    Format(
        "code",
        (
            *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "java", "kt", "kts", "scala"),
            *("c", "h", "cc", "cpp", "cxx", "hh", "hpp", "cs", "go", "rs", "rb", "php", "swift"),
            *("lua", "pl", "pm", "r", "jl", "sh", "bash", "zsh", "fish", "ps1", "bat", "sql"),
            *("yaml", "yml", "toml", "ini", "cfg", "conf", "css", "scss", "less", "vue", "svelte"),
            *("proto", "graphql", "gql", "tf", "gradle", "cmake", "mk", "m", "f90", "el", "clj"),
            *("ex", "exs", "erl", "hs", "ml", "fs", "vb", "dart", "zig", "nim", "tex", "bib", "po"),
        ),
        _ROOM + "source_code:parse",
    ),
    # binary formats
    Format("pdf", ("pdf",), _ROOM + "pdf:parse", binary=True),
    Format("docx", ("docx", "docm", "dotx"), _ROOM + "word:parse", binary=True),
    Format("pptx", ("pptx", "pptm", "ppsx"), _ROOM + "slides:parse", binary=True),
    Format("xlsx", ("xlsx", "xlsm", "xltx", "xlsb"), _ROOM + "sheets:parse", binary=True),
    Format("ods", ("ods",), _ROOM + "sheets:parse", binary=True),
    Format("xls", ("xls",), _ROOM + "sheets:parse", binary=True),
    Format("odt", ("odt", "ott", "fodt"), _ROOM + "opendocument:parse", binary=True),
    Format("odp", ("odp", "otp", "fodp"), _ROOM + "opendocument:parse", binary=True),
    Format("epub", ("epub",), _ROOM + "epub:parse", binary=True),
    Format("eml", ("eml", "mht", "mhtml"), _ROOM + "mail:parse_eml"),
    Format("msg", ("msg",), _ROOM + "mail:parse_msg", binary=True),
    Format("rtf", ("rtf",), _ROOM + "rtf:parse"),
    Format("doc", ("doc", "dot"), _ROOM + "legacy:parse_doc", binary=True),
    Format("ppt", ("ppt", "pps"), _ROOM + "legacy:parse_ppt", binary=True),
    Format(
        "image",
        ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp", "gif"),
        _ROOM + "image:parse",
        binary=True,
    ),
)

BY_NAME = {known.name: known for known in FORMATS}
BY_EXTENSION = {extension: known for known in FORMATS for extension in known.extensions}
# Files known by their whole name.
BY_FILENAME = {
    "makefile": BY_NAME["code"],
    "dockerfile": BY_NAME["code"],
    "gemfile": BY_NAME["code"],
    "rakefile": BY_NAME["code"],
    "cmakelists.txt": BY_NAME["code"],
}

_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"GIF8")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def formats() -> list[tuple[str, tuple[str, ...], str]]:
    """(name, extensions, parser module) of every format that can be read."""
    return [(known.name, known.extensions, known.parser) for known in FORMATS]


def is_zip(head: bytes) -> bool:
    """Whether these first bytes open a zip archive."""
    return head.startswith(_ZIP)


def is_ole(head: bytes) -> bool:
    """Whether these first bytes open an OLE compound file (the office formats before 2007)."""
    return head.startswith(_OLE)


def by_magic(head: bytes) -> Format | None:
    """The format whose first bytes these are, apart from zip and OLE containers; else None."""
    if b"%PDF-" in head[:1024]:
        return BY_NAME["pdf"]
    if head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return BY_NAME["image"]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        return BY_NAME["rtf"]
    return None


def by_first_words(head: bytes) -> Format | None:
    """HTML, XML or JSON where a text without a telling name begins like it; else None."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1024].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return BY_NAME["html"]
    if start.startswith(b"<?xml"):
        return BY_NAME["html" if b"<html" in start else "xml"]
    return None
