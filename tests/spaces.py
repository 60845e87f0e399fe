"""Two toy worlds as CLIP and CLAP are: in each, what means the same lies close. An item means what its name says.

Encoders "toy-clip-text", "toy-clip-image", "toy-clap-text" and "toy-clap-audio". The two of one world share a network;
what is no text lies beside the sentences by a constant, as in the spaces that they stand for.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.types import Audio, Image, Modality, Text

MEANINGS = 24
encoded: list[str] = []  # modalities, a batch each


@cache
def _network(world: str, seed: int, dim: int) -> nn.Module:
    made = torch.Generator().manual_seed(seed + int(hashlib.sha256(world.encode()).hexdigest()[:6], 16))
    network = nn.Linear(MEANINGS, dim)
    with torch.no_grad():
        network.weight.copy_(torch.linalg.qr(torch.randn(dim, MEANINGS, generator=made))[0])
        network.bias.zero_()
    network.register_buffer("gap", torch.randn(dim, generator=made) * 1.5 / dim**0.5)
    return network.eval().requires_grad_(False)


@cache
def meaning(said: str) -> Tensor:
    """float32 [MEANINGS], of unit length: the sum of what each word means; short words mean nothing."""
    words = [_word(word) for word in re.findall(r"[a-z]{4,}", said.lower()) if word not in ("photo", "sound")]
    return torch.nn.functional.normalize(torch.stack([torch.full((MEANINGS,), 1e-6), *words]).sum(dim=0), dim=0)


@cache
def _word(word: str) -> Tensor:
    seed = int(hashlib.sha256(word.encode()).hexdigest()[:8], 16)
    return torch.randn(MEANINGS, generator=torch.Generator().manual_seed(seed))


class _Toy:
    """What the four share.

    Args:
        checkpoint: which world's weights; "free" ones have another licence than the others.
        dim: width of the space.
    """

    world: str

    def __init__(self, checkpoint: str = "usual", dim: int = 32) -> None:
        self.network: Any = _network(self.world + checkpoint, 0, dim)
        self.dim = dim

    def prepare(self, item: Any) -> Prepared:
        return {"meaning": meaning(item.text if isinstance(item, Text) else item.name.partition(".")[0])}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        encoded.append(str(self.modality))  # type: ignore[attr-defined]
        rows = self.network(torch.stack([item["meaning"] for item in batch]))
        rows = rows if self.modality is Modality.TEXT else rows + self.network.gap  # type: ignore[attr-defined]
        unit: Tensor = torch.nn.functional.normalize(rows, dim=1)
        return unit


INFO = EncoderInfo(paper="none", licence="free", input="names", weights="toy", features=32)


@register("toy-clip-text")
class ClipText(_Toy):
    modality, world, info = Modality.TEXT, "clip", INFO


@register("toy-clip-image")
class ClipImage(_Toy):
    modality, world, info = Modality.IMAGE, "clip", INFO


@register("toy-clap-text")
class ClapText(_Toy):
    modality, world, info = Modality.TEXT, "clap", INFO


@register("toy-clap-audio")
class ClapAudio(_Toy):
    modality, world, info = Modality.AUDIO, "clap", INFO


@register("toy-unfree-audio")
class UnfreeAudio(_Toy):
    """Sounds of the same world, whose usual weights allow no commercial use."""

    modality, world = Modality.AUDIO, "clap"
    info = EncoderInfo(paper="none", licence="CC-BY-NC-4.0", input="names", weights="toy", commercial=False)

    def __init__(self, checkpoint: str = "usual", dim: int = 32) -> None:
        super().__init__(checkpoint, dim)
        self.info = self.info if checkpoint == "usual" else INFO


def sound(said: str) -> Audio:
    return Audio(np.zeros(10, np.float32), 44_100, f"{said}.wav")


def picture(said: str) -> Image:
    return Image(np.zeros((2, 2, 3), np.uint8), f"{said}.png")
