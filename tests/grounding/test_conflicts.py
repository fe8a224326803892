"""Disagreements are found, and a course of events is none."""

from __future__ import annotations

import pytest
from grounding_builders import piece, pieces

from ragstone.grounding.conflicts import find


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Corrin bridge is 412 metres long.", "The Corrin bridge is 398 metres long."),
        ("The Corrin bridge was opened in 1931.", "The Corrin bridge was opened in 1933."),
        ("The notice period is 14 days.", "The notice period is three weeks."),
        ("The ticket costs $12.", "The ticket costs $15."),
        ("place: Skerry; visitors: 18402", "place: Skerry; visitors: 18455"),
    ],
)
def test_found(one, other):
    evidence = pieces(one, "Rain fell in spring.", other)
    (conflict,) = find(evidence)
    assert (conflict.first, conflict.second) == (0, 2)
    words = conflict.worded(evidence)
    assert conflict.said.text in words
    assert conflict.other.text in words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Corrin bridge is 412 metres long.", "The Corrin bridge is 0.412 km long."),
        ("The Corrin bridge is 412 metres long.", "The Lund bridge is 398 metres long."),
        ("Sales were 5% in 2019.", "Sales were 6% in 2020."),
        ("year: 2019; visitors: 18402; groups: 61", "year: 2020; visitors: 4115; groups: 61"),
        ("| adult | £9.50 | tower |", "| child | £4.00 | tower |"),
        ("The Corrin bridge was opened in 1931.", "The Corrin bridge is 412 metres long."),
        ("The Corrin bridge is about 400 metres long.", "The Corrin bridge is 412 metres long."),
    ],
)
def test_not_invented(one, other):
    assert find(pieces(one, other)) == []


def test_a_document_that_disagrees_with_itself_is_named_once():
    one, other = "The Corrin bridge is 412 metres long.", "The Corrin bridge is 398 metres long."
    evidence = [
        piece(one, id="d1", title="Corrin"),
        piece(other, id="d1", title="Corrin", before="Rain. "),
    ]
    (conflict,) = find(evidence)
    assert conflict.worded(evidence) == "“Corrin” says both 412 metres and 398 metres."
