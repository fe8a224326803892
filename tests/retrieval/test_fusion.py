"""Laws of fusion: input order does not matter, and each formula against its ten-line version."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.retrieval.fusion import (
    min_max_sum,
    ranked,
    reciprocal_rank_sum,
    relative_spread,
    zscore_sum,
    zscores,
)

LISTS = st.lists(
    st.dictionaries(st.integers(0, 30), st.floats(-100, 100).map(lambda x: round(x, 3))),
    max_size=4,
)


@given(LISTS, st.randoms())
def test_order_of_lists_and_items_does_not_matter(lists, random) -> None:
    weights = [1.0 + 0.25 * i for i in range(len(lists))]
    order = list(range(len(lists)))
    random.shuffle(order)
    shuffled = []
    for at in order:
        items = list(lists[at].items())
        random.shuffle(items)
        shuffled.append(dict(items))
    moved = [weights[at] for at in order]
    assert zscore_sum(lists, weights=weights) == zscore_sum(shuffled, weights=moved)
    assert reciprocal_rank_sum(lists, weights=weights) == reciprocal_rank_sum(
        shuffled, weights=moved
    )
    floors = [-100.0] * len(lists)
    assert min_max_sum(lists, floors=floors, weights=weights) == min_max_sum(
        shuffled, floors=floors, weights=moved
    )


@given(LISTS)
def test_every_candidate_of_any_list_is_ranked(lists) -> None:
    keys = {key for scores in lists for key in scores}
    assert set(zscore_sum(lists)) == set(reciprocal_rank_sum(lists)) == keys
    assert sorted(ranked(zscore_sum(lists))) == sorted(keys)


@given(st.dictionaries(st.integers(0, 50), st.floats(-100, 100).map(lambda x: round(x, 2))))
def test_one_list_keeps_its_order(scores) -> None:
    assert ranked(reciprocal_rank_sum([scores])) == ranked(scores)
    assert ranked(min_max_sum([scores], floors=[-101.0])) == ranked(scores)


@given(
    st.dictionaries(st.integers(0, 50), st.integers(-100, 100), min_size=2),
    st.integers(1, 9),
    st.integers(-50, 50),
)
def test_standard_scores_do_not_see_scale_or_shift(scores, scale, shift) -> None:
    moved = zscores({key: score * scale + shift for key, score in scores.items()})
    for key, value in zscores(scores).items():
        assert math.isclose(value, moved[key], abs_tol=1e-9)


def test_standard_scores_by_the_textbook() -> None:
    scores = {1: 3.0, 2: 5.0, 3: 10.0}
    mean, deviation = statistics.mean(scores.values()), statistics.pstdev(scores.values())
    assert zscores(scores) == pytest.approx(
        {key: (value - mean) / deviation for key, value in scores.items()}
    )
    assert zscores({1: 2.0, 2: 2.0}) == {1: 0.0, 2: 0.0}


@given(scores=st.dictionaries(st.integers(), st.floats(0.1, 100), min_size=1, max_size=20),
       scale=st.floats(0.01, 100), empty=st.integers(0, 30))  # fmt: skip
def test_relative_spread_does_not_see_scale_and_grows_with_empty_places(
    scores, scale, empty
) -> None:
    places = len(scores)
    spread = relative_spread(scores, places=places)
    scaled = {key: score * scale for key, score in scores.items()}
    assert relative_spread(scaled, places=places) == pytest.approx(spread, rel=1e-6, abs=1e-9)
    assert relative_spread(scores, places=places + empty) >= spread - 1e-9
    assert relative_spread(dict.fromkeys(scores, 3.0), places=places) == pytest.approx(0, abs=1e-9)


def test_relative_spread_by_the_textbook() -> None:
    assert relative_spread({1: 2.0, 2: 4.0}, places=2) == pytest.approx(1 / 3)
    assert relative_spread({1: 2.0}, places=4) == pytest.approx(math.sqrt(3))
    assert relative_spread({}, places=5) == 0.0


def test_what_a_list_lacks_counts_as_its_lowest() -> None:
    fused = zscore_sum([{1: 3.0, 2: 1.0}, {1: 0.0, 3: 1.0}])
    assert fused == pytest.approx({1: 1.0 - 1.0, 2: -1.0 - 1.0, 3: -1.0 + 1.0})


def test_min_max_with_a_fixed_floor_keeps_a_weak_best_weak() -> None:
    assert min_max_sum([{1: 4.0, 2: 2.0}, {2: 0.5}], floors=[0.0, -1.0]) == {1: 1.0, 2: 1.5}


def test_reciprocal_ranks_of_equal_scores_are_equal() -> None:
    fused = reciprocal_rank_sum([{1: 9.0, 2: 5.0, 3: 5.0}])
    assert fused == pytest.approx({1: 1 / 61, 2: 1 / 62.5, 3: 1 / 62.5})


def test_wrong_counts_of_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="2 lists need as many weights, got 1"):
        zscore_sum([{}, {}], weights=[1.0])
    with pytest.raises(ValueError, match="1 lists need as many floors"):
        min_max_sum([{}], floors=[])
