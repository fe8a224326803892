"""The text of one Word paragraph: runs, breaks, fields, links, symbols and formulas in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from ragstone.documents.word_styles import W, value

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_SKIPPED = frozenset(
    (
        *(W + name for name in ("pPr", "rPr", "del", "moveFrom", "instrText", "delText")),
        *(W + name for name in ("drawing", "pict", "object", "txbxContent", "sdtPr", "ruby")),
        _MC + "AlternateContent",
    )
)
_LITERAL = {
    W + "tab": "\t",
    W + "br": "\n",
    W + "cr": "\n",
    W + "noBreakHyphen": "-",
    W + "ptab": "\t",
}
_NOTES = {
    W + "footnoteReference": "footnote",
    W + "endnoteReference": "endnote",
}


@dataclass(slots=True)
class Text:
    """A paragraph's text and the notes that it refers to, as "footnote 3"."""

    parts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def plain(self) -> str:
        return "".join(self.parts)


def paragraph_text(paragraph: etree._Element) -> Text:
    """The visible text of the paragraph, without that of text boxes anchored in it."""
    text = Text()
    _collect(paragraph, text)
    return text


def boxed(paragraph: etree._Element) -> Iterator[etree._Element]:
    """The contents of text boxes anchored in the paragraph, each once."""
    inside = 0
    for content in paragraph.iter(W + "txbxContent"):
        above = list(content.iterancestors(W + "txbxContent", _MC + "Fallback", W + "p"))
        nested = [each for each in above if each.tag != W + "p"]
        # Word writes each box twice, for new readers and as a fallback for old ones
        if any(each.tag == W + "txbxContent" for each in nested):
            continue
        if any(each.tag == _MC + "Fallback" for each in nested) and inside:
            continue
        if above and above[0] is not paragraph:
            continue
        inside += 1
        yield content


def is_bold(paragraph: etree._Element) -> bool:
    """Whether every run with text is set in bold."""
    runs = [run for run in paragraph.iter(W + "r") if run.find(W + "t") is not None]
    bold = (run.find(f"{W}rPr/{W}b") for run in runs)
    return bool(runs) and all(
        each is not None and value(each, "val") not in ("0", "false") for each in bold
    )


def _collect(element: etree._Element, text: Text) -> None:
    for child in element:
        tag = child.tag
        if tag == W + "t":
            text.parts.append(child.text or "")
        elif tag in _LITERAL:
            if tag != W + "br" or value(child, "type") not in ("page", "column"):
                text.parts.append(_LITERAL[tag])
            else:
                text.parts.append("\n")
        elif tag in _NOTES:
            text.notes.append(f"{_NOTES[tag]} {value(child, 'id')}")
            text.parts.append(f"[{value(child, 'id')}]")
        elif tag == W + "commentReference":
            text.notes.append(f"comment {value(child, 'id')}")
        elif tag == W + "sym":
            text.parts.append(_symbol(value(child, "char")))
        elif tag == _W14 + "checkbox" or tag == W + "checkBox":
            continue
        elif tag == W + "ruby":
            base = child.find(W + "rubyBase")
            if base is not None:
                _collect(base, text)
        elif tag in (_M + "oMath", _M + "oMathPara"):
            text.parts.append(formula(child))
        elif tag == _MC + "AlternateContent":
            _alternative(child, text)
        elif tag not in _SKIPPED:
            _collect(child, text)


def _alternative(element: etree._Element, text: Text) -> None:
    """Text of the newer form of a run's content; drawings in it are not text of the line."""
    chosen = element.find(_MC + "Choice")
    if chosen is not None:
        _collect(chosen, text)


def _symbol(code: str) -> str:
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    if number in (0xF0FE, 0xF052, 0xF053):
        return "☒"
    if number in (0xF0A8, 0xF06F, 0xF0A3):
        return "☐"
    if 0xF000 <= number < 0xF100:
        return "•" if number in (0xF0B7, 0xF0A7) else chr(number - 0xF000)
    return chr(number) if 0x20 <= number < 0xD800 else ""


def formula(element: etree._Element) -> str:
    """A formula on one line: `(a)/(b)`, `x^(2)`, `x_(i)`, `√(x)`."""
    tag = etree.QName(element).localname if isinstance(element.tag, str) else ""

    def part(name: str) -> str:
        found = element.find(_M + name)
        return formula(found) if found is not None else ""

    def group(name: str) -> str:
        inner = part(name)
        return inner if len(inner) <= 1 or inner.isalnum() else f"({inner})"

    if tag == "t":
        return element.text or ""
    if tag == "f":
        return f"{group('num')}/{group('den')}"
    if tag == "sSup":
        return f"{part('e')}^{group('sup')}"
    if tag == "sSub":
        return f"{part('e')}_{group('sub')}"
    if tag == "sSubSup":
        return f"{part('e')}_{group('sub')}^{group('sup')}"
    if tag == "rad":
        degree = part("deg")
        return f"{degree}√{group('e')}"
    if tag == "d":
        inner = ", ".join(formula(each) for each in element.findall(_M + "e"))
        return f"({inner})"
    if tag == "nary":
        sign = element.find(f"{_M}naryPr/{_M}chr")
        symbol = sign.get(_M + "val", "∑") if sign is not None else "∫"
        low, high = group("sub"), group("sup")
        return f"{symbol}{'_' + low if low else ''}{'^' + high if high else ''} {part('e')}"
    if tag.endswith("Pr"):
        return ""
    if tag == "m":
        return "; ".join(
            ", ".join(formula(cell) for cell in row.findall(_M + "e"))
            for row in element.findall(_M + "mr")
        )
    return "".join(formula(child) for child in element)
