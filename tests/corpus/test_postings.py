"""The index's BM25 against its definition in ten lines; its independence of layout and history."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus.arrays import open_arrays, write_arrays
from ragstone.corpus.postings import (
    Bm25,
    LexicalPart,
    LexicalStatistics,
    Postings,
    PostingsBuilder,
    bm25_scores,
    length_norms,
    merge_postings,
)

WORDS = st.sampled_from(["ada", "bee", "cat", "dog", "eel", "fox", "größe", "東京"])
FIELD = st.lists(WORDS, max_size=6)
ROW = st.tuples(FIELD, FIELD, FIELD)


def built(rows, path: Path) -> Postings:
    builder = PostingsBuilder()
    for row in rows:
        builder.add(*row)
    write_arrays(path, builder.arrays(), meta={})
    return Postings(open_arrays(path))


def scored(parts, terms, parameters):
    statistics = LexicalStatistics.of(parts)
    norms = length_norms(parts, statistics, parameters)
    return bm25_scores(parts, statistics, norms, terms, parameters)


def obvious(rows, terms, p: Bm25):
    """BM25F as it is written in the papers, with plain Python."""
    tf = [
        {t: p.body * b.count(t) + p.headings * h.count(t) + p.title * n.count(t) for t in terms}
        for b, h, n in rows
    ]
    length = [p.body * len(b) + p.headings * len(h) + p.title * len(n) for b, h, n in rows]
    average = sum(length) / len(rows) or 1.0
    scores = []
    for f, size in zip(tf, length, strict=True):
        score = 0.0
        for term, times in terms.items():
            df = sum(term in (*b, *h, *n) for b, h, n in rows)
            idf = math.log1p((len(rows) - df + 0.5) / (df + 0.5))
            norm = p.k1 * (1 - p.b + p.b * size / average)
            score += times * idf * f[term] * (p.k1 + 1) / (f[term] + norm) if f[term] else 0.0
        scores.append(score)
    return scores


@settings(max_examples=60)
@given(
    st.lists(ROW, min_size=1, max_size=12),
    st.lists(WORDS, max_size=4),
    st.builds(Bm25, title=st.sampled_from([1.0, 2.0]), headings=st.sampled_from([0.5, 1.0])),
)
def test_scores_are_the_definition(tmp_path_factory, rows, question, parameters):
    path = tmp_path_factory.mktemp("lex") / "a.lex"
    terms = Counter(question)
    found = scored([LexicalPart(built(rows, path), None, None)], terms, parameters)[0]
    np.testing.assert_allclose(found, obvious(rows, terms, parameters), rtol=1e-5, atol=1e-6)


@settings(max_examples=40)
@given(st.data())
def test_scores_depend_on_alive_rows_alone_bit_by_bit(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("lex")
    rows = data.draw(st.lists(ROW, min_size=2, max_size=14))
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    cut = data.draw(st.integers(1, len(rows) - 1))
    terms = Counter(data.draw(st.lists(WORDS, min_size=1, max_size=4)))
    split = [
        LexicalPart(built(rows[:cut], folder / "a"), alive[:cut], None),
        LexicalPart(built(rows[cut:], folder / "b"), alive[cut:], None),
    ]
    kept = [row for row, live in zip(rows, alive, strict=True) if live]
    if not kept:
        return
    fresh = scored([LexicalPart(built(kept, folder / "c"), None, None)], terms, Bm25())[0]
    in_parts = np.concatenate(scored(split, terms, Bm25()))
    assert np.array_equal(in_parts[alive], fresh)
    write_arrays(
        folder / "d", merge_postings([(part.postings, part.alive) for part in split]), meta={}
    )
    merged = Postings(open_arrays(folder / "d"))
    assert np.array_equal(scored([LexicalPart(merged, None, None)], terms, Bm25())[0], fresh)


@settings(max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=10), st.data())
def test_a_filter_takes_rows_away_and_changes_no_score(tmp_path_factory, rows, data):
    postings = built(rows, tmp_path_factory.mktemp("lex") / "a")
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    terms = Counter(["cat", "ada"])
    whole = scored([LexicalPart(postings, None, None)], terms, Bm25())[0]
    filtered = scored([LexicalPart(postings, None, wanted)], terms, Bm25())[0]
    assert np.array_equal(filtered, np.where(wanted, whole, 0))


def test_an_index_without_terms_can_be_joined(tmp_path: Path):
    empty = built([([], [], []), ([], [], [])], tmp_path / "empty")
    word = built([(["ada"], [], [])], tmp_path / "word")
    keep = [np.array([True, False]), np.array([True])]
    joined = merge_postings([(empty, keep[0]), (word, keep[1])])
    write_arrays(tmp_path / "joined", joined, meta={})
    assert empty.terms() == []
    assert Postings(open_arrays(tmp_path / "joined")).terms() == ["ada"]
