"""How answers and hits read in a terminal of 80 columns."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ragstone.cli.rendering import Flow, print_answer, print_hit, print_scores, print_stage
from ragstone.trace import Stage
from ragstone.types import Abstention, Answer, Citation, Claim, DocumentInfo, Hit, Passage, Span

LONG = "The tower was built of granite from the quarry behind the harbour " * 3
SOURCE = "/library/northmoor/a-rather-long-folder-name/history-of-the-lighthouse.rst"


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def citation(quote: str) -> Citation:
    headings = ("History of the Northmoor Lighthouse", "The keepers of the light since 1874")
    return Citation("d", SOURCE, "", Span(0, len(quote)), quote, 1, 3, headings)


def answer(text: str, cited: Citation) -> Answer:
    claim = Claim(text, Span(0, len(text)), "supported", citations=(cited,))
    return Answer("?", f"{text} [1]", (claim,), (cited,), ())


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    return printed


def test_a_quote_that_is_the_answer_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    quote = "* The lamp was ``lit`` in\n  1874."
    print_answer(answer("“The lamp was lit in 1874.”", citation(quote)), text_shown=False)
    printed = shown(capsys)
    assert printed.count("1874.") == 1
    assert "page 3, History of the" in " ".join(printed.split())


def test_nor_is_one_whose_marks_were_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    quote = "Use :doc:`/deploying/gunicorn`, *or* `Celery <https://example.org>`_."
    text = "“Use /deploying/gunicorn, or Celery.”"
    print_answer(answer(text, citation(quote)), text_shown=False)
    assert shown(capsys).count("gunicorn") == 1


def test_nor_is_one_that_holds_what_looks_like_a_marker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    quote = "See linkgit:git-rebase[1] for details."
    print_answer(answer("“See linkgit:git-rebase for details.”", citation(quote)), text_shown=False)
    assert shown(capsys).count("linkgit") == 1


def test_the_table_of_scores_leaves_room_for_the_passages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = {"bm25": 8.0, "cosine": 0.6, "fusion": 5.0, "phrase": 0.0, "window": 0.5}
    text = f"The keepers\n===========\n{LONG}"
    passage = Passage("d", Span(0, len(text)), text, ("The keepers",), None)
    info = DocumentInfo("d", "a.rst", "", "restructuredtext", {}, "en", "", len(text), 1, 1)
    print_scores([Hit(passage, info, 5.78, 1, scores)])
    assert "a.rst: The tower was built" in shown(capsys)


def test_a_stage_says_nothing_of_what_it_did_not_find(capsys: pytest.CaptureFixture[str]) -> None:
    print_stage(Stage("steps", 0.2, {"parts": [], "followed": "", "read": 3}), depth=1)
    assert shown(capsys).endswith("0.2 ms  read 3\n")


def test_a_quote_that_proves_other_words_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(answer("It first shone in 1874.", citation("Lit in 1874.")), text_shown=False)
    assert "    “Lit in 1874.”" in shown(capsys)


def test_long_places_are_wrapped_under_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(answer("Other words.", citation(LONG)), text_shown=False)
    lines = shown(capsys).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("[1]"))
    assert lines[first + 1].startswith("    ")
    assert "…" not in lines[first].replace(SOURCE, "")[4:] or "›" in " ".join(lines)


def test_what_came_near_is_cut_to_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    refused = replace(
        answer("x", citation("x")), abstention=Abstention("No.", 0.0, (citation(LONG * 4),))
    )
    print_answer(refused, text_shown=False)
    assert len(shown(capsys).splitlines()) < 12


def test_the_words_that_answer_are_bold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    text = f"{LONG}and lit in 1874"
    found = replace(answer(text, citation(text)), highlights=(Span(len(text) - 11, len(text)),))
    print_answer(found, text_shown=False)
    printed = capsys.readouterr().out
    bold = re.search(r"\x1b\[1m(.+?)\x1b\[0m", printed, re.DOTALL)
    assert bold
    assert bold[1].split() == ["lit", "in", "1874"]


def test_streamed_text_breaks_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    flow = Flow()
    for sentence in (f"{LONG.strip()}. [1]", f"\n{LONG.strip()}. [2]", " A short one."):
        flow.write(sentence)
    printed = shown(capsys)
    said = f"{LONG.strip()}. [1]\n{LONG.strip()}. [2] A short one."
    assert printed.split() == said.split()
    assert "\nThe tower" in printed
    assert not any(line.startswith(" ") for line in printed.splitlines())


def test_a_hit_begins_below_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"The keepers\n===========\n\n{LONG}"
    passage = Passage("d", Span(0, len(text)), text, ("History", "The keepers"), 3)
    info = DocumentInfo("d", SOURCE, "", "restructuredtext", {}, "en", "", len(text), 1, 1)
    print_hit(Hit(passage, info, 4.25, 1))
    lines = shown(capsys).splitlines()
    assert lines[0].startswith(" 1. 4.250  ")
    below = [line for line in lines if line.startswith("    The tower")]
    assert below
    assert "====" not in "".join(lines)
    assert len(lines) <= 5


def test_a_hit_of_a_heading_alone_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    passage = Passage("d", Span(0, 16), "History\n=======\n", ("History",), None)
    info = DocumentInfo("d", "a.rst", "", "restructuredtext", {}, "en", "", 8, 1, 1)
    print_hit(Hit(passage, info, 1.0, 1))
    assert shown(capsys).splitlines()[1:] == ["    History"]


def test_paths_are_shown_from_the_working_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cited = replace(citation("x"), source=f"{Path.cwd()}/notes/a.txt")
    print_answer(answer("Other.", cited), text_shown=False)
    assert "[1] notes/a.txt, " in shown(capsys)
