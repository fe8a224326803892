"""Prompts fit the model's window by counted tokens: as much evidence as there is room for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragstone
from ragstone.applications.fitting import LEAST_ANSWER, fitted, size
from ragstone.applications.prompts import answer_messages
from ragstone.testing.scripted import ScriptedModel
from ragstone.types import DocumentInfo, Evidence, Span

INFO = DocumentInfo("a", "a.txt", "A", "text", {}, "en", "", 0, 1, 1)


def evidence(words: int) -> Evidence:
    text = "word " * words
    return Evidence(INFO, Span(0, len(text)), text, 0.5)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(100, 700), st.booleans())
def test_what_fits_is_shown_and_what_is_shown_fits(
    sizes: list[int], window: int, capable: bool
) -> None:
    model = ScriptedModel("yes", context_tokens=window, capable=capable)
    items = [evidence(words) for words in sizes]

    def prompt(shown):
        return answer_messages("Which?", shown, capable=capable)

    messages, room = fitted(prompt, items, model, answer_tokens=100)
    shown = next(n for n in range(len(items), 0, -1) if messages == list(prompt(items[:n])))
    assert LEAST_ANSWER <= room <= 100
    if size(prompt(items), model) + 100 <= window:
        assert (shown, room) == (len(items), 100)
    if shown > 1:
        assert size(messages, model) + room <= window


@pytest.mark.parametrize("window", [200, 512, 2048])
def test_an_answer_comes_out_of_a_small_window(tmp_path: Path, library: Path, window: int) -> None:
    model = ScriptedModel("The lamp was first lit on 3 September 1874.", context_tokens=window)
    with ragstone.open(tmp_path / "corpus", llm=model, workers=1, evidence_tokens=600) as corpus:
        corpus.sync(library / "history.html")
        answer = corpus.ask("When was the lamp of the Northmoor lighthouse first lit?")
    assert "1874" in answer.text
    assert model.asked  # the scripted model refuses what overflows its window
