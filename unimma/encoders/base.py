"""What an encoder is: decoded media in, features out. One file per family; the registry finds them by name."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from unimma.types import Modality

Prepared = Mapping[str, Tensor]  # one item as model input, on the CPU


@dataclass(frozen=True, kw_only=True)
class EncoderInfo:
    """What a person wants to know before using an encoder.

    Attributes:
        paper: authors, year and where to read it.
        licence: terms of the weights.
        input: what it looks at or listens to, with units ("224 x 224 px", "16 kHz").
        weights: where the weights come from and which (package and version, or repository); of a class, its default.
        features: how many it gives with these; 0 where only the checkpoint tells.
        verified: what was compared with what, and which weights were really loaded.
        commercial: whether the weights' licence lets them be used commercially.
    """

    paper: str
    licence: str
    input: str
    weights: str
    features: int = 0
    verified: str = ""
    commercial: bool = True


class Encoder(Protocol):
    """Features of one modality.

    `prepare` runs on one decoded item, on the CPU, and may run in worker threads; `encode` runs on many prepared items
    (their lengths may differ) and gives float32 features [B, dim] on the encoder's device. The features of an item do
    not depend on its neighbours in the batch. Gradients flow through `encode` into parameters that require them; who
    only wants the features calls it under `torch.inference_mode()`.

    Three more are looked up where they are there: `weights_travel = True` of an encoder whose weights no package
    carries, so that a checkpoint has to, `uses(name) -> bool` of one whose network holds more parameters than it needs,
    and `loses_tokens`, the key of `prepare` under which a text's token numbers stand, int64 [n], where `encode` takes
    any part of them (without special tokens and padding): training may leave some out.
    """

    modality: Modality
    dim: int
    info: EncoderInfo
    network: nn.Module

    def prepare(self, item: Any) -> Prepared: ...

    def encode(self, batch: Sequence[Prepared]) -> Tensor: ...


@runtime_checkable
class SequenceEncoder(Encoder, Protocol):
    """An encoder that can also give what it saw or heard piece by piece, for heads that attend over the pieces.

    `encode_sequence` gives float32 tokens [B, T, token_dim] and their times [B, T, 2], start and end in seconds (of
    text: character offsets). An item with fewer than T tokens, and it has one at least, is filled up: times there are
    NaN, and the tokens mean nothing.
    """

    token_dim: int

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]: ...


def fingerprint(*parts: nn.Module | Encoder | str) -> str:
    """Twelve hexadecimal digits that change with any weight or with what an encoder looks at."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
            continue
        if not isinstance(part, nn.Module):
            digest.update(part.info.input.encode())
        module = part if isinstance(part, nn.Module) else part.network
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:12]
