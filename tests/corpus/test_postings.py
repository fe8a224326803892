"""The index's BM25 against its definition in ten lines; its independence of layout and history."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.corpus.arrays import ArraysFile, open_arrays, write_arrays
from ragstone.corpus.bm25 import Bm25, LexicalPart, LexicalStatistics, bm25_best, length_norms
from ragstone.corpus.joining import join_postings
from ragstone.corpus.postings import Postings, PostingsBuilder

WORDS = st.sampled_from(["ada", "bee", "cat", "dog", "eel", "fox", "größe", "東京"])
FIELD = st.lists(WORDS, max_size=6)
ROW = st.tuples(FIELD, FIELD, FIELD)
DEFAULT = Bm25()


def built(rows, path: Path) -> Postings:
    builder = PostingsBuilder()
    for row in rows:
        builder.add(*row)
    write_arrays(path, builder.arrays(), meta={})
    return Postings(open_arrays(path))


def joined(parts, path: Path, **sizes) -> Postings:
    with ArraysFile(path, meta={}) as file:
        join_postings(file, parts, **sizes)
        file.finish()
    return Postings(open_arrays(path))


def part(postings, alive=None) -> LexicalPart:
    return LexicalPart.of(postings, alive)


def best(parts, terms, parameters=DEFAULT, k=10**9):
    statistics = LexicalStatistics.of(parts)
    norms = length_norms(parts, statistics, parameters)
    return bm25_best(parts, statistics, norms, terms, parameters, k)


def scored(parts, terms, parameters=DEFAULT):
    """Scores by row for each part; 0 where a row is not found."""
    result = []
    for item, (rows, values) in zip(parts, best(parts, terms, parameters), strict=True):
        scores = np.zeros(len(item.postings.lengths), np.float32)
        scores[rows] = values
        result.append(scores)
    return result


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


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ROW, min_size=1, max_size=12),
    st.lists(WORDS, max_size=4),
    st.builds(Bm25, title=st.sampled_from([1.0, 2.0]), headings=st.sampled_from([0.5, 1.0])),
)
def test_scores_are_the_definition(tmp_path_factory, rows, question, parameters):
    path = tmp_path_factory.mktemp("lex") / "a.lex"
    terms = Counter(question)
    found = scored([part(built(rows, path))], terms, parameters)[0]
    np.testing.assert_allclose(found, obvious(rows, terms, parameters), rtol=1e-5, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_scores_depend_on_alive_rows_alone_bit_by_bit(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("lex")
    rows = data.draw(st.lists(ROW, min_size=2, max_size=40))
    few = data.draw(st.sampled_from([None, True, False]))  # else one side is nearly all
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    if few is not None:
        alive[:] = not few
        alive[data.draw(st.integers(0, len(rows) - 1))] = few
    cut = data.draw(st.integers(1, len(rows) - 1))
    terms = Counter(data.draw(st.lists(WORDS, min_size=1, max_size=4)))
    split = [
        part(built(rows[:cut], folder / "a"), alive=alive[:cut]),
        part(built(rows[cut:], folder / "b"), alive=alive[cut:]),
    ]
    kept = [row for row, live in zip(rows, alive, strict=True) if live]
    if not kept:
        return
    fresh = scored([part(built(kept, folder / "c"))], terms)[0]
    in_parts = np.concatenate(scored(split, terms))
    assert np.array_equal(in_parts[alive], fresh)
    masks = [alive[:cut], alive[cut:]]
    merged = joined(
        [(item.postings, mask) for item, mask in zip(split, masks, strict=True)], folder / "d"
    )
    assert np.array_equal(scored([part(merged)], terms)[0], fresh)


def large(random, folder: Path, rows: int, parts: int) -> list[Postings]:
    """Rows of words whose frequencies fall as in a language, in several files."""
    words = [f"w{n}" for n in range(60)]
    odds = 1.0 / np.arange(1, 61)
    texts = [
        list(random.choice(words, size=random.integers(1, 30), p=odds / odds.sum()))
        for _ in range(rows)
    ]
    return [
        built([(text, (), text[:1]) for text in texts[at::parts]], folder / f"{at}")
        for at in range(parts)
    ]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([1, 5, 40]), st.booleans())
def test_leaving_rows_out_early_changes_nothing(tmp_path_factory, seed, parts, k, filtered):
    """The best `k` of the fast way are those of scoring every row, bit by bit, with what ties."""
    random = np.random.default_rng(seed)
    postings = large(random, tmp_path_factory.mktemp("lex"), 300, parts)
    share = random.choice([0.02, 0.1, 0.5, 0.95]) if filtered else 1.0
    items = [part(p, random.random(len(p.lengths)) < share) for p in postings]
    terms = Counter(f"w{n}" for n in random.integers(0, 60, size=8))
    everything = np.concatenate([scores for _, scores in best(items, terms)])
    found = best(items, terms, k=k)
    pruned = np.concatenate([scores for _, scores in found])
    assert np.array_equal(np.sort(pruned)[::-1][:k], np.sort(everything)[::-1][:k])
    least = np.sort(everything)[::-1][:k].min(initial=np.inf)
    for (rows, scores), whole in zip(found, scored(items, terms), strict=True):
        kept = whole >= max(least, 1e-9)
        assert set(np.flatnonzero(kept)) <= set(rows[scores >= least].tolist())
        assert np.array_equal(scores[scores >= least], whole[rows[scores >= least]])


def test_rows_that_cannot_win_are_let_go(tmp_path):
    """With a rare term and a common one, rows that lack the rare one are not scored to the end."""
    rows = [(["rare"] * (n % 3 == 0) + ["common", "filler"], (), ()) for n in range(3000)]
    item = part(built(rows, tmp_path / "a"))
    weights = {"rare": 9, "common": 1}
    assert len(best([item], weights)[0][0]) == 3000
    assert len(best([item], weights, k=10)[0][0]) == 1000


def test_segments_of_the_first_release_are_read(tmp_path: Path):
    """They have the counts row by row, under another name."""
    builder = PostingsBuilder()
    builder.add(["ada", "bee"], [], ["bee"])
    builder.add(["bee"], ["ada"], [])
    arrays = builder.arrays()
    write_arrays(tmp_path / "new", arrays, meta={})
    arrays["counts"] = np.ascontiguousarray(arrays.pop("fields").T)
    write_arrays(tmp_path / "old", arrays, meta={})
    parts = [[part(Postings(open_arrays(tmp_path / name)))] for name in ("new", "old")]
    terms = {"ada": 1, "bee": 2}
    assert np.array_equal(*(scored(p, terms)[0] for p in parts))
    made = joined([(p[0].postings, np.ones(2, bool)) for p in parts], tmp_path / "joined")
    assert made.counts.shape == (8, 3)


def test_an_index_without_terms_can_be_joined(tmp_path: Path):
    empty = built([([], [], []), ([], [], [])], tmp_path / "empty")
    word = built([(["ada"], [], [])], tmp_path / "word")
    keep = [np.array([True, False]), np.array([True])]
    made = joined([(empty, keep[0]), (word, keep[1])], tmp_path / "joined")
    assert empty.terms() == []
    assert made.terms() == ["ada"]
