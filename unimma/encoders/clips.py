"""What the encoders of clips share: windows of as many frames as a network takes, that overlap by half, and moments.

A moment is what a network makes one token in time of: a frame, or two of them (a tubelet).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import described, part_of
from unimma.encoders.sequences import merged, padded, window_starts
from unimma.encoders.vision import device_of, in_stacks, network_of, seen_size
from unimma.types import Modality, Video

WINDOWS_AT_ONCE = 8  # in a network at a time: one of 16 frames is some 1,600 tokens


class ClipEncoder:
    """Clips → the mean of what their windows become, [B, D]; as a sequence, their moments, each with its time.

    The base of a family, whose class says in `kinds` which classes of transformers it goes with, and what `info` holds.
    All decoded frames are seen: where there are more than a window takes, in windows that overlap by half, and a moment
    is the mean over the windows that it is in.

    Args:
        checkpoint: a repository on the Hugging Face Hub, or a folder.
        revision: of the repository: a branch, tag or commit.
    Raises:
        ModelError: it cannot be had, is damaged, or is of another architecture.
    """

    modality = Modality.VIDEO
    info: EncoderInfo
    kinds: tuple[str, ...]
    fixed = True  # whether a window always has all its frames: those of a shorter clip are then shown longer
    step = 1  # frames of a moment
    dim: int
    token_dim: int

    def __init__(self, checkpoint: str, revision: str | None) -> None:
        self.network = self._load(checkpoint, revision)
        self.processor = self._processor(checkpoint, revision)
        self.num_frames, self.step, self.dim = self._shape(self.network.config)
        self.token_dim = self.dim
        seen = f"windows of {self.num_frames} frames, {seen_size(self.processor)}, that overlap by half"
        self.info = described(self.info, checkpoint, revision, features=self.dim, input=seen)

    def prepare(self, item: Video) -> Prepared:
        """`pixels`: float32 [num_frames, 3, height, width] as the checkpoint's own processor makes them.

        `times`: float32 [num_moments, 2], seconds: from a moment's first frame to the beginning of the next moment.
        """
        chosen = self._chosen(len(item.frames))
        ends = np.append(item.times[1:], max(item.duration_s, item.times[-1]))
        times = np.stack([item.times[chosen[:: self.step]], ends[chosen[self.step - 1 :: self.step]]], axis=1)
        return {"pixels": self._pixels(item)[torch.from_numpy(chosen)], "times": torch.from_numpy(times).float()}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Rows, float32 [B, D]."""
        return torch.stack(
            [torch.stack([window[0] for window in windows]).mean(dim=0) for windows in self._seen(batch)]
        )

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Moments, float32 [B, T, D], and their times in seconds [B, T, 2]; NaN beyond the last."""
        tokens = []
        for item, windows in zip(batch, self._seen(batch), strict=True):
            starts = [start // self.step for start in window_starts(len(item["pixels"]), self.num_frames, self.step)]
            tokens.append(merged([window[1:] for window in windows], starts))
        return padded(tokens, [item["times"] for item in batch])

    def _load(self, checkpoint: str, revision: str | None) -> nn.Module:
        return network_of(self.kinds, checkpoint, revision)

    def _processor(self, checkpoint: str, revision: str | None) -> Any:
        return part_of("AutoVideoProcessor", checkpoint, revision)

    def _shape(self, config: Any) -> tuple[int, int, int]:
        """Frames of a window, frames of a moment, features."""
        raise NotImplementedError

    def _forward(self, inputs: Prepared) -> Tensor:
        """Windows [N, num_frames, 3, height, width] → the window as a whole, then its moments: [N, 1 + moments, D]."""
        raise NotImplementedError

    def _pixels(self, item: Video) -> Tensor:
        """Every frame as the network takes it: float32 [num_frames, 3, height, width]."""
        frames = torch.from_numpy(item.frames.transpose(0, 3, 1, 2).copy())
        options = {"do_sample_frames": False, "input_data_format": "channels_first", "return_tensors": "pt"}
        (pixels,) = self.processor(videos=[frames], **options).values()
        made: Tensor = pixels[0]
        return made

    def _chosen(self, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Which frames are shown: all; the last again to fill a moment, all of them longer to fill a fixed window."""
        if self.fixed and count < self.num_frames:
            return np.linspace(0, count - 1, self.num_frames).round().astype(np.int64)
        return np.arange(-(-count // self.step) * self.step).clip(max=count - 1)

    def _seen(self, batch: Sequence[Prepared]) -> list[list[Tensor]]:
        """For every clip what `_forward` makes of each of its windows."""
        size = self.num_frames
        starts = [window_starts(len(item["pixels"]), size, self.step) for item in batch]
        windows = [
            {"pixels": item["pixels"][start : start + size]}
            for item, own in zip(batch, starts, strict=True)
            for start in own
        ]
        made = iter(in_stacks(windows, self._forward, device_of(self.network), WINDOWS_AT_ONCE))
        return [[next(made) for _ in own] for own in starts]


def whole_and_moments(states: Tensor, num_moments: int) -> Tensor:
    """Patches, one moment after the other, [N, moments · patches, D] → the mean of all, then of each moment's."""
    moments = states.unflatten(1, (num_moments, -1)).mean(dim=2)
    return torch.cat([moments.mean(dim=1, keepdim=True), moments], dim=1)
