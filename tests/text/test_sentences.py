"""Sentences: the laws of cover, then what each rule is for, by examples in many scripts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstone.text.sentences import sentence_spans

TEXTS = st.text(
    st.one_of(
        st.sampled_from(".!?…。！？؟।\n\r\t \"'()[]“”"),
        st.sampled_from("aAbB1éßñЖд日本語שלוםaلُ̈​\U0001f600"),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=300,
)


@given(TEXTS)
def test_spans_are_ordered_trimmed_and_cover_all_that_is_not_blank(text: str) -> None:
    at = 0
    for span in sentence_spans(text):
        assert span.start >= at
        assert not text[at : span.start].strip()
        assert span.of(text) == span.of(text).strip() != ""
        at = span.end
    assert not text[at:].strip()


@given(TEXTS, st.data())
def test_a_range_is_covered_and_nothing_beyond_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    spans = sentence_spans(text, start, end)
    assert all(start <= span.start < span.end <= end for span in spans)
    assert "".join("".join(s.of(text).split()) for s in spans) == "".join(text[start:end].split())


@given(st.lists(st.sampled_from(["It rained all day.", "Who came?", "Nobody did!"]), max_size=8))
def test_plain_sentences_come_back_one_by_one(sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [span.of(text) for span in sentence_spans(text)] == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith paid $3.50 on Jan. 5 to J. R. Jones.", "He left."],
        ["See Fig. 2, pp. 3-5, of Weber et al. 2020.", "It is, e.g., short."],
        ["He lives in the U.S. Army camp.", "They came at 5 p.m. on Monday."],
        ["They came at 5 p.m.", "The door was shut."],
        ["Wait... what is it?", "Nothing..."],
        ['"Really?" she said.', "“Yes.”", "He nodded."],
        ["Version 2.0.1 of file.txt is out.", "Get it at example.org today."],
        ["It has citations.[2][3]", "So it is good."],
        ["これは文です。", "「はい。」", "次の文！"],
        ["यह एक वाक्य है।", "दूसरा यहाँ है।"],
        ["هل هذا سؤال؟", "نعم هو."],
        ["Это г. Москва.", "Она большая."],
        ["Am 3. Oktober kam er z.B. nach Ulm.", "Er blieb."],
        ["all of it is in lower case.", "even the second sentence."],
    ],
)
def test_sentences_of_many_kinds(sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [span.of(text) for span in sentence_spans(text)] == sentences


def test_list_items_and_lines_stand_alone_but_wrapped_lines_are_joined() -> None:
    listed = "1. First item\n2. Second item\n- a bullet\n\nHeading\nName: Ann; Age: 30"
    assert [s.of(listed) for s in sentence_spans(listed)] == [
        "1. First item", "2. Second item", "- a bullet", "Heading", "Name: Ann; Age: 30",
    ]  # fmt: skip
    wrapped = (
        "This paragraph of a mail was cut at about sixty letters by\n"
        "Peter, whose program still believes in narrow screens and\n"
        "old terminals. It goes on."
    )
    assert len(sentence_spans(wrapped)) == 2


def test_ordinals_where_the_language_writes_them_with_a_stop() -> None:
    text = "Er war der 3. Mann. Er ging."
    assert [s.of(text) for s in sentence_spans(text, language="de")] == [
        "Er war der 3. Mann.",
        "Er ging.",
    ]


@pytest.mark.parametrize("unit", ["a. B", "\n ", ". ", "x" * 5000 + "\n", "(", '"', "Mr. ", "。"])
def test_time_is_linear_in_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.thread_time()
        sentence_spans(text)
        return time.thread_time() - started

    short = min(seconds(100_000) for _ in range(3))
    long = min(seconds(800_000) for _ in range(2))
    assert long < 8 * 4 * short + 0.05


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("There is a difference between running a\n`git pull` command and a fetch.", 1),
        ("Es gibt zwei Arten: die eine wird mit\n`git pull` geholt.", 1),
        ("Where the visitors sign up\nOpening hours are posted.", 2),
        ("Parts a\nOpening hours are posted.", 2),  # too short to have been wrapped
    ],
)
def test_a_line_that_cannot_end_there_runs_on(text: str, count: int) -> None:
    assert len(sentence_spans(text)) == count
