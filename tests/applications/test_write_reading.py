"""What makes a text read well: questions, order, names of entries, openings of lists, cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ragstone
from ragstone.applications.manuscripts.notes import labelled, noted
from ragstone.applications.writing.asking import question_of
from ragstone.applications.writing.brief import brief
from ragstone.applications.writing.choosing import Said, choose
from ragstone.applications.writing.entries import entry_of
from ragstone.applications.writing.headings import is_generic, readable
from ragstone.applications.writing.manuscript import Planned
from ragstone.applications.writing.material import asked_for
from ragstone.applications.writing.order import are_numbered, number_of
from ragstone.applications.writing.scope import scope_of
from ragstone.applications.writing.standing import is_usable, leans, names_of_listing
from ragstone.grounding.candidates import Candidate
from ragstone.text.wording import worded
from ragstone.types import DocumentInfo, Hit, Passage, Span

ERRORS = "A caller may propagate the error upwards. Propagating errors gives it control."


@pytest.mark.parametrize(
    ("heading", "texts", "asked"),
    [
        ("What Is Ownership?", [""], "What Is Ownership?"),
        ("How to build a boat", [""], "How do you build a boat?"),
        ("Propagating Errors", [ERRORS], "How do you propagate errors?"),
        ("Running the Tests", ["Run pytest to test it."], "How do you run the tests?"),
        # a thing, though it looks like an act: no text says that anybody operates expenses
        ("Operating Expenses", ["Operating expenses grew."],
         "What is there to know about operating expenses?"),
        ("Existing Users", ["Existing users keep their keys."],
         "What is there to know about existing users?"),
        ("Guidelines for Masons", ["Guidelines help."], "What are the guidelines for masons?"),
        ("Lifetime", ["A lifetime is a scope in which a reference holds."], "What is lifetime?"),
        ("Session Interface", ["The session interface provides a way."],
         "What is there to know about the session interface?"),
        ("Why stone lasts", ["Stone lasts."], "Do the documents say why stone lasts?"),
        ("Quickstart", ["Install it."], "What does “Quickstart” say about masonry?"),
        ("Working with Flask Views", ["Work with views. In Flask views are functions."],
         "How do you work with Flask views?"),
    ],
)  # fmt: skip
def test_a_heading_is_asked_for_in_the_words_of_the_documents(
    heading: str, texts: list[str], asked: str
) -> None:
    assert question_of(heading, "masonry", texts) == asked


def test_files_with_numbers_are_read_in_their_order() -> None:
    files = ["/b/ch04-01-what.md", "/b/ch04-00-understanding.md", "/b/ch10-00-types.md"]
    assert sorted(files, key=number_of) == [files[1], files[0], files[2]]
    assert are_numbered(files)
    assert not are_numbered([*files, "/b/preface.md"])
    assert number_of("AMAZON_2019_10K.pdf") == ()
    assert number_of("2024-05-03 minutes.md") < number_of("2024-11-01 minutes.md")


REFERENCE = """Values

.. py:data:: TRUSTED_HOSTS

    Validate the host against these values.

    .. code-block:: text

        an example

    Validation is done during routing.

Plain text.
"""


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("Validate the host", "TRUSTED_HOSTS"),
        ("Validation is done", "TRUSTED_HOSTS"),
        ("Plain text", ""),
        ("Values", ""),
    ],
)
def test_an_entry_is_called_by_the_name_it_stands_under(sentence: str, name: str) -> None:
    place = REFERENCE.index(sentence)
    assert entry_of(REFERENCE, place, "restructuredtext") == name
    assert entry_of(REFERENCE, place, "markdown") == ""


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("Let’s look at how the lamp was carried up the tower.", False),
        ("In this chapter, you’ll learn how lamps are trimmed and cleaned.", False),
        ("The code above will limit the payload to 16 megabytes.", False),
        ("This page outlines the basics of trimming a lamp at night.", False),
        ("We will continue to invest in lamps and in towers.", True),
        ("The keeper trims the lamp every night before the watch ends.", True),
    ],
)
def test_what_the_text_does_is_not_what_is_the_case(text: str, stands: bool) -> None:
    info = DocumentInfo("d", "d.txt", "D", "text", {}, "en", "", len(text), 1, 1)
    hit = Hit(Passage("d", Span(0, len(text)), text), info, 1.0, 1)
    assert is_usable(Candidate(hit, Span(0, len(text)), text, "sentence", 1, 2)) is stands


def test_more_sentences_lean_than_begin_with_however() -> None:
    assert leans("The inverse of this is true for lamps.")
    assert leans("The most important one is that lamps need oil.")
    assert leans("If so, make sure that they are lit.")
    assert not leans("The lamp of the tower needs oil.")


def test_comments_and_marks_around_code_are_no_words() -> None:
    assert worded("See “Lamps”<!-- ignore --> on _`N`_ oils.", "markdown") == (
        "See “Lamps” on `N` oils."
    )
    assert worded("Write `<!-- this -->` for it.", "markdown") == "Write `<!-- this -->` for it."


def test_small_things_that_a_reader_sees() -> None:
    assert brief("Compare Aster and Briar by height: age", kind="table").title.startswith(
        "Aster and Briar compared by height"
    )
    assert brief("nDCG@10 of the encoders").title == "nDCG@10 of the encoders"
    assert (noted([7]), noted([1, 2, 4])) == ("note 7", "notes 1–2, 4")
    assert (labelled("What is it?"), labelled("Lamps")) == ("What is it?", "Lamps:")
    assert readable("0.1.0 (unreleased)") == "0.1.0 (unreleased)"
    assert is_generic("0.1.0 (unreleased)")


def test_a_planned_heading_is_not_looked_for_without_its_topic() -> None:
    topic = "Deploying behind a proxy"
    planned = Planned("Configuration", keys=(1,))
    assert asked_for(planned, topic) == ["Configuration Deploying behind a proxy"]
    assert "Behind a proxy" in asked_for(replace(planned, heading="Behind a proxy"), topic)
    # a person who asks for it means it as it is
    assert "Configuration" in asked_for(Planned("Configuration"), topic)


def test_what_stands_alone_says_a_word_of_the_topic() -> None:
    def under(heading: str, text: str) -> Candidate:
        info = DocumentInfo("d", "d.txt", "D", "text", {}, "en", "", 900, 1, 1)
        passage = Passage("d", Span(0, len(text)), text, (heading,))
        return Candidate(Hit(passage, info, 1.0, 1), Span(0, len(text)), text, "sentence", 0, 1)

    every = [
        under("Proxies", "A proxy stands before a server and takes every request."),
        under("Proxies", "Behind a proxy the address of a caller is the proxy's own."),
        under("Signals", "Senders of signals tell their receivers what has happened."),
    ]
    vectors = np.eye(3, dtype=np.float32)
    for fits, kept in (((0, 1), [0, 1]), ((0, 1, 2), [0, 1, 2])):
        chosen = choose(every, [0, 1, 2], [1.0, 0.9, 0.95], vectors, Said(), 30, frozenset(fits))
        assert sorted(chosen) == kept


def test_variables_of_a_listing_are_told_from_names() -> None:
    assert names_of_listing("The scopes of `r1` and `&s` end before `HashMap` and `rules` do.") == {
        "r1",
        "s",
    }


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    """Seven pages about one program; the page on proxies names it once."""
    folder = tmp_path / "manual"
    folder.mkdir()
    subjects = ("views", "signals", "sessions", "cookies", "forms", "caching")
    for name in subjects:
        (folder / f"{name}.md").write_text(
            f"# {name.title()}\n\nLanternjs has {name}. In Lanternjs {name} are made by hand, and"
            f" each of the {name} of Lanternjs is kept for a day.\n",
            encoding="utf-8",
        )
    (folder / "proxies.md").write_text(
        "# Reverse proxies\n\nA reverse proxy stands before the server of Lanternjs and forwards"
        " every request to it. " + "The proxy must be told which headers to set. " * 3 + "\n\n"
        "## Steps\n\nPutting a server behind a proxy takes three steps:\n\n"
        "- The proxy is told the address of the server that it stands before.\n"
        "- The server is told how many proxies stand in front of it.\n",
        encoding="utf-8",
    )
    return folder


def test_what_a_whole_collection_is_about_keeps_no_document_out(
    manual: Path, tmp_path: Path
) -> None:
    with ragstone.open(tmp_path / "corpus", llm="none", workers=1) as corpus:
        corpus.sync(manual)
        with corpus._parts.answering("none", at=None) as components:
            scope = scope_of("Deploying Lanternjs behind a proxy", components)
        assert (scope.topic, scope.where) == ("Deploying behind a proxy", None)
        report = corpus.write("Deploying Lanternjs behind a proxy", llm="none")
    assert "proxies.md" in {Path(source.source).name for source in report.sources}
    texts = [statement.text for statement in report.statements]
    opening = "Putting a server behind a proxy takes three steps:"
    first = next(at for at, text in enumerate(texts) if text.startswith("The proxy is told the"))
    assert texts[first - 1] == opening  # a list comes after the line that opens it
    assert texts.count(opening) == 1


def test_a_cell_says_what_is_asked_of_its_item_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "gunnel.md").write_text(
        "# Gunnel\n\nGunnel is a server for small boats. It runs on Windows only under an"
        " emulator.\n",
        encoding="utf-8",
    )
    (folder / "tiller.md").write_text(
        "# Tiller\n\nTiller is a server for ships. Installing Tiller takes a minute.\n",
        encoding="utf-8",
    )
    (folder / "notes.md").write_text(
        "# Notes\n\nThe string of lamps on a tiller is updated when Windows are cleaned. " * 3,
        encoding="utf-8",
    )
    with ragstone.open(tmp_path / "corpus", llm="none", workers=1) as corpus:
        corpus.sync(folder)
        table = corpus.write("Compare Gunnel and Tiller by Windows", kind="table", llm="none")
        forms = corpus.write("Compare Gunnel and Tiller by installation", kind="table", llm="none")
    assert [s.text for s in forms.sections[0].blocks[1].statements] == [
        "Installing Tiller takes a minute."  # another form of the word
    ]
    assert forms.sections[0].blocks[0].statements == ()
    (gunnel, tiller) = table.sections[0].blocks
    assert [s.text for s in gunnel.statements] == [
        "Gunnel is a server for small boats.",
        "It runs on Windows only under an emulator.",
    ]
    assert tiller.label == "Tiller"
