"""From a folder of questions to an evaluation, to a file, to a comparison and its report."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.evaluation.comparison import compare
from ragstone.evaluation.confidence import bootstrap_interval, randomisation_p
from ragstone.evaluation.datasets import Query, load_dataset, load_qrels
from ragstone.evaluation.report import comparison_json, render_html, render_text
from ragstone.evaluation.retrieval import by_page, document_ranking, evaluate_retrieval
from ragstone.evaluation.runs import evaluation_json, load_evaluation, save_evaluation
from ragstone.types import DocumentInfo, Hit, Passage, Span


def hit(name: str, score: float, rank: int, *, page: int | None = None) -> Hit:
    info = DocumentInfo(name, f"/files/{name}.pdf", name, "pdf", {}, "", "", 1, 1, 1)
    return Hit(Passage(name, Span(0, 1), "x", page=page), info, score, rank)


class Fixed:
    """Answers each question with the documents written down for it."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers

    def retrieve(self, question, *, k=10, where=None, trace=None) -> list[Hit]:
        names = self.answers.get(question, [])[:k]
        return [hit(name, 1.0 / rank, rank) for rank, name in enumerate(names, start=1)]


QUERIES = [Query("q1", "one"), Query("q2", "two"), Query("q3", "three"), Query("q4", "four")]
QRELS = {"q1": {"a": 1}, "q2": {"b": 1, "c": 1}, "q3": {"d": 0}, "q4": {"e": 1}}
GOOD = Fixed({"one": ["a", "b"], "two": ["b", "x", "c"], "three": ["d"]})
WORSE = Fixed({"one": ["b", "a"], "two": ["x", "b"]})


def test_queries_without_results_count_and_those_without_judgement_do_not() -> None:
    result = evaluate_retrieval(GOOD, QUERIES, QRELS, dataset="tiny")
    assert result.n == 3
    assert result.measures["Recall@10"] == pytest.approx((1 + 1 + 0) / 3)
    assert result.measures["MRR@10"] == pytest.approx(2 / 3)
    assert result.confidence["Recall@10"] == (0.0, 1.0)
    assert {query.id for query in result.queries} == {"q1", "q2", "q4"}


def test_no_judged_query_is_an_error() -> None:
    with pytest.raises(UsageError, match="None of the 4 queries"):
        evaluate_retrieval(GOOD, QUERIES, {"other": {"a": 1}})


def test_a_document_ranks_by_its_best_passage() -> None:
    hits = [hit("a", 3, 1), hit("b", 2, 2), hit("a", 1, 3)]
    assert document_ranking(hits) == {"a": 3, "b": 2}
    assert by_page(hit("REPORT_2018", 1, 1, page=60)) == "REPORT_2018#p59"


def test_saved_and_loaded_and_saved_again_is_the_same(tmp_path) -> None:
    result = evaluate_retrieval(GOOD, QUERIES, QRELS, dataset="tiny", settings={"mode": "hybrid"})
    save_evaluation(result, tmp_path / "a.json")
    loaded = load_evaluation(tmp_path / "a.json")
    save_evaluation(loaded, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert loaded.measures == pytest.approx(result.measures, abs=1e-6)
    assert json.loads((tmp_path / "a.json").read_text())["settings"]["mode"] == "hybrid"
    lines = (tmp_path / "a.json").read_text().splitlines()
    assert sum('"id": "q' in line for line in lines) == 3
    assert json.loads(json.dumps(evaluation_json(result)))["n"] == 3


@pytest.mark.parametrize("text", ["", "{}", '{"format": 99}', '{"format": 1}', "[1]"])
def test_other_files_are_no_evaluation(tmp_path, text) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(str(path))):
        load_evaluation(path)


def test_comparison_counts_wins_losses_and_names_what_changed() -> None:
    a = evaluate_retrieval(GOOD, QUERIES, QRELS, settings={"mode": "hybrid"})
    b = evaluate_retrieval(WORSE, QUERIES, QRELS, settings={"mode": "dense"})
    result = compare(a, b)
    by_name = {difference.measure: difference for difference in result.differences}
    assert (by_name["nDCG@10"].wins, by_name["nDCG@10"].losses, by_name["nDCG@10"].ties) == (
        0,
        2,
        1,
    )
    assert by_name["nDCG@10"].difference < 0
    assert by_name["MRR@10"].difference == pytest.approx(-1 / 3)
    assert {change.id for change in result.changes} == {"q1", "q2"}
    assert result.settings == {"mode": ("hybrid", "dense")}
    swapped = {d.measure: d for d in compare(b, a).differences}
    for name, difference in by_name.items():
        assert swapped[name].difference == pytest.approx(-difference.difference)
        assert swapped[name].p == difference.p
        assert swapped[name].wins == difference.losses
    itself = compare(a, a)
    assert itself.changes == ()
    assert all(d.p == 1.0 and d.difference == 0 for d in itself.differences)


def test_runs_of_other_questions_or_judgements_are_not_compared() -> None:
    a = evaluate_retrieval(GOOD, QUERIES, QRELS, checksums={"qrels.tsv": "1"})
    other = evaluate_retrieval(GOOD, [Query("z", "one")], {"z": {"a": 1}})
    with pytest.raises(UsageError, match="share no query"):
        compare(a, other)
    changed = evaluate_retrieval(GOOD, QUERIES, QRELS, checksums={"qrels.tsv": "2"})
    with pytest.raises(UsageError, match=r"different qrels\.tsv"):
        compare(a, changed)
    with pytest.raises(UsageError, match="'P@1' is not in both"):
        compare(a, a, main="P@1")


def test_reports_stand_alone_and_escape_what_they_show() -> None:
    queries = [Query("q1", "<script>alert(1)</script>")]
    nothing, found = Fixed({}), Fixed({queries[0].question: ["a"]})
    a = evaluate_retrieval(nothing, queries, QRELS, dataset="a & b")
    b = evaluate_retrieval(found, queries, QRELS, dataset="a & b")
    for value in (a, compare(a, b)):
        page = render_html(value)
        assert "<svg" in page
        assert "a &amp; b" in page
        assert "<script" not in page
        assert "http" not in page.replace("http-equiv", "")
        assert render_html(value) == page
        assert "nDCG@10" in render_text(value)
    assert comparison_json(compare(a, b))["measures"]["nDCG@10"]["wins"] == 1


@pytest.mark.parametrize("header", ["", "query-id\tcorpus-id\tscore\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_in_beir_form_is_read(tmp_path, header, packed) -> None:
    rows = [
        {"_id": "q1", "text": "one"},
        {"id": "q2", "question": "two", "rewrite": "Two, alone?", "answers": ["2"]},
        {"id": "q3", "question": "three", "is_impossible": True},
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    if packed:
        (tmp_path / "queries.jsonl.gz").write_bytes(gzip.compress(content.encode()))
    else:
        (tmp_path / "queries.jsonl").write_text(content)
    (tmp_path / "qrels.tsv").write_text(header + "q1\ta\t1\nq2\tb\t2\nq3\tc\t1\n\n")
    dataset = load_dataset(tmp_path)
    assert [query.standalone for query in dataset.queries] == ["one", "Two, alone?", "three"]
    assert dataset.qrels == {"q1": {"a": 1}, "q2": {"b": 2}}
    assert [query.id for query in dataset.judged()] == ["q1", "q2"]
    assert all(len(checksum) == 64 for checksum in dataset.checksums.values())


def test_what_cannot_be_read_names_file_and_line(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"holds no queries\.jsonl"):
        load_dataset(tmp_path)
    path = tmp_path / "qrels.tsv"
    path.write_text("q1\ta\t1\nq2 b 1\n")
    with pytest.raises(UsageError, match="line 2"):
        load_qrels(path)
    path.write_text("q1\ta\t1\n")
    (tmp_path / "queries.jsonl").write_text('{"id": "q1", "question": "one"}\n{"id": 2}\n')
    with pytest.raises(UsageError, match="line 2, has no id or no question"):
        load_dataset(tmp_path)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(max_examples=30)
def test_an_interval_holds_the_mean_and_is_repeatable(values) -> None:
    low, high = bootstrap_interval(values)
    assert low - 1e-12 <= np.mean(values) <= high + 1e-12
    assert bootstrap_interval(values) == (low, high)


def test_an_interval_is_as_wide_as_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    low, high = bootstrap_interval(values.tolist(), resamples=4000)
    assert high - low == pytest.approx(2 * 1.96 * 0.2 / 20, rel=0.12)


def test_the_randomisation_test_agrees_with_the_exact_one() -> None:
    differences = [0.5, 0.4, 0.3, 0.2, 0.1, -0.1]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    exact = (np.abs(signs @ differences) >= sum(differences) - 1e-9).mean()
    assert randomisation_p(differences) == pytest.approx(exact, abs=0.01)
    assert randomisation_p([0.0, 0.0]) == 1.0
