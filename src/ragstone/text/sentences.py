"""Where sentences begin and end, in any language, fast, without a model.

One regular expression finds the places where a sentence may end: a full stop, question or
exclamation mark before white space, the marks of scripts that need no space (Chinese, Japanese,
Hindi, Arabic, ...), and line ends. A few rules then judge each place: abbreviations, initials,
numbers of lists and ordinals, what follows in lower case, lines that were only wrapped.

Law: the spans are ordered, disjoint, trimmed and not empty, and cover every non-blank character
of the range. Time is linear in the length of the text.
"""

from __future__ import annotations

import re

from ragstone.types import Span

# A place where a sentence may end. Group 1: stops; group 2: the first character after the white
# space and any opening quotes. The second line needs no white space. The third: line ends.
_PLACE = re.compile(
    r"""([.!?…‽]+)["'”’»›)\]*_]*(?:\[[\d,\s]{1,8}\])*(?=\s+["'“‘„«‹(\[*_]*(\S))"""
    r"""|[。！？｡؟۔।॥։።፧។៕။༎]+["'”’」』】）)\]»]*"""
    r"""|[\n\f\u2028\u2029][^\S\n]*(?:\n\s*)?"""
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘„«‹/—–-]*\Z")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LIST_MARK = re.compile(
    r"[^\S\n]*(?:[-*+•◦▪‣·○●–—>|#]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]\s)"
)
_SPACE_RUN = re.compile(r"\s*")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Never the end of a sentence: what they shorten follows.
_BEFORE_NAME = _words(
    """mr mrs ms mx dr prof rev hon gen col maj capt cmdr lt sgt gov sen rep pres supt st ste mt ft
    messrs mme mmes mlle mons vs v cf e.g i.e eg ie viz ca approx esp resp incl excl al et fig figs
    eq eqs ref refs sec ch chap app tab vol vols pp nos ed eds trans op cit ibid dept univ assn bros
    z.b d.h u.a o.ä bzw ggf evtl sog vgl hr fr frl dipl ing nr str abs art bd hrsg s.o s.u
    sr sra srta dña ud uds pág págs núm p.ej sig sigg dott ing avv geom
    t.e т.е т.к т.н напр см ул им проф г-н г-жа dhr mevr bijv nl o.a"""
)
# The end of a sentence only where a word follows that likes to begin one.
_EITHER = _words(
    """etc inc ltd co corp llc plc cos jr sr esq ph.d m.d b.a m.a b.s m.s a.m p.m am pm u.s u.k u.n
    e.u d.c a.d b.c est dept gmbh ag usw u.s.w ff jan feb mar apr jun jul aug sep sept oct nov dec
    mon tue tues wed thu thur thurs fri sat sun no p s n g kg km cm mm ml min max hr hrs ft sq
    г гг т.д т.п др руб"""
)
# With a number behind it no end, else judged like any word.
_BEFORE_NUMBER = _words("no nos p pp s art arts sect § nr núm vol ver v c")
_STARTERS = _words(
    """the a an this that these those it he she we they you i his her its their our my your there
    here in on at by for from with as if when while where after before since until although though
    because however but and or so then thus therefore moreover furthermore meanwhile what who why
    how which to not no one some many most all each both several such under over during
    der die das ein eine er sie es wir ihr ich und aber im in am le la les un une il elle ils nous
    vous el los las una y en de lo si o а и в на он она они это"""
)
_ORDINAL_MONTHS = _words(
    """januar jänner februar märz april mai juni juli august september oktober november dezember
    januar jahrhundert jahrhunderts januari februari marts maj juni oktober desember"""
)
# Languages that write ordinals with a full stop ("der 3. Mann").
_ORDINAL_LANGUAGES = frozenset(("de", "da", "nb", "nn", "no", "fi", "hu", "cs", "sk", "pl", "hr"))


def sentence_spans(
    text: str, start: int = 0, end: int | None = None, language: str = ""
) -> list[Span]:
    """The sentences of `text[start:end]`, as spans of code points into `text`.

    A heading, a list item or a row on a line of its own is a sentence too; lines that were only
    wrapped are joined. `language` (ISO 639-1) is not needed; it settles ordinals like "3. Mann".
    """
    end = len(text) if end is None else min(end, len(text))
    spans: list[Span] = []
    left = start
    wrapped = _Wrapping(text, start, end)
    unicase = text[start : min(end, start + 2000)].islower()  # a text that knows no capitals
    for place in _PLACE.finditer(text, start, end):
        at = place.end()
        stops = place[1]
        if stops is not None:
            if place[2].islower() and not unicase:
                continue
            if stops == "." and not _ends(text, place, max(left, place.start() - 24), language):
                continue
        elif text[place.start()] == "\n" and wrapped.joins(place):
            continue
        _append(spans, text, left, at)
        left = at
    _append(spans, text, left, end)
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    """Add `[start, end)` without its blank ends, if anything is left."""
    if text[start : start + 1].isspace():
        run = _SPACE_RUN.match(text, start, end)
        start = run.end() if run else start
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _ends(text: str, place: re.Match[str], floor: int, language: str) -> bool:
    """Whether a sentence ends at this full stop, which white space follows."""
    before = _WORD_BEFORE.search(text, floor, place.start())
    word = before[0] if before else ""
    if not word:
        return not _opens_line(text, place.start())
    lower = word.lower()
    if word.isdigit():
        if len(word) <= 3 and _opens_line(text, place.start() - len(word)):
            return False  # the number of a list item
        if len(word) <= 2:
            return not (language in _ORDINAL_LANGUAGES or _next(text, place) in _ORDINAL_MONTHS)
        return True
    if lower in _BEFORE_NUMBER and place[2].isdigit():
        return False
    if lower in _BEFORE_NAME:
        return False
    initial = len(word) == 1 and word.isalpha() and word.isupper()
    dotted = "." in word and all(len(part) <= 2 for part in word.split("."))
    if initial and _opens_line(text, place.start() - 1):
        return False
    if initial or dotted or lower in _EITHER:
        return _next(text, place) in _STARTERS
    return True


def _next(text: str, place: re.Match[str]) -> str:
    """The first word after the place, in lower case."""
    word = _WORD.match(text, place.start(2))
    return word[0].lower() if word else ""


def _opens_line(text: str, at: int) -> bool:
    """Whether only blanks stand between `at` and the line's begin."""
    while at > 0 and text[at - 1] in " \t(":
        at -= 1
    return at == 0 or text[at - 1] in "\n\f\u2028\u2029"


_LAST_WORD = re.compile(r"[^\W\d_]+$")
# Articles and others that no statement and no heading ends with: the line runs on.
_GOES_ON = frozenset((
    "a", "an", "the", "and", "or", "of", "with", "from", "than", "into", "und", "oder", "der",
    "das", "ein", "eine", "einen", "einem", "einer", "mit", "von", "le", "les", "du", "des", "et",
    "ou", "un", "une", "el", "los", "las", "del",
))  # fmt: skip


class _Wrapping:
    """Judges line ends: was the line only wrapped, or does something end there?

    In wrapped text the next line's first word would not have fitted on the line before. The
    width is that of the widest line of the block (the lines between two blank ones).
    """

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._until = -1  # end of the block whose width is known
        self._width = 0

    def joins(self, place: re.Match[str]) -> bool:
        """Whether the text runs on over this line end."""
        text, at, after = self._text, place.start(), place.end()
        if text.find("\n", at + 1, after) >= 0 or after >= self._end:
            return False  # a blank line
        if _LIST_MARK.match(text, after):
            return False
        before = text.rfind("\n", max(self._start, at - 400), at) + 1 or max(self._start, at - 400)
        length = at - before
        last = _LAST_WORD.search(text, max(before, at - 20), at)
        if text[after].islower() or (last and last[0].lower() in _GOES_ON):
            return length >= 20
        if at >= self._until:
            self._measure(before, at)
        if not 40 <= self._width <= 130:
            return False
        word = re.compile(r"\S{0,60}").match(text, after)
        return length + 1 + (len(word[0]) if word else 0) > self._width

    def _measure(self, begin: int, at: int) -> None:
        """The width of the block around `at`, at most 60 lines of it."""
        width = at - begin
        line = at + 1
        for _ in range(60):
            following = self._text.find("\n", line, min(self._end, line + 400))
            stop = following if following >= 0 else min(self._end, line + 400)
            if not self._text[line:stop].strip():
                break
            width = max(width, stop - line)
            line = stop + 1
            if following < 0:
                break
        self._until, self._width = line, width
