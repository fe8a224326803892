"""A data set folder: which questions count as answerable, by whatever field says so."""

from __future__ import annotations

import json

import pytest

from ragstone.applications.events import Done, Removed, Stated
from ragstone.evaluation.answering import timed
from ragstone.evaluation.datasets import Query, load_dataset, sample
from ragstone.types import Answer, Claim, Span


@pytest.mark.parametrize(
    ("said", "answerable"),
    [
        ({}, True),
        ({"is_impossible": True}, False),
        ({"answerability": "UNANSWERABLE"}, False),
        ({"answerability": ["UNANSWERABLE"]}, False),
        ({"answerability": ["ANSWERABLE"]}, True),
        ({"answerability": "PARTIAL"}, True),
        ({"question_type": "null_query"}, False),
        ({"question_type": ["Comparative"]}, True),
    ],
)
def test_what_cannot_be_answered_is_known(tmp_path, said, answerable):
    row = {"id": "q", "question": "Why?", **said}
    (tmp_path / "queries.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("q\td\t1\n", encoding="utf-8")
    (tmp_path / "corpus.jsonl").write_text('{"id": "d", "text": "x"}\n', encoding="utf-8")
    (query,) = load_dataset(tmp_path).queries
    assert query.answerable is answerable


def test_a_sample_keeps_the_order_and_is_drawn_by_its_seed():
    queries = [Query(str(number), "Why?") for number in range(100)]
    drawn = sample(queries, limit=10, seed=1)
    assert len(drawn) == 10
    assert drawn == [query for query in queries if query in drawn]
    assert drawn == sample(queries, limit=10, seed=1)
    assert drawn != sample(queries, limit=10, seed=2)
    assert sample(queries, limit=None, seed=1) == sample(queries, limit=100, seed=1) == queries


def test_an_answer_is_timed_to_its_first_statement():
    claim = Claim("It is.", Span(0, 6), "supported")
    done = Done(Answer("Why?", "It is.", claims=(claim,), citations=(), hits=()))
    ticks = iter([Removed(claim), Stated("It is.", claim), Stated("So.", claim), done])
    answer, first_s = timed(ticks)
    assert answer is done.answer
    assert first_s > 0
    with pytest.raises(ValueError, match="without its last"):
        timed(iter([Stated("It is.", claim)]))
