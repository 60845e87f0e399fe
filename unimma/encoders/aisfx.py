"""aiSFX on sounds: 1,024 features from a network trained on professional sound-effect libraries.

Our own reading of the checkpoint (Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects
Libraries", ISMIR 2022, arXiv 2208.09096; weights CC BY 4.0, from the package aisfx). The original cuts the spectrogram
into overlapping blocks and runs each; here the convolutions run once over the whole of it and the blocks are cut from
their output, which costs half (how much the features differ: decision 10 in docs/decisions.md).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.registry import register
from unimma.encoders.spectrogram import MelSpectrogram, resample
from unimma.encoders.weights import PackagedFile, locate
from unimma.types import Audio, Modality

RATE_HZ = 44_100
NUM_FEATURES = 1024  # mean and maximum over blocks of 512 channels
_CHANNELS = (64, 128, 256, 512)
_BLOCK_FRAMES, _BLOCK_HOP = 100, 50  # 2.3 s and half of it
_TIME_STRIDE = 8  # three poolings
_PIECE_FRAMES = 1600  # 37 s: what goes through the network at once; bounds the memory of a long sound
_TRAINING_MAXIMUM = 9.457798957824707  # of the original's spectrograms, which it divides by
_WEIGHTS = PackagedFile(
    requirement="aisfx==0.1.2",
    module="aisfx",
    path="models/checkpoint.pth",
    sha256="499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
    wheel_sha256="bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
)


class AisfxNetwork(nn.Module):
    """Four blocks of two 3x3 convolutions: [B, 1, frames, 96] → [B, 512, frames // 8], the mean over mel bands."""

    def __init__(self) -> None:
        super().__init__()
        narrow = (1, *_CHANNELS)
        for i, (before, after) in enumerate(zip(narrow, _CHANNELS, strict=False), start=1):
            self.add_module(f"conv_block{i}", _ConvBlock(before, after))  # the checkpoint's names

    def forward(self, x: Tensor) -> Tensor:
        for i, block in enumerate(self.children(), start=1):
            x = block(x)
            x = F.max_pool2d(x, 2) if i < len(_CHANNELS) else x
        return x.mean(dim=3)


class _ConvBlock(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


@register("aisfx")
class AisfxEncoder:
    """Sounds → mean and maximum over 2.3 s blocks: [B, 1024]."""

    modality = Modality.AUDIO
    dim = NUM_FEATURES
    info = EncoderInfo(
        paper="Ma and Lerch 2022, Automatic Indexing of Sound Effects Libraries, ISMIR, arXiv 2208.09096",
        licence="CC BY 4.0 (weights; Alison B. Ma and Alexander Lerch)",
        input="44.1 kHz, one channel, any length",
        weights=_WEIGHTS.requirement,
        features=NUM_FEATURES,
        verified="equal to the original's blocks, with the real weights",
    )

    def __init__(self) -> None:
        self.network = AisfxNetwork()
        self.network.load_state_dict(_read_checkpoint())
        self.network.eval().requires_grad_(False)
        self.mel = MelSpectrogram(
            rate_hz=RATE_HZ, window=2048, hop=1024, num_mels=96, high_hz=22_050.0, power=2.0, unit_sum=True
        )

    def prepare(self, item: Audio) -> Prepared:
        """`waveform`: float32 [num_samples] at 44.1 kHz, scaled to a peak of 1."""
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, RATE_HZ)
        peak = waveform.abs().max().clamp(min=1e-5)  # silence stays silent
        return {"waveform": waveform / peak}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Mean, then maximum over the blocks, float32 [B, 1024]."""
        return torch.stack([self._encode_one(item["waveform"]) for item in batch])

    def _encode_one(self, waveform: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        mel = torch.log10(1e4 * self.mel.to(device)(waveform.to(device)) + 1) / _TRAINING_MAXIMUM
        if len(mel) < _BLOCK_FRAMES:
            mel = F.pad(mel, (0, 0, 0, _BLOCK_FRAMES - len(mel)))
        pieces = [self.network(piece[None, None])[0] for piece in _pieces(mel)]
        channels_by_time = torch.cat(pieces, dim=1)
        block, hop = _BLOCK_FRAMES // _TIME_STRIDE, _BLOCK_HOP // _TIME_STRIDE
        blocks = F.max_pool1d(channels_by_time[None], block, hop)[0]  # the maximum over the time of each block
        return torch.cat([blocks.mean(dim=1), blocks.amax(dim=1)])


def _pieces(mel: Tensor) -> list[Tensor]:
    """Cut a long spectrogram; a last piece too short to be pooled joins the one before it."""
    cuts = list(range(0, len(mel), _PIECE_FRAMES))
    if len(cuts) > 1 and len(mel) - cuts[-1] < _BLOCK_FRAMES:
        cuts.pop()
    return [mel[start:end] for start, end in zip(cuts, [*cuts[1:], len(mel)], strict=True)]


def _read_checkpoint() -> dict[str, Tensor]:
    """The embedding network's tensors; the rest of the file (classifiers, a table of data sets) is not needed."""
    scalar: Any = np._core.multiarray.scalar  # type: ignore[attr-defined]
    # The file holds NumPy scalars written under their old name; nothing else is allowed in.
    allowed: list[Any] = [
        (scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        np.dtypes.Int64DType,
        np.dtypes.Float64DType,
    ]
    with torch.serialization.safe_globals(allowed):
        state, _ = torch.load(locate(_WEIGHTS), map_location="cpu", weights_only=True)
    prefix = "embedding_net."
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
