"""X-CLIP through transformers: clips and sentences in one space.

Ni et al. 2022, arXiv 2208.02816. Its classifier also bends every sentence by the clip that it is compared with, which
needs both at once: here each stands for itself, as a search needs it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.clip import ClipText
from unimma.encoders.clips import ClipEncoder
from unimma.encoders.pretrained import part_of, shown
from unimma.encoders.registry import register
from unimma.encoders.vision import network_of
from unimma.types import Video

_DEFAULT = "microsoft/xclip-base-patch32"
_INFO = EncoderInfo(
    paper="Ni et al. 2022, X-CLIP, arXiv 2208.02816",
    licence="MIT",
    input="windows of 8 frames, 224 x 224 px, that overlap by half",
    weights=shown(_DEFAULT),
    features=512,
    verified="equal to XCLIPModel of transformers 5 on random weights",
)


@register("xclip-video")
class XClipVideoEncoder(ClipEncoder):
    """Clips → unit rows of the X-CLIP space, [B, D]; as a sequence, its frames after they have seen each other.

    Args, Raises: see the base class.
    """

    info = _INFO

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds both towers, belongs to this one."""
        return name.startswith(("vision_model.", "visual_projection.", "mit."))

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]; of a long clip, the mean of its windows' unit rows, of unit length again."""
        return F.normalize(super().encode(batch), dim=1)

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        return _network(checkpoint, revision)

    def _processor(self, checkpoint: str, revision: str | None) -> Any:
        return part_of("AutoImageProcessor", checkpoint, revision)

    def _shape(self, config: Any) -> tuple[int, int, int]:
        return config.vision_config.num_frames, 1, config.projection_dim

    def _pixels(self, item: Video) -> Tensor:
        frames = [PillowImage.fromarray(frame) for frame in item.frames]
        pixels: Tensor = self.processor(frames, return_tensors="pt")["pixel_values"]
        return pixels.reshape(-1, *pixels.shape[-3:])  # one processor takes them for a clip, the other for pictures

    def _forward(self, inputs: Prepared) -> Tensor:
        network: Any = self.network
        seen = network.vision_model(pixel_values=inputs["pixels"].flatten(0, 1)).pooler_output
        frames = network.visual_projection(seen).unflatten(0, (-1, self.num_frames))
        together = network.mit(frames)
        return torch.cat([F.normalize(together.pooler_output, dim=1)[:, None], together.last_hidden_state], dim=1)


@register("xclip-text")
class XClipTextEncoder(ClipText):
    """Sentences → unit rows of the X-CLIP space, [B, D]; a long text is read whole, in pieces.

    Args, Raises: as the video encoder's.
    """

    info = replace(_INFO, input="English; pieces of 77 tokens")

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(_network(checkpoint, revision), checkpoint, revision)


@cache
def _network(checkpoint: str, revision: str | None) -> nn.Module:
    """One network for both towers: whichever is made first loads it."""
    return network_of(["XCLIPModel"], checkpoint, revision)
