"""BERT's tokenizer: text to word pieces, with a memory of words already cut.

    text --runs--> words --clean, lower case, no accents--> longest pieces of the vocabulary

Gives what Hugging Face's `tokenizers` gives for `BertNormalizer`, `BertPreTokenizer` and
`WordPiece` (Devlin et al. 2018; Schuster and Nakajima 2012), ids and spans, but for about 500
characters that Unicode took in after that library's tables were made, and words beyond 65,536
characters. It does so without the 40 MB that the library brings along, and three times as fast:
a text's words were nearly all seen before, so cutting is mostly a look into a dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain

_PUNCTUATION = "!-/:-@\\[-`{-~"  # what ASCII has of it
# A run is cut at 65,536 characters: what a megabyte without a blank costs stays bounded.
_RUN = re.compile(f"[^ \t\n\r{_PUNCTUATION}]{{1,65536}}|[{_PUNCTUATION}]")
_REMEMBERED = 1 << 17  # words; emptied when full
_SHORT = 1 << 16  # characters; longer texts are read run by run, for only their beginning counts
_LONGEST_REMEMBERED = 32  # characters; longer runs (Chinese, base64) seldom come again

Pieces = tuple[tuple[int, ...], tuple[tuple[int, int], ...]]  # ids, and [start, end) of each


def read_wordpiece(file: Mapping[str, object]) -> WordPiece | None:
    """The tokenizer of a parsed `tokenizer.json`; None where it is of another kind.

    Raises KeyError, TypeError or AttributeError for a file that is no tokenizer.
    """
    model, normal, before = file["model"], file["normalizer"], file["pre_tokenizer"]
    kinds = [part.get("type") if isinstance(part, dict) else None
             for part in (model, normal, before)]  # fmt: skip
    if kinds != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        return None
    assert isinstance(model, dict) and isinstance(normal, dict)  # noqa: PT018 - for the types
    lower = bool(normal["lowercase"])
    accents = normal.get("strip_accents")
    if not normal["clean_text"] or not normal["handle_chinese_chars"]:
        return None
    return WordPiece(
        model["vocab"], unknown=model["unk_token"], prefix=model["continuing_subword_prefix"],
        longest_word=model["max_input_chars_per_word"], lower=lower,
        strip_accents=lower if accents is None else bool(accents),
    )  # fmt: skip


class WordPiece:
    """A vocabulary, ready to cut. Safe to use from several threads."""

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        *,
        unknown: str = "[UNK]",
        prefix: str = "##",
        longest_word: int = 100,
        lower: bool = True,
        strip_accents: bool = True,
    ) -> None:
        """`longest_word` in characters: a longer one is unknown as a whole."""
        self._starts = {text: id for text, id in vocabulary.items() if not text.startswith(prefix)}
        self._goes_on = {
            text.removeprefix(prefix): id
            for text, id in vocabulary.items()
            if text.startswith(prefix) and text != prefix
        }
        self._unknown = vocabulary[unknown]
        self._longest_word = longest_word
        self._longest_piece = max(map(len, vocabulary))
        self._lower, self._strip = lower, strip_accents
        self._known: dict[str, Pieces] = {}

    def ids(self, text: str, limit: int) -> list[int]:
        """Ids of the text's first `limit` pieces, no special ones among them."""
        known = self._known
        found: list[int] = []
        short = len(text) <= _SHORT
        for run in _RUN.findall(text) if short else (match[0] for match in _RUN.finditer(text)):
            found.extend((known.get(run) or self._cut(run))[0])
            if len(found) >= limit:
                return found[:limit]
        return found

    def pieces(self, text: str, limit: int) -> tuple[list[int], list[tuple[int, int]]]:
        """The text's first `limit` pieces: their ids, and the code points of each."""
        known = self._known
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        for match in _RUN.finditer(text):
            if len(ids) >= limit:
                break
            run, at = match[0], match.start()
            found, spans = known.get(run) or self._cut(run)
            ids.extend(found)
            places.extend([(at + start, at + end) for start, end in spans])
        return ids[:limit], places[:limit]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """The code points `[start, end)` of each piece; several pieces may share a character."""
        known = self._known
        for match in _RUN.finditer(text):
            run = match[0]
            at = match.start()
            for start, end in (known.get(run) or self._cut(run))[1]:
                yield at + start, at + end

    def _cut(self, run: str) -> Pieces:
        """The pieces of a run without blanks; remembered where it is short."""
        if len(run) > self._longest_word and run.isascii() and run.isprintable():
            return (self._unknown,), ((0, len(run)),)
        words = [self._pieces(word) for word in self._words(run)]
        pieces = (
            tuple(chain.from_iterable(ids for ids, _ in words)),
            tuple(chain.from_iterable(spans for _, spans in words)),
        )
        if len(run) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[run] = pieces
        return pieces

    def _words(self, run: str) -> Iterator[list[tuple[str, int]]]:
        """Words as normal characters, each with the place in the run that it came from."""
        word: list[tuple[str, int]] = []
        if run.isascii():
            folded = run.lower() if self._lower else run
            yield [(c, at) for at, c in enumerate(folded) if " " < c < "\x7f"]
            return
        for at, character in enumerate(run):
            for normal in _normal(character, self._lower, self._strip):
                if normal == " " or _is_punctuation(normal) or normal == _BREAK:
                    if word:
                        yield word
                    word = []
                    if normal not in (" ", _BREAK):
                        yield [(normal, at)]
                else:
                    word.append((normal, at))
        if word:
            yield word

    def _pieces(self, word: list[tuple[str, int]]) -> Pieces:
        """The longest piece that fits, again and again; unknown where none does."""
        if not word:
            return (), ()
        whole = (word[0][1], word[-1][1] + 1)
        if len(word) > self._longest_word:
            return (self._unknown,), (whole,)
        text = "".join(c for c, _ in word)
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        start, vocabulary = 0, self._starts
        while start < len(text):
            for end in range(min(len(text), start + self._longest_piece), start, -1):
                id = vocabulary.get(text[start:end])
                if id is not None:
                    break
            else:
                return (self._unknown,), (whole,)
            ids.append(id)
            spans.append((word[start][1], word[end - 1][1] + 1))
            start, vocabulary = end, self._goes_on
        return tuple(ids), tuple(spans)


_BREAK = "\0"  # around a Chinese character: a word ends and begins


@lru_cache(maxsize=1 << 14)
def _normal(character: str, lower: bool, strip_accents: bool) -> str:
    """What becomes of one character: "" where it is removed."""
    if character in "\0\ufffd" or _is_control(character):
        return ""
    if character.isspace():
        return " "
    normal = unicodedata.normalize("NFD", character) if strip_accents else character
    if strip_accents:
        normal = "".join(c for c in normal if unicodedata.category(c) != "Mn")
    if lower:
        normal = "".join(c.lower() for c in normal)
    return f"{_BREAK}{normal}{_BREAK}" if _is_chinese(character) else normal


def _is_control(character: str) -> bool:
    return character not in "\t\n\r" and unicodedata.category(character) in ("Cc", "Cf", "Co")


@lru_cache(maxsize=1 << 14)
def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P" or (
        character.isascii() and character.isprintable() and not character.isalnum()
    )


def _is_chinese(character: str) -> bool:
    """The blocks that BERT sets apart: ideographs, not kana nor hangul."""
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x2A6DF or 0x2A700 <= code <= 0x2B73F
        or 0x2B740 <= code <= 0x2B81F or 0x2B920 <= code <= 0x2CEAF
        or 0x2F800 <= code <= 0x2FA1F
    )  # fmt: skip
