"""The words of a quote as a reader wants them: without the marks of its format.

Law: only marks are taken out, never words; code keeps one pair of backquotes. The citation keeps
the quote as it stands.
"""

from __future__ import annotations

import re

_LIST_MARK = re.compile(r"^(?:[-*+•◦▪·]|#\.|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+(?=\S)")
_RST_ROLE = re.compile(r":(?P<role>[\w:+.-]+):`[~!]?\.?(?P<shown>[^`<]*?)(?:\s*<[^`>]*>)?`")
_PROSE_ROLES = frozenset(
    ["doc", "ref", "term", "abbr", "numref", "any", "sup", "sub", "emphasis", "strong", "title"]
)
_RST_DIRECTIVE = re.compile(r"^\.\. [a-z][\w:.+-]*:: (?=\S)")
_RST_LITERAL = re.compile(r"``(.+?)``")
_RST_LINK = re.compile(r"`([^`<]+?)\s*<[^`>]*>`__?|`([^`]+)`__?(?!\w)")
_RST_NAME = re.compile(r"\b([A-Za-z][\w.-]*)__?(?=[\s.,;:)]|$)")
_RST_SUBSTITUTION = re.compile(r"\|([^|\s][^|]*)\|_?")
_MD_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*\)")
_MD_LINK = re.compile(r"\[([^\]]+)\](?:\([^)\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])([*_])(?=[^\s*_])([^*_`]+?)(?<=\S)\1(?![\w*])")
_EMPHASISED_CODE = re.compile(r"(?<![\w`])([*_]{1,2})(`[^`]+`)\1(?![\w`])")
_HALF = re.compile(r"(?<!\S)\*\*(?=\S)|(?<=\S)\*\*(?!\S)")
_WORDS = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_COMMENT = re.compile(r"\s*<!--.*?-->")
_TAG = re.compile(r"</?[a-z][^<>]{0,80}>", re.IGNORECASE)


def called(title: str, source: str) -> str:
    """A document's name for a reader: its title, but not the shout of a form's cover that has
    nothing to do with the file ("UNITED STATES" of `AMAZON_2019_10K.pdf`)."""
    stem = source.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    name = " ".join(_WORDS.findall(stem))
    known = {word.casefold() for word in _WORDS.findall(title)}
    if title and not (title.isupper() and known.isdisjoint(name.casefold().split())):
        return title
    return name or source


def worded(text: str, format: str) -> str:
    """A quote on one line without list marks and markup of `format` ("markdown", ...)."""
    flat = " ".join(text.split())
    flat = _LIST_MARK.sub("", flat)
    if format == "restructuredtext":
        flat = _RST_DIRECTIVE.sub("", flat)
        flat = _RST_ROLE.sub(_role, flat)
        flat = _RST_LITERAL.sub(r"`\1`", flat)
        flat = _RST_LINK.sub(lambda match: (match[1] or match[2]).strip(), flat)
        flat = _RST_SUBSTITUTION.sub(r"\1", flat)
        flat = _RST_NAME.sub(_name, flat)
        flat = flat.removesuffix("::") + ":" if flat.endswith("::") else flat
    if format in ("markdown", "notebook"):
        flat = _MD_IMAGE.sub(r"\1", flat)
        flat = _MD_LINK.sub(r"\1", flat)
        flat = _outside_code(_COMMENT, "", flat)
        flat = _outside_code(_TAG, "", flat)
    if format in ("markdown", "notebook", "restructuredtext"):
        flat = _EMPHASISED_CODE.sub(r"\2", flat)
        flat = _outside_code(_STRONG, r"\2", flat)
        flat = _outside_code(_EMPHASIS, r"\2", flat)
        flat = _outside_code(_HALF, "", flat)
    return " ".join(flat.split())


def opens_item(text: str) -> bool:
    """Whether a unit begins with the mark of a list item."""
    return bool(_LIST_MARK.match(text.strip()))


def code_parts(text: str) -> list[tuple[str, bool]]:
    """The text in order as plain parts and code (between single backquotes, without them)."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backquote without its other half is a character like any
        return [(text, False)]
    return [(part, place % 2 == 1) for place, part in enumerate(parts) if part]


def _role(match: re.Match[str]) -> str:
    """`:func:`a.b`` shows the code `a.b`, `:pep:`8`` is pep 8, `:doc:`x`` is prose."""
    role, shown = match["role"], match["shown"].strip()
    if role in {"pep", "rfc"}:
        return f"{role} {shown}"
    if role in _PROSE_ROLES or role.startswith("std:") or not shown:
        return shown
    return f"``{shown}``"


def _name(match: re.Match[str]) -> str:
    """`name_` is a reference; `__name__` and `max_` inside code are not words of prose."""
    whole = match.group()
    return match[1] if not match.string[: match.start()].endswith(("_", "`")) else whole


def _outside_code(pattern: re.Pattern[str], by: str, text: str) -> str:
    parts = text.split("`")
    return "`".join(
        pattern.sub(by, part) if place % 2 == 0 else part for place, part in enumerate(parts)
    )
