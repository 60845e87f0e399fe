"""Sounds of any length for networks that hear a limited stretch: windows that overlap, of each frame the best one.

Where two windows overlap, the frames before the middle of the overlap are taken from the first and those behind it from
the second: each with as much heard on both sides of it as there is.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import half_on_gpu
from unimma.encoders.sequences import padded
from unimma.encoders.spectrogram import resample
from unimma.types import Audio, Modality

_OVERLAP = 1 / 6  # of a window, at least
_AT_ONCE = 8  # windows; bounds the memory of a long sound
Waveform = npt.NDArray[np.float32]
Hearing = tuple[Tensor, Tensor | None]  # frames [N, T, token_dim]; features of the windows [N, dim], if it has any


class Listener:
    """An encoder of sounds, window by window.

    Features are the mean over all frames or, where the network has features of a window, their mean by how much of the
    sound a window stands for. A family sets what is annotated here, and says in `inputs` and `hear` what it computes.
    """

    modality = Modality.AUDIO
    dim: int
    token_dim: int
    info: EncoderInfo
    network: nn.Module
    rate_hz: int
    window: int  # samples that are heard at once
    frame_step: float  # samples from frame to frame
    frame_width: float  # samples of a frame
    shortest = 1  # samples; a shorter sound is filled up with silence
    unit = False  # whether features have unit length

    def inputs(self, windows: Sequence[Waveform]) -> Tensor:
        """Waveforms, all of one length → what the network takes, float32 [W, …]."""
        raise NotImplementedError

    def hear(self, inputs: Tensor) -> Hearing:
        """[N, …] → frames, and features if there are any of a whole window."""
        raise NotImplementedError

    def level(self, waveform: Waveform) -> Waveform:
        """The whole waveform as the checkpoint wants it, before it is cut; as it is, if not said otherwise."""
        return waveform

    def num_frames(self, num_samples: int) -> int:
        """Frames that a window with that much sound has; what lies beyond is filling."""
        return math.ceil(num_samples / self.frame_step)

    def prepare(self, item: Audio) -> Prepared:
        """`inputs`: float32 [W, …]; `kept`: int64 [W, 2], first and behind the last frame that counts of each window.

        `times`: float32 [T, 2], seconds, of all frames that count.
        """
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, self.rate_hz)
        filled = F.pad(waveform, (0, max(0, self.shortest - len(waveform))))
        levelled = self.level(filled.numpy())
        starts = window_starts(len(levelled), self.window)
        kept, times = self._frames(starts, len(levelled))
        windows = [levelled[start : start + self.window] for start in starts]
        seconds = (times / self.rate_hz).clip(max=item.duration_s)
        return {"inputs": self.inputs(windows), "kept": torch.tensor(kept), "times": torch.from_numpy(seconds).float()}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Features, float32 [B, dim]."""
        rows = []
        for item, pooled in zip(batch, self._hear(batch, _pooled), strict=True):
            weights = item["kept"].diff(dim=1)[:, 0].to(pooled[0])
            rows.append(weights / weights.sum() @ torch.stack(pooled))
        features = torch.stack(rows)
        return F.normalize(features, dim=1) if self.unit else features

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Frames, float32 [B, T, token_dim], and where they lie in seconds [B, T, 2]; NaN beyond the last."""
        tokens = [torch.cat(frames) for frames in self._hear(batch, lambda frames, features: frames)]
        return padded(tokens, [item["times"] for item in batch])

    def measure(self) -> None:
        """Set `dim` and `token_dim` to what the network gives."""
        silence = self.inputs([self.level(np.zeros(max(self.shortest, 1), np.float32))])
        with torch.inference_mode():
            frames, features = self.hear(silence)
        self.token_dim = frames.shape[2]
        self.dim = self.token_dim if features is None else features.shape[1]

    def _frames(self, starts: Sequence[int], num_samples: int) -> tuple[list[tuple[int, int]], npt.NDArray[np.float64]]:
        """Which frames of each window count, and where these lie: [T, 2] in samples."""
        borders = [-math.inf, *((a + b + self.window) / 2 for a, b in pairwise(starts)), math.inf]
        kept, times = [], []
        for start, (low, high) in zip(starts, pairwise(borders), strict=True):
            first = start + self.frame_step * np.arange(self.num_frames(min(self.window, num_samples - start)))
            middle = first + self.frame_width / 2
            counts = np.flatnonzero((middle >= low) & (middle < high))
            kept.append((int(counts[0]), int(counts[-1]) + 1))
            times.append(np.stack([first, first + self.frame_width], axis=1)[counts])
        return kept, np.concatenate(times)

    def _hear(self, batch: Sequence[Prepared], take: Callable[[Tensor, Tensor | None], Tensor]) -> list[list[Tensor]]:
        """What `take` takes of every window's frames that count, and of its features, in float32: a list an item."""
        windows = [(x, *kept) for item in batch for x, kept in zip(item["inputs"], item["kept"].tolist(), strict=True)]
        device = next(self.network.parameters()).device
        taken: dict[int, Tensor] = {}
        for places in _of_one_shape([tuple(x.shape) for x, _, _ in windows]):
            with half_on_gpu(device):
                frames, features = self.hear(torch.stack([windows[place][0] for place in places]).to(device))
            for i, place in enumerate(places):
                _, first, end = windows[place]
                taken[place] = take(frames[i, first:end].float(), None if features is None else features[i].float())
        order = iter(range(len(windows)))
        return [[taken[next(order)] for _ in item["kept"]] for item in batch]


def window_starts(num_samples: int, window: int) -> list[int]:
    """First samples of windows that cover a sound and overlap; the last ends where the sound ends."""
    if num_samples <= window:
        return [0]
    count = math.ceil((num_samples - window) / (window - int(window * _OVERLAP))) + 1
    return [round(place) for place in np.linspace(0, num_samples - window, count)]


def _pooled(frames: Tensor, features: Tensor | None) -> Tensor:
    return frames.mean(dim=0) if features is None else features


def _of_one_shape(shapes: Sequence[Any]) -> list[list[int]]:
    """Places of windows that go through the network together: of one shape, and not too many."""
    by_shape: dict[Any, list[int]] = {}
    for place, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(place)
    return [
        places[start : start + _AT_ONCE] for places in by_shape.values() for start in range(0, len(places), _AT_ONCE)
    ]
