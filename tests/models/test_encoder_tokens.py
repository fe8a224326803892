"""Laws of tokens: spans slice the given text, in pieces as in one; heads keep their ids."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ragstone.models.encoder as encoder_module
from ragstone.errors import ModelError
from ragstone.models.library_tokens import LibraryTokens
from ragstone.models.tokens import BertTokens, Tokens, open_tokens

FILE = Path(encoder_module.__file__).parent / "weights/all-MiniLM-L6-v2/tokenizer.json"
PROSE = st.text(st.sampled_from("ab é́ß東京 .,-'\n\t\u200b\u3000İ[SEP]1𝒳🏽"), max_size=300)
LIBRARY = LibraryTokens(FILE, max_tokens=256)
FEW = settings(max_examples=200, deadline=None)


@pytest.fixture(scope="module", params=[open_tokens, LibraryTokens])
def tokens(request):
    return request.param(FILE, max_tokens=256)


@pytest.fixture(scope="module")
def both():
    ours = open_tokens(FILE, max_tokens=64)
    assert isinstance(ours, BertTokens)
    return ours, LibraryTokens(FILE, max_tokens=64)


# Characters of many scripts; what Unicode took in lately the library does not know.
ANY = st.text(st.characters(max_codepoint=0x2FF, exclude_categories=("Cs",)) | st.characters(
    min_codepoint=0x370, max_codepoint=0x5FF, exclude_categories=("Cs", "Cn")) | st.sampled_from(
    "가힣ㄱ東京々〆ｶがガपाणिไทยﬁ①½ǅßΣςİıŁøæ\u200b\u00ad\ufeff\ufffd\x00\x0b\x1f\x85\u2028\u3000𝒳🏽👩\u200d🚀\u0307"
    "—–“”’…・「」¿¡§¶†‡•№℃"), max_size=80)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(text=ANY, passages=st.lists(ANY, max_size=3))
def test_word_pieces_are_those_of_the_library(both, text: str, passages: list[str]):
    ours, library = both
    assert ours.ids([text]) == library.ids([text])
    assert ours.marked_ids([text]) == library.marked_ids([text])
    assert ours.spans(text) == library.spans(text)
    short = text[:20]
    pairs = [(list(p.ids), list(p.types), list(p.places)) for p in library.pairs(short, passages)]
    found = ours.pairs(short, passages)
    assert [(list(p.ids), list(p.types), list(p.places)) for p in found] == pairs
    for pair, passage in zip(found, passages, strict=True):
        spans = [(span.start, span.end) for span in ours.spans(passage)]
        assert list(pair.places) == spans[: len(pair.places)]


@pytest.mark.parametrize(
    "text",
    ["x" * 100, "x" * 101, "é" * 100, "é" * 101, "́" * 300, "x" * 100 + "́", "a" * 40_000, "東" * 300,
     "[CLS] [SEP] ## ##ing [UNK]", " \t\r\n ", "unaffable " * 2000, "ⅷ" * 3, "ﷺ" * 9],
)  # fmt: skip
def test_odd_words_are_those_of_the_library(both, text: str):
    ours, library = both
    assert ours.ids([text]) == library.ids([text])
    assert ours.spans(text) == library.spans(text)


def test_a_text_without_blanks_stays_bounded(both):
    ours, _ = both
    assert len(ours.ids(["x" * 5_000_000])[0]) < 100
    assert len(ours.spans("東x" * 20_000)) == 40_000
    assert sum(map(len, ours._words._known)) < 1 << 22


def test_other_kinds_of_tokenizer_go_to_the_library(tmp_path: Path):
    file = json.loads(FILE.read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps({**file, "normalizer": None}))
    assert isinstance(open_tokens(tmp_path / "tokenizer.json", max_tokens=64), LibraryTokens)


@FEW
@given(text=st.one_of(PROSE, st.text(max_size=100)))
def test_spans_are_ordered_slices_of_the_text(tokens: Tokens, text: str):
    spans = tokens.spans(text)
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.end <= b.start or a == b for a, b in itertools.pairwise(spans))


@FEW
@given(text=PROSE, size=st.integers(1, 40))
def test_pieces_give_the_spans_of_the_whole(text: str, size: int):
    tokens = LIBRARY
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
    short = LibraryTokens(FILE, max_tokens=16)
    text = part * count
    (ids,) = short.ids([text])
    assert open_tokens(FILE, max_tokens=16).ids([text]) == [ids]
    short._cutting.no_truncation()
    whole = short._cutting.encode(text).ids
    assert ids == (whole if len(whole) <= 16 else [*whole[:15], whole[-1]])


@pytest.mark.real
def test_a_megabyte_has_all_its_spans():
    tokens = open_tokens(FILE, max_tokens=256)
    text = "It costs 3.50 € a day. " * 45_000
    spans = tokens.spans(text)
    assert len(spans) == 45_000 * 9
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
        open_tokens(FILE, max_tokens=2)


def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        open_tokens(tmp_path / "tokenizer.json", max_tokens=256)


def test_the_shipped_encoder_needs_no_tokenizers_library():
    code = (
        "import sys; sys.modules['tokenizers'] = None\n"
        "from ragstone.models.encoder import shipped_encoder\n"
        "assert shipped_encoder().encode_queries(['a lamp']).shape == (1, 384)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
