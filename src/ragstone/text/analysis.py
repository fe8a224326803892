"""Text to index terms, the same for every engine and for documents and questions alike.

A term is what two writings of one thing have in common: `analyse("Max-Tokens")` and
`analyse("maxTokens")` share `maxtoken`. Steps: NFKC; words by script; numbers and identifiers
whole and in parts; stems by language (Snowball); case and Latin diacritics folded. Scripts
written without spaces become single clusters and pairs of clusters, so nothing depends on a
dictionary. Law: the terms of a text depend on nothing but the text and the language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain

import Stemmer

from ragstone.text.stopwords import STOP_WORDS

MAX_TERM = 64  # characters of one term; base64 and the like are cut here
_CACHED_WORD = 40  # longer words are almost always unique: not worth a place in the cache
_CACHE_SIZE = 1_000_000  # words of one language; then the cache starts afresh

# Combining marks are not `\w` for Python, yet belong to the word: accents, Hebrew points,
# Arabic vowels, all Indic blocks without the danda, Thai, Lao, Tibetan, Myanmar, Khmer.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f18\u0f19\u0f35-\u0f39\u0f71-\u0f84\u0f8d-\u0fbc"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d"
    "\u17b4-\u17d3\u200c\u200d"
)
_LETTER = rf"(?:[^\W_]|[{_MARKS}])"
# Generous on purpose, because one class without groups is twice as fast: what is no part of the
# word is cut off when the word is first met.
_ASCII_WORD = re.compile(r"\w[-\w.',+#]*", re.ASCII)
_WORD = re.compile(rf"(?:\w|[{_MARKS}])[-\w.'’‐‑,+#{_MARKS}]*")
_JOINER = re.compile(r"[-._'’‐‑+#]+")
_EDGE = "-._'’‐‑,+#"
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[A-Z]+")  # camelCase
_FOREIGN_PIECE = re.compile(r"\d+|\D+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)")
_SYMBOLIC = re.compile(r"[A-Za-z](?:\+\+|#)(?![^\W_])")  # C++, C#
_ACRONYMS = re.compile(r"[A-Z]{2,}s")

# Scripts without spaces between words, as clusters of what a reader sees as one letter.
_SPACELESS = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Kana, Han
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Tibetan, Myanmar, Khmer
    "\U00020000-\U0003ffff"  # Han extensions
)
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_RUN = re.compile(
    rf"(?P<spaceless>[{_SPACELESS}]+)|(?P<hangul>[{_HANGUL}]+)|(?P<word>[^{_SPACELESS}{_HANGUL}]+)"
)
_HAS_RUN = re.compile(rf"[{_SPACELESS}{_HANGUL}]")
_CLUSTER = re.compile(
    rf"[\u0e40-\u0e44\u0ec0-\u0ec4]?[^{_MARKS}]"  # a vowel written before, the consonant
    rf"(?:[\u17d2\u1039].|[{_MARKS}\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3])*|."
)
_KANA = re.compile("[\u3040-\u30ff]")
# Korean particles, longest first, taken off the end of a word.
_PARTICLES = (
    "에서는", "으로는", "에게서", "이라는", "에서", "으로", "에게", "까지", "부터", "처럼", "보다",
    "이나", "라는", "은", "는", "이", "가", "을", "를", "에", "의", "도", "로", "와", "과", "만",
)  # fmt: skip

_ALGORITHMS: Mapping[str, str] = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish",
    "nl": "dutch", "en": "english", "et": "estonian", "fi": "finnish", "fr": "french",
    "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian",
    "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
# First letter of a script's block, and the language whose stemmer its words get by default.
_SCRIPTS: tuple[tuple[str, str, str, frozenset[str]], ...] = (
    ("A", "\u024f", "en", frozenset()),  # Latin: every language not named below
    ("\u0370", "\u03ff", "el", frozenset({"el"})),
    ("\u0400", "\u052f", "ru", frozenset({"ru", "sr", "uk", "bg", "be", "mk", "kk"})),
    ("\u0530", "\u058f", "hy", frozenset({"hy"})),
    ("\u0590", "\u05ff", "", frozenset({"yi"})),
    ("\u0600", "\u06ff", "ar", frozenset({"ar", "fa", "ur"})),
    ("\u0900", "\u097f", "hi", frozenset({"hi", "ne", "mr"})),
    ("\u0b80", "\u0bff", "ta", frozenset({"ta"})),
)
_NON_LATIN = frozenset[str]().union(*(languages for *_, languages in _SCRIPTS))
# Letters that do not decompose, yet are written without their stroke by people in a hurry.
_FOLDED = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ё": "е",
     "\u0640": None, "\u200c": None, "\u200d": None}
)  # fmt: skip
_DIACRITICS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")


def analyse(text: str, language: str = "") -> list[str]:
    """The index terms of `text` in order, with repetitions.

    `language` is an ISO 639-1 code and chooses the stemmer of the scripts that it is written
    in; other scripts (and "" or an unknown code) get their script's default, English for Latin.
    Nothing is dropped but punctuation: BM25 weighs stop words down by itself.
    """
    table = _table(_stemming(language))
    if text.isascii():
        words = _ASCII_WORD.findall(text)
    else:
        words = _WORD.findall(unicodedata.normalize("NFKC", text))
    if len(table) > _CACHE_SIZE:
        table.clear()
    return list(chain.from_iterable(map(table.__getitem__, words)))


def analyse_question(text: str, languages: Iterable[str] = ("",)) -> list[str]:
    """The distinct terms to search for, of a question over documents in `languages`.

    Each language's analysis is asked for, since a short question rarely tells its own. Stop
    words are left out unless nothing else remains.
    """
    every: dict[str, None] = {}
    telling: dict[str, None] = {}
    for language in languages:
        terms = dict.fromkeys(analyse(text, language))
        stops = _stop_terms(_stemming(language) or "en")
        every |= terms
        telling |= {term: None for term in terms if term not in stops}
    return list(telling or every)


def telling_words(text: str, language: str = "") -> str:
    """`text` without its stop words, for an index that analyses questions itself.

    The words stay as they were written; all of them stay where nothing else would remain.
    """
    stops = _stop_terms(_stemming(language) or "en")
    kept = [
        word
        for word in text.split()
        if not (terms := analyse(word, language)) or not stops.issuperset(terms)
    ]
    return " ".join(kept) if any(analyse(word, language) for word in kept) else text


def stem(word: str, language: str = "") -> str:
    """One word's term, without parts: case folded, stemmed and without Latin diacritics."""
    return _table(_stemming(language)).term(unicodedata.normalize("NFKC", word))


def _stemming(language: str) -> str:
    """The code under which terms are cached: a language with rules of its own, or ""."""
    code = language.lower().replace("_", "-").split("-")[0]
    code = {"nb": "no", "nn": "no"}.get(code, code)
    return code if code in _ALGORITHMS else ""


class _Table(dict[str, tuple[str, ...]]):
    """Word -> its terms in one language, worked out when first met."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[str, ...]:
        terms = tuple(term[:MAX_TERM] for term in self._terms(word) if term)
        if len(word) <= _CACHED_WORD:
            self[word] = terms
        return terms

    def _terms(self, word: str) -> list[str]:
        if word.isascii() and word.isalpha() and (word.islower() or word.istitle()):
            return [self.term(word)]
        word = _ascii_digits(word)
        name = _SYMBOLIC.match(word)
        if name:
            return [name.group().lower(), *self._terms(word[name.end() :])]
        terms: list[str] = []
        for piece in [word] if _GROUPED.match(word) else word.split(","):
            piece = piece.strip(_EDGE)
            if piece:
                terms += self._mixed(piece) if _HAS_RUN.search(piece) else self._compound(piece)
        return terms

    def _mixed(self, word: str) -> list[str]:
        """A word with scripts that are not spaced in it: each run by its own rule."""
        terms: list[str] = []
        for run in _RUN.finditer(word):
            piece = run.group().strip(_EDGE)
            if run.lastgroup == "spaceless":
                terms += _clusters(piece)
            elif run.lastgroup == "hangul":
                terms += _hangul(piece)
            elif piece:
                terms += self._compound(piece)
        return terms

    def _compound(self, word: str) -> list[str]:
        """A word of spaced scripts: the whole without joiners, and its parts."""
        if _NUMBER.fullmatch(word):
            return [word.replace(",", "")]
        pieces = [piece for piece in _JOINER.split(word) if piece]
        if len(pieces) > 1 and ("'" in word or "’" in word):
            pieces = _without_clitics(pieces, self._language)
        parts: list[str] = []
        for piece in pieces:
            if _ACRONYMS.fullmatch(piece):
                parts.append(piece[:-1])
            else:
                parts += (_PIECE if piece.isascii() else _FOREIGN_PIECE).findall(piece)
        if len(parts) < 2:
            return [self.term(part) for part in parts]
        whole = self.term("".join(pieces))
        return [whole, *(self.term(part) for part in parts if len(part) > 1 or part.isdigit())]

    def term(self, word: str) -> str:
        """Folded and stemmed, by the language of the word's script."""
        if word.isascii():
            folded = word.lower()
            if self._language == "tr":
                folded = word.replace("I", "ı").lower()
        elif self._language == "tr":
            folded = word.replace("I", "ı").replace("İ", "i").casefold()
        else:
            folded = word.casefold()
        if not folded.isdigit():
            stemmer = _stemmer(self._language_of(folded))
            folded = folded if stemmer is None else stemmer.stemWord(folded)
        return folded if folded.isascii() else _fold(folded)

    def _language_of(self, word: str) -> str:
        first = word[0]
        for start, end, default, languages in _SCRIPTS:
            if start <= first <= end:
                if start == "A":
                    return default if self._language in _NON_LATIN else self._language or default
                return self._language if self._language in languages else default
        return ""


@cache
def _table(language: str) -> _Table:
    return _Table(language)


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    """Snowball's stemmer of a language; its own cache is off, since `_Table` remembers."""
    if language not in _ALGORITHMS:
        return None
    return Stemmer.Stemmer(_ALGORITHMS[language], 0)


@cache
def _stop_terms(language: str) -> frozenset[str]:
    return frozenset(analyse(STOP_WORDS.get(language, ""), language))


def _clusters(run: str) -> list[str]:
    """Single clusters and overlapping pairs of them; single kana say too little to index."""
    clusters = _CLUSTER.findall(run)
    if len(clusters) == 1:
        return clusters
    terms: list[str] = []
    for first, second in zip(clusters, [*clusters[1:], ""], strict=True):
        if not _KANA.match(first):
            terms.append(first)
        if second:
            terms.append(first + second)
    return terms


def _hangul(word: str) -> list[str]:
    """The word without its particle, and its pairs of syllables."""
    bare = next((word[: -len(p)] for p in _PARTICLES if word.endswith(p) and word != p), word)
    pairs = [word[i : i + 2] for i in range(len(word) - 1)]
    return [bare, *(pair for pair in pairs if pair != bare)]


def _without_clitics(pieces: list[str], language: str) -> list[str]:
    """English 's dropped, `don't` joined, French and Italian elisions (`l'`, `dell'`) dropped,
    and the endings that Turkish sets off from names."""
    last = pieces[-1].lower()
    if language == "tr":
        return pieces[:1]
    if last == "s":
        return pieces[:-1]
    if len(pieces) == 2 and last in {"t", "re", "ve", "ll", "d", "m"}:
        return ["".join(pieces)]
    if pieces[0].lower() in {"l", "d", "j", "m", "n", "s", "t", "c", "qu", "dell", "all", "un"}:
        return pieces[1:]
    return pieces


def _ascii_digits(word: str) -> str:
    """Decimal digits of every script as 0 to 9."""
    if word.isascii() or not any(character.isdigit() for character in word):
        return word
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in word
    )


def _fold(term: str) -> str:
    """Without strokes and accents of Latin and Greek, points of Hebrew and vowels of Arabic.

    Marks of Indic scripts stay: there they are the vowels themselves.
    """
    decomposed = unicodedata.normalize("NFD", term.translate(_FOLDED))
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", decomposed))
