"""Laws of choosing evidence: exact slices, no overlap, within budget; leads that make sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
from grounding_builders import ByWord, document, hit
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.grounding.candidates import candidates_of
from ragstone.grounding.evidence import (
    NAMED_ROW,
    STRANGE_ROW,
    approximate_tokens,
    asked_terms,
    is_fragment,
    row_shift,
    score,
    select,
)
from ragstone.grounding.questions import understand
from ragstone.grounding.relevance import lexical_features
from ragstone.grounding.scoring import by_words
from ragstone.grounding.words import rarity
from ragstone.types import Document, Element, Span

SENTENCES = st.lists(
    st.sampled_from(
        ["The bridge opened in 1931.", "It is 412 m long.", "Ça coûte 5 €.", "漢字は難しい。",
         "שלום עולם.", "Rain fell on the old town.", "The mayor, Ada Brun, spoke.", "\n\n", "x"]
    ),
    min_size=1,
    max_size=14,
).map(" ".join)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(SENTENCES, st.integers(5, 200), st.integers(1, 6), st.booleans())
def test_evidence_is_exact_disjoint_and_within_budget(text, max_tokens, max_items, embed):
    source = document(text)
    half = len(text) // 2
    hits = [
        hit(source, rank=1, span=Span(0, max(1, half))),
        hit(source, rank=2, span=Span(half // 2, len(text))),  # overlaps the first
    ]
    chosen = select(
        "When did the bridge open?", hits, encoder=ByWord() if embed else None,
        document_of=lambda _: source, max_tokens=max_tokens, max_items=max_items,
    )  # fmt: skip
    assert len(chosen) <= max_items
    for place, item in enumerate(chosen):
        assert item.span.of(text) == item.text != ""
        assert 0.0 <= item.score <= 1.0
        assert "\n".join(span.of(text) for span in item.lead) == item.lead_text
        assert all(not item.span.overlaps(other.span) for other in chosen[place + 1 :])
    spent = sum(approximate_tokens(e.text) + approximate_tokens(e.lead_text) for e in chosen)
    assert spent <= max_tokens or len(chosen) == 1
    assert [e.score for e in chosen] == sorted((e.score for e in chosen), reverse=True)


def test_the_sentence_with_the_answer_comes_first():
    text = (
        "The Corrin valley is known for cheese. The Corrin bridge was opened in 1931 by the mayor. "
        "Its market takes place on Fridays. The bridge of Lund was opened in 1880."
    )
    source = document(text)
    for encoder in (None, ByWord()):
        chosen = select(
            "When was the Corrin bridge opened?", [hit(source)], encoder=encoder,
            document_of=lambda _: source,
        )  # fmt: skip
        assert "1931" in chosen[0].text


def test_no_hits_no_evidence():
    assert select("Why?", [], encoder=None, document_of=lambda _: document("")) == []


def test_a_pronoun_brings_the_sentence_it_points_to():
    text = "Ada Brun was mayor of Corrin. She opened the bridge in 1931."
    source = document(text)
    (first, second) = candidates_of([hit(source)], lambda _: source)
    assert (first.lead_text, second.lead_text) == ("", "Ada Brun was mayor of Corrin.")


def test_a_row_brings_its_header_and_a_list_item_its_opening():
    text = "Year | Visitors\n2019 | 310\n2020 | 290\nThe bridge has:\n- two lanes\n- one toll house"
    spans = {
        line: Span(text.index(line), text.index(line) + len(line)) for line in text.split("\n")
    }
    elements = (
        Element("table", Span(0, spans["2020 | 290"].end)),
        Element("row", spans["Year | Visitors"], level=1),
        Element("row", spans["2019 | 310"], level=2),
        Element("row", spans["2020 | 290"], level=3),
        Element("paragraph", spans["The bridge has:"]),
        Element("list_item", spans["- two lanes"], level=1),
        Element("list_item", spans["- one toll house"], level=1),
    )
    source = document(text, elements=elements)
    leads = {c.text: c.lead_text for c in candidates_of([hit(source)], lambda _: source)}
    assert leads["2020 | 290"] == "Year | Visitors"
    assert leads["- one toll house"] == "The bridge has:"
    assert leads["Year | Visitors"] == ""


FILED = """Balance Sheets (in millions)

At June 30,; 2023; 2022
Current assets:
Cash; 2023: 689; 2022: 775
Inventories; 2023: 992; 2022: 1,114
Liabilities
Trade payables; 2023: 2,690; 2022: 3,073"""


def filed() -> Document:
    """Two pages; the table begins on the first and its liabilities stand on the second."""
    spans = [Span(FILED.index(line), FILED.index(line) + len(line)) for line in FILED.split("\n")]
    title, _, *rows = spans
    return document(
        FILED,
        elements=(
            Element("page", Span(0, rows[4].start - 1), level=1),
            Element("heading", title, level=1),
            Element("table", Span(rows[0].start, rows[-1].end)),
            Element("row", rows[0], level=0),
            *(Element("row", span, level=at) for at, span in enumerate(rows[1:4], start=1)),
            Element("page", Span(rows[4].start, len(FILED)), level=2),
            *(Element("row", span, level=at) for at, span in enumerate(rows[4:], start=4)),
        ),
    )


def test_a_row_brings_its_measure_its_columns_and_its_label():
    source = filed()
    leads = {c.text: c.lead_text for c in candidates_of([hit(source)], lambda _: source)}
    names = "Balance Sheets (in millions)\nAt June 30,; 2023; 2022"
    assert leads["Inventories; 2023: 992; 2022: 1,114"] == f"{names}\nCurrent assets:"
    assert leads["Trade payables; 2023: 2,690; 2022: 3,073"] == f"{names}\nLiabilities"
    assert "At June 30,; 2023; 2022" not in leads  # it names columns and states nothing


def test_a_row_that_only_names_others_is_a_fragment():
    source = filed()
    found = {c.text: is_fragment(c) for c in candidates_of([hit(source)], lambda _: source)}
    assert [text for text, fragment in found.items() if fragment] == [
        "Current assets:",
        "Liabilities",
    ]


def test_a_row_is_moved_by_its_label_and_not_by_the_names_of_columns():
    text = (
        "Net sales; Retail stores: 14,694; Online stores: 12,861\n"
        "Inventories; Retail stores: 992; Online stores: 1,114\n"
        "City: Oslo; Stores: 4"
    )
    lines = text.split("\n")
    spans = [Span(text.index(line), text.index(line) + len(line)) for line in lines]
    source = document(text, elements=tuple(Element("row", s, level=1) for s in spans))
    moved = {
        question: [
            row_shift(asked_terms(understand(question)), candidate)
            for candidate in candidates_of([hit(source)], lambda _: source)
        ]
        for question in ("What are the inventories of all stores?", "How many stores are there?")
    }
    assert list(moved.values()) == [
        [STRANGE_ROW, NAMED_ROW, 0.0],
        [STRANGE_ROW, STRANGE_ROW, 0.0],
    ]


def test_a_row_of_another_company_is_not_shown_first():
    texts = {"ACME_2019": "Net profit; 2019: 11,588", "BOLT_2019": "Net profit of Bolt; 2019: 48"}
    sources = {
        name: replace(
            document(text, id=name, title=f"Annual report ({name})", elements=(
                Element("row", Span(0, len(text)), level=1),
            )),
            source=f"/docs/{name}.pdf",
        )
        for name, text in texts.items()
    }  # fmt: skip
    hits = [hit(sources["BOLT_2019"], rank=1), hit(sources["ACME_2019"], rank=2)]
    chosen = select(
        "What is the net profit of Acme in FY2019?", hits, encoder=None, document_of=sources.get
    )
    assert chosen[0].text == texts["ACME_2019"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("See Note 12 for the fees.", 0), ("For more information on fees, see the list.", 0),
     ("Seeing the list costs a fee.", 1)],
)  # fmt: skip
def test_a_sentence_that_only_points_elsewhere_comes_last(text, shown):
    source = document(f"{text} The house asks for a fee of 4 pounds.")
    candidates = candidates_of([hit(source)], lambda _: source)
    question = understand("What are the fees?")
    before = score(question, candidates, None)
    plain = by_words().probabilities(
        lexical_features(question, candidates, rarity([c.text for c in candidates]))
    )
    assert (before[0] == pytest.approx(plain[0])) == bool(shown)


def test_evidence_is_of_the_page_that_it_stands_on():
    source = filed()
    pages = {c.text: c.page for c in candidates_of([hit(source)], lambda _: source)}
    assert pages["Cash; 2023: 689; 2022: 775"] == 1
    assert pages["Trade payables; 2023: 2,690; 2022: 3,073"] == 2
    chosen = select(
        "What are the trade payables?", [hit(source)], encoder=None, document_of=lambda _: source
    )
    assert (chosen[0].text[:14], chosen[0].page) == ("Trade payables", 2)


def test_headings_and_furniture_are_no_evidence():
    text = "Corrin bridge\nThe bridge opened in 1931.\nPage 7"
    elements = (
        Element("heading", Span(0, 13), level=1),
        Element("paragraph", Span(14, 40)),
        Element("furniture", Span(41, 47)),
    )
    source = document(text, elements=elements)
    assert [c.text for c in candidates_of([hit(source)], lambda _: source)] == [
        "The bridge opened in 1931."
    ]


@pytest.mark.parametrize("text", ["", "   \n ", "…"])
def test_texts_without_words(text):
    source = document(text)
    assert len(select("Why?", [hit(source)], encoder=None, document_of=lambda _: source)) <= 1


def test_marks_without_a_word_are_no_evidence_beside_words():
    source = document("###\n\nThe lamp was lit in 1871.\n\n* * *\n\nIt burned oil.")
    texts = [candidate.text for candidate in candidates_of([hit(source)], lambda _: source)]
    assert texts == ["The lamp was lit in 1871.", "It burned oil."]


def test_a_question_states_nothing_but_leads_to_its_answer():
    source = document("What is the fee for a guided tour? It is 4 pounds. Bring a coat.")
    found = candidates_of([hit(source)], lambda _: source)
    assert [c.text for c in found] == ["It is 4 pounds.", "Bring a coat."]
    assert found[0].lead_text == "What is the fee for a guided tour?"
    alone = document("Is there a lift? “Where is the lift?”")
    assert len(candidates_of([hit(alone)], lambda _: alone)) == 2


def test_a_document_that_quotes_the_question_does_not_answer_it():
    asks = document("A visitor wrote: “How high is the Corrin tower?”", id="asks", title="Letters")
    says = document("The Corrin tower is 28 metres high.", id="says", title="Corrin")
    by_id = {"asks": asks, "says": says}
    chosen = select(
        "How high is the Corrin tower?",
        [hit(asks), hit(says, rank=2)],
        encoder=None,
        document_of=by_id.__getitem__,
    )
    assert [item.document.id for item in chosen] == ["says"]


def test_what_a_thing_is_goes_before_what_happened_to_it():
    source = document(
        "It opened in Nashville in 2000. Opry Mills is a shopping mall owned by Simon. "
        "The smaller boat lies at Opry Mills."
    )
    chosen = select(
        "What is Opry Mills?", [hit(source)], encoder=None, document_of=lambda _: source
    )
    assert chosen[0].text.startswith("Opry Mills is a shopping mall")


def test_a_file_name_that_runs_a_name_together_names_it():
    titles = {"a": "AMERICANEXPRESS_2022_10K", "b": "BESTBUY_2024_10Q"}
    by_id = {
        id: document("We employ about 77,300 people worldwide.", id=id, title=title)
        for id, title in titles.items()
    }
    chosen = select(
        "How many people does American Express employ?",
        [hit(by_id["b"]), hit(by_id["a"], rank=2)],
        encoder=None,
        document_of=by_id.__getitem__,
    )
    assert chosen[0].document.id == "a"


@pytest.mark.parametrize(
    ("text", "units"),
    [
        (
            ".. data:: MAX_LAMPS\n\n    How many lamps may burn. More are put out.",
            [".. data:: MAX_LAMPS\n\n    How many lamps may burn.", "More are put out."],
        ),
        (
            "`-l`::\n`--lit`::\n\tLight the lamp.\n\nIt burns.",
            ["`-l`::", "`--lit`::\n\tLight the lamp.", "It burns."],
        ),
        (  # what stands below a label without being set in may belong to anything
            "By Ada Brun\n\nThe bridge opened in May.",
            ["By Ada Brun", "The bridge opened in May."],
        ),
        ("Rain fell.\nThe bridge opened.", ["Rain fell.", "The bridge opened."]),
    ],
)
def test_a_label_is_one_with_what_explains_it(text, units):
    source = document(text)
    assert [c.text for c in candidates_of([hit(source)], lambda _: source)] == units


def test_a_heading_alone_is_no_evidence_beside_statements():
    bare = document("Opening hours", id="d1", elements=(Element("heading", Span(0, 13), level=1),))
    told = document("The tower opens at nine.", id="d2")
    sources = {"d1": bare, "d2": told}
    texts = [c.text for c in candidates_of([hit(bare), hit(told)], sources.__getitem__)]
    assert texts == ["The tower opens at nine."]
    assert [c.text for c in candidates_of([hit(bare)], sources.__getitem__)] == ["Opening hours"]
