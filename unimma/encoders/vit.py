"""The Vision Transformer through transformers: pictures, as one learned to tell their classes apart.

Dosovitskiy et al. 2020, arXiv 2010.11929.
"""

from torch import nn

from unimma.encoders.base import EncoderInfo
from unimma.encoders.pretrained import shown
from unimma.encoders.registry import register
from unimma.encoders.vision import PretrainedImageEncoder, network_of

_DEFAULT = "google/vit-base-patch16-224"


@register("vit")
class ViTEncoder(PretrainedImageEncoder):
    """Pictures → the class token behind the last norm, [B, D], from which the classes were told; patches as a sequence.

    Args, Raises: see the base class.
    """

    kinds = ("ViTModel",)
    info = EncoderInfo(
        paper="Dosovitskiy et al. 2020, arXiv 2010.11929",
        licence="Apache-2.0",
        input="224 x 224 px",
        weights=shown(_DEFAULT),
        features=768,
        verified="equal to ViTModel of transformers 5 on random weights",
    )

    def __init__(self, checkpoint: str = _DEFAULT, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        # Without the pooler: classifiers are published without one.
        return network_of(self.kinds, checkpoint, revision, add_pooling_layer=False)
