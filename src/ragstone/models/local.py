"""A language model in this process, through openvino-genai: no server, no network, no key.

Law: one generation at a time; a stream that is closed stops after the token in progress; the
document's text cannot open a turn of its own. This is the only file that imports the runtime,
and only at first use, so that a missing extra costs nothing until a model is wanted.

Measured with SmolLM2-135M Q4_1 on two AVX2 cores: loading 3.0-3.5 s from the kept OpenVINO form
against 5.4 s from the GGUF; prefill up to 470 tokens/s, decoding up to 57 tokens/s on an idle
machine. Continuous batching with paged attention (the runtime's default) reads prompts 15-20%
faster than the stateful backend and keeps the stable prefix of prompts: 963 tokens took 5.5 s
of CPU the first time and 1.3 s with another question behind the same evidence. The stateful
backend loads in 1.1 s from a compiled cache of 135 MB, which does not outweigh that.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

from ragstone.errors import ModelError, UsageError
from ragstone.models import requests
from ragstone.models.folders import ModelFacts, facts_of, open_model_files
from ragstone.protocols import Finish, Token, Usage
from ragstone.types import Message

if TYPE_CHECKING:
    import openvino_genai


class LocalModel:
    """A GGUF file or an OpenVINO model folder, opened at first use. Safe to use from threads."""

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        context_tokens: int = 0,
        threads: int = 0,
        keep_converted: Path | None = None,
    ) -> None:
        """`path` is a .gguf file, or a folder with openvino_model.xml and its tokenizer.

        `context_tokens` narrows the window (0: the model's own). `threads` 0 lets the runtime
        decide. `keep_converted` is a folder in which the runtime's own form of a GGUF file is
        kept, so that the next load is faster; None converts anew each time. Raises ModelError
        if the files are missing or no model; the runtime is looked for at first use.
        """
        self._path = Path(path)
        self._facts: ModelFacts = facts_of(self._path)
        self._name = name or self._facts.name
        self._context_tokens = min(
            size for size in (context_tokens, self._facts.context_tokens) if size > 0
        )
        self._threads = threads
        self._keep_converted = keep_converted
        self._lock = threading.Lock()  # one generation at a time, and loading
        self._pipeline: openvino_genai.LLMPipeline | None = None
        self._closed = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    @property
    def capable(self) -> bool:
        return self._facts.parameters >= requests.CAPABLE_PARAMETERS

    @property
    def parameters(self) -> int:
        """The number of weights, counted in the model's files."""
        return self._facts.parameters

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the weights back, after the generation in progress. May be called again."""
        with self._lock:
            self._closed = True
            self._pipeline = None

    def warm(self) -> threading.Thread:
        """Load in the background, while the question is still being retrieved.

        A failure is not raised here: the first use meets it again, where it can be reported.
        """

        def load() -> None:
            try:
                with self._lock:
                    self._loaded()
            except ModelError:
                return

        thread = threading.Thread(target=load, name=f"load {self._name}")
        thread.start()
        return thread

    def count_tokens(self, text: str) -> int:
        """The number of tokens of `text`, without special tokens."""
        with self._lock:
            return int(self._encode(text).input_ids.shape[1])

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> Iterator[Token | Finish]:
        """Stream the reply; see `protocols.LanguageModel`.

        Temperature 0 is greedy. `schema` is a JSON schema that the reply is made to match.
        Raises ModelError, or UsageError if prompt and reply together exceed the context.
        """
        requests.check(messages, max_tokens=max_tokens, temperature=temperature)
        clock = requests.Clock()
        with self._lock:
            genai, pipeline = _runtime(), self._loaded()
            prompt = self._encode(self._prompt(messages))
        prompt_tokens = prompt.input_ids.shape[1]
        requests.check_room(
            self._name,
            prompt_tokens=prompt_tokens,
            max_tokens=max_tokens,
            context_tokens=self._context_tokens,
        )
        config = genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        config.apply_chat_template = False  # `_prompt` has done it
        config.do_sample = temperature > 0.0
        if temperature > 0.0:
            config.temperature = temperature
            config.rng_seed = seed
        if stop:
            config.stop_strings = set(stop)
        if schema is not None:
            config.structured_output_config = genai.StructuredOutputConfig(
                json_schema=json.dumps(schema)
            )
        yield from _Run(self._lock, pipeline, prompt, config, prompt_tokens, clock).stream()

    def _prompt(self, messages: Sequence[Message]) -> str:
        tokenizer = self._loaded().get_tokenizer()
        turns = [
            {"role": message.role, "content": requests.plain(message.content)}
            for message in messages
        ]
        try:
            return str(tokenizer.apply_chat_template(turns, add_generation_prompt=True))
        except RuntimeError as error:
            raise ModelError(
                f"The chat template of {self._name} cannot be applied: {_first_line(error)}",
                remedy="Use an instruction-tuned model whose files hold its chat template.",
            ) from error

    def _encode(self, text: str) -> openvino_genai.TokenizedInputs:
        # The template has written the special tokens; a second begin mark would confuse.
        return self._loaded().get_tokenizer().encode(text, add_special_tokens=False)

    def _loaded(self) -> openvino_genai.LLMPipeline:
        """The pipeline; the caller holds the lock."""
        if self._closed:
            raise UsageError(f"The model {self._name} is closed.", remedy="Open it again.")
        if self._pipeline is None:
            genai = _runtime()
            # Pinned threads would fight with the encoder's, and with a second process, for the
            # same cores.
            properties: dict[str, object] = {"ENABLE_CPU_PINNING": False}
            if self._threads:
                properties["INFERENCE_NUM_THREADS"] = self._threads
            try:
                self._pipeline = open_model_files(
                    self._path,
                    self._keep_converted,
                    genai.get_version(),
                    lambda path, extra: genai.LLMPipeline(path, "CPU", **properties, **extra),
                )
            except RuntimeError as error:
                raise ModelError(
                    f"The model {self._path} cannot be loaded: {_first_line(error)}",
                    remedy="GGUF files of the Llama, Qwen2 and Qwen3 families and OpenVINO "
                    "model folders are supported; download the file again if it is damaged.",
                ) from error
        return self._pipeline


class _Run:
    """One generation: the runtime pushes from its thread, the consumer pulls from a queue."""

    def __init__(
        self,
        lock: threading.Lock,
        pipeline: openvino_genai.LLMPipeline,
        prompt: openvino_genai.TokenizedInputs,
        config: openvino_genai.GenerationConfig,
        prompt_tokens: int,
        clock: requests.Clock,
    ) -> None:
        self._lock = lock
        self._pipeline = pipeline
        self._prompt = prompt
        self._config = config
        self._prompt_tokens = prompt_tokens
        self._clock = clock
        self._cancelled = threading.Event()
        self._items: queue.SimpleQueue[Token | Finish | Exception] = queue.SimpleQueue()

    def stream(self) -> Iterator[Token | Finish]:
        worker = threading.Thread(target=self._work, name="generate")
        worker.start()
        try:
            while True:
                item = self._items.get()
                if isinstance(item, Exception):
                    raise ModelError(
                        f"The local model failed while writing: {_first_line(item)}",
                        remedy="If a JSON schema was given, check it; else report this.",
                    ) from item
                yield item
                if isinstance(item, Finish):
                    return
        finally:
            self._cancelled.set()

    def _work(self) -> None:
        genai = _runtime()

        def receive(text: str) -> openvino_genai.StreamingStatus:
            if self._cancelled.is_set():
                return genai.StreamingStatus.CANCEL
            if text:
                self._clock.saw_token()
                self._items.put(Token(text))
            return genai.StreamingStatus.RUNNING

        try:
            with self._lock:
                result = self._pipeline.generate(self._prompt, self._config, receive)
        except Exception as error:  # whatever the runtime raises must reach the consumer
            self._items.put(error)
            return
        finished = result.finish_reasons[0]
        length = genai.GenerationFinishReason.LENGTH
        usage = Usage(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=result.perf_metrics.get_num_generated_tokens(),
            first_token_ms=self._clock.first_token_ms,
        )
        if self._cancelled.is_set():
            self._items.put(Finish("cancelled", usage))
        else:
            self._items.put(Finish("length" if finished == length else "stop", usage))


def _runtime() -> ModuleType:
    what = "The runtime of the local language model"
    return requests.package("openvino_genai", what, extra="local")


def _first_line(error: Exception) -> str:
    """The runtime's own words without its source locations, which mean nothing to a user."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (told or lines or [type(error).__name__])[0]
