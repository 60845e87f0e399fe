"""Any image encoder of the registry over the frames of a clip: their mean, or what attention makes of them.

Pooling over a frozen image encoder's frames: Luo et al. 2021, CLIP4Clip, arXiv 2104.08860, section 3.3.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import Encoder, EncoderInfo, Prepared
from unimma.encoders.registry import find, register
from unimma.encoders.sequences import padded
from unimma.encoders.vision import AT_ONCE
from unimma.errors import ModelError
from unimma.types import Image, Modality, Video

_NUM_LAYERS, _HEAD_WIDTH = 2, 64
_SEED = 0  # what is not trained is the same whenever it is made


@register("frames")
class FramesEncoder:
    """Clips → one row from the features of all their decoded frames, [B, D]; as a sequence, these features.

    What "attention" and "transformer" add starts as the plain mean and has to be trained: with `trained = "all"` beside
    the options, a checkpoint carries it, and the image encoder stays as it is. With "mean", `trained` means the image
    encoder.

    Args:
        image: an image encoder of the registry: its name, or {"name": N, …} with its options.
        pooling: "mean"; "attention", a mean with weights that a learned query gives; or "transformer", two layers in
            which the frames see each other and their times, then the mean.
    Raises:
        ModelError: no image encoder, or another pooling.
    """

    modality = Modality.VIDEO
    info = EncoderInfo(
        paper="Luo et al. 2021, CLIP4Clip, arXiv 2104.08860; as the image encoder's",
        licence="as the image encoder's",
        input="every decoded frame, as the image encoder sees pictures",
        weights="as the image encoder's (facebook/dinov2-base)",
        features=768,
        verified="mean: equal to the image encoder's mean; the others: untrained equal to it, and trained on toy clips",
    )

    def __init__(self, image: str | Mapping[str, Any] = "dinov2", pooling: str = "mean") -> None:
        options = {"name": image} if isinstance(image, str) else dict(image)
        self.image: Encoder = find(str(options.pop("name", "")))(**options)
        if self.image.modality is not Modality.IMAGE:
            raise ModelError(
                f"an encoder of {self.image.modality} for frames", "one of pictures", "Choose another one."
            )
        if pooling not in _POOLINGS:
            raise ModelError(f"frames pooled by {pooling!r}", f"one of {', '.join(_POOLINGS)}", "Check the config.")
        self.dim = self.token_dim = self.image.dim
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            self.pool = _POOLINGS[pooling](self.dim).eval().requires_grad_(False)
        self.network: nn.Module = nn.ModuleDict({"image": self.image.network, "pool": self.pool})
        own = self.image.info
        self.info = EncoderInfo(
            paper=own.paper,
            licence=own.licence,
            input=f"every decoded frame, {own.input}; pooled by {pooling}",
            weights=own.weights,
            features=self.dim,
            verified=self.info.verified,
            commercial=own.commercial,
        )

    def uses(self, name: str) -> bool:
        """Whether a training may change a parameter: of the pooling or, where this has none, of the image encoder."""
        if list(self.pool.parameters()):
            return name.startswith("pool.")
        of_image = getattr(self.image, "uses", lambda name: True)
        return name.startswith("image.") and bool(of_image(name.removeprefix("image.")))

    def prepare(self, item: Video) -> Prepared:
        """`frame/…`: the image encoder's inputs, stacked [num_frames, …].

        `times`: float32 [num_frames, 2], seconds: from a frame's beginning to that of the next.
        """
        frames = [self.image.prepare(Image(frame, item.name)) for frame in item.frames]
        ends = np.append(item.times[1:], max(item.duration_s, item.times[-1]))
        times = torch.from_numpy(np.stack([item.times, ends], axis=1)).float()
        return {f"frame/{key}": torch.stack([frame[key] for frame in frames]) for key in frames[0]} | {"times": times}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Rows, float32 [B, D]."""
        pooled: Tensor = self.pool(*self.encode_sequence(batch))
        return pooled

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """The frames' features, float32 [B, T, D], and their times in seconds [B, T, 2]; NaN beyond the last."""
        frames = [
            {key.removeprefix("frame/"): value[i] for key, value in item.items() if key != "times"}
            for item in batch
            for i in range(len(item["times"]))
        ]
        parts = [self.image.encode(frames[start : start + AT_ONCE]) for start in range(0, len(frames), AT_ONCE)]
        own = torch.cat(parts).split([len(item["times"]) for item in batch])
        return padded(own, [item["times"] for item in batch])


class MeanPool(nn.Module):
    """The mean of the frames: [B, T, D] and their times [B, T, 2], NaN where there is none → [B, D]."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, frames_BTD: Tensor, times_BT2: Tensor) -> Tensor:
        weights_BT = (~times_BT2[:, :, 0].isnan()).to(frames_BTD.dtype)
        return _weighted(frames_BTD, weights_BT / weights_BT.sum(dim=1, keepdim=True))


class AttentionPool(nn.Module):
    """A mean of the frames, with the weights that one learned query gives them; even weights before training."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.key = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim))
        self.query = nn.Parameter(torch.zeros(dim))

    def forward(self, frames_BTD: Tensor, times_BT2: Tensor) -> Tensor:
        scores_BT = self.key(frames_BTD) @ self.query / math.sqrt(len(self.query))
        scores_BT = scores_BT.masked_fill(times_BT2[:, :, 0].isnan(), -torch.inf)
        return _weighted(frames_BTD, F.softmax(scores_BT, dim=1))


class TransformerPool(nn.Module):
    """The mean of the frames, plus that of what they are after seeing each other; before training this adds nothing.

    Their times come in as sines and cosines: Vaswani et al. 2017, arXiv 1706.03762, section 3.5.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        heads = dim // _HEAD_WIDTH if dim % _HEAD_WIDTH == 0 else 1
        self.mean = MeanPool(dim)
        self.norm = nn.LayerNorm(dim)
        self.enter = nn.Linear(_NUM_WAVES, dim)
        layer = nn.TransformerEncoderLayer(dim, heads, 2 * dim, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, _NUM_LAYERS, nn.LayerNorm(dim), enable_nested_tensor=False)
        self.project = nn.Linear(dim, dim)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, frames_BTD: Tensor, times_BT2: Tensor) -> Tensor:
        tokens = self.norm(frames_BTD) + self.enter(_waves(times_BT2.nan_to_num().to(frames_BTD.dtype)))
        seen = self.layers(tokens, src_key_padding_mask=times_BT2[:, :, 0].isnan())
        pooled: Tensor = self.mean(frames_BTD, times_BT2) + self.project(self.mean(seen, times_BT2))
        return pooled


_POOLINGS: dict[str, type[nn.Module]] = {"mean": MeanPool, "attention": AttentionPool, "transformer": TransformerPool}
_PERIODS_S = [0.5 * 2.0**i for i in range(15)]  # to more than two hours
_NUM_WAVES = 2 * len(_PERIODS_S)


def _waves(times_BT2: Tensor) -> Tensor:
    """The middle of each stretch of time as sines and cosines: [B, T, 2] → [B, T, waves]."""
    angles = 2 * math.pi * times_BT2.mean(dim=2, keepdim=True) / times_BT2.new_tensor(_PERIODS_S)
    return torch.cat([angles.sin(), angles.cos()], dim=2)


def _weighted(frames_BTD: Tensor, weights_BT: Tensor) -> Tensor:
    """The sum of the frames by their weights; what lies beyond a clip's end counts for nothing, whatever it holds."""
    there_BT1 = (weights_BT > 0)[:, :, None]
    return (frames_BTD.masked_fill(~there_BT1, 0.0) * weights_BT[:, :, None]).sum(dim=1)
