"""Cross-encoders behind `protocols.Reranker`: a local ONNX folder, sentence-transformers, HTTP.

Each scores (question, passage) pairs read together, which sees more than two vectors and costs
a model run per passage. Law: one score per passage, in their order, whatever else stands in the
batch. onnxruntime and sentence-transformers are loaded only by what needs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstone.errors import ModelError, RemoteError, UsageError
from ragstone.models.http_json import check_address, post_json
from ragstone.models.pairs import Pair
from ragstone.models.sessions import open_session

MAX_TOKENS = 512  # of question and passage together; the passage's end is cut
_BATCH = 16


class OnnxReranker:
    """A cross-encoder in a local folder: `tokenizer.json` and `model.onnx` (or `onnx/model.onnx`).

    The model's first output is one logit a pair; of two or more classes the last one's
    log-odds are the score, as cross-encoders for relevance are exported.
    """

    def __init__(
        self, folder: str | Path, *, max_tokens: int = MAX_TOKENS, threads: int = 0
    ) -> None:
        """`threads` 0 means onnxruntime's choice. Raises ModelError for files that do not fit."""
        from ragstone.models.tokens import open_tokens

        self._path = Path(folder)
        model = _first(self._path, "model.onnx", "onnx/model.onnx", "model_quantized.onnx")
        tokenizer = _first(self._path, "tokenizer.json")
        self._session = open_session(
            model,
            threads=threads,
            fused=False,
            remedy="Give a folder with a cross-encoder's tokenizer.json and model.onnx.",
        )
        self._tokens = open_tokens(tokenizer, max_tokens=max_tokens)
        self._inputs = {item.name: item.type for item in self._session.get_inputs()}
        unknown = self._inputs.keys() - {"input_ids", "attention_mask", "token_type_ids"}
        if unknown:
            raise ModelError(
                f"{model} asks for the inputs {sorted(unknown)}, which a cross-encoder has not.",
                remedy="Export it with input_ids, attention_mask and token_type_ids only.",
            )

    @property
    def name(self) -> str:
        return self._path.name

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """A relevance score for each passage, higher is better."""
        try:
            pairs = self._tokens.pairs(question, passages)
        except ValueError as error:
            raise UsageError(
                f"The question has too many words for a reranker ({len(question)} characters).",
                remedy="Ask a shorter question.",
            ) from error
        scores = [0.0] * len(pairs)
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            longest = max(len(pairs[i].ids) for i in places)
            feed = {name: self._padded(name, places, pairs, longest) for name in self._inputs}
            (logits, *_) = self._session.run(None, feed)
            for place, logit in zip(places, _relevance(np.asarray(logits)), strict=True):
                scores[place] = logit
        return scores

    def _padded(
        self, name: str, places: Sequence[int], pairs: Sequence[Pair], longest: int
    ) -> npt.NDArray[np.integer]:
        integer = np.int32 if self._inputs[name] == "tensor(int32)" else np.int64
        rows = np.zeros((len(places), longest), dtype=integer)
        for row, place in zip(rows, places, strict=True):
            ids, types = pairs[place].ids, pairs[place].types
            if name == "attention_mask":
                row[: len(ids)] = 1
            else:
                row[: len(ids)] = types if name == "token_type_ids" else ids
        return rows


class SentenceTransformersReranker:
    """A `CrossEncoder` of the package sentence-transformers, which must be installed."""

    def __init__(self, model: str, *, device: str | None = None) -> None:
        """`model` is a folder or a name that the package can resolve."""
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise ModelError(
                f"The reranker {model!r} needs the package sentence-transformers.",
                remedy="pip install sentence-transformers, or give a folder with an ONNX model.",
            ) from error
        try:
            self._model = CrossEncoder(model, device=device)
        except Exception as error:  # the package raises what its parts raise
            raise ModelError(
                f"The reranker {model!r} cannot be loaded: {error}.",
                remedy="Check the folder or the name.",
            ) from error
        self._name = model

    @property
    def name(self) -> str:
        return self._name

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """A relevance score for each passage, higher is better."""
        if not passages:
            return []
        pairs = [(question, passage) for passage in passages]
        return [float(score) for score in self._model.predict(pairs, show_progress_bar=False)]


class HttpReranker:
    """A rerank endpoint in the form that Cohere, Jina and others share.

    Sends `{"model", "query", "documents", "top_n"}` and reads
    `{"results": [{"index", "relevance_score"}]}`. Nothing else leaves this machine.
    """

    def __init__(
        self, url: str, *, model: str = "", key: str = "", timeout_s: float = 30.0
    ) -> None:
        self._url = check_address(url, "rerank", "https://host/v1/rerank")
        self._model, self._key, self._timeout_s = model, key, timeout_s

    @property
    def name(self) -> str:
        return self._model or self._url

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        """A relevance score for each passage, higher is better. Raises RemoteError."""
        if not passages:
            return []
        body: dict[str, object] = {
            "query": question,
            "documents": list(passages),
            "top_n": len(passages),
        }
        if self._model:
            body["model"] = self._model
        reply = post_json(self._url, body, key=self._key, timeout_s=self._timeout_s)
        try:
            results = reply["results"]
            if not isinstance(results, list):
                raise TypeError("results is no list")
            scores = {int(row["index"]): float(row["relevance_score"]) for row in results}
            found = [scores[index] for index in range(len(passages))]
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteError(
                f"{self._url} answered without a score for each passage ({error!r}).",
                remedy="It must answer in Cohere's or Jina's form of /rerank.",
            ) from error
        if not all(math.isfinite(score) for score in found):
            raise RemoteError(
                f"{self._url} answered with a score that is no number.",
                remedy="See what the endpoint logs.",
            )
        return found


def _first(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"{folder} holds no {' or '.join(names)}.",
        remedy="Give a folder with a cross-encoder's tokenizer.json and model.onnx.",
    )


def _relevance(logits: npt.NDArray[np.float32]) -> list[float]:
    """Logits of shape (pairs,), (pairs, 1) or (pairs, classes) to one score a pair."""
    rows = logits.reshape(len(logits), -1).astype(np.float64)
    if rows.shape[1] == 1:
        return [float(value) for value in rows[:, 0]]
    others = rows[:, :-1]
    most = others.max(axis=1)
    rest = most + np.log(np.exp(others - most[:, None]).sum(axis=1))
    return [float(value) for value in rows[:, -1] - rest]
