"""Laws of splitting a draft, and the markers it may carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.grounding.claims import is_refusal, markers_of, split, without_markers

PIECES = ["é", "e\u0301", "𝒳", "🜲", "שלום", "漢字。", "\u200d", "[1]", "[2, 3]", "【4】", " [9] "]
ALPHABET = st.sampled_from([*"abcXYZ .!?;:\n-*#[]()12345,", *PIECES])


@given(st.lists(ALPHABET, max_size=60).map("".join))
def test_claims_are_slices_ordered_and_disjoint(draft):
    end = 0
    for claim in split(draft):
        assert claim.span.of(draft) == claim.text
        assert claim.text.strip() == claim.text != ""
        assert claim.span.start >= end
        end = claim.span.end


@given(st.lists(ALPHABET, max_size=60).map("".join))
def test_nothing_with_words_is_lost_between_claims(draft):
    """What lies between claims is headings, marks, markers and remarks, never a full sentence."""
    kept = "".join(claim.text for claim in split(draft))
    assert set(markers_of(kept)) <= set(markers_of(draft))


@given(st.text(max_size=80))
def test_any_text_splits(draft):
    for claim in split(draft):
        assert claim.span.of(draft) == claim.text
        assert isinstance(is_refusal(draft), bool)


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        ("It rains. [1]", (1,)),
        ("It rains [1][3].", (1, 3)),
        ("It rains [2, 4].", (2, 4)),
        ("It rains [2-4].", (2, 3, 4)),
        ("It rains [4–2].", (4, 2)),
        ("It rains 【3】.", (3,)),
        ("It rains [^5].", (5,)),
        ("It rains (source 2).", (2,)),
        ("It rains [Source: 7].", ()),
        ("It rained in [2] places [2].", (2,)),
        ("a[i] and f(3)", ()),
        ("It rains.", ()),
        ("[1-999] too wide", (1, 999)),
    ],
)
def test_markers(text, markers):
    assert markers_of(text) == markers


def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before():
    first, second = split("Rome fell in 476. [1] Its walls still stand today. [2]")
    assert (first.markers, second.markers) == ((1,), (2,))
    assert second.stated == "Its walls still stand today."


def test_lists_headings_and_greetings():
    draft = (
        "Sure! Here is the answer:\n## Rome\n- Rome fell in 476 [1].\n1. Its walls still stand.\n"
        "**Notes**\nI hope this helps."
    )
    assert [claim.stated for claim in split(draft)] == [
        "Rome fell in 476.",
        "Its walls still stand.",
    ]


def test_semicolons_part_full_statements_only():
    assert len(split("The tower has three floors; the oldest was built in 1889.")) == 2
    assert len(split("Red; green; blue.")) == 1


def test_without_markers_leaves_the_statement():
    assert without_markers("**Rome** fell [1] in 476 [2, 3].") == "Rome fell in 476."


@pytest.mark.parametrize(
    ("draft", "refuses"),
    [
        ("The passages do not mention this.", True),
        ("I cannot answer this from the documents.", True),
        ("The provided context does not contain information about the price.", True),
        ("There is no information about that.", True),
        ("Insufficient information.", True),
        ("Rome was not built in a day.", False),
        ("The evidence does not say when. Rome fell in 476.", False),
        ("", False),
        ("No vaccine was found to be harmful.", False),
    ],
)
def test_refusals(draft, refuses):
    assert is_refusal(draft) is refuses


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("The `?` operator returns early [1].", "The ? operator returns early."),
        ("So [1][2], then [3] it ends.", "So, then it ends."),
        ("“Quoted.” [1]", "“Quoted.”"),
    ],
)
def test_markers_leave_no_gaps_and_take_none(text: str, bare: str) -> None:
    assert without_markers(text) == bare
