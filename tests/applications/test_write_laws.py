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
from ragstone.applications.writing.headings import Used, readable
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
from ragstone.applications.writing.standing import is_usable, manner
from ragstone.errors import UsageError
from ragstone.grounding.candidates import Candidate, UnitKind
from ragstone.text.wording import called, worded
from ragstone.types import Citation, DocumentInfo, Hit, Passage, Span

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
         "Use `flask.Flask` and `app.run`."),
        ("- See `Waitress <https://x.y>`_ or python-dotenv_.", "restructuredtext",
         "See Waitress or python-dotenv."),
        (".. py:data:: MAX_LAMPS\n\n    How many may burn.", "restructuredtext",
         "MAX_LAMPS How many may burn."),
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


def test_what_is_compared_may_be_a_pair_of_words() -> None:
    items, aspects = brief("Compare A1 and B2 by staff, research and development, taxes").compared
    assert items == ("A1", "B2")
    assert aspects == ("staff", "research and development", "taxes")
    items, aspects = brief("Compare Aster, Briar and Cedar by height, age").compared
    assert items == ("Aster", "Briar", "Cedar")


def test_a_clause_names_no_two_things() -> None:
    assert brief("How it finds and ranks passages").questions == (
        "How it finds and ranks passages",
    )
    assert brief("citations and abstention").questions[1:] == ("citations", "abstention")


@pytest.mark.parametrize(
    ("text", "kind", "stands"),
    [
        ("The lens weighs 2.4 tonnes and floats on mercury.", "sentence", True),
        ("blueprint of how to construct or extend an application.", "sentence", False),
        ("3.3 Relationship to Other Plans.", "sentence", False),
        ("Form 10-K for the year ended December 31, 2018).", "sentence", False),
        ("Land; 2018: $ 340; 2017: $ 348", "row", True),
        ("Less: Current obligations; Leases: (17)", "row", True),
        ("Note 1. Significant Accounting Policies; 61", "row", False),
        ("ITEM 3; Legal Proceedings; to Part III information that: 12", "row", False),
        ("(Millions, except Employees); 2018; 2017", "row", False),
    ],
)
def test_what_can_stand_alone(text: str, kind: UnitKind, stands: bool) -> None:
    assert is_usable(unit(text, kind)) is stands


@pytest.mark.parametrize(
    "text",
    [
        "Please refer to Note 3 for information on acquisitions.",
        "For a more detailed discussion of the proceedings, see the discussion in Note 16.",
        "Information on accounting policies is included in Note 1 of the statements.",
        "Additional information is provided in the table that follows.",
    ],
)
def test_what_only_points_elsewhere_is_worth_less(text: str) -> None:
    plain = "The trust restored the gallery in the year after the storm had broken it."
    assert manner(unit(text, "sentence")) < manner(unit(plain, "sentence")) - 0.2


def unit(text: str, kind: UnitKind) -> Candidate:
    info = DocumentInfo("d", "d.txt", "D", "text", {}, "en", "", len(text), 1, 1)
    hit = Hit(Passage("d", Span(0, len(text)), text), info, 1.0, 1)
    return Candidate(hit, Span(0, len(text)), text, kind, 1, 2)


def test_a_heading_of_the_same_words_is_used() -> None:
    used = Used("Deploying to Production")
    assert "Deploy to production" in used
    assert "Development" not in used
    assert "3M Company" in Used("Spending of 3M", names=("3M",))
    assert "3M products" not in Used("Spending of 3M", names=("3M",))


def test_headings_lose_numbers_and_shouting() -> None:
    assert readable("NOTE 16. Commitments and Contingencies") == "Commitments and Contingencies"
    assert readable("FINANCIAL CONDITION AND RESULTS") == "Financial Condition and Results"
    assert readable("FORM 10-K") == "FORM 10-K"


def test_a_cover_that_shouts_is_no_name() -> None:
    assert called("UNITED STATES", "/x/AMAZON_2019_10K.pdf") == "AMAZON 2019 10K"
    assert called("AMAZON.COM", "/x/amazon.com.pdf") == "AMAZON.COM"
    assert called("Quickstart", "/x/start.rst") == "Quickstart"
