"""Numbers as prose writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.grounding.quantities import agree, comparable, quantities_of


def one(text):
    (quantity,) = quantities_of(text)
    return quantity


@given(st.text(st.sampled_from(list("0123456789.,-%$€ kmst/May JuneaboutQ\u00a0é")), max_size=40))
def test_quantities_are_slices_and_agree_with_themselves(text):
    end = 0
    for quantity in quantities_of(text):
        assert text[quantity.start : quantity.end] == quantity.text
        assert quantity.start >= end
        end = quantity.end
        assert agree(quantity, quantity)
        assert comparable(quantity, quantity)


@given(st.integers(3, 10**9))
def test_grouping_does_not_change_a_number(number):
    assert one(f"{number} apples").value == one(f"{number:,} apples").value == number


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("1.2 million people", "1,234,567 people"),
        ("about 35%", "35.2 percent"),
        ("twenty-five days", "25 days"),
        ("5 km", "5,000 metres"),
        ("2 weeks", "14 days"),
        ("$3.5 billion", "US$3.5 bn"),
        ("March 2020", "5 March 2020"),
        ("in 2020", "March 5, 2020"),
        ("2020-03-05", "5th of March 2020"),
        ("the 1990s", "in 1994"),
        ("three hundred", "300"),
        ("the third", "the 3rd"),
        ("a dozen eggs", "12 eggs"),
        ("half a million, or 500 thousand", "500,000"),
    ],
)
def test_the_same_amount_written_otherwise_agrees(said, known):
    assert any(agree(a, b) for a in quantities_of(said) for b in quantities_of(known))


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("1.3 million people", "1,234,567 people"),
        ("36%", "35.2 percent"),
        ("5 km", "5 miles"),
        ("5 kg", "5 km"),
        ("1,234,567", "1.2 million"),  # more precise than what is known
        ("April 2020", "5 March 2020"),
        ("6 March 2020", "5 March 2020"),
        ("the 1980s", "in 1994"),
        ("1889", "1899"),
        ("the second", "the 3rd"),
        ("the second", "2 apples, 3rd"),
    ],
)
def test_other_amounts_do_not(said, known):
    assert not any(agree(a, b) for a in quantities_of(said)[:1] for b in quantities_of(known)[-1:])


def test_names_with_digits_are_no_numbers():
    assert quantities_of("COVID-19 and F-16 met H5N1") == ()


def test_years_and_dates_are_one_sort_and_money_another():
    assert comparable(one("1889"), one("April 1889"))
    assert not comparable(one("$5"), one("5 kg"))
