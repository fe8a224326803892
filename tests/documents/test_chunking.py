"""Passages: their laws over texts, structures and token counters of every kind."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.documents import chunk, embedding_text
from ragstone.documents.builder import Builder
from ragstone.documents.raw import Raw
from ragstone.types import Document, Element, Passage, Span

_WORD = re.compile(r"\w{1,6}|[^\w\s]")


def words(text: str) -> list[Span]:
    """A token for each six letters of a word and each mark."""
    return [Span(m.start(), m.end()) for m in _WORD.finditer(text)]


def letters(text: str) -> list[Span]:
    """A token for each character that is not blank."""
    return [Span(i, i + 1) for i, c in enumerate(text) if not c.isspace()]


def whole_words(text: str) -> list[Span]:
    """A token for each word, however long, as word-piece models do with a word they give up on."""
    return [Span(m.start(), m.end()) for m in re.finditer(r"\S+", text)]


COUNTERS = st.sampled_from([words, letters, whole_words])
ALPHABET = st.one_of(
    st.sampled_from("aaaabcdeE.,;:!? \n\n\r\t-#|"),
    st.sampled_from("日本語。שלום مرحباé̈​\U0001f469‍\U0001f4bb️"),
)
TEXTS = st.text(ALPHABET, max_size=400)
KINDS = st.sampled_from(
    ["heading", "paragraph", "list_item", "row", "code", "quote", "note", "furniture", "table",
     "page", "slide", "sheet", "header"]
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS) * draw(st.sampled_from([1, 1, 5]))
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    elements = [
        Element(draw(KINDS), Span(a, b), draw(st.integers(0, 6)))
        for a, b in draw(st.lists(spans, max_size=8))
        if a < b
    ]
    elements.sort(key=lambda e: (e.span.start, -e.span.end))
    return Document("d", "s", "T", text, "text", tuple(elements))


@settings(max_examples=150, deadline=None)
@given(documents(), COUNTERS, st.integers(8, 60))
def test_laws(document: Document, counter, most: int) -> None:
    passages = chunk(document, token_spans=counter, max_tokens=most)
    text = document.text
    covered = [False] * len(text)
    end = 0
    for passage in passages:
        assert passage.text == passage.span.of(text)
        assert passage.text.strip() == passage.text != ""
        assert passage.span.start >= end
        assert len(counter(passage.text)) <= most
        end = passage.span.end
        covered[passage.span.start : end] = [True] * len(passage.span)
    for element in document.elements:
        if element.kind == "furniture":
            covered[element.span.start : element.span.end] = [True] * len(element.span)
    assert all(seen or text[at].isspace() for at, seen in enumerate(covered))
    assert chunk(document, token_spans=counter, max_tokens=most) == passages


@given(TEXTS)
def test_furniture_is_left_out_of_passages(text: str) -> None:
    built = Builder(Raw("s", "n"))
    built.paragraph("Before it.")
    built.furniture("PAGE 7 OF 9")
    built.paragraph(text)
    passages = chunk(built.document(format="pdf"), token_spans=words)
    assert not any("PAGE 7 OF 9" in passage.text for passage in passages)


@pytest.mark.parametrize("text", ["x" * 100_000, "ab " * 40_000, "日" * 50_000, "é" * 30_001])
def test_one_huge_word_or_line_is_parted(text: str) -> None:
    document = Document("d", "s", "T", text, "text")
    for counter in (words, whole_words):
        passages = chunk(document, token_spans=counter, max_tokens=200)
        assert "".join(p.text for p in passages).replace(" ", "") == text.replace(" ", "")
        assert max(len(p.text) for p in passages) <= 16 * 200


def test_combining_marks_stay_with_their_letters() -> None:
    text = "e\u0301" * 5_000
    passages = chunk(Document("d", "s", "T", text, "text"), token_spans=letters, max_tokens=50)
    assert all(passage.text[0] == "e" for passage in passages)


def test_a_document_that_fits_is_one_passage() -> None:
    text = "A sentence of seven words stands here. " * 20
    (passage,) = chunk(Document("d", "s", "T", text, "text"), token_spans=words, max_tokens=240)
    assert passage.text == text.strip()


def sentences(count: int, first: int = 0) -> str:
    """Sentences of nine tokens that have no word in common."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [letters[n // 26 % 26] + letters[n % 26] for n in range(first, first + count)]
    return " ".join(f"V{n}a w{n}b x{n}c y{n}d z{n}e u{n}f t{n}g s{n}h." for n in names)


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_paragraphs_are_kept_whole_where_they_fit(gap: str) -> None:
    """Blank lines part them, or the ends of lines that nobody wrapped."""
    paragraphs = [sentences(8, 8 * n) for n in range(12)]
    passages = chunk(Document("d", "s", "T", gap.join(paragraphs), "text"), token_spans=words)
    assert len(passages) > 3
    assert [part for p in passages for part in p.text.split(gap)] == paragraphs


def test_wrapped_lines_are_no_paragraphs() -> None:
    text = sentences(120).replace(" y", "\ny")
    passages = chunk(Document("d", "s", "T", text, "text"), token_spans=words)
    assert len(passages) > 3
    assert all(p.text.startswith("V") and p.text.endswith(".") for p in passages)


def test_a_long_document_is_parted_smaller() -> None:
    sizes = []
    for count in (60, 600):
        made = chunk(Document("d", "s", "T", sentences(count), "text"), token_spans=words)
        sizes.append(sum(len(words(p.text)) for p in made) / len(made))
    assert abs(sizes[0] - 140) < 20
    assert abs(sizes[1] - 120) < 10


def sectioned() -> Document:
    built = Builder(Raw("s", "n"))
    built.heading("Guide", 1)
    built.paragraph("An opening. " * 30)
    built.heading("Install", 2)
    built.paragraph("Run the installer. " * 30)
    built.heading("On Linux", 3)
    built.paragraph("Use the package. " * 30)
    built.heading("Use", 2)
    built.paragraph("Start it. " * 40)
    return built.document(format="html")


def test_heading_paths_and_headings_stay_with_their_text() -> None:
    passages = chunk(sectioned(), token_spans=words, max_tokens=120, target_tokens=100)
    paths = [passage.heading_path for passage in passages]
    assert list(dict.fromkeys(paths)) == [
        ("Guide",),
        ("Guide", "Install"),
        ("Guide", "Install", "On Linux"),
        ("Guide", "Use"),
    ]
    for passage in passages:
        assert passage.text.split("\n")[-1] not in ("Install", "On Linux", "Use")


def test_passages_do_not_cross_slides_and_know_their_page() -> None:
    built = Builder(Raw("s", "n"))
    for number in (1, 2, 3):
        with built.element("slide", level=number):
            built.paragraph(f"Slide {number} says little.")
    passages = chunk(built.document(format="pptx"), token_spans=words)
    assert [(p.page, p.text) for p in passages] == [
        (n, f"Slide {n} says little.") for n in (1, 2, 3)
    ]


def test_a_lead_in_stays_with_its_list() -> None:
    built = Builder(Raw("s", "n"))
    built.paragraph("Long before. " * 25)
    built.paragraph("You need these things:")
    for item in ("a hammer", "some nails", "a board of wood"):
        built.list_item(item)
    built.paragraph("Long after. " * 25)
    passages = chunk(built.document(format="html"), token_spans=words, max_tokens=80)
    assert any("need these things" in p.text and "hammer" in p.text for p in passages)


def test_what_is_embedded_leads_with_title_and_headings_once() -> None:
    passage = Passage("d", Span(0, 5), "Install it.", heading_path=("Guide", "Install"))
    assert embedding_text("Guide", passage).endswith("Install it.")
    assert embedding_text("Guide", passage).count("Guide") == 1
    bare = Passage("d", Span(0, 5), "Text.")
    assert embedding_text("", bare) == "Text."


def test_too_small_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        chunk(Document("d", "s", "T", "a", "text"), token_spans=words, max_tokens=3)


@pytest.mark.parametrize("term", ["`--lamp`::\n\t", ".. data:: LAMP\n\n    "])
def test_a_term_stays_with_what_explains_it(term: str) -> None:
    """Wherever the passages end, none ends behind a term, though the text before names it."""
    for count in range(2, 12):
        parts = [
            f"{term}{sentences(count, 20 * number)} The lamp or `--lamp` burns."
            for number in range(12)
        ]
        document = Document("d", "s", "T", "\n\n".join(parts), "text")
        for passage in chunk(document, token_spans=words, max_tokens=120):
            assert not passage.text.endswith(term.strip())


def test_a_heading_stays_with_the_heading_below_it() -> None:
    """No passage is a title alone, and each bears the path of what it says."""
    built = Builder(Raw("s", "n"))
    built.heading("Guide", 1)
    for number in range(6):
        built.heading(f"Part {number}", 2)
        built.heading(f"Case {number}", 3)
        built.paragraph(sentences(16, 20 * number))
    passages = chunk(built.document(format="html"), token_spans=words)
    assert len(passages) >= 6
    for passage in passages:
        assert "V" in passage.text
        if passage.text.startswith(("Guide", "Part")):
            assert passage.heading_path[-1].startswith("Case")
