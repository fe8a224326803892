"""Each kind of difference between a claim and its evidence, caught and not invented."""

from __future__ import annotations

import pytest

from ragstone.grounding.differences import differences, word_differences

EVIDENCE = {
    "tower": "The Eiffel Tower in Paris was built in 1889, is 330 metres high and is open daily.",
    "trial": "In the trial, 35% of the patients improved and the dose increased blood pressure.",
    "some": "Some of the members voted for the plan.",
    "size": "Canada is larger than China.",
    "never": "The company did not publish its results in 2020.",
}


@pytest.mark.parametrize(
    ("name", "claim", "kind", "contrary"),
    [
        ("tower", "The Eiffel Tower in Paris was built in 1899.", "date", True),
        ("tower", "The Eiffel Tower is 300 metres high.", "number", True),
        ("tower", "The Eiffel Tower weighs 5,000 tonnes.", "number", False),
        ("tower", "The Eiffel Tower in London is open daily.", "name", False),
        ("tower", "The Eiffel Tower in Paris was not built in 1889.", "negation", True),
        ("tower", "The Eiffel Tower is closed daily.", "opposite", True),
        ("trial", "In the trial, 53% of the patients improved.", "number", True),
        ("trial", "In the trial, the dose decreased blood pressure.", "opposite", True),
        ("some", "All of the members voted for the plan.", "strength", True),
        ("size", "China is larger than Canada.", "order", True),
        ("never", "The company published its results in 2020.", "negation", True),
    ],
)
def test_caught(name, claim, kind, contrary):
    sentence = EVIDENCE[name]
    found = differences(claim, [sentence], [sentence])
    assert (kind, contrary) in {(d.kind, d.contrary) for d in found}, found
    assert all(d.detail for d in found)


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("tower", "Built in 1889, the Eiffel Tower in Paris is open daily."),
        ("tower", "The Eiffel Tower is about 330 m high."),
        ("tower", "The tower, 0.33 km high, was built in the 1880s."),
        ("trial", "About 35 percent of patients improved."),
        ("trial", "The dose raised blood pressure."),
        ("some", "Some members voted for the plan."),
        ("size", "Canada is larger than China."),
        ("size", "China is smaller than Canada."),
        ("never", "In 2020 the company didn't publish results."),
    ],
)
def test_not_invented(name, claim):
    sentence = EVIDENCE[name]
    assert differences(claim, [sentence], [sentence]) == []


def test_initials_and_surnames_bear_a_name_out():
    texts = ["The World Health Organization thanked Angela Merkel."]
    assert differences("The WHO thanked Merkel.", texts, texts) == []


def test_numbers_may_stand_in_any_evidence():
    texts = ["The bridge is long.", "It was opened in 1932."]
    assert differences("The bridge was opened in 1932.", texts[:1], texts) == []


@pytest.mark.parametrize(
    ("claim", "sentence", "differs"),
    [
        ("Install python with the command pip install today.",
         "Install flask with the command pip install today.", True),
        ("The teachers passed the final exam in the old hall.",
         "The students passed the final exam in the old hall.", True),
        ("The students passed the final exam in the old hall.",
         "The students passed the final exam in the old hall of the town.", False),
        ("The students passed their final exams in the old hall.",
         "The student passed the final exam in the old hall.", False),
        ("MTV-inspired films of the play were shown in the old hall.",
         "MTV inspired films of the play were shown in the old hall.", False),
        ("He sells boats.", "He buys boats.", False),
    ],
)  # fmt: skip
def test_one_word_in_anothers_place_is_another_statement(claim, sentence, differs):
    assert bool(word_differences(claim, sentence)) is differs
    assert word_differences(sentence, sentence) == []
