"""Texts to token ids and to the spans of their tokens.

Laws: a text's ids do not depend on the texts beside it; spans are code points of the given
text, in order, without special tokens; text that spells a special token is plain text. BERT's
tokenizers are read here, others by the library of Hugging Face where it is installed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ragstone.errors import ModelError
from ragstone.models.pairs import Pair
from ragstone.models.wordpiece import WordPiece, read_wordpiece
from ragstone.types import Span

if TYPE_CHECKING:
    from ragstone.models.library_tokens import LibraryTokens


class Tokens(Protocol):
    """An opened tokenizer. Safe to use from several threads."""

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, at most `max_tokens` each."""
        ...

    def marked_ids(self, texts: Sequence[str]) -> list[tuple[list[int], list[bool]]]:
        """As `ids`, with a mask that is true for the tokens of the text itself."""
        ...

    def pairs(self, question: str, passages: Sequence[str]) -> list[Pair]:
        """The question read together with each passage, whose end is cut.

        Raises ValueError for a question that leaves no room.
        """
        ...

    def spans(self, text: str) -> list[Span]:
        """Code-point spans of all tokens of `text`, without special tokens, not truncated."""
        ...


def open_tokens(path: Path, *, max_tokens: int) -> Tokens:
    """Open a `tokenizer.json`. Raises ModelError where it cannot be read or has no room."""
    try:
        file = json.loads(path.read_text(encoding="utf-8"))
        words = read_wordpiece(file)
        found = (
            _by_library(path, max_tokens=max_tokens)
            if words is None
            else BertTokens(words, file, max_tokens=max_tokens)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is not a tokenizer: {error}.",
            remedy="It must be a tokenizer.json as the tokenizers library writes it.",
        ) from error
    if found.room < 1:
        raise ModelError(
            f"max_tokens = {max_tokens} leaves no room beside {path}'s special tokens.",
            remedy="Raise max_tokens in encoder.json.",
        )
    return found


def _by_library(path: Path, *, max_tokens: int) -> LibraryTokens:
    if find_spec("tokenizers") is None:
        raise ModelError(
            f"{path} is a tokenizer of a kind that needs the package tokenizers.",
            remedy="Run: pip install 'ragstone[encoders]'",
        )
    from ragstone.models.library_tokens import LibraryTokens

    return LibraryTokens(path, max_tokens=max_tokens)


class BertTokens:
    """Word pieces between the special tokens that the file's template names."""

    def __init__(
        self, words: WordPiece, file: dict[str, dict[str, object]], *, max_tokens: int
    ) -> None:
        self._words = words
        self._before, self._after = _specials(file)
        self._max_tokens = max_tokens
        self.room = max_tokens - len(self._before) - len(self._after)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, at most `max_tokens` each."""
        return [[*self._before, *self._words.ids(text, self.room), *self._after] for text in texts]

    def marked_ids(self, texts: Sequence[str]) -> list[tuple[list[int], list[bool]]]:
        """As `ids`, with a mask that is true for the tokens of the text itself."""
        before, after = [False] * len(self._before), [False] * len(self._after)
        return [
            (ids, [*before, *[True] * (len(ids) - len(before) - len(after)), *after])
            for ids in self.ids(texts)
        ]

    def pairs(self, question: str, passages: Sequence[str]) -> list[Pair]:
        """`[CLS] question [SEP] passage [SEP]`, the passage's end cut."""
        asked = [*self._before, *self._words.ids(question, self._max_tokens), *self._after]
        room = self._max_tokens - len(asked) - len(self._after)
        if room < 0:
            raise ValueError(f"the question alone has {len(asked)} tokens")
        found: list[Pair] = []
        for passage in passages:
            ids, places = self._words.pieces(passage, room)
            read = [*ids, *self._after]
            found.append(Pair(asked + read, [0] * len(asked) + [1] * len(read), places))
        return found

    def spans(self, text: str) -> list[Span]:
        """Code-point spans of all tokens of `text`, without special tokens, not truncated."""
        return [Span(start, end) for start, end in self._words.spans(text)]


def _specials(file: dict[str, dict[str, object]]) -> tuple[list[int], list[int]]:
    """Ids of the special tokens before and after a text, by the file's template."""
    template = file["post_processor"]
    if template["type"] == "BertProcessing":
        return [int(template["cls"][1])], [int(template["sep"][1])]  # type: ignore[index]
    sides: tuple[list[int], list[int]] = ([], [])
    side = 0
    for part in template["single"]:  # type: ignore[attr-defined]
        if "Sequence" in part:
            side = 1
        else:
            name = part["SpecialToken"]["id"]
            sides[side].extend(template["special_tokens"][name]["ids"])  # type: ignore[index]
    return sides
