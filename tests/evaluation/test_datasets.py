"""A data set folder: which questions count as answerable, by whatever field says so."""

from __future__ import annotations

import json

import pytest

from ragstone.evaluation.datasets import load_dataset


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
