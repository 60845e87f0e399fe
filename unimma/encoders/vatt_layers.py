"""The layers of VATT, named as in its checkpoints: tables of positions, attention, two kinds of Transformer.

Our own reading of Akbari et al. 2021, "VATT: Transformers for Multimodal Self-Supervised Learning from Raw Video,
Audio and Text", arXiv 2104.11178, and of the T5 encoder (Raffel et al. 2020, arXiv 1910.10683) that reads its text.
Axes in names: B items, L tokens, D width, H heads.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

_MASKED = -1e9  # added to the logits of keys that are padding


class PositionTable(nn.Module):
    """One learned row per position of an axis, read at any number of positions: float32 [num_positions, D]."""

    def __init__(self, num_rows: int, width: int) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.empty(num_rows, width))

    def forward(self, num_positions: int) -> Tensor:
        """The rows as they are where the input has as many positions as the table, else a spline through them."""
        if num_positions == len(self.embeddings):
            return self.embeddings
        weights = torch.from_numpy(spline_weights(len(self.embeddings), num_positions))
        return (weights @ self.embeddings.cpu().double()).to(self.embeddings)  # not every device has float64


@lru_cache(maxsize=64)
def spline_weights(num_rows: int, num_positions: int) -> np.ndarray:
    """How much of each of n rows is in each of m positions: float64 [m, n].

    The natural cubic spline through the points i / n, read at j / m; a straight line beyond the last point. That is the
    polyharmonic spline of order 3 of the original, which computes it in float32 and so strays from it where n is large
    (by 2e-3 at n = 16; useless at 60).
    """
    from scipy.interpolate import CubicSpline

    if num_rows == 1:
        return np.ones((num_positions, 1))
    points = np.arange(num_rows) / num_rows
    spline = CubicSpline(points, np.eye(num_rows), bc_type="natural")
    wanted = np.arange(num_positions) / num_positions
    beyond = np.maximum(wanted - points[-1], 0.0)[:, None]
    weights: np.ndarray = spline(np.minimum(wanted, points[-1])) + beyond * spline(points[-1], 1)
    return weights


class Positions(nn.Module):
    """A table per axis, summed over the grid and then normalised: grid sizes → float32 [product of sizes, D].

    Args:
        tables: axis → number of rows, outermost axis first.
    """

    def __init__(self, tables: Mapping[str, int], width: int, epsilon: float) -> None:
        super().__init__()
        self.axes, self.sizes = tuple(f"{axis}_position_embeddings" for axis in tables), tuple(tables.values())
        for axis, num_rows in zip(self.axes, tables.values(), strict=True):
            self.add_module(axis, PositionTable(num_rows, width))
        self.layernorm = nn.LayerNorm(width, eps=epsilon)

    def forward(self, *sizes: int) -> Tensor:
        rows = [self.get_submodule(axis)(size) for axis, size in zip(self.axes, sizes, strict=True)]
        total: Tensor = rows[0]
        for row in rows[1:]:
            total = total[..., None, :] + row
        normed: Tensor = self.layernorm(total.reshape(-1, total.shape[-1]))
        return normed


class Attention(nn.Module):
    """Every token looks at all: [B, L, D] → the same; heads times their width need not be D.

    Args:
        scale: what the logits are multiplied by; None: 1 / sqrt(head_width).
    """

    def __init__(self, width: int, num_heads: int, head_width: int, *, bias: bool, scale: float | None = None) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, scale
        self.q, self.k, self.v = (nn.Linear(width, num_heads * head_width, bias=bias) for _ in range(3))
        self.o = nn.Linear(num_heads * head_width, width, bias=bias)

    def forward(self, x_BLD: Tensor, added_BHLL: Tensor | None = None) -> Tensor:
        """`added_BHLL`: what is added to the logits; axes B, H and the queries may be 1."""
        q, k, v = (
            layer(x_BLD).unflatten(2, (self.num_heads, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v)
        )
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=added_BHLL, scale=self.scale)
        out: Tensor = self.o(seen.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """Normalise, widen, GELU, narrow, and add to what came: [B, L, D]."""

    def __init__(self, width: int, hidden: int, *, bias: bool, epsilon: float) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(width, eps=epsilon)
        self.mlp = nn.ModuleDict({"wi": nn.Linear(width, hidden, bias=bias), "wo": nn.Linear(hidden, width, bias=bias)})

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.mlp["wo"](F.gelu(self.mlp["wi"](self.layer_norm(x))))
        return out


class _Layer(nn.Module):
    def __init__(self, width: int, num_heads: int, head_width: int, hidden: int, *, bias: bool, epsilon: float) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(width, eps=epsilon)
        self.mha = Attention(width, num_heads, head_width, bias=bias)
        self.feed_forward = FeedForward(width, hidden, bias=bias, epsilon=epsilon)

    def forward(self, x: Tensor, added: Tensor | None) -> Tensor:
        out: Tensor = self.feed_forward(x + self.mha(self.layer_norm(x), added))
        return out


class Transformer(nn.Module):
    """What looks at video and sound, and in the modality-agnostic model at text as well: [B, L, D] → the same."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        head_width: int,
        hidden: int,
        num_layers: int,
        *,
        bias: bool,
        epsilon: float,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Layer(width, num_heads, head_width, hidden, bias=bias, epsilon=epsilon) for _ in range(num_layers)
        )
        self.final_layer_norm = nn.LayerNorm(width, eps=epsilon)

    def forward(self, x: Tensor, mask_BL: Tensor | None = None) -> Tensor:
        added = None if mask_BL is None else masking(mask_BL)
        for layer in self.layers:
            x = layer(x, added)
        out: Tensor = self.final_layer_norm(x)
        return out


class _T5Attention(nn.Module):
    """The first layer's also holds the table of relative positions that all layers add."""

    def __init__(self, width: int, num_heads: int, head_width: int, epsilon: float, num_buckets: int | None) -> None:
        super().__init__()
        self.layer_norm = nn.RMSNorm(width, eps=epsilon)
        self.attention = Attention(width, num_heads, head_width, bias=False, scale=1.0)
        if num_buckets is not None:
            self.attention.relative_attention_bias = nn.Embedding(num_buckets, num_heads)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        out: Tensor = x + self.attention(self.layer_norm(x), added)
        return out


class _T5Layer(nn.Module):
    def __init__(
        self, width: int, num_heads: int, head_width: int, hidden: int, epsilon: float, num_buckets: int | None
    ) -> None:
        super().__init__()
        self.self_attention = _T5Attention(width, num_heads, head_width, epsilon, num_buckets)
        self.feed_forward = FeedForward(width, hidden, bias=False, epsilon=epsilon)

    def forward(self, x: Tensor, added: Tensor) -> Tensor:
        out: Tensor = self.feed_forward(self.self_attention(x, added))
        return out


class T5Encoder(nn.Module):
    """Reads words by their distance from each other, not by their place: [B, L, D] and a mask [B, L] → [B, L, D]."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        head_width: int,
        hidden: int,
        num_layers: int,
        *,
        epsilon: float,
        num_buckets: int,
        max_distance: int,
    ) -> None:
        super().__init__()
        self.num_buckets, self.max_distance = num_buckets, max_distance
        self.layers = nn.ModuleList(
            _T5Layer(width, num_heads, head_width, hidden, epsilon, None if i else num_buckets)
            for i in range(num_layers)
        )
        self.final_layer_norm = nn.RMSNorm(width, eps=epsilon)

    def forward(self, x: Tensor, mask_BL: Tensor) -> Tensor:
        table = self.get_submodule("layers.0.self_attention.attention.relative_attention_bias")
        buckets_LL = relative_buckets(x.shape[1], self.num_buckets, self.max_distance).to(x.device)
        added_BHLL = table(buckets_LL).permute(2, 0, 1)[None] + masking(mask_BL)
        for layer in self.layers:
            x = layer(x, added_BHLL)
        out: Tensor = self.final_layer_norm(x)
        return out


def masking(mask_BL: Tensor) -> Tensor:
    """What hides the tokens whose mask is 0 from all others: float32 [B, 1, 1, L]."""
    return (mask_BL == 0)[:, None, None].float() * _MASKED


def relative_buckets(length: int, num_buckets: int, max_distance: int) -> Tensor:
    """Which bucket the distance from a query (row) to a key (column) falls into: int64 [length, length].

    Half of the buckets are for keys behind the query; of each half, the first half are single distances, the others
    widen by the logarithm up to `max_distance`, and the last takes all beyond. Source: Raffel et al. 2020.
    """
    place = torch.arange(length)
    ahead = place[None] - place[:, None]
    half, distance = num_buckets // 2, ahead.abs()
    single = half // 2
    steps = torch.log(distance.clamp(min=1).float() / single) / math.log(max_distance / single) * (half - single)
    wide = (single + steps.long()).clamp(max=half - 1)
    return (ahead > 0).long() * half + torch.where(distance < single, distance, wide)
