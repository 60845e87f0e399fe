"""TimeSformer through transformers: clips, by attention over time and over space in turn.

Bertasius et al. 2021, arXiv 2102.05095.
"""

from typing import Any

import torch
from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.clips import ClipEncoder
from unimma.encoders.pretrained import shown
from unimma.encoders.registry import register
from unimma.encoders.vision import network_of
from unimma.errors import ModelError

_DEFAULT = "facebook/timesformer-base-finetuned-k400"


@register("timesformer")
class TimeSformerEncoder(ClipEncoder):
    """Clips → the class token, [B, D], from which actions were told; as a sequence, the mean of each frame's patches.

    Args, Raises: see the base class; a checkpoint that attends over space alone is refused, too.
    """

    kinds = ("TimesformerModel",)
    info = EncoderInfo(
        paper="Bertasius et al. 2021, TimeSformer, arXiv 2102.05095",
        licence="CC-BY-NC-4.0",
        input="windows of 8 frames, 224 x 224 px, that overlap by half",
        weights=shown(_DEFAULT),
        features=768,
        verified="equal to TimesformerModel of transformers 5 on random weights",
        commercial=False,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        network: Any = network_of(self.kinds, checkpoint, revision)
        if network.config.attention_type == "space_only":
            came = "a TimeSformer that sees every frame on its own"
            raise ModelError(came, "one that attends over time", "Take the encoder frames with an image encoder.")
        frozen: nn.Module = network
        return frozen

    def _shape(self, config: Any) -> tuple[int, int, int]:
        return config.num_frames, 1, config.hidden_size

    def _forward(self, inputs: Prepared) -> Tensor:
        states = self.network(pixel_values=inputs["pixels"]).last_hidden_state
        frames = states[:, 1:].unflatten(1, (-1, self.num_frames)).mean(dim=1)  # of one place all frames in a row
        return torch.cat([states[:, :1], frames], dim=1)
