"""Starter questions: what the templates find, how they are spread, and what is written."""

from __future__ import annotations

import pytest

from ragstone.errors import UsageError
from ragstone.evaluation.datasets import load_dataset
from ragstone.evaluation.drafting import PER_DOCUMENT, draft_questions, write_drafts
from ragstone.types import Document, Element, Span

TEXT = """How to prune a pear tree

A spur is a short shoot that carries the flowers. It is a thing of the past.
The orchard was planted in 1921 by two brothers. Nothing else is said here.
"""


def document(name: str, text: str = TEXT) -> Document:
    heading = Element("heading", Span(0, text.index("\n")), 2)
    return Document(name, f"/{name}", name, text, "text", (heading,))


def test_headings_definitions_and_dates_become_questions() -> None:
    drafts = {draft.kind: draft for draft in draft_questions([document("pears")])}
    assert drafts["heading"].question == "How to prune a pear tree?"
    assert drafts["definition"].question == "What is a spur?"
    assert drafts["date"].question == "When was the orchard planted?"
    for draft in drafts.values():
        assert draft.document_id == "pears"
        assert draft.answer in TEXT


def test_a_subject_that_leans_on_the_text_before_it_is_not_asked_for() -> None:
    leaning = """About contexts

Because it is a stack, other contexts may be pushed during the request.
The following are the steps that a request takes through the application.
A context is a record of what belongs to one request alone.
"""
    (draft,) = draft_questions([document("contexts", leaning)])
    assert draft.question == "What is a context?"


def test_no_document_rules_the_set_and_a_seed_repeats_it() -> None:
    long = "How long is it\n\n" + "".join(
        f"The tower of number {n} was finished in 19{n}. " for n in range(10, 60)
    )
    documents = [document(f"d{n}", long.replace("tower", f"tower {n}")) for n in range(8)]
    drafts = draft_questions(documents, most=20, seed=3)
    assert drafts == draft_questions(documents, most=20, seed=3)
    assert drafts != draft_questions(documents, most=20, seed=4)
    assert len(drafts) == 20
    counts = [sum(d.document_id == doc.id for d in drafts) for doc in documents]
    assert max(counts) <= PER_DOCUMENT
    assert len({draft.question for draft in drafts}) == 20


def test_what_is_written_is_a_data_set_marked_as_drafts(tmp_path) -> None:
    write_drafts(draft_questions([document("pears")]), tmp_path / "eval")
    dataset = load_dataset(tmp_path / "eval")
    assert len(dataset.judged()) == 3
    assert all(query.draft for query in dataset.queries)
    with pytest.raises(UsageError, match="exists already"):
        write_drafts([], tmp_path / "eval")
