"""Rerankers against real ones: an ONNX graph made here, a server on the loopback."""

from __future__ import annotations

import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from ragstone.errors import ModelError, RemoteError, UsageError
from ragstone.models.reranker import HttpReranker, OnnxReranker, SentenceTransformersReranker

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "river", "sea", "bread", "flour", "the", "a"]
PASSAGES = ["the river", "bread bread flour", "a sea the river sea river", "nothing known"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-encoder whose logit is the sum of weights of the passage's tokens."""
    onnx = pytest.importorskip("onnx")
    path = tmp_path_factory.mktemp("reranker")
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(path / "tokenizer.json"))
    weights = np.zeros((len(WORDS), 1), dtype=np.float32)
    weights[WORDS.index("river")], weights[WORDS.index("sea")] = 1.0, 2.5
    make, kinds = onnx.helper, onnx.TensorProto
    nodes = [
        make.make_node("Gather", ["weights", "input_ids"], ["each"]),
        make.make_node("Cast", ["token_type_ids"], ["second"], to=kinds.FLOAT),
        make.make_node("Cast", ["attention_mask"], ["seen"], to=kinds.FLOAT),
        make.make_node("Mul", ["second", "seen"], ["mask"]),
        make.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        make.make_node("Mul", ["each", "column"], ["counted"]),
        make.make_node("ReduceSum", ["counted", "tokens"], ["logits"], keepdims=0),
    ]
    graph = make.make_graph(
        nodes,
        "reranker",
        [
            make.make_tensor_value_info(name, kinds.INT64, ["rows", "tokens_"])
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ],
        [make.make_tensor_value_info("logits", kinds.FLOAT, ["rows", 1])],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            onnx.numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            onnx.numpy_helper.from_array(np.array([1], dtype=np.int64), "tokens"),
        ],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path / "model.onnx"))
    return path


def test_an_onnx_folder_scores_each_passage_in_order(folder) -> None:
    reranker = OnnxReranker(folder)
    assert reranker.score("sea", PASSAGES) == pytest.approx([1.0, 0.0, 7.0, 0.0])
    assert reranker.score("sea", []) == []
    assert reranker.name == folder.name


def test_a_score_does_not_depend_on_the_batch(folder) -> None:
    reranker = OnnxReranker(folder)
    many = reranker.score("river", PASSAGES * 20)
    alone = [reranker.score("river", [passage])[0] for passage in PASSAGES]
    assert many == pytest.approx(alone * 20)


def test_only_the_passage_is_cut(folder) -> None:
    reranker = OnnxReranker(folder, max_tokens=8)
    assert reranker.score("the the", ["sea " * 50]) == pytest.approx([2.5 * 3])


def test_a_folder_without_a_model_says_what_is_missing(tmp_path, folder) -> None:
    with pytest.raises(ModelError, match=r"holds no model\.onnx"):
        OnnxReranker(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxReranker(tmp_path)


class _Handler(BaseHTTPRequestHandler):
    reply: object = None
    status = 200
    seen: ClassVar[list[tuple[dict[str, str], dict[str, object]]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append((dict(self.headers), body))
        reply = self.reply(body) if callable(self.reply) else self.reply
        data = json.dumps(reply).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint():
    class Handler(_Handler):
        seen: ClassVar = []

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Handler, f"http://127.0.0.1:{server.server_port}/v1/rerank"
    server.shutdown()
    thread.join()
    server.server_close()


def by_length(body) -> dict[str, object]:
    rows = [
        {"index": index, "relevance_score": len(text) / 100}
        for index, text in enumerate(body["documents"])
    ]
    return {"results": sorted(rows, key=lambda row: -row["relevance_score"])}


def test_an_endpoint_is_asked_in_the_shared_form_and_read_by_index(endpoint) -> None:
    handler, url = endpoint
    handler.reply = staticmethod(by_length)
    reranker = HttpReranker(url, model="m-1", key="secret")
    assert reranker.score("q", PASSAGES) == [len(text) / 100 for text in PASSAGES]
    ((headers, body),) = handler.seen
    assert headers["Authorization"] == "Bearer secret"
    assert body == {"model": "m-1", "query": "q", "documents": PASSAGES, "top_n": len(PASSAGES)}
    assert reranker.score("q", []) == []
    assert len(handler.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        {},
        [],
        {"results": 3},
        {"results": [{"index": 0, "relevance_score": 1}]},
        {"results": [{"index": i, "relevance_score": "nan"} for i in range(4)]},
    ],
)
def test_an_incomplete_answer_is_an_error(endpoint, reply) -> None:
    handler, url = endpoint
    handler.reply = reply
    with pytest.raises(RemoteError, match="answered"):
        HttpReranker(url).score("q", PASSAGES)


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (429, True), (500, True)])
def test_a_refusal_says_so_and_whether_to_try_again(endpoint, status, retryable) -> None:
    handler, url = endpoint
    handler.reply, handler.status = {"message": "no"}, status
    with pytest.raises(RemoteError, match=f"HTTP {status}") as caught:
        HttpReranker(url).score("q", PASSAGES)
    assert caught.value.retryable is retryable


def test_nobody_there_and_no_address(endpoint) -> None:
    with pytest.raises(RemoteError, match="did not answer"):
        HttpReranker("http://127.0.0.1:9/rerank", timeout_s=2).score("q", ["x"])
    with pytest.raises(UsageError, match="no http"):
        HttpReranker("file:///etc/passwd")


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is not None, reason="it is installed"
)
def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModelError, match="needs the package sentence-transformers"):
        SentenceTransformersReranker("some/model")
