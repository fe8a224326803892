"""The reader as a torch network, for training alone: BERT's layers with three heads.

Starts from a published cross-encoder (which already reads question and passage together, for
relevance) and from the shipped encoder's word vectors, which stay as they are so that the package
holds them once. Law: `weights` names every tensor as `bert_graph` expects it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

Array = npt.NDArray[np.float32]

LAYERS, HEADS, DIM, INNER, EPSILON = 12, 12, 384, 1536, 1e-12


class Layer(nn.Module):  # type: ignore[misc]
    """One layer of BERT (Devlin et al. 2018), queries, keys and values in one product."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.output = nn.Linear(DIM, DIM)
        self.norm = nn.LayerNorm(DIM, EPSILON)
        self.wide = nn.Linear(DIM, INNER)
        self.narrow = nn.Linear(INNER, DIM)
        self.last_norm = nn.LayerNorm(DIM, EPSILON)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        rows, tokens, _ = x.shape
        qkv = self.qkv(x).view(rows, tokens, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=mask)
        x = self.norm(x + self.output(seen.transpose(1, 2).reshape(rows, tokens, DIM)))
        return self.last_norm(x + self.narrow(functional.gelu(self.wide(x))))


class ReaderNetwork(nn.Module):  # type: ignore[misc]
    """Where an answer begins and ends (tokens, 2), and what the passage does (2)."""

    def __init__(self, words: Array, cross_encoder: Mapping[str, Array]) -> None:
        super().__init__()
        w = {name: torch.from_numpy(value.copy()) for name, value in cross_encoder.items()}
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(words.copy()), freeze=True)
        self.places = nn.Embedding.from_pretrained(w["embeddings.position_embeddings.weight"])
        self.kinds = nn.Embedding.from_pretrained(w["embeddings.token_type_embeddings.weight"])
        self.norm = nn.LayerNorm(DIM, EPSILON)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.span, self.pooler, self.passage = (
            nn.Linear(DIM, 2),
            nn.Linear(DIM, DIM),
            nn.Linear(DIM, 2),
        )
        _set(self.norm, w, "embeddings.LayerNorm")
        for index, layer in enumerate(self.layers):
            front = f"encoder.layer.{index}"
            for part in ("weight", "bias"):
                names = [f"{front}.attention.self.{n}.{part}" for n in ("query", "key", "value")]
                getattr(layer.qkv, part).data = torch.cat([w[name] for name in names])
            for module, name in _PARTS.items():
                _set(getattr(layer, module), w, f"{front}.{name}")
        _set(self.pooler, w, "pooler.dense")
        self.passage.weight.data = w["classifier.weight"].repeat(2, 1) * 0.5
        self.passage.bias.data = w["classifier.bias"].repeat(2) * 0.5
        nn.init.normal_(self.span.weight, std=0.02)
        nn.init.zeros_(self.span.bias)

    def freeze(self, layers: int) -> None:
        """Keep the lowest layers and all below them as they are."""
        for part in (self.words, self.places, self.kinds, self.norm, *self.layers[:layers]):
            for value in part.parameters():
                value.requires_grad = False

    def forward(
        self, ids: torch.Tensor, kinds: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        places = torch.arange(ids.shape[1])
        x = self.norm(self.words(ids) + self.places(places) + self.kinds(kinds))
        mask = (places[None] < lengths[:, None])[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        x = x.float()
        return self.span(x), self.passage(torch.tanh(self.pooler(x[:, 0])))

    def weights(self) -> dict[str, Array]:
        """Every tensor by the name that `bert_graph.reader_graph` reads it by."""
        found = {
            "embeddings.position_embeddings.weight": self.places.weight,
            "embeddings.token_type_embeddings.weight": self.kinds.weight,
        }
        heads = {"embeddings.LayerNorm": self.norm, "span": self.span}
        named = {**heads, "pooler": self.pooler, "passage": self.passage}
        for index, layer in enumerate(self.layers):
            front = f"encoder.layer.{index}"
            for part in ("weight", "bias"):
                split = getattr(layer.qkv, part).chunk(3)
                for name, value in zip(("query", "key", "value"), split, strict=True):
                    found[f"{front}.attention.self.{name}.{part}"] = value
            named |= {f"{front}.{name}": getattr(layer, module) for module, name in _PARTS.items()}
        for name, module in named.items():
            found |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
        made = {name: value.detach().numpy().copy() for name, value in found.items()}
        for part in ("weight", "bias"):  # whether it bears on the question was only to learn from
            made[f"passage.{part}"] = made[f"passage.{part}"][:1]
        return made


_PARTS = {
    "output": "attention.output.dense",
    "norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "last_norm": "output.LayerNorm",
}


def _set(module: nn.Module, weights: Mapping[str, torch.Tensor], name: str) -> None:
    module.weight.data = weights[f"{name}.weight"]
    module.bias.data = weights[f"{name}.bias"]
