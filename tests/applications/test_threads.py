"""One corpus, many threads; and streams that are closed before their end leave nothing behind."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ragstone
from ragstone.applications.events import Retrieved
from ragstone.testing.scripted import ScriptedModel

QUESTIONS = (
    "When was the lamp first lit?",
    "How heavy is the optic?",
    "Who was the last principal keeper?",
    "What is the fee for a wedding?",
    "How many cars does the car park hold?",
    "Where does the defibrillator hang?",
    "Which VHF channel has the coastguard?",
    "What does the café charge for lemon cake?",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    path = tmp_path_factory.mktemp("threads") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as corpus:
        corpus.sync(library)
    return path


@pytest.fixture
def corpus(folder: Path) -> Iterator[ragstone.Corpus]:
    with ragstone.open(folder, llm="none", read_only=True) as opened:
        yield opened


def shown(answer: ragstone.Answer) -> tuple[str, tuple]:
    return answer.text, answer.citations


def test_eight_threads_get_what_one_gets(corpus: ragstone.Corpus) -> None:
    with ThreadPoolExecutor(8) as pool:  # the first of them opens store and encoder
        together = list(pool.map(corpus.ask, QUESTIONS))
    alone = [corpus.ask(question) for question in QUESTIONS]
    assert [shown(answer) for answer in together] == [shown(answer) for answer in alone]


def test_a_dialogue_is_safe_to_use_from_threads(corpus: ragstone.Corpus) -> None:
    chat = corpus.chat()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(chat.ask, QUESTIONS[:4]))
    assert sorted(turn.question for turn in chat.turns) == sorted(QUESTIONS[:4])


def test_asking_goes_on_while_documents_come_in(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "corpus"
    shutil.copytree(folder, copy)
    note = tmp_path / "note.md"
    with ragstone.open(copy, llm="none", workers=1) as corpus:
        stop = threading.Event()
        answers: list[ragstone.Answer] = []

        def ask() -> None:
            while not stop.is_set() or not answers:
                answers.append(corpus.ask(QUESTIONS[0]))

        asking = threading.Thread(target=ask)
        asking.start()
        for number in range(3):
            note.write_text(f"# Note\n\nThe flagpole was painted in {2000 + number}.\n", "utf-8")
            corpus.sync(note)
        stop.set()
        asking.join()
        assert all("1874" in answer.text for answer in answers)
        assert "2002" in corpus.ask("When was the flagpole painted?").text


def test_a_stream_closed_early_stops_the_model_and_frees_the_snapshot(folder: Path) -> None:
    model = ScriptedModel("The lamp was first lit on 3 September 1874. " * 50)
    with ragstone.open(folder, llm=model, read_only=True) as corpus:
        events = corpus.ask_stream(QUESTIONS[0])
        for event in events:
            if not isinstance(event, Retrieved):
                break
        events.close()
        assert model.cancelled == 1
        assert "1874" in corpus.ask(QUESTIONS[0]).text


@pytest.mark.parametrize("after", [0, 1, 2])
def test_every_stream_may_be_left_at_any_event(corpus: ragstone.Corpus, after: int) -> None:
    from ragstone.applications.writing.brief import brief

    chat = corpus.chat()
    for events in (
        corpus.ask_stream(QUESTIONS[0]),
        chat.stream(QUESTIONS[0]),
        corpus.write_stream(brief("The lamp", sections=2)),
    ):
        for _ in range(after):
            next(events)
        events.close()
    assert chat.turns == ()  # a turn that was stopped leaves no trace
    assert "1874" in corpus.ask(QUESTIONS[0]).text
