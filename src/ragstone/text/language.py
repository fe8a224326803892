"""Which language a text is written in: script first, then its commonest words and letters.

Small and offline: Unicode ranges decide for scripts that one language (nearly) owns; where
several share a script, the share of each language's stop words decides, with letters that only
some of them use. Law: "" where the text does not say enough; a wrong guess costs a bad stem,
"" costs the default one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache, lru_cache
from typing import Literal

from ragstone.text.stopwords import STOP_WORDS

SAMPLE = 4000  # characters looked at: more changes nothing
_LEAST_VOTES = (
    3.0  # a stop word of one language is 1.5, a letter of one language 1: for a Latin text
)
_LEAST_SHARE = 0.12  # of the words; running text has 0.3 to 0.5 in its own language

Script = Literal[
    "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "han", "kana", "hangul",
    "thai", "lao", "khmer", "myanmar", "tibetan", "armenian", "georgian", "bengali", "gurmukhi",
    "gujarati", "tamil", "telugu", "kannada", "malayalam", "sinhala", "ethiopic",
]  # fmt: skip
_RANGES: tuple[tuple[Script, str], ...] = (
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
    ("cyrillic", "\u0400-\u052f"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f"),
    ("hebrew", "\u0590-\u05ff"),
    ("devanagari", "\u0900-\u097f"),
    ("han", "\u3400-\u4dbf\u4e00-\u9fff"),
    ("kana", "\u3040-\u30ff"),
    ("hangul", "\uac00-\ud7af\u1100-\u11ff"),
    ("thai", "\u0e00-\u0e7f"),
    ("lao", "\u0e80-\u0eff"),
    ("khmer", "\u1780-\u17ff"),
    ("myanmar", "\u1000-\u109f"),
    ("tibetan", "\u0f00-\u0fff"),
    ("armenian", "\u0530-\u058f"),
    ("georgian", "\u10a0-\u10ff"),
    ("bengali", "\u0980-\u09ff"),
    ("gurmukhi", "\u0a00-\u0a7f"),
    ("gujarati", "\u0a80-\u0aff"),
    ("tamil", "\u0b80-\u0bff"),
    ("telugu", "\u0c00-\u0c7f"),
    ("kannada", "\u0c80-\u0cff"),
    ("malayalam", "\u0d00-\u0d7f"),
    ("sinhala", "\u0d80-\u0dff"),
    ("ethiopic", "\u1200-\u137f"),
)
_MATCHERS = tuple((script, re.compile(f"[{ranges}]")) for script, ranges in _RANGES)
_ASCII_LETTER = re.compile("[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Scripts that stand for one language (or one by far).
_OWNED: dict[Script, str] = {
    "greek": "el", "hebrew": "he", "hangul": "ko", "kana": "ja", "thai": "th", "lao": "lo",
    "khmer": "km", "myanmar": "my", "tibetan": "bo", "armenian": "hy", "georgian": "ka",
    "bengali": "bn", "gurmukhi": "pa", "gujarati": "gu", "tamil": "ta", "telugu": "te",
    "kannada": "kn", "malayalam": "ml", "sinhala": "si", "ethiopic": "am", "han": "zh",
}  # fmt: skip
_LATIN = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "cs", "tr", "ro", "hu",
    "id",
)  # fmt: skip
# Letters that tell neighbours apart: each occurrence counts for those languages.
_LETTERS: dict[str, tuple[str, ...]] = {
    "ß": ("de",), "ä": ("de", "sv", "fi"), "ö": ("de", "sv", "fi", "tr", "hu"),
    "ü": ("de", "tr", "hu"), "å": ("sv", "da", "no"), "ø": ("da", "no"), "æ": ("da", "no"),
    "ñ": ("es",), "¿": ("es",), "ã": ("pt",), "õ": ("pt",), "ç": ("fr", "pt", "tr"),
    "ı": ("tr",), "ğ": ("tr",), "ş": ("tr", "ro"), "ș": ("ro",), "ț": ("ro",), "ă": ("ro",),
    "ő": ("hu",), "ű": ("hu",), "ł": ("pl",), "ż": ("pl",), "ę": ("pl",), "ą": ("pl",),
    "ř": ("cs",), "ě": ("cs",), "ů": ("cs",), "è": ("fr", "it"), "œ": ("fr",), "ò": ("it",),
    "і": ("uk",), "ї": ("uk",), "є": ("uk",), "ґ": ("uk",), "ы": ("ru",), "э": ("ru",),
    "ё": ("ru",), "ъ": ("bg",), "پ": ("fa",), "چ": ("fa",), "گ": ("fa",), "ژ": ("fa",),
    "ی": ("fa",), "ک": ("fa",), "ة": ("ar",), "ي": ("ar",), "ك": ("ar",), "ى": ("ar",),
}  # fmt: skip


def detect_language(text: str) -> str:
    """The ISO 639-1 code of `text`, or "" where it is too short or mixed to say.

    At most `SAMPLE` characters are read, half from the start and half from the middle.
    """
    sample = unicodedata.normalize("NFC", _sampled(text))
    script = main_script(sample)
    if script is None:
        return ""
    if script == "latin":
        return _by_words(sample, _LATIN, least=_LEAST_VOTES)
    if script == "cyrillic":
        return _by_words(sample, ("ru", "uk", "bg"), least=1)
    if script == "arabic":
        return _by_words(sample, ("ar", "fa"), least=1)
    if script == "devanagari":
        return _by_words(sample, ("hi",), least=1)
    return _OWNED[script]


def main_script(text: str) -> Script | None:
    """The script of most letters, or None without any.

    A letter of Chinese or Japanese says as much as a few Latin ones and counts thrice; kana
    make a Han text Japanese.
    """
    if text.isascii():
        return "latin" if _ASCII_LETTER.search(text) else None
    counts: dict[Script, int] = {script: 0 for script, _ in _RANGES}
    for character, count in Counter(text).items():  # a text has few different characters
        owner = _script_of(character)
        if owner is not None:
            counts[owner] += count
    for script in ("han", "kana", "hangul"):
        counts[script] *= 3
    if counts["kana"] and counts["kana"] * 12 > counts["han"]:
        counts["kana"] += counts.pop("han")
    script, most = max(counts.items(), key=lambda item: item[1])
    return script if most else None


@lru_cache(maxsize=1 << 14)
def _script_of(character: str) -> Script | None:
    return next((script for script, pattern in _MATCHERS if pattern.match(character)), None)


def _sampled(text: str) -> str:
    if len(text) <= SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[: SAMPLE // 2]} {text[middle : middle + SAMPLE // 2]}"


def _by_words(text: str, languages: tuple[str, ...], *, least: float) -> str:
    """The language with the largest share of stop words and letters of its own."""
    lowered = text.lower()
    if text.isascii():
        words = _WORD.findall(lowered)
    else:  # elsewhere a letter in lower case may be several characters
        words = [word.lower() for word in _WORD.findall(text)]
    weights = _weights(languages)
    votes: dict[str, float] = defaultdict(float)
    for word in words:
        if word in weights:
            for language, weight in weights[word]:
                votes[language] += weight
    seen = set(votes)
    if not lowered.isascii():
        for letter, count in Counter(lowered).items():
            for language in _LETTERS.get(letter, ()):
                if language in seen or least == 1:
                    votes[language] += count / len(_LETTERS[letter])
    if not votes:
        return ""
    language, vote = max(votes.items(), key=lambda item: (item[1], item[0]))
    return language if vote >= least and vote >= _LEAST_SHARE * len(words) else ""


@cache
def _weights(languages: tuple[str, ...]) -> dict[str, tuple[tuple[str, float], ...]]:
    """Stop word -> the languages among these that have it, each with what the word says for it."""
    owners: dict[str, tuple[str, ...]] = {}
    for language, listed in STOP_WORDS.items():
        if language in languages:
            for word in dict.fromkeys(listed.split()):
                owners[word] = (*owners.get(word, ()), language)
    return {
        word: tuple((language, 1.0 / len(known) + 0.5) for language in known)
        for word, known in owners.items()
    }
