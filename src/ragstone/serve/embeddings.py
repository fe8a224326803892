"""OpenAI's list of models, and embeddings by the corpora's own encoders."""

from __future__ import annotations

import base64

import numpy as np
from starlette.responses import Response

from ragstone.applications.wire import Json, JsonObject
from ragstone.serve.conversation import no_model
from ragstone.serve.operation import Call, Operation, Reply, reply
from ragstone.serve.problem import Problem

_TEXT: JsonObject = {"type": "string", "maxLength": 100_000}
EMBEDDINGS_BODY: JsonObject = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "description": "The encoder's name, as /v1/models lists it."},
        "input": {"type": ["string", "array"], "minItems": 1, "maxItems": 256, "items": _TEXT},
        "encoding_format": {"type": "string", "enum": ["float", "base64"], "default": "float"},
        "dimensions": {"type": ["integer", "null"], "minimum": 1},
    },
}  # fmt: skip


async def models(call: Call) -> Response:
    """The corpora as models, and their encoders."""
    names: dict[str, str] = {}
    for shelf in call.library.seen_by(call.caller):
        names[shelf.name] = "ragstone"
        names.setdefault(shelf.corpus.encoder.name, "ragstone-encoder")
    rows: list[Json] = [
        {"id": name, "object": "model", "created": 0, "owned_by": owner}
        for name, owner in names.items()
    ]
    return reply({"object": "list", "data": rows})


async def embeddings(call: Call) -> Response:
    """Unit vectors of texts by the encoder that the corpora were built with."""
    model = call.text("model")
    encoders = [shelf.corpus.encoder for shelf in call.library.seen_by(call.caller)]
    encoder = next((each for each in encoders if each.name == model), None)
    if encoder is None:
        raise no_model(model)
    wanted = call.maybe("dimensions")
    if wanted not in (None, encoder.dim):
        raise Problem(
            400, "dimensions", f"{model} has {encoder.dim} dimensions, not {wanted}.",
            remedy="Leave `dimensions` out.", param="dimensions",
        )  # fmt: skip
    given = call.body["input"]
    texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
    vectors = await call.library.work.run(lambda: encoder.encode_passages(texts))
    tokens = sum(len(encoder.token_spans(text)) for text in texts)
    packed = call.text("encoding_format", "float") == "base64"
    rows: list[Json] = [
        {
            "object": "embedding", "index": index,
            "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode()
            if packed else [float(x) for x in np.asarray(row, dtype=np.float32)],
        }
        for index, row in enumerate(vectors)
    ]  # fmt: skip
    usage: JsonObject = {"prompt_tokens": tokens, "total_tokens": tokens}
    return reply({"object": "list", "data": rows, "model": model, "usage": usage})


OPERATIONS = (
    Operation(
        "GET", "/v1/models", "List models", "openai", "read", models,
        Reply("Corpora and encoders.", {"object": "list", "data": []}),
    ),
    Operation(
        "POST", "/v1/embeddings", "Embed texts", "openai", "read", embeddings,
        Reply("The vectors.", {"object": "list", "data": [], "model": "all-MiniLM-L6-v2",
                               "usage": {}}), (), EMBEDDINGS_BODY,
        {"simple": {"model": "all-MiniLM-L6-v2", "input": "a text"}}, errors=(404,),
    ),
)  # fmt: skip
