"""Laws of citations: quotes are slices, nothing unseen is cited, no invented marker passes."""

from __future__ import annotations

import dataclasses

import pytest
from grounding_builders import document, info, piece, pieces
from hypothesis import given
from hypothesis import strategies as st

from ragstone.errors import CorpusError
from ragstone.grounding.citations import align, check, cite, faults, was_shown
from ragstone.grounding.claims import split
from ragstone.text.sentences import sentence_spans
from ragstone.types import Citation, Evidence, Span

WORDS = st.sampled_from(
    [
        "river",
        "Zürich",
        "e\u0301te\u0301",
        "𝒜lpha",
        "🜲🜲",
        "שלום",
        "مرحبا",
        "漢字",
        "नमस्ते",
        "1889",
        "3.5%",
        "not",
        "a",
        "\u202eabc\u202c",
        "👩‍👩‍👧",
        "ﬁn",
        "Ǆ",
        "x\u0308y",
    ]
)
SENTENCE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
TEXT = st.lists(SENTENCE, min_size=1, max_size=8).map(". ".join)


def evidence_of(text: str) -> list[Evidence]:
    source = document(text)
    return [
        Evidence(info(source), span, span.of(text), 0.9)
        for span in sentence_spans(text, 0, len(text))
    ]


@given(TEXT, st.data())
def test_every_citation_is_a_slice_of_its_document_in_any_script(text, data):
    source, evidence = document(text), evidence_of(text)
    claim = (
        data.draw(st.sampled_from(evidence)).text
        if data.draw(st.booleans())
        else data.draw(SENTENCE)
    )
    for alignment in align(claim, evidence):
        citation = cite(evidence[alignment.index])
        assert citation.span.of(text) == citation.quote != ""
        check(citation, source, content_hash=info(source).content_hash)
        assert was_shown(citation, evidence)
        assert 0.0 <= alignment.share <= 1.0


@given(TEXT)
def test_a_sentence_aligns_with_itself(text):
    evidence = evidence_of(text)
    for item in evidence:
        found = align(item.text, evidence)
        if found:
            assert found[0].share > 0.99


@given(TEXT, st.data())
def test_a_changed_quote_never_passes(text, data):
    source = document(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    good = Citation("d1", source.source, "", Span(start, end), text[start:end], 1)
    check(good, source)
    place = data.draw(st.integers(0, end - start - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    changed = good.quote[:place] + letter + good.quote[place + 1 :]
    if changed != good.quote:
        with pytest.raises(CorpusError, match="does not stand"):
            check(dataclasses.replace(good, quote=changed), source)
    if start and text[start - 1 : end - 1] != good.quote:
        with pytest.raises(CorpusError, match="does not stand"):
            check(dataclasses.replace(good, span=Span(start - 1, end - 1)), source)


def test_normalised_forms_are_not_the_same_text():
    source = document("Caf\u00e9 de Flore")
    citation = Citation("d1", source.source, "", Span(0, 5), "Cafe\u0301", 1)
    with pytest.raises(CorpusError, match="does not stand"):
        check(citation, source)


def test_a_citation_of_another_document_or_without_text_or_of_a_changed_document():
    source = document("Rome fell in 476. Its walls stand.")
    good = Citation("d1", source.source, "", Span(0, 17), "Rome fell in 476.", 1)
    with pytest.raises(CorpusError, match="names document 'd2'"):
        check(dataclasses.replace(good, document_id="d2"), source)
    with pytest.raises(CorpusError, match="has no text"):
        check(dataclasses.replace(good, span=Span(3, 3), quote=""), source)
    changed = document("Rome fell in 476. Its walls fell.")
    check(good, changed)  # the quote itself still stands there
    with pytest.raises(CorpusError, match="has the hash"):
        check(good, changed, content_hash=info(source).content_hash)


def test_what_was_not_shown_is_noticed():
    evidence = pieces("Rome fell in 476.", "Its walls stand.")
    shown = cite(evidence[0])
    assert was_shown(shown, evidence)
    assert not was_shown(shown, evidence[1:])
    assert not was_shown(dataclasses.replace(shown, version=2), evidence)
    assert not was_shown(dataclasses.replace(shown, document_id="d9"), evidence)
    assert not was_shown(dataclasses.replace(shown, quote="Rome fell in 477."), evidence)
    wide = dataclasses.replace(shown, span=Span(0, 18), quote="Rome fell in 476. ")
    assert not was_shown(wide, evidence)


def kinds(draft, evidence):
    return [fault.kind for claim in split(draft) for fault in faults(claim, evidence)]


EVIDENCE = pieces(
    "The Eiffel Tower was built in 1889 by Gustave Eiffel.",
    "The Louvre is the largest museum in the world.",
    "Notre-Dame burned in April 2019.",
)


def test_right_markers_have_no_fault():
    assert (
        kinds(
            "The Eiffel Tower was built in 1889 [1]. The Louvre is the largest museum [2].",
            EVIDENCE,
        )
        == []
    )


def test_invented_and_out_of_range_markers_are_caught():
    assert kinds("The Louvre is the largest museum [7].", EVIDENCE) == ["unknown_marker"]
    assert kinds("The Louvre is the largest museum [0].", EVIDENCE) == ["unknown_marker"]


def test_swapped_markers_are_caught_and_alignment_decides():
    draft = "The Eiffel Tower was built in 1889 [2]. The Louvre is the largest museum [1]."
    assert kinds(draft, EVIDENCE) == ["wrong_marker", "wrong_marker"]
    first, second = split(draft)
    assert [a.index for a in align(first, EVIDENCE)] == [0]
    assert [a.index for a in align(second, EVIDENCE)] == [1]


def test_a_marker_on_a_claim_that_nothing_carries_is_caught():
    assert kinds("Berlin has three opera houses [3].", EVIDENCE) == ["wrong_marker"]


def test_quotes_with_changed_words_are_caught():
    good = "It says “the largest museum in the world” [2]."
    bad = "It says “the oldest museum in the world” [2]."
    assert "altered_quote" not in kinds(good, EVIDENCE)
    assert "altered_quote" in kinds(bad, EVIDENCE)


def test_a_claim_over_two_sentences_cites_both():
    evidence = pieces(
        "Ada Lovelace was born in London.", "Ada Lovelace wrote the first program.", "Rain fell."
    )
    found = align("Ada Lovelace, born in London, wrote the first program.", evidence)
    assert sorted(a.index for a in found) == [0, 1]


def test_nothing_is_cited_for_a_foreign_claim():
    assert align("Quantum computers factor integers.", EVIDENCE) == []
    assert align("", EVIDENCE) == []
    assert align("The Louvre is large.", []) == []


def test_a_citation_within_a_document_keeps_its_place():
    item = piece("Rome fell in 476.", before="Preface. ")
    assert cite(item).span == Span(9, 26)
