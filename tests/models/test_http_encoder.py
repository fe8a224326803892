"""An encoder behind an address: what it sends, and what becomes of answers that are wrong."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstone.build.names import open_encoder
from ragstone.errors import RemoteError, UsageError
from ragstone.models.faults import Retries
from ragstone.models.http_encoder import HttpEncoder, prefixes_of
from ragstone.testing.contracts.encoder import check_encoder
from ragstone.testing.hashing import HashingEncoder

ENCODER = HashingEncoder(32)
QUICK = Retries(attempts=3, first_wait_s=0.001)


class Endpoint(ThreadingHTTPServer):
    """Speaks OpenAI's embeddings protocol with real vectors, and fails when told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.statuses: list[int] = []  # of the next answers, before 200 again
        self.spoil = lambda reply: reply
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        endpoint = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        endpoint.seen.append(body)
        endpoint.keys.append(self.headers.get("Authorization"))
        status = endpoint.statuses.pop(0) if endpoint.statuses else 200
        vectors = 3.0 * ENCODER.encode_passages(body["input"])
        rows = [{"index": i, "embedding": v.tolist()} for i, v in enumerate(vectors)]
        reply = endpoint.spoil({"data": rows[::-1]}) if status == 200 else {"error": "wait"}
        data = json.dumps(reply).encode()
        self.send_response(status if self.path == "/v1/embeddings" else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def shared():
    server = Endpoint()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(shared):
    shared.seen.clear(), shared.keys.clear(), shared.statuses.clear()
    shared.spoil = lambda reply: reply
    return shared


def test_it_keeps_the_contract_of_encoders(endpoint):
    encoder = HttpEncoder("hash", url=endpoint.url)
    check_encoder(encoder)
    encoder.close()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=150))
def test_vectors_are_in_order_whatever_the_texts(shared, texts):
    encoder = HttpEncoder("hash", url=shared.url)
    expected = ENCODER.encode_passages([text if text.strip() else "." for text in texts])
    assert np.allclose(encoder.encode_passages(texts), expected, atol=1e-5)
    encoder.close()


def test_a_question_and_a_passage_get_their_models_prefixes(endpoint, monkeypatch):
    monkeypatch.setenv("EMBEDDING_API_KEY", "secret")
    encoder = open_encoder(f"{endpoint.url}#intfloat/multilingual-e5-small")
    encoder.encode_queries(["why"])
    encoder.encode_passages(["because", "", "because"])
    assert [body["input"] for body in endpoint.seen[1:]] == [
        ["query: why"],
        ["passage: because", "passage: ."],
    ]
    assert set(endpoint.keys) == {"Bearer secret"}
    assert "secret" not in encoder.identity
    encoder.close()


def test_prefixes_are_known_by_the_models_name():
    assert prefixes_of("bge-small-en-v1.5")[0].startswith("Represent")
    assert prefixes_of("nomic-embed-text:v1.5") == ("search_query: ", "search_document: ")
    assert prefixes_of("snowflake-arctic-embed-m-v2.0") == ("query: ", "")
    assert prefixes_of("text-embedding-3-small") == ("", "")


def test_a_long_question_is_cut_and_a_large_batch_is_split(endpoint):
    encoder = HttpEncoder("hash", url=endpoint.url, max_tokens=16)
    encoder.encode_queries(["word " * 5000])
    assert len(str(endpoint.seen[-1]["input"][0]).split()) == 16
    assert encoder.encode_passages([f"text {i}" for i in range(130)]).shape == (130, 32)
    assert max(len(body["input"]) for body in endpoint.seen) == 64
    encoder.close()


def test_what_passes_is_tried_again_and_what_does_not_is_told(endpoint):
    endpoint.statuses = [503, 429]
    HttpEncoder("hash", url=endpoint.url, retries=QUICK).close()
    assert len(endpoint.seen) == 3
    endpoint.statuses = [500] * 3
    with pytest.raises(RemoteError, match="HTTP 500"):
        HttpEncoder("hash", url=endpoint.url, retries=QUICK)
    endpoint.statuses = [401]
    with pytest.raises(RemoteError, match="HTTP 401") as caught:
        HttpEncoder("hash", url=endpoint.url, key="k-123", retries=QUICK)
    assert "key" in str(caught.value.remedy)
    assert "k-123" not in str(caught.value)
    with pytest.raises(RemoteError, match="HTTP 404"):
        HttpEncoder("hash", url=endpoint.url + "/v2", retries=QUICK)
    with pytest.raises(RemoteError, match="did not answer"):
        HttpEncoder("hash", url="http://127.0.0.1:9", retries=QUICK)
    with pytest.raises(UsageError, match="no http"):
        HttpEncoder("hash", url="localhost:11434")
    with pytest.raises(UsageError, match="model's name"):
        open_encoder(endpoint.url)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: {},
        lambda reply: {"data": 3},
        lambda reply: {"data": reply["data"][1:]},
        lambda reply: {"data": [{**row, "embedding": []} for row in reply["data"]]},
        lambda reply: {"data": [{**row, "embedding": [0.0] * 32} for row in reply["data"]]},
        lambda reply: {"data": [{**row, "embedding": ["nan"] * 32} for row in reply["data"]]},
        lambda reply: {"data": [{**row, "embedding": [1.0] * (row["index"] + 1)}
                                for row in reply["data"]]},
    ],
)  # fmt: skip
def test_vectors_that_are_none_are_refused(endpoint, spoil):
    encoder = HttpEncoder("hash", url=endpoint.url, retries=QUICK)
    endpoint.spoil = spoil
    with pytest.raises(RemoteError, match="did not answer with a vector"):
        encoder.encode_passages(["a", "b"])
    endpoint.spoil = lambda reply: {
        "data": [{**row, "embedding": [1.0] * 8} for row in reply["data"]]
    }
    with pytest.raises(RemoteError, match="8 dimensions, and gave 32 before"):
        encoder.encode_passages(["a", "b"])
    encoder.close()
