"""Measures of answers and of abstention, against values worked out by hand and simple laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.evaluation.abstention import (
    aurc,
    auroc,
    calibration_error,
    refusal_measures,
    risk_coverage,
)
from ragstone.evaluation.answering import ask_all, evaluate_answers
from ragstone.evaluation.answers import (
    containment,
    exact_match,
    normalised,
    token_f1,
    token_recall,
)
from ragstone.evaluation.datasets import Query
from ragstone.evaluation.report import render_html
from ragstone.evaluation.retrieval import Evaluation
from ragstone.types import Abstention, Answer, Claim, Span

DECISIONS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=1, max_size=30
)


def test_squads_normal_form():
    assert normalised("The  Eiffel-Tower, a tower!") == "eiffeltower tower"
    assert exact_match("the Rhine.", ["Rhine"]) == 1.0
    assert exact_match("Rhine river", ["Rhine"]) == 0.0
    assert exact_match("", []) == 1.0
    assert exact_match("Rhine", []) == 0.0


def test_token_f1_takes_the_best_reference():
    assert token_f1("in the year 1931", ["1933", "year 1931"]) == pytest.approx(
        2 * (2 / 3) / (5 / 3)
    )
    assert token_f1("nothing alike", ["1931"]) == 0.0


def test_containment_wants_whole_words():
    assert containment("It opened in 1931.", ["1931"]) == 1.0
    assert containment("It opened in 19315.", ["1931"]) == 0.0
    assert containment("anything", [""]) == 0.0


@given(st.text(max_size=40))
def test_an_answer_equals_itself(text):
    assert exact_match(text, [text]) == 1.0
    assert token_f1(text, [text]) == 1.0


def test_risk_coverage_by_hand():
    points = risk_coverage([0.9, 0.8, 0.8, 0.1], [True, False, True, False])
    assert [(p.coverage, pytest.approx(p.risk)) for p in points] == [
        (0.25, 0),
        (0.75, 1 / 3),
        (1, 0.5),
    ]
    assert aurc([0.9, 0.8, 0.8, 0.1], [True, False, True, False]) == pytest.approx(
        0.25 * 0 + 0.5 / 3 + 0.25 * 0.5
    )


@given(DECISIONS, st.randoms())
def test_order_does_not_matter_and_the_last_risk_is_the_error_rate(decisions, random):
    shuffled = list(decisions)
    random.shuffle(shuffled)
    one, other = (([c for c, _ in part], [r for _, r in part]) for part in (decisions, shuffled))
    assert aurc(*one) == pytest.approx(aurc(*other))
    assert auroc(*one) == pytest.approx(auroc(*other))
    assert risk_coverage(*one)[-1].risk == pytest.approx(1 - sum(one[1]) / len(one[1]))
    assert 0.0 <= calibration_error(*one) <= 1.0


@given(DECISIONS)
def test_auroc_is_the_chance_of_a_right_order(decisions):
    pairs = [(a, b) for a, right in decisions if right for b, wrong in decisions if not wrong]
    expected = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs) if pairs else 0.5
    assert auroc([c for c, _ in decisions], [r for _, r in decisions]) == pytest.approx(expected)


def test_refusals_by_hand():
    measures = refusal_measures([True, True, False, False], [False, True, True, False])
    assert (measures.precision, measures.recall, measures.answered) == (0.5, 0.5, 0.5)
    silent = refusal_measures([True, True], [True, False])
    assert (silent.recall, silent.answered) == (1.0, 0.0)
    with pytest.raises(ValueError, match="decisions"):
        refusal_measures([True], [])


def test_recall_is_the_share_of_the_reference():
    assert token_recall("it opened in May 1931", ["opened in 1931 with music"]) == 0.6
    assert token_recall("anything", []) == 0.0


def reply(text: str, confidence: float, *, marks: str = "", abstained: bool = False) -> Answer:
    start = text.find(marks)
    return Answer(
        question="When?",
        text=text,
        claims=() if abstained else (Claim(text, Span(0, len(text)), "supported"),),
        citations=(),
        hits=(),
        abstention=Abstention(text, confidence) if abstained else None,
        confidence=confidence,
        highlights=(Span(start, start + len(marks)),) if marks else (),
    )


def evaluated() -> Evaluation:
    replies = {
        "a": reply("It opened in 1931.", 0.9, marks="1931"),
        "b": reply("It is red.", 0.6),
        "c": reply("Nothing says so.", 0.1, abstained=True),
        "d": reply("Rain fell.", 0.4),
    }
    queries = [
        Query("a", "a", answers=("1931",)),
        Query("b", "b", answers=("blue",)),
        Query("c", "c", answers=("Insufficient information.",)),
        Query("d", "d", answers=("one two three four five six seven eight nine <b>",)),
    ]
    asked = ask_all(lambda question: (replies[question], 0.0), queries, {"a": {"d1": 1}})
    return evaluate_answers(asked, {}, text_of=lambda _: "", dataset="<set>")


def test_answers_are_measured_by_the_words_that_they_mark():
    result = evaluated()
    by_id = {query.id: query.values for query in result.queries}
    assert by_id["a"]["EM"] == by_id["a"]["F1"] == by_id["a"]["right"] == 1.0
    assert by_id["c"]["right"] == 1.0
    assert "EM" not in by_id["c"]
    assert "containment" not in by_id["d"]
    assert result.measures["right"] == 0.5


def test_the_page_of_an_evaluation_draws_risk_over_coverage():
    page = render_html(evaluated())
    assert "risk over coverage" in page
    assert "<set>" not in page
    assert page == render_html(evaluated())
    line = page.split('<polyline points="')[1].split('"')[0]
    assert len(line.split()) == 2 * 4  # two corners for each distinct confidence
