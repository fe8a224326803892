"""A dialogue over the library: follow-ups, sessions, rewriting models, and the command."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import ragstone
from ragstone.applications.chat import Chat
from ragstone.applications.chat_question import HELLO, THANKS, WHAT
from ragstone.applications.chat_transcript import kept_json, markdown, turns_of
from ragstone.applications.events import Done, Retrieved, Stated
from ragstone.cli.main import group
from ragstone.corpus.sessions import Sessions
from ragstone.errors import CorpusError, RemoteError, UsageError
from ragstone.testing.scripted import ScriptedModel
from ragstone.types import Message

FIRST = "When was the lamp first lit?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    path = tmp_path_factory.mktemp("chat") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as corpus:
        corpus.sync(library)
    return path


@pytest.fixture
def corpus(folder: Path):
    with ragstone.open(folder, llm="none", read_only=True) as corpus:
        yield corpus


def test_a_follow_up_is_answered_from_what_was_said_before(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    first = talk.ask(FIRST)
    assert "1874" in first.text
    alone = corpus.ask("And who built it?")
    after = talk.ask("And who built the tower?")
    assert after.question == "And who built the tower?"
    assert talk.turns[1].standalone != talk.turns[1].question
    assert "lamp" in talk.turns[1].standalone
    assert alone.text != ""
    for answer in (first, after):
        for citation in answer.citations:
            assert citation.span.of(corpus.document(citation.document_id).text) == citation.quote


def test_what_was_cited_comes_along(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat(k=4)
    cited = talk.ask(FIRST).citations
    events = list(talk.stream("Why there?"))
    found = next(event for event in events if isinstance(event, Retrieved))
    assert len(found.hits) <= 4
    assert any(
        hit.passage.document_id == cited[0].document_id and hit.passage.span.contains(cited[0].span)
        for hit in found.hits
    )
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))


def test_more_brings_what_was_not_cited_yet(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    known = talk.ask(FIRST).citations
    more = talk.ask("tell me more")
    assert not set(known) & set(more.citations)
    for hit in more.hits:
        for citation in known:
            assert hit.passage.document_id != citation.document_id or not (
                hit.passage.span.overlaps(citation.span)
            )


def test_courtesies_and_unclear_questions_search_nothing(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    replies = {"hello": HELLO, "why?": WHAT, "thanks!": THANKS}
    for text, reply in replies.items():
        events = list(talk.stream(text))
        assert [type(event) for event in events] == [Done]
        assert talk.turns[-1].answer.text == reply
        assert not talk.turns[-1].answer.hits
    assert [turn.kind for turn in talk.turns] == ["courtesy", "clarification", "courtesy"]


def test_a_new_topic_leaves_the_old_one(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    talk.ask(FIRST)
    talk.ask("Changing the subject, how many seals were counted?")
    assert talk.turns[-1].new_topic
    assert "lamp" not in talk.turns[-1].standalone


def test_an_answer_that_was_stopped_leaves_no_turn(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    for event in talk.stream(FIRST):
        if isinstance(event, Stated):
            break
    assert talk.turns == ()
    with pytest.raises(UsageError, match="empty"):
        talk.ask("   ")


def test_a_session_is_resumed_as_it_was(folder: Path, corpus: ragstone.Corpus) -> None:
    talk = corpus.chat("lamp")
    talk.ask(FIRST)
    talk.ask("thanks")
    again = corpus.chat("lamp")
    assert [turn.question for turn in again.turns] == [FIRST, "thanks"]
    assert again.turns[0].answer.claims == talk.turns[0].answer.claims
    assert again.turns[0].answer.citations == talk.turns[0].answer.citations
    again.ask("and who kept it?")
    assert len(corpus.chat("lamp").turns) == 3
    again.forget()
    assert corpus.chat("lamp").turns == ()
    assert [info.name for info in Sessions(folder).list()] == ["lamp"]
    Sessions(folder).delete("lamp")
    with pytest.raises(UsageError, match="lamp"):
        Sessions(folder).delete("lamp")


def test_a_written_turn_reads_as_it_was(corpus: ragstone.Corpus) -> None:
    talk = corpus.chat()
    for text in (FIRST, "What is the boiling point of mercury?", "hi", "why?"):
        talk.ask(text)
    rows = json.loads(json.dumps([kept_json(turn) for turn in talk.turns]))
    read = turns_of({"turns": rows}, origin="test")
    assert [kept_json(turn) for turn in read] == rows
    text = markdown(talk.turns)
    for turn in talk.turns:
        assert turn.question in text
        for citation in turn.answer.citations:
            assert " ".join(citation.quote.split()) in text


def test_a_refusal_kept_before_it_had_a_field_for_its_offer_is_read(
    corpus: ragstone.Corpus,
) -> None:
    talk = corpus.chat()
    talk.ask("What is the boiling point of mercury in the lamp?")
    (turn,) = talk.turns
    assert turn.answer.abstention is not None
    offered = "What is said under “Optic” in “The lamp”?"
    row = {**kept_json(turn), "reason": f"Nothing there. They could answer: {offered}"}
    del row["could_answer"]
    (read,) = turns_of({"turns": [row]}, origin="test")
    assert read.answer.abstention is not None
    assert read.answer.abstention.could_answer == offered


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", ".hidden", "CON", "x" * 65, "a."])
def test_no_session_leaves_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="session"):
        Sessions(tmp_path).save(name, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 9, "turns": []}', '{"format": 1, "turns": [{}]}', "[" * 9999],
)
def test_a_damaged_session_is_an_error_with_a_remedy(
    folder: Path, corpus: ragstone.Corpus, content: str
) -> None:
    path = folder / "sessions" / "broken.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(CorpusError, match="--delete"):
        corpus.chat("broken")
    assert any(info.name == "broken" for info in Sessions(folder).list())
    Sessions(folder).delete("broken")


def with_model(
    folder: Path, script: Callable[..., str] | list[str], *, capable: bool
) -> tuple[Chat, ScriptedModel, ragstone.Corpus]:
    model = ScriptedModel(script, capable=capable)
    corpus = ragstone.open(folder, llm=model, read_only=True)
    return corpus.chat(turns=[(FIRST, "On 3 September 1874.")]), model, corpus


def test_a_capable_model_forms_the_standalone_question(folder: Path) -> None:
    script = ["Who was the last principal keeper?", "NO ANSWER"]
    talk, model, corpus = with_model(folder, script, capable=True)
    with corpus:
        talk.ask("and its last keeper?")
    assert talk.turns[-1].standalone == "Who was the last principal keeper?"
    assert "1874" in model.asked[0][1].content
    assert "Who was the last principal keeper?" in model.asked[1][-1].content


def test_a_model_that_answers_instead_of_rewriting_is_not_heeded(folder: Path) -> None:
    talk, _, corpus = with_model(folder, ["One.\nTwo.", "NO ANSWER"], capable=True)
    with corpus:
        talk.ask("and its first keeper?")
    assert talk.turns[-1].standalone.startswith("and its first keeper?")


def test_a_small_model_is_not_asked_to_rewrite(folder: Path) -> None:
    talk, model, corpus = with_model(folder, ["The lamp was lit."], capable=False)
    with corpus:
        talk.ask("and its first keeper?")
    assert all("rewrite" not in message.content for asked in model.asked for message in asked)


def test_a_failing_model_fails_the_turn_and_keeps_the_history(folder: Path) -> None:
    def fail(_: list[Message]) -> str:
        raise RemoteError("The endpoint is down.", retryable=True)

    talk, _, corpus = with_model(folder, fail, capable=True)
    with corpus, pytest.raises(RemoteError, match="down"):
        talk.ask("and its first keeper?")
    assert len(talk.turns) == 1


def run(folder: Path, *words: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(
        group, ["chat", "--corpus", str(folder), *words], input=stdin, standalone_mode=False
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_pipe_asks_a_question_a_line(folder: Path) -> None:
    _, printed = run(folder, "--llm", "none", stdin=f"{FIRST}\n\nthanks\n")
    assert "3 September 1874" in printed
    assert printed.rstrip().endswith(THANKS)


def test_json_is_one_document_of_the_new_turns(folder: Path) -> None:
    run(folder, "--llm", "none", "--session", "j", "--json", stdin="hello\n")
    _, printed = run(
        folder, "--llm", "none", "--session", "j", "--json", stdin=f"{FIRST}\n/sources\nand why?\n"
    )
    turns = json.loads(printed)
    assert [turn["question"] for turn in turns] == [FIRST, "and why?"]
    assert turns[0]["citations"][0]["quote"]
    assert turns[1]["standalone"] != turns[1]["question"]
    _, exported = run(folder, "--export", "j")
    assert FIRST in exported
    _, listed = run(folder, "--list", "--json")
    assert [(row["name"], row["turns"]) for row in json.loads(listed)] == [("j", 3)]
    run(folder, "--delete", "j")


def test_commands_of_the_conversation(folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "talk.md"
    lines = f"{FIRST}\n/sources 1\n/history\n/save {saved}\n/help\n"
    lines += "/forget\n/history\n/quit\nnever read"
    _, printed = run(folder, "--llm", "none", stdin=lines)
    assert printed.count("[1] ") >= 2
    assert "  1. When was" in printed
    assert "/forget" in printed
    assert "never read" not in printed
    assert FIRST in saved.read_text()
    for line, wrong in (
        ("/sources 7", "no answer"),
        ("/nonsense", "no command"),
        ("/save", "file"),
    ):
        with pytest.raises(UsageError, match=wrong):
            run(folder, "--llm", "none", stdin=line)
