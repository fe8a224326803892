"""Judges: verdicts, reasons, and what a judge may never do."""

from __future__ import annotations

import pytest
from grounding_builders import ByWord, pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.grounding.citations import was_shown
from ragstone.grounding.verification import LearnedJudge, RuleJudge, judge_for
from ragstone.types import Claim, Span

EVIDENCE = pieces(
    "Paris, the capital of France, had 2.1 million residents in 2020.",
    "The Eiffel Tower was built in 1889 by Gustave Eiffel and is open daily.",
    "The Corrin bridge was opened in 1931.",
)


def claim(text):
    return Claim(text, Span(0, len(text)), "unsupported")


@pytest.mark.parametrize(
    ("text", "verdict", "says"),
    [
        ("Paris is the capital of France.", "supported", ""),
        ("Paris had about 2 million residents.", "supported", ""),
        ("The Eiffel Tower was built by Gustave Eiffel [2].", "supported", ""),
        ("Paris had 3.5 million residents in 2020.", "contradicted", "2.1 million"),
        ("The Eiffel Tower was built in 1899.", "contradicted", "1889"),
        ("Paris is not the capital of France.", "contradicted", "state this as a fact"),
        ("The Eiffel Tower is closed daily.", "contradicted", "'open'"),
        ("The Eiffel Tower was built by Thomas Edison.", "unsupported", "Thomas Edison"),
        ("The Corrin bridge was opened in banana.", "unsupported", "'banana'"),
        ("Berlin has many lakes.", "unsupported", "'Berlin'"),
        ("...", "unsupported", "states nothing"),
    ],
)
def test_rules(text, verdict, says):
    judged = RuleJudge().judge(claim(text), EVIDENCE)
    assert judged.verdict == verdict, judged.reason
    assert says in judged.reason
    assert bool(judged.reason) == (verdict != "supported")


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=60) | st.sampled_from([e.text for e in EVIDENCE]),
    st.booleans(),
    st.integers(0, 3),
)
def test_a_judge_changes_nothing_but_its_verdict_and_cites_only_what_was_given(
    text, learned, count
):
    evidence = EVIDENCE[:count]
    judge = LearnedJudge(ByWord()) if learned else RuleJudge()
    given_claim = claim(text)
    judged = judge.judge(given_claim, evidence)
    assert (judged.text, judged.span) == (given_claim.text, given_claim.span)
    assert 0.0 <= judged.confidence <= 1.0
    assert all(was_shown(citation, evidence) for citation in judged.citations)
    assert judged.verdict == "unsupported" or judged.citations
    assert judged == judge.judge(given_claim, evidence)


def test_a_changed_number_never_stands_however_alike_the_rest_is():
    judge = LearnedJudge(ByWord())
    for year in range(1850, 1930):
        text = f"The Eiffel Tower was built in {year} by Gustave Eiffel and is open daily."
        judged = judge.judge(claim(text), EVIDENCE)
        assert (judged.verdict == "supported") == (year == 1889)


def test_the_best_judge_for_an_encoder():
    assert judge_for(ByWord()).name == "learned (by word)"
    assert judge_for(None).name == "rules"


def test_a_claim_whose_words_stand_nowhere_never_stands():
    from ragstone.models.encoder import shipped_encoder

    with shipped_encoder() as encoder:
        judge = judge_for(encoder)
        lamp = pieces("The lamp was first lit on 3 September 1874.")
        assert judge.judge(claim("The lamp was first lit in 1874."), lamp).verdict == "supported"
        nonsense = judge.judge(claim("The moon is made of green cheese."), lamp)
    assert nonsense.verdict == "unsupported"
    assert nonsense.reason
