"""Laws of tokens: spans slice the given text, in pieces as in one; heads keep their ids."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ragstone.models.encoder as encoder_module
from ragstone.errors import ModelError
from ragstone.models.tokens import Tokens

FILE = Path(encoder_module.__file__).parent / "weights/all-MiniLM-L6-v2/tokenizer.json"
PROSE = st.text(st.sampled_from("ab é́ß東京 .,-'\n\t\u200b\u3000İ[SEP]1𝒳🏽"), max_size=300)
FEW = settings(max_examples=200, deadline=None)


@pytest.fixture(scope="module")
def tokens():
    return Tokens(FILE, max_tokens=256)


@FEW
@given(text=st.one_of(PROSE, st.text(max_size=100)))
def test_spans_are_ordered_slices_of_the_text(tokens: Tokens, text: str):
    spans = tokens.spans(text)
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.end <= b.start or a == b for a, b in itertools.pairwise(spans))


@FEW
@given(text=PROSE, size=st.integers(1, 40))
def test_pieces_give_the_spans_of_the_whole(tokens: Tokens, text: str, size: int):
    assert tokens.spans(text, piece_characters=size) == tokens.spans(text)


def test_spans_are_code_points(tokens: Tokens):
    text = "🏽 naïve 東京 [SEP]"
    words = [span.of(text) for span in tokens.spans(text)]
    assert words == ["🏽", "naïve", "東", "京", "[", "SEP", "]"]


def test_a_text_that_spells_special_tokens_is_plain_text(tokens: Tokens):
    ((ids, own),) = tokens.marked_ids(["[SEP] [CLS]"])
    assert ids[1:-1]
    assert not {101, 102} & set(ids[1:-1])
    assert own == [False, *[True] * (len(ids) - 2), False]


@settings(max_examples=15, deadline=None)
@given(
    part=st.sampled_from(["word ", "東京", "x" * 150 + " ", "x", " ", ".", "é́ "]),
    count=st.integers(1, 5_000),
)
def test_the_head_of_a_long_text_gives_its_ids(part: str, count: int):
    short = Tokens(FILE, max_tokens=16)
    text = part * count
    (ids,) = short.ids([text])
    short._cutting.no_truncation()
    whole = short._cutting.encode(text).ids
    assert ids == (whole if len(whole) <= 16 else [*whole[:15], whole[-1]])


@pytest.mark.real
def test_ten_megabytes_have_all_their_spans(tokens: Tokens):
    text = "It costs 3.50 € a day. " * 450_000
    spans = tokens.spans(text)
    assert len(spans) == 450_000 * 9
    assert [span.of(text) for span in spans[-9:]] == [
        "It",
        "costs",
        "3",
        ".",
        "50",
        "€",
        "a",
        "day",
        ".",
    ]


def test_no_room_beside_special_tokens_is_an_error():
    with pytest.raises(ModelError, match="special tokens"):
        Tokens(FILE, max_tokens=2)


def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        Tokens(tmp_path / "tokenizer.json", max_tokens=256)
