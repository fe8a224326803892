"""Our measures against ir_measures, and the laws that any of them keeps."""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.evaluation.measures import (
    DEFAULT_MEASURES,
    MAP,
    MRR,
    AllGold,
    Measure,
    Recall,
    Success,
    nDCG,
    parse_measure,
)

DOCUMENTS = [f"d{n:02d}" for n in range(30)]
RANKINGS = st.lists(st.sampled_from(DOCUMENTS), unique=True, max_size=30)
GAINS = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), min_size=1, max_size=12)
PEERS = {
    nDCG @ 10: ir_measures.nDCG @ 10,
    nDCG @ 3: ir_measures.nDCG @ 3,
    Recall @ 5: ir_measures.R @ 5,
    MRR @ 10: ir_measures.RR @ 10,
    MAP: ir_measures.AP,
    Success @ 5: ir_measures.Success @ 5,
}


@given(RANKINGS, GAINS)
def test_equal_to_ir_measures(ranking, gains) -> None:
    if not any(gains.values()):
        return
    run = [ir_measures.ScoredDoc("q", name, float(-at)) for at, name in enumerate(ranking)]
    qrels = [ir_measures.Qrel("q", name, gain) for name, gain in gains.items()]
    theirs = ir_measures.calc_aggregate(list(PEERS.values()), qrels, run)
    for ours, peer in PEERS.items():
        assert ours.of(ranking, gains) == pytest.approx(theirs[peer], abs=1e-9), str(ours)


@given(RANKINGS, GAINS)
def test_values_lie_between_0_and_1_and_nothing_found_is_0(ranking, gains) -> None:
    for measure in DEFAULT_MEASURES:
        assert 0.0 <= measure.of(ranking, gains) <= 1.0 + 1e-12
        assert measure.of([], gains) == 0.0


@given(GAINS)
def test_the_ideal_ranking_is_worth_1(gains) -> None:
    ideal = sorted((d for d in gains if gains[d] > 0), key=lambda d: (-gains[d], d))
    if ideal:
        for measure in (nDCG, nDCG @ 10, Recall, MRR @ 10, MAP, Success @ 1, AllGold):
            assert measure.of(ideal, gains) == pytest.approx(1.0)


def test_all_gold_needs_every_relevant_document() -> None:
    gains = {"a": 1, "b": 1, "c": 0}
    assert (AllGold @ 2).of(["a", "b"], gains) == 1.0
    assert (AllGold @ 2).of(["a", "c", "b"], gains) == 0.0


def test_names_are_read_and_written() -> None:
    for measure in DEFAULT_MEASURES:
        assert parse_measure(str(measure)) == measure
    assert parse_measure("ndcg@10") == Measure("nDCG", 10)
    assert parse_measure("RR@10") == MRR @ 10
    assert parse_measure("AP") == MAP


@pytest.mark.parametrize("text", ["", "nDCG@0", "nDCG@ten", "precision", "nDCG@-1"])
def test_unknown_measures_are_refused_with_the_known_ones(text) -> None:
    with pytest.raises(UsageError, match="Known: nDCG, Recall"):
        parse_measure(text)
