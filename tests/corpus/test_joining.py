"""Joining in bounded pieces gives the arrays of joining all at once, and of indexing anew."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus.arrays import ArraysFile, open_arrays, write_arrays
from ragstone.corpus.joining import join_postings
from ragstone.corpus.postings import Postings, PostingsBuilder
from ragstone.corpus.vectors import DenseIndex, join_vectors, kept_vectors, quantise, signs_of
from ragstone.errors import CorpusError

WORDS = st.one_of(
    st.sampled_from(["ada", "bee", "größe", "東京"]), st.text("abé\U0001f469", min_size=1)
)
FIELD = st.lists(WORDS, max_size=6)
ROWS = st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=8)
NAMES = ("terms", "term_ends", "starts", "rows", "fields", "lengths")


def built(rows, path: Path):
    builder = PostingsBuilder()
    for row in rows:
        builder.add(*row)
    write_arrays(path, builder.arrays(), meta={})
    return open_arrays(path)


def obvious(parts):
    """All postings in memory, one stable sort: the arrays of the joined index."""
    indexes = [(Postings(arrays), keep) for arrays, keep in parts]
    terms = sorted(set().union(*(index.terms() for index, _ in indexes)))
    number = {term: place for place, term in enumerate(terms)}
    found, lengths, base = [], [], 0
    for index, keep in indexes:
        new = np.cumsum(keep) - 1 + base
        for term, (start, end) in zip(index.terms(), pairwise(index.starts), strict=True):
            found += [
                (number[term], new[index.rows[at]], *index.counts[at])
                for at in range(start, end)
                if keep[index.rows[at]]
            ]
        lengths.append(index.lengths[keep])
        base += keep.sum()
    found.sort(key=lambda posting: posting[:2])
    table = np.array(found, dtype=np.int64).reshape(-1, 5)
    encoded = [term.encode() for term in terms]
    return {
        "terms": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "term_ends": np.cumsum([len(term) for term in encoded], dtype=np.int64),
        "starts": np.searchsorted(table[:, 0], np.arange(len(terms) + 1)).astype(np.int64),
        "rows": table[:, 1].astype(np.int32),
        "fields": np.ascontiguousarray(table[:, 2:].T.astype(np.uint8)),
        "lengths": np.concatenate(lengths).astype(np.uint32),
    }


def joined(parts, path: Path, **sizes):
    with ArraysFile(path, meta={}) as file:
        join_postings(file, [(Postings(arrays), keep) for arrays, keep in parts], **sizes)
        file.finish()
    return open_arrays(path)


def same(found, wanted) -> bool:
    return all(
        found[name].dtype == array.dtype
        and found[name].shape == array.shape
        and found[name].tobytes() == array.tobytes()
        for name, array in wanted.items()
    )


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(1, 6))
def test_postings_joined_in_pieces_are_those_joined_at_once(
    tmp_path_factory, data, window, at_once
):
    folder = tmp_path_factory.mktemp("join")
    groups = data.draw(st.lists(ROWS, min_size=1, max_size=5))
    masks = [
        np.array(data.draw(st.lists(st.booleans(), min_size=len(g), max_size=len(g))), dtype=bool)
        if data.draw(st.booleans())
        else np.ones(len(g), dtype=bool)
        for g in groups
    ]
    parts = [
        (built(rows, folder / f"{at}"), mask)
        for at, (rows, mask) in enumerate(zip(groups, masks, strict=True))
    ]
    found = joined(parts, folder / "joined", window=window, at_once=at_once)
    assert same(found, obvious(parts))
    if all(mask.all() for mask in masks):
        fresh = built([row for rows in groups for row in rows], folder / "fresh")
        assert same(found, {name: fresh[name] for name in NAMES})


def test_many_indexes_of_many_words_are_joined_with_the_usual_sizes(tmp_path: Path) -> None:
    """Several windows, and words with more postings than are sorted at a time."""
    random = np.random.default_rng(3)
    parts = []
    for at in range(9):
        rows = [
            ([f"w{n}" for n in random.zipf(1.3, size=40) % 30_000], (), ("title",))
            for _ in range(400)
        ]
        parts.append((built(rows, tmp_path / f"{at}"), random.random(400) < (0.8 if at % 2 else 2)))
    wanted = obvious(parts)
    assert same(joined(parts, tmp_path / "usual"), wanted)
    assert same(joined(parts, tmp_path / "small", window=900, at_once=1_000), wanted)


def peak_of_joining(parts, path: Path) -> int:
    """Bytes that joining has in memory at most, what was there before not counted."""
    indexes = [(Postings(arrays), keep) for arrays, keep in parts]
    tracemalloc.start()
    try:
        with ArraysFile(path, meta={}) as file:
            join_postings(file, indexes, window=1_000, at_once=4_000)
            file.finish()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_what_is_joined(tmp_path: Path) -> None:
    """32,000 rows take no more room than 4,000 (0.28 and 0.27 MB; all their postings: 8.7 MB)."""
    random = np.random.default_rng(5)
    rows = [([f"w{n}" for n in random.integers(0, 800, 40)], (), ()) for _ in range(1_000)]
    one = (built(rows, tmp_path / "a"), np.ones(1_000, bool))
    few, many = (peak_of_joining([one] * count, tmp_path / "joined") for count in (4, 32))
    assert many < 1.5 * few


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.sampled_from([3, 64, 100]), st.integers(1, 9))
def test_vectors_joined_in_blocks_are_those_joined_at_once(
    tmp_path_factory, seed, rows, dim, at_once
):
    folder = tmp_path_factory.mktemp("join")
    random = np.random.default_rng(seed)
    codes, scales = quantise(random.normal(size=(rows, dim)).astype(np.float32))
    keep = random.random(rows) < 0.7
    cut = rows // 2
    parts = []
    for name, place in (("a", slice(0, cut)), ("b", slice(cut, rows))):
        with ArraysFile(folder / name, meta={}) as file:
            join_vectors(file, len(codes[place]), dim, [(codes[place], scales[place])])
            file.finish()
        parts.append((DenseIndex(open_arrays(folder / name)), keep[place]))
    with ArraysFile(folder / "joined", meta={}) as file:
        join_vectors(file, int(keep.sum()), dim, kept_vectors(parts, at_once=at_once))
        file.finish()
    wanted = {"codes": codes[keep], "scales": scales[keep], "signs": signs_of(codes[keep])}
    assert same(open_arrays(folder / "joined"), wanted)


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    with ArraysFile(tmp_path / "a", meta={}) as file:
        file.add("keys", np.arange(9))
        file.reserve("rows", np.int32, (4,))
        with pytest.raises(ValueError, match="'rows' was not filled"):
            file.finish()
        with pytest.raises(ValueError, match="more than was reserved"):
            file.extend("rows", np.arange(5))
    assert list(tmp_path.iterdir()) == []


def test_what_was_read_can_be_given_back_and_read_again(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", {"keys": np.arange(100_000)}, meta={})
    opened = open_arrays(tmp_path / "a")
    before = int(opened["keys"].sum())
    opened.release()
    assert int(opened["keys"].sum()) == before


def test_a_flipped_bit_in_any_column_is_noticed(tmp_path: Path) -> None:
    """Columns are written side by side, their checksums put together afterwards."""
    with ArraysFile(tmp_path / "a", meta={}) as file:
        file.reserve("fields", np.uint8, (3, 500), by_column=True)
        for _ in range(5):
            file.extend("fields", np.full((3, 100), 7, np.uint8))
        size = file.finish()
    whole = (tmp_path / "a").read_bytes()
    for column in range(3):
        at = size - 1536 + 500 * column + 250
        (tmp_path / "b").write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(CorpusError, match="checksum of 'fields'"):
            open_arrays(tmp_path / "b")
