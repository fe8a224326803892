"""A BERT encoder as an ONNX graph of onnxruntime's fused operators, in fp32 or int8.

Laws: both graphs compute the same function but for quantisation; the int8 graph's scales are
constants, so a row's vector does not depend on its batch; its integer arithmetic is exact on
every processor, because weights keep to 7 bits (see docs/decisions/0002). Knows the names of
Hugging Face's BERT weights and nothing of tokenizers or files.

Inputs: `input_ids` int32 (batch, tokens), right-padded with anything; `lengths` int32 (batch).
Outputs: `sentence_embedding` float32 (batch, dim), mean-pooled, unit length;
`last_hidden_state` float32 (batch, tokens, dim).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float32]

WEIGHT_LIMIT = 63  # 2 * 255 * 63 < 2**15: no pair of products saturates in AVX2's 16 bits
_TABLE_LIMIT = 127  # the embedding table is looked up, never multiplied in 16 bits
_CONTRIB = "com.microsoft"


@dataclass(frozen=True, slots=True)
class BertShape:
    """The numbers of a BERT that its weights do not tell."""

    layers: int
    heads: int
    epsilon: float = 1e-12


@dataclass(frozen=True, slots=True)
class InputScale:
    """How one matrix product's input becomes uint8: round(x / divisor / scale) + zero_point.

    `divisor` (dim,) evens out the channels and is multiplied back into the weight's rows
    (Xiao et al. 2023, SmoothQuant).
    """

    divisor: Array
    scale: float
    zero_point: int


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as they are added; names are numbers."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, value: npt.NDArray[np.generic] | np.generic) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def add(
        self,
        kind: str,
        inputs: Sequence[str],
        *,
        domain: str = "",
        output: str = "",
        **attributes: int | float,
    ) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [name], domain=domain)
        for key in sorted(attributes):
            node.attribute.append(helper.make_attribute(key, attributes[key]))
        self.nodes.append(node)
        return name


def quantised(weight: Array, limit: int, *, axis: int) -> tuple[npt.NDArray[np.int8], Array]:
    """Symmetric int8 with one scale per slice along `axis`: weight ~ integers * scale."""
    scale = np.abs(weight).max(axis=axis, keepdims=True) / limit
    scale = np.where(scale == 0, 1.0, scale).astype(np.float32)
    return np.clip(np.rint(weight / scale), -limit, limit).astype(np.int8), scale


def bert_graph(
    weights: Mapping[str, Array],
    shape: BertShape,
    *,
    scales: Mapping[str, InputScale] | None = None,
    tapped: bool = False,
) -> onnx.ModelProto:
    """Build the graph: fp32 without `scales`, else int8 with one scale per product's input.

    The inputs of products are named `{layer}.{attention|context|feedforward|activation}`;
    `tapped` makes each of them an output of that name, which is how they are calibrated.
    """
    g = _Graph()
    taps: list[str] = []
    dim = weights["embeddings.word_embeddings.weight"].shape[1]

    def norm(value: str, residual: str, name: str) -> str:
        total = g.add("Add", [value, residual])
        gamma, beta = (g.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return g.add("LayerNormalization", [total, gamma, beta], axis=-1, epsilon=shape.epsilon)

    def products(value: str, tap: str, *linears: tuple[Array, Array]) -> list[str]:
        """value @ weight + bias for each (weight (in, out), bias), `value` quantised once."""
        if tapped:
            taps.append(g.add("Identity", [value], output=tap))
        if scales is None:
            return [
                g.add("Add", [g.add("MatMul", [value, g.constant(w)]), g.constant(b)])
                for w, b in linears
            ]
        s = scales[tap]
        if np.any(s.divisor != 1):
            value = g.add("Mul", [value, g.constant(1 / s.divisor)])
        scale, zero = g.constant(np.float32(s.scale)), g.constant(np.uint8(s.zero_point))
        integers = g.add("QuantizeLinear", [value, scale, zero])
        results = []
        for w, b in linears:
            q, q_scale = quantised(w * s.divisor[:, None], WEIGHT_LIMIT, axis=0)
            inputs = [
                integers,
                g.constant(q),
                scale,
                g.constant(q_scale[0]),
                zero,
                "",
                g.constant(b),
            ]
            results.append(g.add("MatMulIntegerToFloat", inputs, domain=_CONTRIB))
        return results

    def linear(name: str) -> tuple[Array, Array]:
        return weights[f"{name}.weight"].T, weights[f"{name}.bias"]

    tokens = g.add("Shape", ["input_ids"], start=1, end=2)
    words, positions = _embed(g, weights, tokens, integer=scales is not None)
    x = norm(words, positions, "embeddings.LayerNorm")
    for index in range(shape.layers):
        layer = f"encoder.layer.{index}"
        parts = [linear(f"{layer}.attention.self.{n}") for n in ("query", "key", "value")]
        qkv = products(x, f"{index}.attention", *parts)
        context = g.add(
            "MultiHeadAttention", [*qkv, "", "lengths"], domain=_CONTRIB, num_heads=shape.heads
        )
        (y,) = products(context, f"{index}.context", linear(f"{layer}.attention.output.dense"))
        x = norm(y, x, f"{layer}.attention.output.LayerNorm")
        (y,) = products(x, f"{index}.feedforward", linear(f"{layer}.intermediate.dense"))
        y = g.add("Gelu", [y], domain=_CONTRIB)
        (y,) = products(y, f"{index}.activation", linear(f"{layer}.output.dense"))
        x = norm(y, x, f"{layer}.output.LayerNorm")
    g.add("Identity", [x], output="last_hidden_state")
    _pool(g, x, tokens)

    made = helper.make_tensor_value_info
    outputs = [
        made("sentence_embedding", TensorProto.FLOAT, ["batch", dim]),
        made("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", dim]),
        *(made(tap, TensorProto.FLOAT, None) for tap in taps),
    ]
    inputs = [
        made("input_ids", TensorProto.INT32, ["batch", "tokens"]),
        made("lengths", TensorProto.INT32, ["batch"]),
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_CONTRIB, 1)]
    graph = helper.make_graph(g.nodes, "bert", inputs, outputs, g.constants)
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _embed(
    g: _Graph, weights: Mapping[str, Array], tokens: str, *, integer: bool
) -> tuple[str, str]:
    """Word vectors (batch, tokens, dim) and what is added to them by position (tokens, dim).

    All tokens are of type 0, so that type's vector is part of each position's.
    """
    words = weights["embeddings.word_embeddings.weight"]
    types = weights["embeddings.token_type_embeddings.weight"]
    positions = g.constant(weights["embeddings.position_embeddings.weight"] + types[0])
    zero = g.constant(np.array([0]))
    position = g.add("Slice", [positions, zero, tokens, zero])
    if not integer:
        return g.add("Gather", [g.constant(words), "input_ids"]), position
    q, scale = quantised(words, _TABLE_LIMIT, axis=1)
    integers = g.add("Gather", [g.constant(q), "input_ids"])
    floats = g.add("Cast", [integers], to=int(TensorProto.FLOAT))
    return g.add("Mul", [floats, g.add("Gather", [g.constant(scale), "input_ids"])]), position


def _pool(g: _Graph, hidden: str, tokens: str) -> None:
    """The mean over a row's own tokens, scaled to length 1: a product with a mask."""
    axis_0, axis_1 = g.constant(np.array([0])), g.constant(np.array([1]))
    count = g.add("Cast", [g.add("Squeeze", [tokens, axis_0])], to=int(TensorProto.INT32))
    zero, one = g.constant(np.int32(0)), g.constant(np.int32(1))
    place = g.add("Unsqueeze", [g.add("Range", [zero, count, one]), axis_0])
    own = g.add("Less", [place, g.add("Unsqueeze", ["lengths", axis_1])])
    mask = g.add("Unsqueeze", [g.add("Cast", [own], to=int(TensorProto.FLOAT)), axis_1])
    total = g.add("Squeeze", [g.add("MatMul", [mask, hidden]), axis_1])
    g.add("LpNormalization", [total], output="sentence_embedding", axis=-1, p=2)
