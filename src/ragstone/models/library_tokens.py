"""Tokens by Hugging Face's `tokenizers`, for the files that `wordpiece` cannot read.

Laws as in `tokens`. The library is no dependency of the base install: it brings 40 MB along, and
the shipped encoder does without. A long text costs no more than the part of it that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from ragstone.models.pairs import Pair
from ragstone.types import Span

_PIECE_CHARACTERS = 1 << 16  # of a text that is read for its spans: bounds memory on long texts
_CHARACTERS_PER_TOKEN = 16  # texts longer than this times `max_tokens` are read from their start


class LibraryTokens:
    """A tokenizer file of any kind, opened. Safe to use from several threads."""

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        """Raises ValueError for a file that is no tokenizer."""
        self._path = path
        self._max_tokens = max_tokens
        self._cutting = _open(path)
        self._cutting.enable_truncation(max_tokens)
        self.room = max_tokens - self._cutting.num_special_tokens_to_add(is_pair=False)

    @cached_property
    def _whole(self) -> Tokenizer:
        """The same tokenizer without truncation; only those who ask for spans pay for it."""
        return _open(self._path)

    @cached_property
    def _pairing(self) -> Tokenizer:
        """The same tokenizer for pairs; only rerankers pay for it."""
        tokenizer = _open(self._path)
        tokenizer.enable_truncation(self._max_tokens, strategy="only_second")
        return tokenizer

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, at most `max_tokens` each."""
        heads = [self._head(text) for text in texts]
        return [encoding.ids for encoding in self._cutting.encode_batch_fast(heads)]

    def marked_ids(self, texts: Sequence[str]) -> list[tuple[list[int], list[bool]]]:
        """As `ids`, with a mask that is true for the tokens of the text itself."""
        heads = [self._head(text) for text in texts]
        return [
            (encoding.ids, [not special for special in encoding.special_tokens_mask])
            for encoding in self._cutting.encode_batch_fast(heads)
        ]

    def pairs(self, question: str, passages: Sequence[str]) -> list[Pair]:
        """The question read together with each passage, whose end is cut."""
        try:
            encodings = self._pairing.encode_batch([(question, passage) for passage in passages])
        except Exception as error:  # the library's own error for a question that is too long
            raise ValueError(str(error)) from error
        return [
            Pair(
                encoding.ids,
                encoding.type_ids,
                [
                    place
                    for place, side in zip(encoding.offsets, encoding.sequence_ids, strict=True)
                    if side == 1
                ],
            )
            for encoding in encodings
        ]

    def _head(self, text: str) -> str:
        """A beginning of `text` that surely gives the same ids after truncation.

        The last word of a cut text may be torn, so it must lie beyond what is kept.
        """
        size = _CHARACTERS_PER_TOKEN * self._max_tokens
        while size < len(text):
            words = self._whole.encode(text[:size], add_special_tokens=False).word_ids
            if len(words) > self.room and words[self.room] != words[-1]:
                return text[:size]
            size *= 4
        return text

    def spans(self, text: str, *, piece_characters: int = _PIECE_CHARACTERS) -> list[Span]:
        """Code-point spans of all tokens of `text`, without special tokens, not truncated.

        The text is read in pieces; the last word of each may be torn and is read again with
        the next one. A piece that is one word grows until it holds two.
        """
        found: list[Span] = []
        start, size = 0, piece_characters
        while start < len(text):
            end = min(start + size, len(text))
            encoding = self._whole.encode(text[start:end], add_special_tokens=False)
            kept = len(encoding) if end == len(text) else _before_last_word(encoding)
            if kept == 0 and end < len(text):
                size *= 2
                continue
            offsets = encoding.offsets
            found.extend(Span(start + a, start + b) for a, b in offsets[:kept] if a < b)
            start = end if end == len(text) else start + offsets[kept][0]
            size = piece_characters
        return found


def _before_last_word(encoding: Encoding) -> int:
    """How many tokens stand before the last word that starts beyond the piece's beginning."""
    words, offsets = encoding.word_ids, encoding.offsets
    kept = len(words)
    while kept and words[kept - 1] == words[-1]:
        kept -= 1
    return kept if kept and offsets[kept][0] > 0 else 0


def _open(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for a file it cannot read
        raise ValueError(str(error)) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer
