"""Understanding a turn: what is carried over, when nothing is, and when no question was asked."""

import string
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.applications.chat_question import HELLO, THANKS, Understood, understand
from ragstone.applications.chat_retrieval import fused, settled
from ragstone.applications.chat_rewriting import parse_rewrite
from ragstone.applications.chat_topic import carried, content_terms, salience
from ragstone.applications.chat_turns import Turn, approximate_tokens, compacted, remember, said
from ragstone.types import Abstention, Answer, Citation, Claim, DocumentInfo, Hit, Passage, Span

TALK = (
    said("What is Red Hat OpenShift?", "Red Hat OpenShift is a container platform of IBM Cloud."),
)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
TURNS = st.lists(st.builds(said, TEXTS, TEXTS), max_size=6).map(tuple)


@given(TEXTS.filter(str.strip), TURNS)
@settings(deadline=None)  # the first text loads the word lists
def test_every_text_is_understood(text: str, turns: tuple[Turn, ...]) -> None:
    meaning = understand(text, turns)
    assert meaning == understand(text, turns)
    assert 0.0 <= meaning.weight <= 1.0
    assert bool(meaning.reply) != bool(meaning.meant)
    assert not (meaning.new_topic and meaning.carried)


@given(TEXTS.filter(str.strip))
def test_without_a_conversation_a_question_is_meant_as_it_is_said(text: str) -> None:
    meaning = understand(text, ())
    if not meaning.reply:
        assert meaning.meant == meaning.said == " ".join(text.split())


@given(TEXTS, TURNS, st.integers(0, 8))
@settings(deadline=None)
def test_what_is_carried_was_said_before_and_not_now(
    text: str, turns: tuple[Turn, ...], count: int
) -> None:
    words = carried(text, salience(turns), count=count)
    earlier = [t for turn in turns for t in (turn.question, turn.answer.text)]
    assert len(words) <= count
    assert all(any(word in one for one in earlier) for word in words)
    assert content_terms(" ".join(words)).keys() <= {
        term for one in earlier for term in content_terms(one)
    } or not all(word.isascii() for word in words)


@pytest.mark.parametrize(
    "text", ["What benefits does it offer?", "and in 2019?", "Clusters", "why?", "Is it free?"]
)
def test_a_follow_up_carries_the_topic(text: str) -> None:
    meaning = understand(text, TALK)
    assert "OpenShift" in meaning.meant
    assert text.rstrip("?").split()[-1].strip("?") in meaning.meant
    assert 0 < len(meaning.carried) <= 4


def test_shorter_questions_lean_more_on_the_conversation() -> None:
    short = understand("Clusters", TALK).weight
    full = understand("How does it install clusters on bare metal machines?", TALK).weight
    assert short > full > 0.0


@pytest.mark.parametrize(
    "text",
    [
        "How many lighthouse keepers lived near Bergen in winter?",
        "Changing the subject, what is Db2?",
        "New topic: the price of wheat",
    ],
)
def test_a_new_topic_carries_nothing(text: str) -> None:
    meaning = understand(text, TALK)
    assert meaning.new_topic
    assert "OpenShift" not in meaning.meant


@pytest.mark.parametrize(
    ("text", "reply"),
    [("hi", HELLO), ("Hello there!", HELLO), ("guten Tag", HELLO), ("thanks", THANKS),
     ("Thank you very much.", THANKS), ("great, thanks!", THANKS), ("merci beaucoup", THANKS)],
)  # fmt: skip
def test_courtesies_need_no_documents(text: str, reply: str) -> None:
    for turns in ((), TALK):
        assert understand(text, turns) == Understood(text, reply=reply, kind="courtesy")


@pytest.mark.parametrize(
    "text",
    ["hi, when was the lamp lit?", "Thanks to whom was the tower built?", "What is a good lamp?"],
)
def test_a_question_that_begins_with_a_courtesy_is_a_question(text: str) -> None:
    assert understand(text, ()).kind == "answer"


def test_an_unclear_question_is_asked_back_once() -> None:
    first = understand("why?", ())
    assert first.kind == "clarification"
    unclear = Turn("why?", Answer("why?", first.reply, (), (), ()), kind="clarification")
    second = understand("the lamp was moved", (unclear,))
    assert second.kind == "answer"
    assert second.meant == "why: the lamp was moved"
    assert understand("hmm, that", (unclear,)).kind == "answer"


def test_yes_asks_for_more_of_the_same() -> None:
    meaning = understand("yes, please", TALK)
    assert meaning.more
    assert meaning.meant == TALK[0].standalone


def citation(number: int, title: str) -> Citation:
    return Citation(f"d{number}", f"d{number}.txt", title, Span(0, 4), "word", 1)


def claim(text: str, start: int, confidence: float, *cited: Citation) -> Claim:
    return Claim(text, Span(start, start + len(text)), "supported", "", confidence, cited)


def test_the_second_one_is_what_the_answer_cited_second() -> None:
    cited = (citation(1, "Alpha battery"), citation(2, "Omega engine"))
    last = Turn("Which machines are there?", Answer("", "", (), cited, ()), "Which machines?")
    for text in ("Compare it with the second one", "How heavy is [2]?", "and the latter?"):
        assert "Omega" in understand(text, (last,)).meant
        assert "Alpha" not in understand(text, (last,)).meant


WORDS = st.text(string.ascii_letters + " .", min_size=1, max_size=80)


@st.composite
def answered(draw: st.DrawFn) -> Turn:
    text, claims, numbers = "", [], {}
    for words in draw(st.lists(WORDS, min_size=0, max_size=4)):
        cited = citation(draw(st.integers(1, 3)), "T")
        start = len(text)
        claims.append(claim(words, start, draw(st.floats(0, 1)), cited))
        text += f"{words} [{numbers.setdefault(cited, len(numbers) + 1)}] "
    answer = Answer("q", text or draw(WORDS), tuple(claims), tuple(numbers), ())
    return Turn(draw(WORDS), answer, "q")


@given(st.lists(answered(), max_size=8), st.integers(0, 200))
def test_memory_is_bounded_and_invents_nothing(turns: list[Turn], limit: int) -> None:
    kept = remember(turns, max_tokens=limit)
    spent = sum(approximate_tokens(t.question) + approximate_tokens(t.answer.text) for t in kept)
    assert spent <= limit
    for turn, whole in zip(reversed(kept), reversed(turns), strict=False):
        assert turn.question == whole.question
        for part in turn.answer.claims:
            assert part.span.of(turn.answer.text) == part.text
            assert any(part.citations == c.citations and part.text == c.text
                       for c in whole.answer.claims)  # fmt: skip
            assert set(part.citations) <= set(turn.answer.citations)
        assert set(turn.answer.citations) <= set(whole.answer.citations)


def test_memory_without_a_limit_is_the_conversation() -> None:
    turns = (*TALK, said("Is it free?", "No."))
    assert remember(turns, max_tokens=10_000) == turns


def test_compacting_keeps_the_surest_claim() -> None:
    one, two = citation(1, "A"), citation(2, "B")
    answer = Answer("q", "Up [1] Down [2]", (claim("Up", 0, 0.4, one), claim("Down", 7, 0.9, two)),
                    (one, two), ())  # fmt: skip
    short = compacted(answer)
    assert short.text == "Down [1]"
    assert short.citations == (two,)


@pytest.mark.parametrize(
    ("reply", "question"),
    [("What is OpenShift?", "What is OpenShift?"), ('Question: "What is it?"', "What is it?"),
     ("One.\nTwo.", ""), ("", ""), ("a" * 500, "")],
)  # fmt: skip
def test_a_rewrite_is_one_short_line(reply: str, question: str) -> None:
    assert parse_rewrite(reply) == question


INFO = DocumentInfo("d", "d.txt", "", "text", {}, "", "", 0, 0, 1)


def hits(scores: dict[int, float]) -> list[Hit]:
    ordered = sorted(scores.items(), key=lambda item: -item[1])
    return [Hit(Passage("d", Span(0, 1), "x", key=key), INFO, score, rank)
            for rank, (key, score) in enumerate(ordered, start=1)]  # fmt: skip


SCORES = st.dictionaries(st.integers(0, 20), st.floats(-5, 5), max_size=12)


@given(SCORES, SCORES)
def test_fusing_keeps_every_hit_and_ignores_the_order_of_the_lists(
    one: dict[int, float], two: dict[int, float]
) -> None:
    both = fused([hits(one), hits(two)], [0.3, 0.7])
    assert {hit.passage.key for hit in both} == one.keys() | two.keys()
    assert [h.passage.key for h in both] == [
        h.passage.key for h in fused([hits(two), hits(one)], [0.7, 0.3])
    ]
    assert [h.score for h in both] == sorted((h.score for h in both), reverse=True)


def asked(question: str, reply: str = "It is so.", standalone: str = "") -> Turn:
    return Turn(question, Answer(question, reply, (), (), ()), standalone or question)


def refused(question: str, offered: str = "") -> Turn:
    reply = "The 10 nearest passages, from 4 documents, do not answer this."
    declined = Abstention("nothing", 0.1, could_answer=offered)
    answer = Answer(question, reply, (), (), (), abstention=declined)
    return Turn(question, answer, question)


def test_a_refusal_carries_no_words_of_its_own() -> None:
    talk = (asked("What is kept in the lantern room?"), refused("Who painted it?"))
    meaning = understand("and when?", talk)
    assert not {"passages", "documents", "nearest", "answer"} & set(meaning.carried)


def test_a_number_of_an_answer_is_no_topic() -> None:
    talk = (asked("When was the lamp lit?", "It was lit in 1874, 1875 and 1876."),)
    assert not any(word.isdigit() for word in understand("and by whom?", talk).carried)


def test_yes_after_a_refusal_asks_what_was_offered() -> None:
    offered = "What is said under “Optic” in “The lamp”?"
    meaning = understand("yes", (asked("How high is the tower?"), refused("Is it red?", offered)))
    assert meaning.meant == offered
    assert not meaning.more


def test_more_after_a_refusal_is_more_of_what_was_answered() -> None:
    meaning = understand("tell me more", (asked("How high is the tower?"), refused("Is it red?")))
    assert meaning.meant == "How high is the tower?"
    assert meaning.more


def test_going_back_leaves_out_what_lies_between() -> None:
    talk = (
        asked("How do I deploy with Gunicorn?", "Gunicorn is a server."),
        asked("How do I write tests?", "Tests use the client."),
    )
    meaning = understand("back to Gunicorn: how is it installed?", talk)
    assert meaning.meant == "how is it installed? (Gunicorn)"
    assert understand("let's go back to Gunicorn", talk).meant == "How do I deploy with Gunicorn?"
    assert understand("back to penguins: what do they eat?", talk).meant != "what do they eat?"


def test_its_is_of_whoever_was_named_last() -> None:
    talk = (
        asked("How much did Astra spend on research?"),
        asked("what about Bolide?", standalone="How much did Bolide spend on research?"),
    )
    assert understand("and its net income?", talk).carried[0] == "Bolide"
    assert "Bolide" in understand("How many employees does it have?", talk).carried


def test_what_is_compared_with_the_first_was_asked_about_first() -> None:
    talk = (asked("How do I deploy with Gunicorn?"), asked("How do I deploy with Waitress?"))
    assert understand("compare it with the first one", talk).carried[:2] == ("Gunicorn", "Waitress")


def test_a_question_after_an_unclear_one_stands_alone() -> None:
    unclear = Turn("it?", Answer("it?", "What about?", (), (), ()), kind="clarification")
    assert understand("how does abstention work", (unclear,)).meant == "how does abstention work"


def test_a_follow_up_goes_on_from_the_last_topic_that_was_begun() -> None:
    talk = (
        asked("What is the secret key of the lock?"),
        asked("How long is the secret key?"),
        replace(asked("How are uploaded files stored?"), new_topic=True),
    )
    meaning = understand("and when are they deleted?", talk)
    assert meaning.carried
    assert not {"secret", "key", "lock"} & set(meaning.carried)


class Listed:
    """A retriever that finds, of its texts, those that share a word with the question."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def retrieve(self, question, *, k=10, where=None, trace=None):
        wanted = set(content_terms(question))
        found = [text for text in self._texts if wanted & set(content_terms(text))]
        infos = [DocumentInfo("d", "d.txt", "D", "text", {}, "en", "", 9, 1, 1) for _ in found]
        return [
            Hit(Passage("d", Span(0, len(text)), text), info, 1.0, rank)
            for rank, (text, info) in enumerate(zip(found, infos, strict=True), start=1)
        ][:k]


KEY = "The secret key of the lock is long."
FILES = "Uploaded files are stored in a folder."


@pytest.mark.parametrize(
    ("texts", "is_new"),
    [
        ((KEY, FILES), True),  # the documents speak of the one and of the other, never of both
        ((KEY, FILES, "Uploaded files are stored under the secret key."), False),
        ((KEY, "Files are stored."), False),  # nowhere all of its words: nothing is decided
    ],
)
def test_a_whole_question_is_a_topic_of_its_own_where_the_documents_never_join_the_two(
    texts: tuple[str, ...], is_new: bool
) -> None:
    talk = (asked("What is the secret key of the lock?"),)
    meant = understand("How are uploaded files stored?", talk)
    assert meant.carried
    found = settled(meant, Listed(*texts))
    assert found.new_topic is is_new
    assert (found.standalone == found.said) is is_new
    assert (found.meant, found.weight) == (meant.meant, meant.weight)  # searched for as before
    pointing = understand("How are they stored?", talk)
    assert settled(pointing, Listed(*texts)) == pointing  # what points back goes on
