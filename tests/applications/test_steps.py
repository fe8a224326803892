"""Questions of several steps: their parts, what a passage leaves to be asked, and one ranking."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ragstone
from ragstone.applications.steps import MOST_PARTS, parts
from ragstone.applications.stepwise import Stepwise, beyond, united
from ragstone.grounding.words import terms_of
from ragstone.trace import Trace
from ragstone.types import DocumentInfo, Hit, Passage, Span


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which band is older, Archers of Loaf or Chumbawamba?",
         ("Which band is older, Archers of Loaf?", "Which band is older, Chumbawamba?")),
        ("Were Goo Goo Dolls and Echosmith formed in the same city?",
         ("Were Goo Goo Dolls formed in the same city?",
          "Were Echosmith formed in the same city?")),
        ("Which opera has more acts, Einstein on the Beach or Owen Wingrave?",
         ("Which opera has more acts, Einstein on the Beach?",
          "Which opera has more acts, Owen Wingrave?")),
        ("Does the Engadget article praise the phone, while the Fortune article doubts its price?",
         ("Does the Engadget article praise the phone", "the Fortune article doubts its price")),
        ("When was the Northmoor lamp first lit, and who was its last keeper?",
         ("When was the Northmoor lamp first lit", "who was its last keeper (Northmoor)")),
    ],
)  # fmt: skip
def test_joined_questions_come_apart(question: str, expected: tuple[str, ...]) -> None:
    assert parts(question) == expected


def test_a_relative_clause_is_asked_for_itself() -> None:
    found = parts("Where was the director of the film that won the Palme in Cannes 1994 born?")
    assert any("won the Palme" in part and "Where" not in part for part in found)


@pytest.mark.parametrize(
    "question",
    ["When was the lamp first lit?", "How much does a ticket cost?", "", "Trinidad and Tobago",
     "Varenicline alone is more effective than nicotine."],
)  # fmt: skip
def test_a_question_of_one_step_has_no_parts(question: str) -> None:
    assert parts(question) == ()


@given(st.text(max_size=160) | st.lists(st.sampled_from(
    ["Which", "is", "older", "Alba", "or", "and", "Berta", "the", "film", "that", "won", "while",
     "who", ",", "?", "whose", "between", '"']), max_size=24).map(" ".join))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_parts_are_made_of_the_questions_own_words(question: str) -> None:
    found = parts(question)
    assert len(found) != 1
    assert len(found) <= MOST_PARTS
    assert len(set(found)) == len(found)
    for part in found:
        assert terms_of(part) <= terms_of(question)


# --- the ranking


def hit(key: int, score: float, text: str = "", title: str = "") -> Hit:
    info = DocumentInfo(str(key), str(key), title, "text", {}, "en", "", len(text), 1, 1)
    return Hit(Passage(str(key), Span(0, len(text)), text, key=key), info, score, 1, {"bm25": 1.0})


LISTS = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.floats(-5, 5)), max_size=12, unique_by=lambda x: x[0])
    .map(lambda rows: [hit(*row) for row in sorted(rows, key=lambda row: -row[1])]),
    max_size=4,
)  # fmt: skip


@given(LISTS, LISTS)
@settings(max_examples=80, deadline=None)
def test_one_ranking_holds_every_hit_once_in_order(whole: list, lists: list) -> None:
    base = whole[0] if whole else []
    found = united(base, lists)
    keys = [one.passage.key for one in found]
    assert sorted(keys) == sorted({one.passage.key for rows in [base, *lists] for one in rows})
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    assert all(a.score >= b.score for a, b in pairwise(found))
    own = {one.passage.key for one in base}
    assert all(("bm25" in one.scores) == (one.passage.key in own) for one in found)


def test_what_a_passage_leaves_is_asked_with_the_names_it_gives() -> None:
    question = "In which city was the engineer of the granite Northmoor tower educated?"
    found = hit(1, 1.0, "The engineer Thomas Garrick designed the granite tower.", "Northmoor")
    further = beyond(question, found, first=found)
    assert "educated" in further
    assert "Thomas Garrick" in further
    assert "granite" not in further


def test_statements_and_short_questions_are_not_followed() -> None:
    found = hit(1, 1.0, "Thomas Garrick was an engineer.")
    claim = "Engineers educated abroad designed lighter granite towers in the last century."
    assert beyond(claim, found, first=found) == ""
    assert beyond("Where was he educated?", found, first=found) == ""


# --- in answers


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[ragstone.Corpus]:
    path = tmp_path_factory.mktemp("steps") / "corpus"
    with ragstone.open(path, llm="none", workers=1) as opened:
        opened.sync(library)
        yield opened


def test_both_halves_of_a_question_are_answered(corpus: ragstone.Corpus) -> None:
    trace = Trace()
    answer = corpus.ask(
        "When was the Northmoor lamp first lit, and who was its last principal keeper?", trace=trace
    )
    assert "1874" in answer.text
    assert "Margaret Tolland" in answer.text
    steps = next(inner for stage in trace.stages for inner in stage.stages if inner.name == "steps")
    assert len(steps.notes["parts"]) == 2


def test_a_question_of_one_step_is_ranked_as_ever(corpus: ragstone.Corpus) -> None:
    with corpus.snapshot() as snapshot:
        plain = corpus.retriever(snapshot)
        question = "When was the lamp first lit?"
        expected = [one.passage.key for one in plain.retrieve(question, k=10)]
        assert [h.passage.key for h in Stepwise(plain).retrieve(question, k=10)] == expected
