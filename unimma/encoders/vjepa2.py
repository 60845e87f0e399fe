"""V-JEPA 2 through transformers: clips, by an encoder that learned to foretell what it would see.

Assran et al. 2025, arXiv 2506.09985.
"""

from typing import Any

from torch import Tensor

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.clips import ClipEncoder, whole_and_moments
from unimma.encoders.pretrained import shown
from unimma.encoders.registry import register

_DEFAULT = "facebook/vjepa2-vitl-fpc64-256"


@register("vjepa2")
class VJepa2Encoder(ClipEncoder):
    """Clips → the mean of all patches, [B, D]; as a sequence, the mean of the patches of two frames at a time.

    Its places are relative, so that a clip with fewer frames than it was trained on is seen as it is.

    Args, Raises: see the base class.
    """

    kinds = ("VJEPA2Model",)
    fixed = False
    info = EncoderInfo(
        paper="Assran et al. 2025, V-JEPA 2, arXiv 2506.09985",
        licence="MIT",
        input="windows of 64 frames, 256 x 256 px, that overlap by half",
        weights=shown(_DEFAULT),
        features=1024,
        verified="equal to VJEPA2Model of transformers 5 on random weights",
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    @staticmethod
    def uses(name: str) -> bool:
        """Whether a parameter of the network, which holds the predictor too, belongs to the encoder."""
        return name.startswith("encoder.")

    def _shape(self, config: Any) -> tuple[int, int, int]:
        return config.frames_per_clip, config.tubelet_size, config.hidden_size

    def _forward(self, inputs: Prepared) -> Tensor:
        pixels = inputs["pixels"]
        states = self.network(pixel_values_videos=pixels, skip_predictor=True).last_hidden_state
        return whole_and_moments(states, pixels.shape[1] // self.step)
