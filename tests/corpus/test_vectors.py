"""Stored vectors are near what was given; the fast search against looking at every row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus import vectors
from ragstone.corpus.arrays import ArraysFile, open_arrays
from ragstone.corpus.vectors import (
    DenseIndex,
    DensePart,
    dense_scores,
    join_vectors,
    quantise,
    restore,
)
from ragstone.errors import CorpusError


def unit(seed: int, rows: int, dim: int, *, clusters: int = 0):
    random = np.random.default_rng(seed)
    made = random.normal(size=(rows, dim))
    if clusters:
        made = (
            0.8 * made
            + 1.2 * random.normal(size=(clusters, dim))[random.integers(clusters, size=rows)]
        )
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def indexed(matrix, path):
    with ArraysFile(path, meta={}) as file:
        join_vectors(file, *matrix.shape, [quantise(matrix)])
        file.finish()
    return DenseIndex(open_arrays(path))


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([3, 64, 100, 384]))
def test_restored_vectors_are_unit_and_near(seed, rows, dim):
    given_ = unit(seed, rows, dim)
    back = restore(*quantise(given_))
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1.0, rtol=1e-5)
    assert ((back * given_).sum(axis=1) > 0.9999).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_what_no_encoder_should_give_is_refused(bad):
    matrix = unit(0, 3, 8)
    matrix[1] = bad
    with pytest.raises(CorpusError, match="not finite or all zero"):
        quantise(matrix)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100), st.integers(2, 60))
def test_scores_do_not_depend_on_the_layout(tmp_path_factory, seed, rows):
    folder = tmp_path_factory.mktemp("vec")
    matrix, question = unit(seed, rows, 64), unit(seed + 1, 1, 64)[0]
    whole = dense_scores([DensePart(indexed(matrix, folder / "a"), None)], question, rows)[0][1]
    halves = [
        DensePart(indexed(matrix[: rows // 2], folder / "b"), None),
        DensePart(indexed(matrix[rows // 2 :], folder / "c"), None),
    ]
    assert np.array_equal(
        np.concatenate([scores for _, scores in dense_scores(halves, question, rows)]), whole
    )
    wanted = np.arange(rows) % 2 == 0
    part = DensePart(indexed(matrix, folder / "d"), wanted)
    found, scores = dense_scores([part], question, rows)[0]
    assert np.array_equal(found, np.flatnonzero(wanted))
    assert np.array_equal(scores, whole[wanted])


def test_the_first_look_loses_next_to_nothing(tmp_path):
    """Above `EXACT_ROWS`: recall of the best 100 against all rows, on clustered vectors."""
    rows = 60_000
    assert rows > vectors.EXACT_ROWS
    matrix = unit(7, rows, 256, clusters=300)
    part = DensePart(indexed(matrix, tmp_path / "a"), None)
    recalls = []
    for seed in range(8):
        question = matrix[seed * 5000] + 0.7 * unit(seed, 1, 256)[0]
        rows_, exact = dense_scores([part], question, 100, exact=True)[0]
        best = set(rows_[np.argsort(-exact)[:100]].tolist())
        found, scores = dense_scores([part], question, 100)[0]
        recalls.append(len(best & set(found[np.argsort(-scores)[:100]].tolist())) / 100)
    assert np.mean(recalls) >= 0.98


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_that_are_not_wanted_change_nothing_above_the_first_look(tmp_path, seed):
    rows = 45_000
    matrix = unit(seed, rows, 64, clusters=100)
    wanted = np.random.default_rng(seed).random(rows) < 0.5
    assert wanted.sum() > vectors.EXACT_ROWS
    question = matrix[5] + 0.5 * unit(seed, 1, 64)[0]
    ((rows_, scores),) = dense_scores(
        [DensePart(indexed(matrix, tmp_path / "a"), wanted)], question, 50
    )
    ((alone, expected),) = dense_scores(
        [DensePart(indexed(matrix[wanted], tmp_path / "b"), None)], question, 50
    )
    assert np.array_equal(rows_, np.flatnonzero(wanted)[alone])
    assert np.array_equal(scores, expected)
