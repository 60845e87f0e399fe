"""DINOv2 and DINOv3 through transformers: pictures, seen without ever having been told what is on them.

Oquab et al. 2023, arXiv 2304.07193; Siméoni et al. 2025, arXiv 2508.10104.
"""

from typing import Any

from unimma.encoders.base import EncoderInfo
from unimma.encoders.pretrained import shown
from unimma.encoders.registry import register
from unimma.encoders.vision import PretrainedImageEncoder

_V2 = "facebook/dinov2-base"
_V3 = "facebook/dinov3-vits16-pretrain-lvd1689m"


@register("dinov2")
class Dinov2Encoder(PretrainedImageEncoder):
    """Pictures → the class token, [B, D]; patches as a sequence; checkpoints with and without registers.

    Args, Raises: see the base class.
    """

    kinds = ("Dinov2Model", "Dinov2WithRegistersModel")
    info = EncoderInfo(
        paper="Oquab et al. 2023, DINOv2, arXiv 2304.07193",
        licence="Apache-2.0",
        input="224 x 224 px",
        weights=shown(_V2),
        features=768,
        verified="equal to Dinov2Model of transformers 5 on random weights",
    )

    def __init__(self, checkpoint: str = _V2, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)


@register("dinov3")
class Dinov3Encoder(PretrainedImageEncoder):
    """Pictures → the class token, [B, D]; patches as a sequence; ViT and ConvNeXt checkpoints.

    Args, Raises: see the base class.
    """

    kinds = ("DINOv3ViTModel", "DINOv3ConvNextModel")
    info = EncoderInfo(
        paper="Siméoni et al. 2025, DINOv3, arXiv 2508.10104",
        licence="DINOv3 License; to be agreed to on the model's page",
        input="224 x 224 px",
        weights=shown(_V3),
        features=384,
        verified="equal to DINOv3ViTModel and DINOv3ConvNextModel of transformers 5 on random weights",
    )

    def __init__(self, checkpoint: str = _V3, revision: str | None = None) -> None:
        super().__init__(checkpoint, revision)

    def _widths(self, config: Any) -> tuple[int, int]:
        width = config.hidden_sizes[-1] if config.model_type == "dinov3_convnext" else config.hidden_size
        return width, width
