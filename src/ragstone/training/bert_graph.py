"""BERT as an ONNX graph of onnxruntime's fused operators, in fp32 or int8: encoder and reader.

Laws: both graphs compute the same function but for quantisation; the int8 graph's scales are
constants, so a row's vector does not depend on its batch; its integer arithmetic is exact on
every processor, because weights keep to 7 bits (see docs/decisions/0002). Knows the names of
Hugging Face's BERT weights and nothing of tokenizers or files.

The encoder's inputs: `input_ids` int32 (batch, tokens), right-padded with anything; `lengths` int32
(batch). Outputs: `sentence_embedding` float32 (batch, dim), mean-pooled, unit length;
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
Axes = Mapping[str, Sequence[str | int] | None]  # of inputs and outputs; None: not said

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
class Graph:
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

    def product(self, value: str, weight: Array, bias: Array, *, output: str = "") -> str:
        """value @ weight + bias in fp32."""
        made = self.add("MatMul", [value, self.constant(weight)])
        return self.add("Add", [made, self.constant(bias)], output=output)

    def model(
        self,
        inputs: Axes,
        outputs: Axes,
    ) -> onnx.ModelProto:
        """The model; inputs of three axes are floats, others int32, outputs floats."""
        made = helper.make_tensor_value_info
        taken = [
            made(name, TensorProto.FLOAT if len(axes or ()) == 3 else TensorProto.INT32, axes)
            for name, axes in inputs.items()
        ]
        given = [made(name, TensorProto.FLOAT, axes) for name, axes in outputs.items()]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_CONTRIB, 1)]
        graph = helper.make_graph(self.nodes, "bert", taken, given, self.constants)
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def quantised(weight: Array, limit: int, *, axis: int) -> tuple[npt.NDArray[np.int8], Array]:
    """Symmetric int8 with one scale per slice along `axis`: weight ~ integers * scale."""
    scale = np.abs(weight).max(axis=axis, keepdims=True) / limit
    scale = np.where(scale == 0, 1.0, scale).astype(np.float32)
    return np.clip(np.rint(weight / scale), -limit, limit).astype(np.int8), scale


@dataclass(slots=True)
class Stack:
    """The layers of one BERT: fp32 without `scales`, else int8 with one scale per product's input.

    The inputs of products are named `{layer}.{attention|context|feedforward|activation}`;
    `tapped` makes each of them an output of that name, which is how they are calibrated.
    """

    graph: Graph
    weights: Mapping[str, Array]
    shape: BertShape
    scales: Mapping[str, InputScale] | None = None
    tapped: bool = False
    taps: list[str] = field(default_factory=list)

    def norm(self, value: str, residual: str, name: str) -> str:
        """The sum of two values, normalised."""
        g = self.graph
        total = g.add("Add", [value, residual])
        gamma, beta = (g.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        kept = self.shape.epsilon
        return g.add("LayerNormalization", [total, gamma, beta], axis=-1, epsilon=kept)

    def linear(self, name: str) -> tuple[Array, Array]:
        """Weight (in, out) and bias of a linear layer."""
        return self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"]

    def products(self, value: str, tap: str, *linears: tuple[Array, Array]) -> list[str]:
        """value @ weight + bias for each (weight (in, out), bias), `value` quantised once."""
        g = self.graph
        if self.tapped:
            self.taps.append(g.add("Identity", [value], output=tap))
        if self.scales is None:
            return [g.product(value, weight, bias) for weight, bias in linears]
        s = self.scales[tap]
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

    def layers(self, x: str) -> str:
        """All layers over `x` (batch, tokens, dim); rows end at `lengths`."""
        g = self.graph
        for index in range(self.shape.layers):
            layer = f"encoder.layer.{index}"
            names = ("query", "key", "value")
            parts = [self.linear(f"{layer}.attention.self.{name}") for name in names]
            qkv = self.products(x, f"{index}.attention", *parts)
            inputs, heads = [*qkv, "", "lengths"], self.shape.heads
            context = g.add("MultiHeadAttention", inputs, domain=_CONTRIB, num_heads=heads)
            output = self.linear(f"{layer}.attention.output.dense")
            (y,) = self.products(context, f"{index}.context", output)
            x = self.norm(y, x, f"{layer}.attention.output.LayerNorm")
            wide = self.linear(f"{layer}.intermediate.dense")
            (y,) = self.products(x, f"{index}.feedforward", wide)
            y = g.add("Gelu", [y], domain=_CONTRIB)
            (y,) = self.products(y, f"{index}.activation", self.linear(f"{layer}.output.dense"))
            x = self.norm(y, x, f"{layer}.output.LayerNorm")
        return x


def bert_graph(
    weights: Mapping[str, Array],
    shape: BertShape,
    *,
    scales: Mapping[str, InputScale] | None = None,
    tapped: bool = False,
) -> onnx.ModelProto:
    """Build the encoder's graph; `scales` and `tapped` as in `Stack`."""
    g = Graph()
    stack = Stack(g, weights, shape, scales, tapped)
    dim = weights["embeddings.word_embeddings.weight"].shape[1]
    tokens = g.add("Shape", ["input_ids"], start=1, end=2)
    words, positions = _embed(g, weights, tokens, integer=scales is not None)
    x = stack.layers(stack.norm(words, positions, "embeddings.LayerNorm"))
    g.add("Identity", [x], output="last_hidden_state")
    _pool(g, x, tokens)
    inputs: Axes = {"input_ids": ["batch", "tokens"], "lengths": ["batch"]}
    outputs: Axes = {
        "sentence_embedding": ["batch", dim],
        "last_hidden_state": ["batch", "tokens", dim],
        **dict.fromkeys(stack.taps),
    }
    return g.model(inputs, outputs)


def reader_graph(
    weights: Mapping[str, Array],
    shape: BertShape,
    *,
    scales: Mapping[str, InputScale] | None = None,
    tapped: bool = False,
) -> onnx.ModelProto:
    """Build the reader's graph: question and passage in one row, scored together.

    Inputs: `word_vectors` float32 (batch, tokens, dim), looked up in the encoder's table;
    `token_type_ids` int32 (batch, tokens), 0 for the question; `lengths` int32 (batch). Outputs:
    `span_logits` (batch, tokens, 2), of an answer's first and last token; `passage_logits`
    (batch, 1): that the passage answers.
    """
    g = Graph()
    stack = Stack(g, weights, shape, scales, tapped)
    tokens = g.add("Shape", ["word_vectors"], start=1, end=2)
    zero = g.constant(np.array([0]))
    places = g.constant(weights["embeddings.position_embeddings.weight"])
    position = g.add("Slice", [places, zero, tokens, zero])
    kinds = g.constant(weights["embeddings.token_type_embeddings.weight"])
    kind = g.add("Gather", [kinds, "token_type_ids"])
    words = g.add("Add", ["word_vectors", position])
    x = stack.layers(stack.norm(words, kind, "embeddings.LayerNorm"))
    g.product(x, *stack.linear("span"), output="span_logits")
    first = g.add("Gather", [x, g.constant(np.int64(0))], axis=1)
    pooled = g.add("Tanh", [g.product(first, *stack.linear("pooler"))])
    g.product(pooled, *stack.linear("passage"), output="passage_logits")
    dim = weights["embeddings.LayerNorm.weight"].shape[0]
    inputs: Axes = {
        "token_type_ids": ["batch", "tokens"],
        "lengths": ["batch"],
        "word_vectors": ["batch", "tokens", dim],
    }
    outputs: Axes = {
        "span_logits": ["batch", "tokens", 2],
        "passage_logits": ["batch", 1],
        **dict.fromkeys(stack.taps),
    }
    return g.model(inputs, outputs)


def _embed(
    g: Graph, weights: Mapping[str, Array], tokens: str, *, integer: bool
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


def _pool(g: Graph, hidden: str, tokens: str) -> None:
    """The mean over a row's own tokens, scaled to length 1: a product with a mask."""
    axis_0, axis_1 = g.constant(np.array([0])), g.constant(np.array([1]))
    count = g.add("Cast", [g.add("Squeeze", [tokens, axis_0])], to=int(TensorProto.INT32))
    zero, one = g.constant(np.int32(0)), g.constant(np.int32(1))
    place = g.add("Unsqueeze", [g.add("Range", [zero, count, one]), axis_0])
    own = g.add("Less", [place, g.add("Unsqueeze", ["lengths", axis_1])])
    mask = g.add("Unsqueeze", [g.add("Cast", [own], to=int(TensorProto.FLOAT)), axis_1])
    total = g.add("Squeeze", [g.add("MatMul", [mask, hidden]), axis_1])
    g.add("LpNormalization", [total], output="sentence_embedding", axis=-1, p=2)
