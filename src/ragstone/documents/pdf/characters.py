"""A PDF page's glyphs as words with places, read from pdfium one page at a time.

Coordinates are points in reading position: x to the right, y down from the page's top, after the
page's own rotation and, where most of a page's text is turned (a landscape table on a portrait
sheet), after that turn too. Knows pdfium; knows nothing of lines, columns or documents.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pypdfium2 as pdfium
import pypdfium2.raw as raw

Box = tuple[float, float, float, float]  # left, top, right, bottom

_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
_BULLETS = {0xF0B7, 0xF0A7, 0xF076, 0xF0D8, 0xF0FC, 0xF02D, 0xF06E, 0xF071, 0x2219, 0x25CF, 0x25AA}
_SYMBOLS = {
    0xF0B0: "°",
    0xF0B1: "±",
    0xF0D7: "·",
    0xF0AE: "→",
    0xF0B3: "≥",
    0xF0A3: "≤",
    0xF061: "α",
}
_BOLD = re.compile(rb"bold|black|heavy|semib|demi|-bd|,bd", re.IGNORECASE)
_LEAST_SPACE = 0.1  # of the type's size: below it, what pdfium guessed is no space
_SPACES = {0x20, 0xA0, 0x09, 0x0A, 0x0D, 0x1680, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)}
_DROPPED = {0x00, 0xFFFD, 0xFFFE, 0xFFFF, 0xFEFF, 0x200B, 0x2060}
_STRETCH = 0x0640  # the stroke that Arabic lines are justified with


@dataclass(slots=True)
class Word:
    """A run of glyphs without a space. `glyphs[i]` is the pdfium index behind `text[i]`."""

    text: str
    glyphs: list[int]
    left: float
    top: float
    right: float
    bottom: float
    turn: int  # degrees clockwise from upright, in steps of 90
    bold: bool = False
    spaced: bool = True  # a space of the file's own follows, not one that was guessed

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(slots=True)
class PageGlyphs:
    """One page's words in pdfium's order, and every glyph's own box by its index.

    `unmapped` is the share of glyphs whose font does not say which letter they are.
    """

    words: list[Word]
    boxes: list[Box | None]
    width: float
    height: float
    turn: int  # degrees clockwise by which reading position differs from the displayed page
    unmapped: float


def read_glyphs(page: pdfium.PdfPage) -> PageGlyphs:
    """All words of the page. Time is about 3 microseconds a glyph; nothing is kept open."""
    textpage = page.get_textpage()
    try:
        return _read(page, textpage)
    finally:
        textpage.close()


def _mark_bold(handle: ctypes.c_void_p, words: list[Word]) -> None:
    """Say which words are set in a bold font, by its name, else by its weight."""
    buffer = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pointer = ctypes.byref(flags)
    for word in words:
        size = raw.FPDFText_GetFontInfo(handle, word.glyphs[0], buffer, 128, pointer)
        name = buffer.value if 0 < size <= 128 else b""
        # the flag "force bold" is bit 19; a weight is guessed by pdfium where the file has none
        word.bold = bool(_BOLD.search(name)) or bool(flags.value & 0x40000)


def _read(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> PageGlyphs:
    handle = textpage.raw
    count = max(0, textpage.count_chars())
    rotation = page.get_rotation()
    left0, bottom0, right0, top0 = page.get_bbox()
    rect = raw.FS_RECTF()
    pointer = ctypes.byref(rect)
    unicode_of, box_of, angle_of = (
        raw.FPDFText_GetUnicode, raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetCharAngle,
    )  # fmt: skip
    width, height = (right0 - left0, top0 - bottom0)
    if rotation in (90, 270):
        width, height = height, width

    boxes: list[Box | None] = []
    words: list[Word] = []
    text: list[str] = []
    glyphs: list[int] = []
    bad = 0
    high = 0
    guessed = False
    before: Box | None = None
    generated = raw.FPDFText_IsGenerated
    for index in range(count):
        code = unicode_of(handle, index)
        boxes.append(None)
        if code in _SPACES:
            # pdfium guesses spaces between text objects; a guess is held against the gap below
            if text and generated(handle, index) and code == 0x20:
                guessed = True
            elif text:
                guessed = False
                words.append(_word(text, glyphs, boxes, angle_of(handle, glyphs[0]), rotation))
                words[-1].spaced = code not in (0x0A, 0x0D)
                text, glyphs = [], []
            continue
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            if not high:
                bad += 1
                continue
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        letter = _letter(code)
        if not letter:
            bad += code != 0
            continue
        bad += 0xE000 <= code < 0xF900 and letter == chr(code)
        box_of(handle, index, pointer)
        if rotation:
            bounds = (left0, bottom0, right0, top0)
            box = _rotated(rotation, bounds, rect.left, rect.bottom, rect.right, rect.top)
        else:
            box = (rect.left - left0, top0 - rect.top, rect.right - left0, top0 - rect.bottom)
        if text and _apart(before, box, _LEAST_SPACE if guessed else 0.6):
            words.append(_word(text, glyphs, boxes, angle_of(handle, glyphs[0]), rotation))
            text, glyphs = [], []
        guessed = False
        before = box
        if code == _STRETCH and text:
            continue
        boxes[index] = box
        text.extend(letter)
        glyphs.extend([index] * len(letter))
    if text:
        words.append(_word(text, glyphs, boxes, angle_of(handle, glyphs[0]), rotation))
    _mark_bold(handle, words)
    turn = _main_turn(words)
    if turn:
        _turn_back(words, boxes, turn, width, height)
        if turn in (90, 270):
            width, height = height, width
    return PageGlyphs(words, boxes, width, height, turn, bad / max(1, count))


@cache
def _letter(code: int) -> str:
    """What a glyph's code stands for; "" where it stands for nothing that can be read."""
    if code in _LIGATURES:
        return _LIGATURES[code]
    if code == 0x02:  # pdfium's mark for a hyphen at a line's end
        return "-"
    if code in _BULLETS:
        return "•"
    if code in _SYMBOLS:
        return _SYMBOLS[code]
    if 0xF020 < code < 0xF07F:  # symbol fonts shift ASCII into the private area
        return chr(code - 0xF000)
    if 0xFB1D <= code < 0xFE00 or 0xFE70 <= code < 0xFEFF:  # Hebrew and Arabic shapes
        return unicodedata.normalize("NFKC", chr(code)).replace(" ", "")
    if code in _DROPPED or code < 0x20 or 0x7F <= code < 0xA0 or code > 0x10FFFF:
        return ""
    return chr(code)


def _apart(before: Box | None, after: Box, least: float) -> bool:
    """Whether two glyphs lie on different lines, or `least` of their size apart."""
    if before is None:
        return False
    if before[1] == after[1] and -0.05 <= after[0] - before[2] < 0.5 and least > 0.5:
        return False  # the usual case: the next letter of a line
    size = max(before[3] - before[1], before[2] - before[0], 1.0)
    gap = max(
        after[0] - before[2], before[0] - after[2], after[1] - before[3], before[1] - after[3]
    )
    return gap > least * size


def _word(
    text: list[str], glyphs: list[int], boxes: list[Box | None], angle: float, rotation: int
) -> Word:
    lefts, tops, rights, bottoms = zip(
        *[box for index in glyphs if (box := boxes[index]) is not None], strict=True
    )
    turn = 0
    if angle >= 0:
        turn = (round(math.degrees(angle) / 90.0) * 90 + rotation) % 360
    if turn == 0 and len(glyphs) > 1 and max(text) > "\u058f" and any(map(is_rtl, text)):
        text, glyphs = _right_to_left(text, glyphs, boxes)
    return Word(
        "".join(text),
        glyphs,
        min(lefts),
        min(tops),
        max(rights),
        max(bottoms),
        turn,
    )


def is_rtl(letter: str) -> bool:
    """Whether this is a letter of a script that runs from right to left."""
    return letter > "\u058f" and unicodedata.bidirectional(letter) in ("R", "AL")


def _right_to_left(
    text: list[str], glyphs: list[int], boxes: list[Box | None]
) -> tuple[list[str], list[int]]:
    """Reading order by place: files store such words as they look or as they read.

    Letters from the right, runs of digits and Latin letters among them from the left.
    """

    def middle(position: int) -> float:
        box = boxes[glyphs[position]] or (0.0, 0.0, 0.0, 0.0)
        return box[0] + box[2]

    order = sorted(range(len(glyphs)), key=lambda at: (-middle(at), at))
    result: list[int] = []
    run: list[int] = []
    for at in order:
        if unicodedata.bidirectional(text[at]) in ("L", "EN", "AN", "CS", "ES", "ET"):
            run.append(at)
            continue
        result.extend(reversed(run))
        run = []
        result.append(at)
    result.extend(reversed(run))
    return [text[at] for at in result], [glyphs[at] for at in result]


def _rotated(rotation: int, page: Box, x0: float, y0: float, x1: float, y1: float) -> Box:
    """A box of PDF user space as displayed on a page that is turned by `rotation` degrees.

    `page` is the page's own box in user space: left, bottom, right, top.
    """
    left, bottom, right, top = page
    if rotation == 90:
        return y0 - bottom, x0 - left, y1 - bottom, x1 - left
    if rotation == 180:
        return right - x1, y0 - bottom, right - x0, y1 - bottom
    return top - y1, right - x1, top - y0, right - x0


def _main_turn(words: list[Word]) -> int:
    """The turn that most letters share, 0 unless another one holds four fifths of them."""
    letters: Counter[int] = Counter()
    for word in words:
        letters[word.turn] += len(word.text)
    if not letters:
        return 0
    turn, count = letters.most_common(1)[0]
    return turn if turn and count > 0.8 * letters.total() else 0


def turned(box: Box, turn: int, width: float, height: float) -> Box:
    """`box` on a sheet of `width` x `height` after turning the sheet back by `turn` degrees."""
    left, top, right, bottom = box
    if turn == 90:
        return top, width - right, bottom, width - left
    if turn == 180:
        return width - right, height - bottom, width - left, height - top
    if turn == 270:
        return height - bottom, left, height - top, right
    return box


def _turn_back(
    words: list[Word], boxes: list[Box | None], turn: int, width: float, height: float
) -> None:
    for index, box in enumerate(boxes):
        if box is not None:
            boxes[index] = turned(box, turn, width, height)
    for word in words:
        word.left, word.top, word.right, word.bottom = turned(
            (word.left, word.top, word.right, word.bottom), turn, width, height
        )
        word.turn = (word.turn - turn) % 360
