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
        ("The tax rate for the quarter was 21%.", "The tax rate was 24% in the third quarter."),
        ("The truck toll fee is $12 a year.", "The annual truck toll fee is $15."),
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
        ("The tax rate was 21% for the three months ended in May.", "The tax rate was 24% in May."),
        ("The tax rate for the quarter was 21%.", "The tax rate for the fiscal year was 24%."),
        ("The tax rate in Q1 was 21%.", "The tax rate in the second quarter was 24%."),
        ("The annual fee is $12.", "The monthly fee is $2."),
        ("The lease is filed as Exhibit 4.7 here.", "The lease is filed as Exhibit 4.6 here."),
        ("The ferry costs $12 per day.", "The ferry costs $60 a week."),
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


def test_titles_that_name_different_years_are_a_course_of_events():
    one, other = "The Corrin toll is $12.", "The Corrin toll is $15."
    assert (
        find([piece(one, id="a", title="Tolls 2022"), piece(other, id="b", title="TOLLS_2023")])
        == []
    )
    assert find([piece(one, id="a", title="Tolls 2022"), piece(other, id="b", title="2022 tolls")])


def test_what_lacks_a_name_of_the_question_speaks_of_something_else():
    one, other = "The bridge is 412 metres long.", "The bridge is 398 metres long."
    evidence = [piece(one, id="a", title="Corrin"), piece(other, id="b", title="Lund")]
    assert find(evidence)
    assert find(evidence, question="How long is the bridge?")
    assert find(evidence, question="How long is the bridge of Corrin?") == []


def test_an_author_means_two_things_by_two_numbers():
    one = "The maximum of lines is 79 characters."
    other = "The maximum of docstring lines is 72 characters."
    assert find([piece(one, id="a"), piece(other, id="a", before="Rain. ")]) == []
    assert find([piece(one, id="a"), piece(other, id="b")])
