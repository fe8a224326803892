"""Laws of the shipped encoder: unit vectors, whatever the company, the order and the threads."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstone.errors import UsageError
from ragstone.models.encoder import OnnxEncoder, shipped_encoder

WORDS = [
    "the",
    "a",
    "of",
    "bone",
    "density",
    "vitamin",
    "trial",
    "Paris",
    "ran",
    "42%",
    "naïve",
    "東京",
    "мир",
    "!?",
    "\n\t",
    "",
]
TEXTS = st.one_of(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join), st.text(max_size=80))
NOISE = 1e-4  # of a cosine: float rounding that crosses a step of the quantised inputs (seen: 1e-6)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def encoder():
    with shipped_encoder() as opened:
        yield opened


@FEW
@given(texts=st.lists(TEXTS, max_size=12))
def test_every_text_has_a_unit_vector(encoder: OnnxEncoder, texts):
    vectors = encoder.encode_passages(texts)
    assert vectors.shape == (len(texts), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@FEW
@given(texts=st.lists(TEXTS, min_size=1, max_size=12))
def test_company_does_not_change_a_vector(encoder: OnnxEncoder, texts):
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 1 - NOISE


@FEW
@given(texts=st.lists(TEXTS, max_size=12), order=st.randoms(use_true_random=False))
def test_order_is_kept_and_equal_texts_are_equal(encoder: OnnxEncoder, texts, order):
    shuffled = texts + texts
    order.shuffle(shuffled)
    vectors = encoder.encode_passages(shuffled)
    of_text = dict(zip(shuffled, vectors, strict=True))
    for text, vector in zip(shuffled, vectors, strict=True):
        np.testing.assert_array_equal(vector, of_text[text])
    for text, vector in zip(texts, encoder.encode_passages(texts), strict=True):
        assert vector @ of_text[text] > 1 - NOISE


def test_repeating_a_call_repeats_its_bits(encoder: OnnxEncoder):
    texts = [f"{'word ' * (i % 20)} {i}" for i in range(60)]
    np.testing.assert_array_equal(encoder.encode_passages(texts), encoder.encode_passages(texts))


def test_threads_do_not_change_vectors():
    texts = [f"{'bone density ' * (i % 10)} {i}" for i in range(60)]
    with shipped_encoder(threads=1) as one, shipped_encoder(threads=3) as three:
        likeness = (one.encode_passages(texts) * three.encode_passages(texts)).sum(axis=1)
    assert likeness.min() > 1 - NOISE


def test_meaning_is_near(encoder: OnnxEncoder):
    questions = encoder.encode_queries(["How do I bake bread?", "Who wrote Hamlet?"])
    passages = encoder.encode_passages(
        ["Knead flour, water and yeast, then put the loaf into the oven.", "Shakespeare's tragedy."]
    )
    likeness = questions @ passages.T
    assert likeness.argmax(axis=1).tolist() == [0, 1]
    assert likeness.diagonal().min() > 0.4


def test_long_texts_count_by_their_beginning(encoder: OnnxEncoder):
    beginning = " ".join(f"word{i % 7}" for i in range(400))
    short, long = encoder.encode_passages([beginning, beginning + " and more" * 300_000])
    np.testing.assert_allclose(short, long, atol=1e-6)


def test_long_texts_are_not_read_to_their_end(encoder: OnnxEncoder):
    encoder.encode_passages(["warm"])
    started = time.perf_counter()
    encoder.encode_passages(["a long story " * 2_000_000])  # 26 MB: tokenising all takes 5 s
    assert time.perf_counter() - started < 2


def test_a_stream_reads_no_further_than_its_window(encoder: OnnxEncoder):
    read = 0

    def source():
        nonlocal read
        for read in range(1, 101):
            yield f"text {read}"

    stream = encoder.stream_passages(source(), window_texts=10)
    assert next(stream).shape == (10, encoder.dim)
    assert read <= 11
    assert sum(len(window) for window in stream) == 90


def test_a_stream_gives_what_one_call_gives(encoder: OnnxEncoder):
    texts = [f"{'word ' * (i % 30)} {i}" for i in range(57)]
    streamed = list(chain(*encoder.stream_passages(texts, window_texts=13)))
    assert (np.array(streamed) * encoder.encode_passages(texts)).sum(axis=1).min() > 1 - NOISE


def test_concurrent_calls_do_not_mix(encoder: OnnxEncoder):
    questions = [f"question number {i}" for i in range(40)]
    expected = [encoder.encode_queries([question])[0] for question in questions]
    gate = threading.Barrier(4)

    def ask(part: int):
        gate.wait()
        return {i: encoder.encode_queries([questions[i]])[0] for i in range(part, 40, 4)}

    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(ask, range(4)):
            for i, vector in answers.items():
                np.testing.assert_array_equal(vector, expected[i])


def test_token_vectors_belong_to_token_spans(encoder: OnnxEncoder):
    texts = ["Knead the dough, naïvely.", "", "word " * 400]
    vectors = encoder.encode_tokens(texts)
    spans = [encoder.token_spans(text) for text in texts]
    assert [len(v) for v in vectors] == [len(spans[0]), 0, encoder.max_tokens - 2]
    np.testing.assert_allclose(np.linalg.norm(vectors[0], axis=1), 1, atol=1e-5)


def test_a_single_string_is_refused(encoder: OnnxEncoder):
    with pytest.raises(UsageError, match="sequence"):
        encoder.encode_passages("one string")


def test_no_texts_make_no_rows(encoder: OnnxEncoder):
    assert encoder.encode_queries([]).shape == (0, encoder.dim)
    assert list(encoder.stream_passages([])) == []
    assert encoder.encode_tokens([]) == []


def test_importing_does_not_load_the_runtime():
    code = "import sys, ragstone.models.encoder; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
