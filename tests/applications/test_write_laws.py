"""Laws of outlines, wording, ledgers and Markdown, over anything a person might type."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.applications.manuscripts.docx import docx
from ragstone.applications.manuscripts.html import html
from ragstone.applications.manuscripts.markdown import markdown
from ragstone.applications.manuscripts.notes import ranges
from ragstone.applications.manuscripts.reading import read_statements
from ragstone.applications.writing.brief import brief
from ragstone.applications.writing.ledger import Ledger, hash_of, ledger_json, parse
from ragstone.applications.writing.manuscript import (
    Block,
    Manuscript,
    Outline,
    Planned,
    Section,
    Source,
    Statement,
)
from ragstone.applications.writing.outline import parse as parse_outline
from ragstone.applications.writing.outline import render
from ragstone.errors import UsageError
from ragstone.text.wording import worded
from ragstone.types import Citation, Span

WORDS = st.lists(
    st.sampled_from(
        ["lamp", "The", "1874", "a_b", "*x*", "`code`", "<b>", "[1]", "|", "C++", "café", "灯", "#"]
    ),
    min_size=1,
    max_size=9,
)
TEXTS = WORDS.map(lambda words: f"Stone {' '.join(words)} stands.")
HEADINGS = st.text("abc déf灯1", min_size=1, max_size=20).filter(
    lambda t: t.strip() and "1" not in t
)


@st.composite
def manuscripts(draw: st.DrawFn) -> Manuscript:
    """Manuscripts of one source, every statement cited at its own place in it."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=8, unique_by=hash_of))
    statements = []
    start = 0
    for text in texts:
        cited = Citation("d", "/tmp/s.pdf", "S", Span(start, start + len(text)), text, 1, 2, ("H",))
        statements.append(
            Statement(text, "supported", "quoted", 1.0, draw(st.booleans()), citations=(cited,))
        )
        start += len(text) + draw(st.integers(1, 9))
    cut = draw(st.integers(0, len(statements)))
    parts = [part for part in (statements[:cut], statements[cut:]) if part]
    sections = tuple(
        Section(f"Part {'AB'[n]}", (Block(tuple(part), "S, page 2"),))
        for n, part in enumerate(parts)
    )
    outline = Outline("All of it", tuple(Planned(s.heading, keys=(1,)) for s in sections))
    source = Source("d", "/tmp/s.pdf", "S", "pdf", 1, "00", {"date": "2020-01-02"})
    return Manuscript("b", "report", outline, sections, (source,), version=1)


@given(manuscripts())
def test_a_ledger_comes_back_as_it_was(manuscript: Manuscript) -> None:
    ledger = Ledger(manuscript, "asked", complete=True)
    assert parse(ledger_json(ledger)) == ledger


@settings(max_examples=40, deadline=None)
@given(manuscripts())
def test_every_form_is_read_back_whole(manuscript: Manuscript) -> None:
    wanted = [hash_of(statement.text) for statement in manuscript.statements]
    known = [statement.text for statement in manuscript.statements]
    with tempfile.TemporaryDirectory() as folder:
        for suffix, made in ((".md", markdown), (".html", html), (".docx", docx)):
            path = Path(folder) / f"m{suffix}"
            data = made(manuscript)
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
            found = read_statements(path, known)
            assert [hash_of(stated.text) for stated in found] == wanted, suffix
            assert [stated.notes for stated in found] == [(n,) for n in range(1, len(wanted) + 1)]


@given(st.lists(st.tuples(HEADINGS, st.lists(HEADINGS, max_size=3)), min_size=2, max_size=6))
def test_an_outline_that_was_written_is_read_back(rows: list[tuple[str, list[str]]]) -> None:
    def flat(text: str) -> str:
        return text.strip()

    sections = tuple(Planned(flat(h), tuple(map(flat, asked))) for h, asked in rows)
    outline = Outline("The title", sections)
    assert parse_outline(render(outline), title="other") == outline


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a title\n- with a question"])
def test_an_outline_without_sections_is_refused_or_taken_as_one(text: str) -> None:
    if text.strip():
        assert len(parse_outline(text, title="t").sections) == 1
    else:
        with pytest.raises(UsageError, match="0 sections"):
            parse_outline(text, title="t")


def test_plain_lines_are_an_outline_too() -> None:
    outline = parse_outline("1. Construction\n2. Restoration\n   - its cost\n", title="Lamp")
    assert outline.title == "Lamp"
    assert outline.sections == (
        Planned("Construction"),
        Planned("Restoration", ("its cost",)),
    )


@pytest.mark.parametrize(
    ("text", "format", "expected"),
    [
        ("Use :class:`~flask.Flask` and ``app.run``.", "restructuredtext",
         "Use flask.Flask and `app.run`."),
        ("- See `Waitress <https://x.y>`_ or python-dotenv_.", "restructuredtext",
         "See Waitress or python-dotenv."),
        ("1. **Do** [this](http://a.b) with `a_b_c` and *care*.", "markdown",
         "Do this with `a_b_c` and care."),
        ("A * b and snake_case_name stay.", "markdown", "A * b and snake_case_name stay."),
        ("*As it is*, [1](2).", "pdf", "*As it is*, [1](2)."),
    ],
)  # fmt: skip
def test_marks_go_and_words_stay(text: str, format: str, expected: str) -> None:
    assert worded(text, format) == expected


@given(st.text(max_size=200), st.sampled_from(["markdown", "restructuredtext", "pdf", "html"]))
def test_wording_adds_nothing(text: str, format: str) -> None:
    shown = worded(text, format)
    assert len(shown) <= len(" ".join(text.split())) + 0
    left = iter(" ".join(text.split()))
    assert all(character in left for character in shown)


@given(st.lists(st.integers(1, 60), unique=True, min_size=1))
def test_ranges_name_each_number_once(numbers: list[int]) -> None:
    found: list[int] = []
    for part in ranges(numbers).split(", "):
        first, _, last = part.partition("–")
        found += range(int(first), int(last or first) + 1)
    assert found == sorted(numbers)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Write a report about the lamp.", "the lamp"),
        ("Summarise the handbook", "the handbook"),
        ("The lamp and its restoration", "The lamp and its restoration"),
    ],
)
def test_the_topic_is_the_brief_without_the_asking(text: str, topic: str) -> None:
    assert brief(text).topic == topic


def test_a_comparison_names_its_items_and_aspects() -> None:
    compared = brief("Compare Waitress and Gunicorn by platform, speed", kind="table").compared
    assert compared == (("Waitress", "Gunicorn"), ("platform", "speed"))


@pytest.mark.parametrize(("sections", "words"), [(0, None), (61, None), (None, 5), (None, 99_999)])
def test_sizes_out_of_range_are_refused(sections: int | None, words: int | None) -> None:
    with pytest.raises(UsageError, match="asked for"):
        brief("x", sections=sections, words=words)
