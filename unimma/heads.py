"""Projection heads: an encoder's features → a unit-length embedding in the shared space."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The shape of a head.

    Attributes:
        kind: "none" (the features are a ready space), "linear" (text), "mlp", "conse" (an MLP beside a mixture of class
            sentences) or "clip" (frames and sound).
        num_features: width of the encoder's features, class logits included.
        dim: width of the shared space.
        hidden: width of the MLP's hidden layers.
        num_layers: linear layers of the MLP, 2 or 3.
        num_classes: "conse" only: how many of the features, the last ones, are class logits.
        dropout: while training.
    """

    kind: Literal["none", "linear", "mlp", "conse", "clip"]
    num_features: int
    dim: int
    hidden: int = 1024
    num_layers: int = 2
    num_classes: int = 0
    dropout: float = 0.4


class LinearHead(nn.Module):
    """Centre, then one linear layer that starts as the identity: features [B, F] → unit rows [B, D]."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(config.num_features))
        self.linear = nn.Linear(config.num_features, config.dim)
        nn.init.eye_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.linear(features - self.get_buffer("centre")), dim=-1)


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


class ConseHead(nn.Module):
    """An MLP on the features beside a mixture of class sentences: [B, F] → unit rows [B, D].

    embedding = normalize(normalize(MLP(features)) + b · normalize(softmax(class logits / T) · class embeddings)),
    b and T learned. The second term keeps the open vocabulary that the encoder was trained on.
    Source: ConSE, Norouzi et al. 2013, arXiv 1312.5650, put inside the embedding.
    """

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.num_classes = config.num_classes
        num_seen = config.num_features - config.num_classes
        self.standardise = Standardise(num_seen)
        self.layers = _mlp(num_seen, config)
        self.register_buffer("class_embeddings", torch.zeros(config.num_classes, config.dim))
        self.log_mix = nn.Parameter(torch.tensor(0.0))
        self.log_temperature = nn.Parameter(torch.tensor(0.0))

    def class_probabilities(self, features: Tensor) -> Tensor:
        """softmax of the class logits at the learned temperature: [B, num_classes]."""
        return F.softmax(features[:, -self.num_classes :] / self.log_temperature.exp(), dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        seen = F.normalize(self.layers(self.standardise(features[:, : -self.num_classes])), dim=-1)
        mixture = F.normalize(self.class_probabilities(features) @ self.get_buffer("class_embeddings"), dim=-1)
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
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, features: Tensor) -> Tensor:
        frames = F.normalize(features[:, : self.dim], dim=-1)
        sound = features[:, 3 * self.dim : 4 * self.dim]  # zeros where there is none
        return F.normalize(frames + self.log_sound.exp() * sound + self.layers(features), dim=-1)


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
    "conse": ConseHead,
    "clip": ClipHead,
}


def build_head(config: HeadConfig) -> nn.Module:
    """An untrained head of that shape.

    Raises:
        ModelError: an unknown kind, or sizes that do not fit it.
    """
    if config.kind not in _KINDS:
        raise ModelError(f"head kind {config.kind!r}", f"one of {', '.join(_KINDS)}", "Check the config.")
    if config.kind == "conse" and not 0 < config.num_classes < config.num_features:
        came = f"a conse head with {config.num_classes} classes among {config.num_features} features"
        raise ModelError(came, "some features and some classes", "Check num_classes.")
    return _KINDS[config.kind](config)


def _mlp(num_features: int, config: HeadConfig) -> nn.Sequential:
    widths = [num_features, *[config.hidden] * (config.num_layers - 1), config.dim]
    layers: list[nn.Module] = [nn.Dropout(config.dropout / 2)]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.GELU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers[:-2])
