"""The shipped reader: a contract, what it finds, and files that do not belong together."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ragstone.errors import ModelError
from ragstone.grounding.comprehension import Comprehension
from ragstone.models import encoder, reader
from ragstone.testing.contracts.reader import check_reader
from ragstone.testing.pointing import PointingReader

SHIPPED = Path(reader.__file__).parent / "weights"
PASSAGE = (
    "Northmoor Lighthouse was first lit on 3 October 1871. Its last principal keeper was Margaret "
    "Tolland, who left the post in 1986. The tower is 38 metres high and built of granite."
)


@pytest.fixture(scope="module")
def shipped():
    return reader.shipped_reader(threads=1)


def likeliest(reading, text):
    scores = reading.starts[:, None] + reading.ends[None]
    scores = np.where(np.triu(np.ones(scores.shape)) > 0, scores, -np.inf)
    start, end = np.unravel_index(int(scores.argmax()), scores.shape)
    return text[reading.places[start, 0] : reading.places[end, 1]], scores.max() - reading.none


def test_the_shipped_reader_keeps_the_contract(shipped):
    check_reader(shipped)


def test_the_double_keeps_the_contract():
    check_reader(PointingReader({"When was the Corrin bridge opened?": "1931"}))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who was the last principal keeper of the lighthouse?", "Margaret Tolland"),
        ("When was the lighthouse first lit?", "1871"),
        ("How high is the tower?", "38 metres"),
        ("What is the tower built of?", "granite"),
    ],
)
def test_it_points_to_the_answer(shipped, question, answer):
    (reading,) = shipped.read(question, [PASSAGE], titles=["Northmoor"])
    words, odds = likeliest(reading, PASSAGE)
    assert answer in words
    assert odds > 0


def test_what_the_passage_does_not_say_is_less_likely_than_what_it_says(shipped):
    questions = [
        "Who was the last principal keeper of the lighthouse?",
        "Who painted the ceiling of the chapel?",
        "What is the capital of Mongolia?",
    ]
    odds = []
    for question in questions:
        (reading,) = shipped.read(question, [PASSAGE], titles=["Northmoor"])
        odds.append(likeliest(reading, PASSAGE)[1])
    assert odds[0] > 0 > max(odds[1:])


def test_a_long_passage_is_cut_and_a_long_question_too(shipped):
    (reading,) = shipped.read("why " * 500, ["word " * 2000], titles=["t" * 500])
    assert 0 < len(reading.places) < reader.MAX_TOKENS


def test_words_of_another_encoder_are_refused(tmp_path):
    shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    settings = json.loads((tmp_path / "reader" / "reader.json").read_text())
    settings["table"]["encoder_sha256"] = "0" * 64
    (tmp_path / "reader" / "reader.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="other word vectors"):
        reader.OnnxReader(tmp_path / "reader", SHIPPED / encoder.SHIPPED)


@pytest.mark.parametrize("damage", ["{", "{}", '{"name": "x", "table": {"rows": 1}}'])
def test_settings_that_cannot_be_used_are_named(tmp_path, damage):
    (tmp_path / "reader.json").write_text(damage)
    with pytest.raises(ModelError, match=r"reader\.json cannot be used"):
        reader.OnnxReader(tmp_path, SHIPPED / encoder.SHIPPED)


def test_a_damaged_graph_is_named(tmp_path):
    shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    (tmp_path / "reader" / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="cannot be loaded"):
        reader.OnnxReader(tmp_path / "reader", SHIPPED / encoder.SHIPPED)


def test_a_flipped_byte_is_seen_when_it_is_looked_for(shipped, tmp_path):
    shipped.verify()
    shutil.copytree(SHIPPED / "reader", tmp_path / "reader")
    whole = bytearray((tmp_path / "reader" / "model.onnx").read_bytes())
    whole[len(whole) // 2] ^= 1
    (tmp_path / "reader" / "model.onnx").write_bytes(whole)
    damaged = reader.OnnxReader(tmp_path / "reader", SHIPPED / encoder.SHIPPED)
    with pytest.raises(ModelError, match="sha256"):
        damaged.verify()


def test_the_reader_sees_what_comprehension_reads(shipped):
    assert not Comprehension({})
    assert shipped.name.startswith("ragstone-reader")


def test_many_who_read_at_once_hold_no_more_than_two(shipped):
    """Those who wait for their turn have no word vectors yet, most of what a run takes."""
    texts = ["The lamp burned whale oil until the year of the great storm. " * 20] * 3

    def read(_: int) -> None:
        shipped.read("What did it burn?", texts, titles=[""] * 3)

    read(0)
    tracemalloc.start()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(16)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6
