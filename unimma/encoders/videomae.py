"""VideoMAE through transformers: clips, by an encoder that learned to fill in what it was not shown.

Tong et al. 2022, arXiv 2203.12602.
"""

from typing import Any

from torch import Tensor

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.clips import ClipEncoder, whole_and_moments
from unimma.encoders.pretrained import shown
from unimma.encoders.registry import register

_DEFAULT = "MCG-NJU/videomae-base"


@register("videomae")
class VideoMAEEncoder(ClipEncoder):
    """Clips → the mean of all patches, [B, D]; as a sequence, the mean of the patches of two frames at a time.

    Args, Raises: see the base class.
    """

    kinds = ("VideoMAEModel",)
    info = EncoderInfo(
        paper="Tong et al. 2022, VideoMAE, arXiv 2203.12602",
        licence="CC-BY-NC-4.0",
        input="windows of 16 frames, 224 x 224 px, that overlap by half",
        weights=shown(_DEFAULT),
        features=768,
        verified="equal to VideoMAEModel of transformers 5 on random weights",
        commercial=False,
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    def _shape(self, config: Any) -> tuple[int, int, int]:
        return config.num_frames, config.tubelet_size, config.hidden_size

    def _forward(self, inputs: Prepared) -> Tensor:
        states = self.network(pixel_values=inputs["pixels"]).last_hidden_state
        return whole_and_moments(states, self.num_frames // self.step)
