"""CAV-MAE's two branches as encoders: sounds and pictures in one space, from an original checkpoint on this machine.

Gong et al. 2023, Contrastive Audio-Visual Masked Autoencoder, ICLR, openreview.net/forum?id=QPtMRyk5rb. Sounds and
pictures that belong together lie close: the mean over the patches, of unit length, is what the authors retrieve with.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.cav_mae_branches import PUBLISHED_HEADS, CAVMAEBranches, Way
from unimma.encoders.cav_mae_front_end import (
    HOP_S,
    RATE_HZ,
    WINDOW_SAMPLES,
    fit_length,
    image_input,
    log_mel,
    normalise_fbank,
)
from unimma.encoders.registry import register
from unimma.encoders.sequences import merged, padded, window_starts
from unimma.encoders.spectrogram import resample
from unimma.errors import ModelError
from unimma.types import Audio, Image, Modality

CHECKPOINT_VARIABLE = "UNIMMA_CAV_MAE_CHECKPOINT"
_WINDOWS_AT_ONCE = 16  # through the network: bounds the memory of a long sound
_INFO = EncoderInfo(
    paper="Gong et al. 2023, Contrastive Audio-Visual Masked Autoencoder, ICLR, arXiv 2210.07839",
    licence="BSD-2-Clause, trained on from Masked Autoencoders' weights, which are CC BY-NC 4.0",
    input="as the checkpoint was trained",
    weights="CAV-MAE-Scale++ of github.com/YuanGongND/cav-mae, a .pth named by its path",
    features=768,
    verified="equal to the original code on random weights (features 1e-4, filterbank 1e-3, pictures 1e-5)",
    commercial=False,
)


class _Branch:
    """What both encoders share.

    Args:
        checkpoint: path of an original .pth, pretrained or fine-tuned; "" for the one that the environment names.
        num_heads: of its attention, which the file does not tell; all published ones have 12.
    Raises:
        ModelError: no such file, a damaged one, another network's, or one without this branch.
    """

    info: EncoderInfo
    way: Way

    def __init__(self, checkpoint: str = "", num_heads: int = PUBLISHED_HEADS) -> None:
        path = checkpoint or os.environ.get(CHECKPOINT_VARIABLE, "")
        if not path:
            todo = f"Fetch one from github.com/YuanGongND/cav-mae and set {CHECKPOINT_VARIABLE} to its path."
            raise ModelError("CAV-MAE without a checkpoint", "the path of an original .pth", todo)
        self.network = _load(path, num_heads)
        self.config = self.network.config
        self.dim = self.token_dim = self.config.width
        self.info = replace(self.info, weights=Path(path).name, features=self.dim)

    def uses(self, name: str) -> bool:
        """Whether a parameter of the network, which holds both branches, belongs to this one."""
        top = name.partition(".")[0]
        if top == "blocks_u":
            return ".norm" not in name or f"{self.way}." in name
        return top.endswith(self.way) and not re.search(r"\.norm\d_", name)  # every block holds the norms of all ways

    @property
    def device(self) -> torch.device:
        """Where the network is now."""
        return self.network.get_parameter("norm_a.weight").device

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")


@register("cav-mae-audio")
class CAVMAEAudioEncoder(_Branch):
    """Sounds → unit rows of the space that they share with pictures: [B, D].

    A sound longer than the network hears at once goes through in windows that overlap by half; its embedding is the
    mean of theirs. A shorter one is filled up as the authors do it, with zeros behind the filterbank.
    """

    modality = Modality.AUDIO
    info = replace(_INFO, input="16 kHz, one channel, any length; windows of 10.24 s that overlap by half")
    way: Way = "_a"

    def __init__(self, checkpoint: str = "", num_heads: int = PUBLISHED_HEADS) -> None:
        super().__init__(checkpoint, num_heads)
        seconds = self.config.num_frames * HOP_S
        said = f"16 kHz, one channel, any length; windows of {seconds:g} s that overlap by half"
        self.info = replace(self.info, input=said)

    def prepare(self, item: Audio) -> Prepared:
        """`fbank`: float32 [frames, 128], one frame at least, not yet normalised; `duration_s`: float32, a scalar."""
        waveform = resample(torch.tensor(item.waveform), item.rate_hz, RATE_HZ)
        waveform = F.pad(waveform, (0, max(0, WINDOW_SAMPLES - len(waveform))))
        return {"fbank": log_mel(waveform), "duration_s": torch.tensor(item.duration_s)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""
        starts = [self._starts(item) for item in batch]
        windows = F.normalize(self._hear(batch, starts).mean(dim=(1, 2)), dim=1)
        means = [own.mean(dim=0) for own in windows.split([len(s) for s in starts])]
        return F.normalize(torch.stack(means), dim=1)

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """A token every 0.16 s (the width of a patch): the mean over its patches of all pitches and windows.

        Returns:
            float32 [B, T, D] and [B, T, 2], seconds; times are NaN beyond a sound's end.
        """
        starts = [self._starts(item) for item in batch]
        windows = self._hear(batch, starts).mean(dim=1).split([len(s) for s in starts])
        tokens = [self._join(own, s, item) for own, s, item in zip(windows, starts, batch, strict=True)]
        times = [self._times(len(own), item).to(own.device) for own, item in zip(tokens, batch, strict=True)]
        return padded(tokens, times)

    def _starts(self, item: Prepared) -> list[int]:
        """The windows' first columns; the last window reaches the sound's end, and past it by less than a column."""
        return window_starts(self._num_columns(item), self.config.audio_grid[1])

    def _num_columns(self, item: Prepared) -> int:
        return -(-len(item["fbank"]) // self.config.patch)

    def _hear(self, batch: Sequence[Prepared], starts: Sequence[Sequence[int]]) -> Tensor:
        """Features of all windows, in order: float32 [windows, rows, columns, D]."""
        patch, num_frames = self.config.patch, self.config.num_frames
        windows = [
            fit_length(item["fbank"][start * patch : start * patch + num_frames], num_frames)
            for item, own in zip(batch, starts, strict=True)
            for start in own
        ]
        heard = []
        for first in range(0, len(windows), _WINDOWS_AT_ONCE):
            part = torch.stack(windows[first : first + _WINDOWS_AT_ONCE]).to(self.device)
            with self._autocast():
                heard.append(self.network.audio_features(normalise_fbank(part)).float())
        grids: Tensor = torch.cat(heard).unflatten(1, self.config.audio_grid)
        return grids

    def _join(self, windows: Tensor, starts: Sequence[int], item: Prepared) -> Tensor:
        """[windows, columns, D] → [T, D]: the mean where windows overlap, nothing of what was filled up."""
        return merged(list(windows), starts)[: self._num_columns(item)]

    def _times(self, count: int, item: Prepared) -> Tensor:
        edges = torch.arange(count + 1) * (self.config.patch * HOP_S)
        edges[-1] = item["duration_s"]
        return torch.stack([edges[:-1], edges[1:]], dim=1)


@register("cav-mae-image")
class CAVMAEImageEncoder(_Branch):
    """Pictures → unit rows of the space that they share with sounds: [B, D]; the middle square of each, as trained."""

    modality = Modality.IMAGE
    info = replace(_INFO, input="224 x 224 px, the middle square of the picture")
    way: Way = "_v"

    def __init__(self, checkpoint: str = "", num_heads: int = PUBLISHED_HEADS) -> None:
        super().__init__(checkpoint, num_heads)
        side = self.config.image_side_px
        if not side:
            came = f"{self.info.weights}, a CAV-MAE that only hears"
            raise ModelError(came, "one with a visual branch", "Use another checkpoint for pictures.")
        self.info = replace(self.info, input=f"{side} x {side} px, the middle square of the picture")

    def prepare(self, item: Image) -> Prepared:
        """`pixels`: float32 [3, side, side], normalised."""
        return {"pixels": image_input(item.pixels, self.config.image_side_px)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Unit rows, float32 [B, D]."""
        return F.normalize(self._see(batch).mean(dim=1), dim=1)

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """The patches row by row, float32 [B, Lv, D]; times [B, Lv, 2] are zeros: a picture lasts no time."""
        tokens = self._see(batch)
        return tokens, tokens.new_zeros(*tokens.shape[:2], 2)

    def _see(self, batch: Sequence[Prepared]) -> Tensor:
        pixels = torch.stack([item["pixels"] for item in batch]).to(self.device)
        with self._autocast():
            return self.network.image_features(pixels).float()


@cache
def _load(path: str, num_heads: int) -> CAVMAEBranches:
    """One network for both branches: whichever is made first loads it."""
    return CAVMAEBranches.from_checkpoint(path, num_heads).requires_grad_(False)
