"""Names to objects: what a setting's words stand for. The only place where strings decide.

Heavy imports stay inside the functions that need them.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ragstone.errors import ModelError, UsageError
from ragstone.protocols import Encoder, LanguageModel, Reader, Reranker
from ragstone.settings import Settings

_log = logging.getLogger(__name__)

Download = Callable[[int, int], None]  # bytes done, bytes in all (0 where unknown)
SHIPPED_ENCODER = "all-MiniLM-L6-v2"


def open_encoder(spec: str, *, threads: int = 0) -> Encoder:
    """The encoder that a setting names.

    The shipped one; one of those that `models pull` brings; a folder; or, over OpenAI's embeddings
    protocol, `openai:MODEL`, `ollama:MODEL` and `URL#MODEL` (key: EMBEDDING_API_KEY, else
    OPENAI_API_KEY for the first). Raises ModelError, RemoteError, UsageError.
    """
    from ragstone.models import encoder
    from ragstone.models.published import FOLDERS

    if spec == SHIPPED_ENCODER:
        return encoder.shipped_encoder(threads=threads)
    kind, _, name = spec.partition(":")
    if kind in ("openai", "ollama", "http", "https") and name:
        return _remote_encoder(spec)
    if spec in FOLDERS and not Path(spec).exists():
        from ragstone.models.registry import model_path

        return encoder.open_encoder(model_path(spec), threads=threads)
    return encoder.open_encoder(Path(spec).expanduser(), threads=threads)


@lru_cache(maxsize=1)
def shared_encoder() -> Encoder:
    """The shipped encoder, one for all corpora of this process that were built with another."""
    from ragstone.models import encoder

    return encoder.shipped_encoder()


@lru_cache(maxsize=1)
def _shipped_reader() -> Reader:
    from ragstone.models import reader

    return reader.shipped_reader()


def open_reader(spec: Literal["shipped", "none"]) -> Reader | None:
    """The shipped reader, one for all corpora of this process; None for `none`."""
    return _shipped_reader() if spec == "shipped" else None


def _remote_encoder(spec: str) -> Encoder:
    from ragstone.models.http_encoder import HttpEncoder

    key = os.environ.get("EMBEDDING_API_KEY", "")
    kind, _, name = spec.partition(":")
    if kind == "openai":
        base = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        return HttpEncoder(name, url=base, key=key or os.environ.get("OPENAI_API_KEY", ""))
    if kind == "ollama":
        from ragstone.models.ollama import address

        return HttpEncoder(name, url=f"{address()}/v1", key=key)
    url, _, model = spec.partition("#")
    return HttpEncoder(model, url=url, key=key)


def open_model(
    spec: str, settings: Settings, *, on_progress: Download | None = None
) -> LanguageModel | None:
    """The language model of a spec; None for `none`, which answers in quotes.

    `auto` is the local model where its runtime is installed and its file can be had, else none.
    Raises UsageError for an unknown kind, ModelError for missing files or runtimes.
    """
    kind, _, name = spec.partition(":")
    if spec == "none":
        return None
    if spec == "auto":
        return _local_if_possible(on_progress)
    if spec == "local" or (kind == "local" and name):
        return _local(name, on_progress)
    if kind == "file" and name:
        from ragstone.models.local import LocalModel
        from ragstone.models.registry import converted_folder

        return LocalModel(Path(name).expanduser(), keep_converted=converted_folder())
    if kind == "openai" and name:
        from ragstone.models.openai import OpenAIModel

        return OpenAIModel(name, timeout_s=settings.llm_timeout_s)
    if kind == "ollama" and name:
        from ragstone.models.ollama import OllamaModel

        return OllamaModel(name, timeout_s=settings.llm_timeout_s)
    if kind == "anthropic" and name:
        from ragstone.models.anthropic import AnthropicModel

        return AnthropicModel(name, timeout_s=settings.llm_timeout_s)
    raise UsageError(
        f"There is no language model {spec!r}.",
        remedy="Use local, none, openai:MODEL, ollama:MODEL, anthropic:MODEL or file:PATH.",
    )


def _local(name: str, on_progress: Download | None) -> LanguageModel:
    """The local model of that name (the built-in one for ""), pulled if it is not there yet."""
    from ragstone.models import registry
    from ragstone.models.local import LocalModel

    known = name or registry.BUILT_IN
    path = registry.pull(known, on_progress=on_progress)
    return LocalModel(path, name=known, keep_converted=registry.converted_folder())


def _local_if_possible(on_progress: Download | None) -> LanguageModel | None:
    if importlib.util.find_spec("openvino_genai") is None:
        return None
    try:
        return _local("", on_progress)
    except ModelError as error:
        _log.warning("%s Answering in quotes; `--llm none` says so without this message.", error)
        return None


def open_reranker(spec: str) -> Reranker | None:
    """The reranker of a spec; None for `none`. An endpoint's key is read from RERANK_API_KEY.

    Raises ModelError for one that `models pull` has not brought yet.
    """
    if spec == "none":
        return None
    from ragstone.models import reranker
    from ragstone.models.published import FOLDERS

    if spec.startswith(("http://", "https://")):
        url, _, model = spec.partition("#")
        return reranker.HttpReranker(url, model=model, key=os.environ.get("RERANK_API_KEY", ""))
    kind, _, name = spec.partition(":")
    if kind == "sentence-transformers" and name:
        return reranker.SentenceTransformersReranker(name)
    if spec in FOLDERS and not Path(spec).exists():
        from ragstone.models.registry import model_path

        return reranker.OnnxReranker(model_path(spec))
    return reranker.OnnxReranker(Path(spec).expanduser())
