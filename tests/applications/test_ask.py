"""`ask` with writers that cannot be trusted: what is shown is proved, whatever they write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import ragstone
from ragstone.applications.events import Abstained, Done, Removed, Retrieved, Stated
from ragstone.errors import UsageError
from ragstone.testing.scripted import ScriptedModel
from ragstone.trace import Trace

QUESTION = "When was the lamp first lit?"
TRUE = "The lamp was first lit on 3 September 1874."
FALSE = "The lamp was first lit on 3 September 1894."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    path = tmp_path_factory.mktemp("ask") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as corpus:
        corpus.sync(library)
    return path


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[ragstone.Corpus]:
    with ragstone.open(folder, llm="none", read_only=True) as corpus:
        yield corpus


def asked(
    folder: Path,
    script: object,
    question: str = QUESTION,
    *,
    capable: bool = True,
    **settings: object,
):
    """The answer, its events, and the model that wrote."""
    model = ScriptedModel(script, capable=capable)
    with ragstone.open(folder, llm=model, read_only=True, **settings) as corpus:
        events = list(corpus.ask_stream(question))
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    check(folder, answer)
    return answer, events, model


def check(folder: Path, answer: ragstone.Answer) -> None:
    """The laws of every answer."""
    with ragstone.open(folder, llm="none", read_only=True) as corpus:
        for citation in answer.citations:
            text = corpus.document(citation.document_id).text
            assert text[citation.span.start : citation.span.end] == citation.quote
    for claim in answer.claims:
        assert answer.text[claim.span.start : claim.span.end] == claim.text
        assert set(claim.citations) <= set(answer.citations)
        assert claim.citations or claim.verdict != "supported"


def test_a_true_statement_is_shown_with_its_exact_quote(folder: Path) -> None:
    answer, events, _ = asked(folder, f"{TRUE} [1]")
    assert [claim.text for claim in answer.claims] == [TRUE]
    assert "1874" in answer.citations[0].quote
    assert [type(event) for event in events] == [Retrieved, Stated, Done]
    assert "".join(e.text for e in events if isinstance(e, Stated)) == answer.text


@pytest.mark.parametrize(
    "lie",
    [
        FALSE,
        "The lamp was first lit on 3 September 1874 by Queen Victoria.",
        "The lamp was never lit.",
        "The tower was painted green by volunteers from Spain.",
        f"{FALSE} [1]",
        f"{FALSE} [7]",
    ],
)
def test_what_is_not_borne_out_is_removed_and_listed(folder: Path, lie: str) -> None:
    answer, events, _ = asked(folder, f"{TRUE} {lie}")
    assert [claim.text for claim in answer.claims] == [TRUE]
    assert len(answer.removed) == 1
    assert answer.removed[0].reason
    assert any(isinstance(event, Removed) for event in events)


def test_where_nothing_stands_the_quotes_are_the_answer(folder: Path) -> None:
    answer, _, _ = asked(folder, FALSE)
    assert "3 September 1874" in answer.text
    assert "1894" not in answer.text
    assert answer.citations


def test_failed_claims_can_be_marked_instead(folder: Path) -> None:
    answer, _, _ = asked(folder, f"{TRUE} {FALSE}", failed_claims="mark")
    assert f"{FALSE} [unproved]" in answer.text
    assert [claim.verdict == "supported" for claim in answer.claims] == [True, False]


def test_failed_claims_can_be_asked_for_once_more(folder: Path) -> None:
    answer, _, model = asked(folder, [FALSE, TRUE], failed_claims="retry")
    assert len(model.asked) == 2
    assert FALSE in model.asked[1][-1].content
    assert [claim.text for claim in answer.claims] == [TRUE]


def test_a_repeated_statement_is_said_once_and_stops_the_writer(folder: Path) -> None:
    answer, _, model = asked(folder, f"{TRUE} " * 40)
    assert [claim.text for claim in answer.claims] == [TRUE]
    assert model.cancelled == 1


def test_a_capable_model_that_finds_no_answer_makes_it_abstain(folder: Path) -> None:
    answer, events, _ = asked(folder, "NO ANSWER")
    assert answer.abstained
    assert any(isinstance(event, Abstained) for event in events)
    assert not answer.claims


def test_what_a_weak_model_leaves_out_is_quoted(folder: Path) -> None:
    beside = "Work began in May 1871."
    answer, _, _ = asked(folder, beside, capable=False)
    assert [claim.text for claim in answer.claims[:-1]] == [beside]
    assert "1874" in answer.claims[-1].text
    assert answer.claims[-1].reason == "quoted"
    assert [h.of(answer.text) for h in answer.highlights] == ["3 September 1874"]


def test_a_weak_model_that_says_it_is_not_helped(folder: Path) -> None:
    answer, _, _ = asked(folder, f"{TRUE} [1]", capable=False)
    assert [claim.text for claim in answer.claims] == [TRUE]


def test_no_model_is_asked_what_the_documents_do_not_hold(folder: Path) -> None:
    answer, _, model = asked(folder, TRUE, question="Who is the king of Norway?")
    assert answer.abstained
    assert not model.asked
    assert "Norway" in answer.abstention.reason


def test_markers_of_the_model_are_not_trusted(folder: Path) -> None:
    answer, _, _ = asked(folder, f"{TRUE} [9][4]")
    assert all("1874" in citation.quote for citation in answer.citations)


def test_documents_come_before_the_question_in_every_prompt(folder: Path) -> None:
    _, _, model = asked(folder, TRUE)
    system, user = model.asked[0]
    assert system.role == "system"
    assert user.content.rstrip().endswith(QUESTION)
    assert "<quote" in user.content


def test_closing_the_stream_stops_the_writer(folder: Path) -> None:
    model = ScriptedModel(f"{TRUE} The tower is 41 metres high. " * 30)
    with ragstone.open(folder, llm=model, read_only=True) as corpus:
        stream = corpus.ask_stream(QUESTION)
        while not isinstance(next(stream), Stated):
            pass
        stream.close()
    assert model.cancelled == 1


def test_an_empty_question_is_wrong_use(shared: ragstone.Corpus) -> None:
    with pytest.raises(UsageError, match="empty"):
        shared.ask("   ")


def test_the_trace_tells_every_stage(shared: ragstone.Corpus) -> None:
    trace = Trace()
    answer = shared.ask(QUESTION, trace=trace)
    assert [stage.name for stage in trace.stages][:4] == ["retrieve", "read", "evidence", "decide"]
    assert answer.timings_ms["total"] >= answer.timings_ms["retrieve"] > 0


def test_a_snapshot_does_not_see_later_changes(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    note = tmp_path / "note.txt"
    note.write_text("The gate opens at seven.")
    with ragstone.open(path, llm="none", workers=1) as corpus:
        corpus.sync(note)
        stream = corpus.ask_stream("When does the gate open?")
        assert isinstance(next(stream), Retrieved)
        note.write_text("The gate opens at nine.")
        corpus.sync(note)
        old = next(event for event in stream if isinstance(event, Done)).answer
        assert "seven" in old.text
        assert "nine" in corpus.ask("When does the gate open?").text
