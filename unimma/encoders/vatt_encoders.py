"""VATT's three ways into its common space, one per modality; or their features alone, for heads of one's own.

`checkpoint` is an .npz that `train/convert_vatt.py` wrote, or its folder, with the model's config.json beside it (and
for text the original's vocabulary, howto100m_en.txt); where it is not given, UNIMMA_VATT_CHECKPOINT names it. The
common space is described at `FactorisedHead.common`.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from unimma.encoders import vatt_front as front
from unimma.encoders.base import EncoderInfo, Prepared
from unimma.encoders.pretrained import half_on_gpu
from unimma.encoders.registry import register
from unimma.encoders.sequences import padded, window_starts
from unimma.encoders.spectrogram import resample
from unimma.encoders.vatt import VATT, VATTClassifier, network_from, read_config
from unimma.encoders.vatt_network import Features, TextBackbone, UnifiedBackbone
from unimma.errors import ModelError
from unimma.types import Audio, Modality, Text, Video

CHECKPOINT_VARIABLE = "UNIMMA_VATT_CHECKPOINT"
_BATCH = 8  # windows that go through the network at once: bounds the memory of a long item
_TOKEN_S = 0.08  # a patch of sound is 2.7 ms long: a token is the mean of the 30 in this time
_INFO = EncoderInfo(
    paper="Akbari et al. 2021, VATT, arXiv 2104.11178",
    licence="Apache-2.0 (the original's repository, which links the weights)",
    input="as many frames, samples or words as its table of positions has place for",
    weights="checkpoints of the original, such as tx_fac_mbs, converted by train/convert_vatt.py and named by path",
    features=768,
    verified="both architectures equal to the original (TensorFlow 2.15) within 1e-4, on random weights",
)
# Parts of parameters' names that belong to one tower, and so what is not the others'.
_VIDEO = {"vid_backbone", "video", "vid_agg_embedding", "vid_to_hid", "hid_to_va", "vid_to_vat"}
_AUDIO = {"aud_backbone", "audio", "aud_agg_embedding", "aud_to_va", "aud_to_vat"}
_TEXT = {"txt_backbone", "text", "txt_agg_embedding", "txt_to_vat"}
_FOREIGN = {
    Modality.VIDEO: _AUDIO | _TEXT,
    Modality.AUDIO: _VIDEO | _TEXT,
    Modality.TEXT: _VIDEO | _AUDIO | {"va_to_vat"},
}


class _VattEncoder:
    """What the three share: windows along the item, each through the network, and their mean.

    Args:
        checkpoint: an .npz with config.json beside it, or a folder with weights.npz and config.json; "" for the one
            that the environment names.
        space: "common" for unit rows of the space that the three share, "features" for pooled features (a classifier
            has no others).
    Raises:
        ModelError: no checkpoint, files that are missing, damaged or of another model, or one without this modality or
            space.
    """

    modality: ClassVar[Modality]
    info = _INFO
    track: ClassVar[str]  # what of a prepared item the windows are cut from
    length: int  # of a window: frames, samples or words
    max_tokens: int | None = None  # of a window, in a sequence

    def __init__(self, checkpoint: str = "", space: str = "common") -> None:
        if space not in ("common", "features"):
            raise ModelError(f"the space {space!r} of VATT", '"common" or "features"', "Check the option.")
        named = checkpoint or os.environ.get(CHECKPOINT_VARIABLE, "")
        if not named:
            todo = f"Convert one with train/convert_vatt.py and set {CHECKPOINT_VARIABLE} to its folder."
            raise ModelError("VATT without a checkpoint", "the folder of a converted one", todo)
        self.path = Path(named) if named.endswith(".npz") else Path(named) / "weights.npz"
        self.network = _load(self.path)
        if space == "common" and not isinstance(self.network, VATT):
            came, todo = "a classifier of VATT, which has no common space", 'Choose space = "features".'
            raise ModelError(came, "a pre-trained VATT", todo)
        self.common = self.network.bridge if space == "common" and isinstance(self.network, VATT) else None
        self.token_dim = self.network.backbone(self.modality).width
        self.dim = self.token_dim if self.common is None else self.common.common_width
        said = self._set_up(self.network.native_sizes(self.modality))
        weights = f"{self.path.parent.name}/{self.path.name}"
        self.info = replace(_INFO, input=said, weights=weights, features=self.dim)
        self._foreign = _FOREIGN[self.modality] | ({"_ops"} if self.common else {"_ops", "_head_layer"})

    def uses(self, name: str) -> bool:
        """Whether a parameter of the network, which the three share, has a part in this one's embeddings."""
        return self._foreign.isdisjoint(name.split("."))

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """float32 [B, dim]: the mean over an item's windows by their lengths; unit rows in the common space."""
        rows = []
        for item, pooled in zip(batch, self._through(batch, lambda seen: seen["features_pooled"]), strict=True):
            z = pooled if self.common is None else self.common.common(self.modality, pooled)
            total = len(item[self.track])
            lengths = z.new_tensor([min(self.length, total - start) for start in self._starts(total)])
            rows.append((z * lengths[:, None]).sum(dim=0) / lengths.sum())
        return torch.stack(rows) if self.common is None else F.normalize(torch.stack(rows), dim=1)

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Features along the item, float32 [B, T, token_dim], and their times [B, T, 2]; NaN beyond the last.

        Of clips a token is the mean over a patch's frames, of sounds over 80 ms, of texts it is a word (its times are
        offsets of characters). Where windows overlap, the earlier one's tokens are given.
        """
        kept = []
        for item, tokens in zip(batch, self._through(batch, self._tokens), strict=True):
            total = len(item[self.track])
            starts = torch.tensor(self._starts(total), dtype=torch.float64)[:, None]
            edges = starts + torch.linspace(0, self.length, tokens.shape[1] + 1, dtype=torch.float64)
            covered = torch.cat([torch.zeros(1), edges[:-1, -1]])[:, None]
            new = (edges[:, 1:] > covered + 1e-6) & (edges[:, :-1] < total)
            times = self._times(item, edges[:, :-1][new], edges[:, 1:][new].clamp(max=total))
            kept.append((tokens[new.to(tokens.device)], times.to(tokens.device, torch.float32)))
        return padded([tokens for tokens, _ in kept], [times for _, times in kept])

    def _set_up(self, sizes: tuple[int, ...]) -> str:
        """Learn from the network's native sizes how long a window is; returns what `info` says of the input."""
        raise NotImplementedError

    def _times(self, item: Prepared, begins: Tensor, ends: Tensor) -> Tensor:
        """Frames, samples or words → seconds or characters, [T, 2]."""
        raise NotImplementedError

    def _ready(self, windows: Tensor) -> Tensor:
        """Windows as they were cut → as the network takes them."""
        raise NotImplementedError

    def _starts(self, total: int) -> list[int]:
        return window_starts(total, self.length)

    def _filled(self, x: Tensor) -> Tensor:
        """What is too short for the last window, made long enough: as in training, it begins again."""
        return front.repeated(x, self.length)

    def _through(self, batch: Sequence[Prepared], take: Callable[[Features], Tensor]) -> tuple[Tensor, ...]:
        """What is taken of the network's features of each item's windows: float32 [windows, …] an item."""
        device = next(self.network.parameters()).device
        cut = []
        for item in batch:
            x = self._filled(item[self.track])
            cut.append([x[start : start + self.length] for start in self._starts(len(item[self.track]))])
        windows = [window for own in cut for window in own]
        taken = []
        for first in range(0, len(windows), _BATCH):
            ready = self._ready(torch.stack(windows[first : first + _BATCH]).to(device))
            with half_on_gpu(device):
                features = self.network.features_of(self.modality, ready)
            taken.append(take(features).float())
        parts: tuple[Tensor, ...] = torch.cat(taken).split([len(own) for own in cut])
        return parts

    def _tokens(self, features: Features) -> Tensor:
        """[B, time, …, D] → [B, tokens, D]: the mean over whatever is not time, and over stretches of time."""
        along = features["features"].float()
        along = along.flatten(2, -2).mean(dim=2) if along.ndim > 3 else along
        if self.max_tokens is None or along.shape[1] <= self.max_tokens:
            return along
        return F.adaptive_avg_pool1d(along.transpose(1, 2), self.max_tokens).transpose(1, 2)


@register("vatt-video")
class VattVideoEncoder(_VattEncoder):
    """Clips → their embedding; windows of as many frames as in training, overlapping by half."""

    modality = Modality.VIDEO
    info = replace(_INFO, input="windows of 32 frames that overlap by half, 224 x 224 px, up to 10 a second")
    track = "frames"

    def _set_up(self, sizes: tuple[int, ...]) -> str:
        self.length, self.height, self.width = sizes
        size = f"{self.width} x {self.height} px"
        return f"windows of {self.length} frames that overlap by half, {size}, up to 10 a second"

    def prepare(self, item: Video) -> Prepared:
        """`frames`: uint8 [ticks, height, width, 3]; `step_s`: seconds from one to the next."""
        chosen, step_s = front.ticks(item)
        frames = front.crop_frames(item.frames[chosen], self.height, self.width)
        return {"frames": frames, "step_s": torch.tensor(step_s, dtype=torch.float64)}

    def _ready(self, windows: Tensor) -> Tensor:
        return front.centred(windows)

    def _times(self, item: Prepared, begins: Tensor, ends: Tensor) -> Tensor:
        return torch.stack([begins, ends], dim=1) * item["step_s"]


@register("vatt-audio")
class VattAudioEncoder(_VattEncoder):
    """Sounds → their embedding; windows as long as in training, overlapping by half."""

    modality = Modality.AUDIO
    info = replace(_INFO, input="48 kHz, one channel, any length; windows of 3.2 s that overlap by half")
    track = "waveform"

    def _set_up(self, sizes: tuple[int, ...]) -> str:
        self._num_bands = sizes[1] if len(sizes) > 1 else None  # of a spectrogram
        self.length = sizes[0] if self._num_bands is None else sizes[0] * front.STEP_SAMPLES
        self.max_tokens = max(1, round(self.length / front.RATE_HZ / _TOKEN_S))
        seconds = self.length / front.RATE_HZ
        return f"48 kHz, one channel, any length; windows of {seconds:g} s that overlap by half"

    def prepare(self, item: Audio) -> Prepared:
        """`waveform`: float32 [num_samples] at 48 kHz."""
        return {"waveform": resample(torch.tensor(item.waveform), item.rate_hz, front.RATE_HZ)}

    def _ready(self, windows: Tensor) -> Tensor:
        seen = windows if self._num_bands is None else front.log_mel(windows, self._num_bands)
        return seen[..., None]

    def _times(self, item: Prepared, begins: Tensor, ends: Tensor) -> Tensor:
        return torch.stack([begins, ends], dim=1) / front.RATE_HZ


@register("vatt-text")
class VattTextEncoder(_VattEncoder):
    """Texts → their embedding; read whole, in pieces of as many words as in training."""

    modality = Modality.TEXT
    info = replace(_INFO, input="English words, 65,536 of them known, without punctuation; pieces of 16 words")
    track = loses_tokens = "words"

    def _set_up(self, sizes: tuple[int, ...]) -> str:
        self.length = sizes[0] if sizes else front.MAX_WORDS
        backbone = self.network.backbone(Modality.TEXT)
        assert isinstance(backbone, TextBackbone | UnifiedBackbone)
        self._words = front.Words(self.path.with_name(front.VOCABULARY), backbone.num_words)
        known = f"{backbone.num_words:,} of them known"
        return f"English words, {known}, without punctuation; pieces of {self.length} words"

    def prepare(self, item: Text) -> Prepared:
        """`words`: int64 [n], numbers in the vocabulary; `offsets`: float64 [n, 2], where each stands in the text."""
        words, offsets = self._words.read(item.text)
        return {"words": words, "offsets": offsets}

    def _starts(self, total: int) -> list[int]:
        return list(range(0, total, self.length))

    def _filled(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, -len(x) % self.length))  # 0 is padding, which the network passes over

    def _ready(self, windows: Tensor) -> Tensor:
        return windows

    def _times(self, item: Prepared, begins: Tensor, ends: Tensor) -> Tensor:
        first, last = begins.round().long(), ends.round().long() - 1
        return torch.stack([item["offsets"][first, 0], item["offsets"][last, 1]], dim=1)


@cache
def _load(path: Path) -> VATT | VATTClassifier:
    """One network for all towers of a checkpoint: whichever is made first loads it."""
    network = network_from(path, read_config(path.with_name("config.json")))
    return network.requires_grad_(False)
