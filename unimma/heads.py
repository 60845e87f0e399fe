"""Projection heads: an encoder's features, or its tokens over time → a unit-length embedding in the shared space."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.errors import ModelError

ATTENTION_WIDTH = 64  # of one head of the bridge's attention: how many there are follows from the width


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The shape of a head.

    Attributes:
        kind: "none" (the features are a ready space), "linear" (text), "mlp", "adapter" (a ready space, bent a little),
            "conse" (an MLP beside a mixture of class sentences), "clip" (frames and sound as one row of features),
            "bridge" (attention over an encoder's tokens, such as a clip's frames and sound) or "map" (from one ready
            space into another, fitted without training: `unimma.bridge`).
        num_features: width of the encoder's features, class logits included; "bridge": of one of its tokens.
        dim: width of the shared space.
        hidden: width of the MLP's hidden layers, of the adapter's bottleneck (64 is a usual one), or of the bridge's
            attention (a multiple of 64).
        num_layers: linear layers of the MLP, 2 or 3; blocks of the bridge, 1 to 6.
        num_classes: "conse" only: how many of the features, the last ones, are class logits.
        dropout: while training.
        ratio: "adapter" only: the share of the embedding that is learned anew, above 0 and at most 1.
        num_queries: "bridge" only: how many learned queries look at the tokens.
    """

    kind: Literal["none", "linear", "mlp", "adapter", "conse", "clip", "bridge", "map"]
    num_features: int
    dim: int
    hidden: int = 1024
    num_layers: int = 2
    num_classes: int = 0
    dropout: float = 0.4
    ratio: float = 0.2
    num_queries: int = 8


class LinearHead(nn.Module):
    """Centre, then one linear layer: features [B, F] → unit rows [B, D].

    It starts as the identity where F = D, otherwise as a random rotation into the wider space or projection onto the
    narrower one: what was alike stays alike (exactly, and nearly so).
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(config.num_features))
        self.linear = _preserving(config.num_features, config.dim)

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.linear(features - self.get_buffer("centre")), dim=-1)


class MapHead(nn.Module):
    """From one ready space into another: features [B, F] → unit rows [B, D].

    embedding = normalize(W (normalize(features) - c) + b), where `unimma.bridge` fits W, c and b; before that it is
    what an untrained linear head is.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(config.num_features))
        self.linear = _preserving(config.num_features, config.dim)

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.linear(F.normalize(features, dim=-1) - self.get_buffer("centre")), dim=-1)


class Standardise(nn.Module):
    """Features of mean 0 and deviation 1 by the training set's own: [B, F] → [B, F]."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("scale", torch.ones(num_features))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Take mean and deviation from training features [n, F]."""
        self.get_buffer("mean").copy_(features.mean(dim=0))
        self.get_buffer("scale").copy_(1.0 / features.std(dim=0).clamp(min=1e-3))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.get_buffer("mean")) * self.get_buffer("scale")


class MlpHead(nn.Module):
    """Standardise, then 2 or 3 linear layers with GELU between: features [B, F] → unit rows [B, D]."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.standardise = Standardise(config.num_features)
        self.layers = _mlp(config.num_features, config)

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.layers(self.standardise(features)), dim=-1)


class AdapterHead(nn.Module):
    """A ready space, bent by a bottleneck: features [B, F] → unit rows [B, D].

    embedding = normalize((1 - ratio) · normalize(features) + ratio · up(GELU(down(features)))); `up` starts at zero, so
    that an untrained head leaves the space as it is (where F and D differ: turned or projected, as a linear head does).
    Source: Houlsby et al. 2019, arXiv 1902.00751, section 2.1; as a residual with a ratio behind a frozen encoder:
        CLIP-Adapter, Gao et al. 2021, arXiv 2110.04544, section 3.2.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.register_buffer("ratio", torch.tensor(config.ratio))  # stored, since it decides what the weights mean
        same = config.num_features == config.dim
        self.base = nn.Identity() if same else _preserving(config.num_features, config.dim)
        self.standardise = Standardise(config.num_features)
        self.down = nn.Linear(config.num_features, config.hidden)
        self.up = _silent(config.hidden, config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, features: Tensor) -> Tensor:
        ratio = self.get_buffer("ratio")
        bent = self.up(self.dropout(F.gelu(self.down(self.standardise(features)))))
        return F.normalize((1 - ratio) * F.normalize(self.base(features), dim=-1) + ratio * bent, dim=-1)


class ConseHead(nn.Module):
    """A linear map and an MLP of the features beside a mixture of class directions: [B, F] → unit rows [B, D].

    embedding = normalize(normalize(linear + MLP) + b · normalize(softmax(class logits / T) · class directions)), b and
    T learned. The linear map can start as a ridge regression (`train.steps.fit_statistics`); the MLP then betters it.
    The mixture keeps the open vocabulary that the encoder was trained on.

    Source: ConSE, Norouzi et al. 2013, arXiv 1312.5650, put inside the embedding. Its mixture of class embeddings C
    answers with the neighbours in meaning of the likeliest class; the directions C (CᵀC + I)⁻¹ undo what classes share,
    so that the similarity of the mixture with a class follows that class's own probability.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.num_classes = config.num_classes
        num_seen = config.num_features - config.num_classes
        self.standardise = Standardise(num_seen)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = _silent(num_seen, config.dim)
        self.layers = _mlp(num_seen, config)
        self.layers[-1] = _silent(config.hidden, config.dim)
        self.register_buffer("class_embeddings", torch.zeros(config.num_classes, config.dim), persistent=False)
        self.register_buffer("class_directions", torch.zeros(config.num_classes, config.dim))
        self.log_mix = nn.Parameter(torch.tensor(0.0))
        self.log_temperature = nn.Parameter(torch.tensor(math.log(2.0)))

    @torch.no_grad()
    def set_classes(self, embeddings: Tensor) -> None:
        """Take what the class sentences embed to, unit rows [num_classes, D]; only training needs these again."""
        self.get_buffer("class_embeddings").copy_(embeddings)
        gram = embeddings.T @ embeddings + torch.eye(embeddings.shape[1], device=embeddings.device)
        directions = torch.linalg.solve(gram, embeddings.T).T
        self.get_buffer("class_directions").copy_(directions / directions.norm(dim=1).mean().clamp(min=1e-6))

    def class_probabilities(self, features: Tensor) -> Tensor:
        """softmax of the class logits at the learned temperature: [B, num_classes]."""
        return F.softmax(features[:, -self.num_classes :] / self.log_temperature.exp(), dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        standard = self.standardise(features[:, : -self.num_classes])
        seen = F.normalize(self.linear(self.dropout(standard)) + self.layers(standard), dim=-1)
        mixture = F.normalize(self.class_probabilities(features) @ self.get_buffer("class_directions"), dim=-1)
        return F.normalize(seen + self.log_mix.exp() * mixture, dim=-1)


class ClipHead(nn.Module):
    """Frames and sound, as `FramesAndSound` gives them: [B, 4 D + 1] → unit rows [B, D].

    embedding = normalize(frames + g · sound + MLP(all)); the MLP's last layer starts at zero, so that an untrained
    head is the plain mean of what is seen and heard.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.dim = config.dim
        self.log_sound = nn.Parameter(torch.tensor(-1.0))
        self.layers = _mlp(config.num_features, config)
        self.layers[-1] = _silent(config.hidden, config.dim)

    def forward(self, features: Tensor) -> Tensor:
        frames = F.normalize(features[:, : self.dim], dim=-1)
        sound = features[:, 3 * self.dim : 4 * self.dim]  # zeros where there is none
        return F.normalize(frames + self.log_sound.exp() * sound + self.layers(features), dim=-1)


class BridgeHead(nn.Module):
    """Learned queries that attend over tokens in time: [B, T, F] and their times → unit rows [B, D].

    Tokens of several streams (frames, sound) come as one sequence: each query takes from all of them what it needs.
    embedding = normalize(normalize(mean token) + project(mean query)); `project` starts at zero, so that an untrained
    head is the plain mean of the tokens (where F and D differ: turned or projected, as a linear head does).
    Source: BLIP-2's Q-Former, Li et al. 2023, arXiv 2301.12597, section 3.1; times as in Vaswani et al. 2017, arXiv
        1706.03762, section 3.5.
    """

    takes_sequence = True

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        same = config.num_features == config.dim
        self.base = nn.Identity() if same else _preserving(config.num_features, config.dim)
        self.norm = nn.LayerNorm(config.num_features)
        self.enter = nn.Linear(config.num_features, config.hidden)
        self.queries = nn.Parameter(torch.randn(config.num_queries, config.hidden) / config.hidden**0.5)
        block = nn.TransformerDecoderLayer(
            config.hidden,
            nhead=config.hidden // ATTENTION_WIDTH,
            dim_feedforward=2 * config.hidden,
            dropout=config.dropout / 2,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerDecoder(block, config.num_layers, norm=nn.LayerNorm(config.hidden))
        self.project = _silent(config.hidden, config.dim)

    def forward(self, sequence_BTF: Tensor, times_BT2: Tensor) -> Tensor:
        """As `unimma.encoders.base.SequenceEncoder` gives them: start and end in seconds, NaN where there is no token.

        At least one token a row.
        """
        missing_BT = times_BT2[:, :, 0].isnan()
        sequence_BTF = sequence_BTF.masked_fill(missing_BT[:, :, None], 0.0)
        mean = sequence_BTF.sum(dim=1) / (~missing_BT).sum(dim=1, keepdim=True)
        tokens = self.enter(self.norm(sequence_BTF)) + time_waves(times_BT2.nan_to_num(), self.enter.out_features)
        queries = self.queries.expand(len(sequence_BTF), -1, -1)
        answers = self.blocks(queries, tokens, memory_key_padding_mask=missing_BT)
        return F.normalize(F.normalize(self.base(mean), dim=-1) + self.project(answers.mean(dim=1)), dim=-1)


def time_waves(times_BT2: Tensor, width: int) -> Tensor:
    """Start and end of each token, in seconds, as sines and cosines of periods from 0.5 to 10,000 s: [B, T, width]."""
    periods = torch.logspace(math.log10(0.5), 4, width // 4, device=times_BT2.device)
    angles = 2 * math.pi * times_BT2[:, :, :, None].float() / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(2)


class NoHead(nn.Module):
    """For encoders that share a space already: unit rows, unchanged otherwise, [B, D] → [B, D]."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        if config.num_features != config.dim:
            came = f"{config.num_features} features for a space of {config.dim} and no head between"
            raise ModelError(came, "equal widths", "Choose a head.")

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features, dim=-1)


_KINDS: dict[str, type[nn.Module]] = {
    "none": NoHead,
    "linear": LinearHead,
    "mlp": MlpHead,
    "adapter": AdapterHead,
    "conse": ConseHead,
    "clip": ClipHead,
    "bridge": BridgeHead,
    "map": MapHead,
}


def build_head(config: HeadConfig) -> nn.Module:
    """An untrained head of that shape.

    Raises:
        ModelError: an unknown kind, or sizes that do not fit it.
    """
    if config.kind not in _KINDS:
        raise ModelError(f"head kind {config.kind!r}", f"one of {', '.join(_KINDS)}", "Check the config.")
    for field, fits, expected in _demands(config):
        if not fits:
            came = f"a head of kind {config.kind} with {field} = {getattr(config, field)}"
            raise ModelError(came, expected, f"Check {field}.")
    return _KINDS[config.kind](config)


def _demands(config: HeadConfig) -> Iterator[tuple[str, bool, str]]:
    """Field, whether its value fits the kind, and what would."""
    for field in ("num_features", "dim", "hidden"):
        yield field, getattr(config, field) > 0, "1 or more"
    yield "dropout", 0 <= config.dropout < 1, "0 or more and less than 1"
    match config.kind:
        case "mlp" | "conse" | "clip":
            yield "num_layers", config.num_layers in (2, 3), "2 or 3"
        case "adapter":
            yield "ratio", 0 < config.ratio <= 1, "more than 0 and at most 1"
        case "bridge":
            yield "num_layers", 1 <= config.num_layers <= 6, "1 to 6"
            yield "num_queries", config.num_queries > 0, "1 or more"
            yield "hidden", config.hidden % ATTENTION_WIDTH == 0, f"a multiple of {ATTENTION_WIDTH}"
    if config.kind == "conse":
        fits = 0 < config.num_classes < config.num_features
        yield "num_classes", fits, f"1 or more and less than its {config.num_features} features"
    if config.kind == "clip":
        yield "num_features", config.num_features == 4 * config.dim + 1, f"4 x {config.dim} + 1"


def _mlp(num_features: int, config: HeadConfig) -> nn.Sequential:
    widths = [num_features, *[config.hidden] * (config.num_layers - 1), config.dim]
    layers: list[nn.Module] = [nn.Dropout(config.dropout / 2)]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers[:-2])


def _preserving(num_features: int, dim: int) -> nn.Linear:
    """A linear layer that starts as the identity, or where the widths differ as a random rotation or projection."""
    linear = nn.Linear(num_features, dim)
    (nn.init.eye_ if num_features == dim else nn.init.orthogonal_)(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def _silent(num_features: int, dim: int) -> nn.Linear:
    """A linear layer that starts by saying nothing."""
    linear = nn.Linear(num_features, dim)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
