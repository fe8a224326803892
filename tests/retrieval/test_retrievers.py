"""Retrievers over a snapshot in memory: what is found, by which stage, and what is said of it."""

from __future__ import annotations

import logging

import pytest

from ragstone.errors import UsageError
from ragstone.retrieval.fusion import zscore_sum
from ragstone.retrieval.retrievers import Dense, Hybrid, Lexical, retriever
from ragstone.trace import Trace

MODES = ("hybrid", "dense", "lexical")


@pytest.mark.parametrize("mode", MODES)
def test_words_of_a_passage_find_it_first(library, encoder, mode) -> None:
    hits = retriever(library, encoder, mode).retrieve("Which sea does the Danube end in?", k=3)
    assert hits[0].passage.text == "The Danube ends in the Black Sea."
    assert hits[0].document.id == "rivers"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 3, 50])
def test_ranks_count_from_one_and_scores_fall(library, encoder, mode, k) -> None:
    hits = retriever(library, encoder, mode).retrieve("water and sea", k=k)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(hits) <= k
    assert len({hit.passage.key for hit in hits}) == len(hits)


def test_each_hit_tells_the_score_of_each_stage(library, encoder) -> None:
    by_key = {
        hit.passage.key: hit.scores for hit in Hybrid(library, encoder).retrieve("Danube sea", k=99)
    }
    lexical = {hit.passage.key: hit.score for hit in Lexical(library).retrieve("Danube sea", k=99)}
    dense = {
        hit.passage.key: hit.score for hit in Dense(library, encoder).retrieve("Danube sea", k=99)
    }
    assert {key: scores["bm25"] for key, scores in by_key.items() if "bm25" in scores} == lexical
    assert {key: scores["cosine"] for key, scores in by_key.items()} == pytest.approx(dense)


def test_hybrid_is_the_sum_of_standard_scores(library, encoder) -> None:
    hits = Hybrid(library, encoder, weights=(2.0, 0.5)).retrieve("bread and water", k=99)
    bm25 = {hit.passage.key: hit.scores["bm25"] for hit in hits if "bm25" in hit.scores}
    cosine = {hit.passage.key: hit.scores["cosine"] for hit in hits}
    fused = zscore_sum([bm25, cosine], weights=(2.0, 0.5))
    assert {hit.passage.key: hit.score for hit in hits} == pytest.approx(fused)


def test_words_that_all_passages_share_weigh_less(make_library, encoder) -> None:
    """Each passage holds the question's words once; one of them means what is asked."""
    alike = {f"d{i}": f"The harbour master wrote entry number {i}." for i in range(120)}
    snapshot = make_library(alike)
    question = "the harbour master wrote"
    trace = Trace()
    Hybrid(snapshot, encoder).retrieve(question, trace=trace)
    (told,) = [stage.notes["weights"] for stage in trace.stages if stage.name == "fusion"]
    assert float(told[0]) < 0.2
    assert told[1] == "1"
    trace = Trace()
    Hybrid(snapshot, encoder).retrieve("entry number 77", trace=trace)
    (told,) = [stage.notes["weights"] for stage in trace.stages if stage.name == "fusion"]
    assert float(told[0]) > 0.5
    trace = Trace()
    Hybrid(snapshot, encoder, weigh=lambda *_: 1.0).retrieve(question, trace=trace)
    (told,) = [stage.notes["weights"] for stage in trace.stages if stage.name == "fusion"]
    assert told == ["1", "1"]


def test_a_question_without_words_goes_by_meaning_and_says_so(library, encoder, caplog) -> None:
    trace = Trace()
    with caplog.at_level(logging.WARNING, logger="ragstone.retrieval.retrievers"):
        hits = Hybrid(library, encoder).retrieve("?!", k=2, trace=trace)
    assert len(hits) == 2
    assert all("bm25" not in hit.scores for hit in hits)
    (lexical,) = [stage for stage in trace.stages if stage.name == "lexical"]
    assert lexical.notes["warning"] == "The question holds no word that can be searched for."
    assert "no word" in caplog.text


def test_lexical_mode_finds_nothing_for_words_that_do_not_occur(library) -> None:
    trace = Trace()
    assert Lexical(library).retrieve("xylophone", trace=trace) == []
    assert "No word of the question occurs" in str(trace.stages[0].notes["warning"])


@pytest.mark.parametrize(("question", "start"), [("中国首都", "北京"), ("เมืองหลวงไทย", "การุงเทพ")])
def test_scripts_without_spaces_are_found_by_words(library, question, start) -> None:
    (hit,) = Lexical(library).retrieve(question)
    assert hit.passage.text.startswith(start)


def test_the_trace_holds_the_stages_in_order(library, encoder) -> None:
    trace = Trace()
    Hybrid(library, encoder).retrieve("bread", trace=trace)
    assert [stage.name for stage in trace.stages] == ["lexical", "encode", "dense", "fusion"]
    assert trace.timings_ms()["total"] > 0


def test_another_encoder_is_refused_with_a_remedy(library, encoder) -> None:
    library.encoder_identity = "other"
    for kind in (Dense, Hybrid):
        with pytest.raises(UsageError, match=r"built with the encoder other.*reembed"):
            kind(library, encoder)


def test_an_unknown_mode_is_refused(library, encoder) -> None:
    with pytest.raises(UsageError, match="no search mode 'fuzzy'"):
        retriever(library, encoder, "fuzzy")
