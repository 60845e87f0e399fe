"""Encoders made of encoders: several of one modality side by side, and clips as frames over time plus their sound."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from unimma.encoders.base import Encoder, EncoderInfo, Prepared
from unimma.encoders.sequences import padded
from unimma.types import Image, Modality, Video


class JoinedEncoder:
    """Several encoders of one modality; their features side by side, in the order given: [B, sum of dims]."""

    def __init__(self, parts: Mapping[str, Encoder]) -> None:
        self.parts = dict(parts)
        infos = [part.info for part in self.parts.values()]
        self.modality = next(iter(self.parts.values())).modality
        self.dim = sum(part.dim for part in self.parts.values())
        self.info = EncoderInfo(
            paper="; ".join(info.paper for info in infos),
            licence="; ".join(info.licence for info in infos),
            input="; ".join(info.input for info in infos),
            weights="; ".join(info.weights for info in infos),
            commercial=all(info.commercial for info in infos),
        )
        self.network: nn.Module = nn.ModuleDict({name: part.network for name, part in self.parts.items()})

    def prepare(self, item: object) -> Prepared:
        """Every part's input, its names prefixed with the part's."""
        return {
            f"{name}/{key}": value for name, part in self.parts.items() for key, value in part.prepare(item).items()
        }

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """Features side by side, float32 [B, dim]."""
        return torch.cat([part.encode([_of(item, name) for item in batch]) for name, part in self.parts.items()], dim=1)


class Tower(Protocol):
    """An encoder and its head: what makes an embedding of one modality."""

    encoder: Encoder
    head: nn.Module

    def __call__(self, batch: Sequence[Prepared]) -> Tensor: ...


class FramesAndSound:
    """Clips → what their frames and their sound embed to, over time: [B, 4 D + 1].

    In this order: the mean of the frames' embeddings, the mean change from frame to frame (absolute), the way from the
    first to the last, the sound's embedding (zeros where there is none), and 1 or 0 for having a sound. As a sequence:
    the frames' embeddings, each at its time, and the sound's, if any, which lasts as long as the clip.

    Args:
        image, audio: towers of the same model; D is the width of their shared space.
        width: D.
        num_frames: how many of the decoded frames are looked at, spread evenly.
    """

    modality = Modality.VIDEO

    def __init__(self, image: Tower, audio: Tower, *, width: int, num_frames: int) -> None:
        self.image, self.audio, self.num_frames = image, audio, num_frames
        self.dim, self.token_dim = 4 * width + 1, width
        self.info = EncoderInfo(
            paper="frames through the image encoder, sound through the audio encoder",
            licence="as these",
            input=f"{num_frames} frames over the clip's length, and its sound",
            weights="as these",
        )
        # Nothing of its own, but another head or encoder below makes other features: they count in the fingerprint.
        below = [module for tower in (image, audio) for module in (tower.encoder.network, tower.head)]
        self.network: nn.Module = nn.ModuleList(below)

    def prepare(self, item: Video) -> Prepared:
        """`frame/…`: the image encoder's inputs, stacked [num_frames, …]; `sound/…`: the audio encoder's, if any.

        `times`: float32 [num_frames, 2] or, with a sound, [num_frames + 1, 2], seconds.
        """
        chosen = np.linspace(0, len(item.frames) - 1, min(self.num_frames, len(item.frames))).round().astype(int)
        frames = [self.image.encoder.prepare(Image(item.frames[i], item.name)) for i in chosen]
        prepared = {f"frame/{key}": torch.stack([frame[key] for frame in frames]) for key in frames[0]}
        times = [(float(item.times[i]), float(item.times[i])) for i in chosen]
        if item.sound is not None:
            times.append((0.0, item.sound.duration_s))
            prepared |= {f"sound/{key}": value for key, value in self.audio.encoder.prepare(item.sound).items()}
        return prepared | {"times": torch.tensor(times)}

    def encode(self, batch: Sequence[Prepared]) -> Tensor:
        """float32 [B, 4 D + 1]."""
        return torch.stack([self._encode_one(item) for item in batch])

    def encode_sequence(self, batch: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
        """Frames and sound one after the other, float32 [B, T, D], and their times [B, T, 2]; NaN beyond the last."""
        streams = [self._embed(item) for item in batch]
        tokens = [z if heard is None else torch.cat([z, heard[None]]) for z, heard in streams]
        return padded(tokens, [item["times"] for item in batch])

    def _encode_one(self, item: Prepared) -> Tensor:
        z, heard = self._embed(item)
        change = z.diff(dim=0).abs().mean(dim=0) if len(z) > 1 else torch.zeros_like(z[0])
        sound = torch.zeros_like(z[0]) if heard is None else heard
        return torch.cat([z.mean(dim=0), change, z[-1] - z[0], sound, z.new_tensor([float(heard is not None)])])

    def _embed(self, item: Prepared) -> tuple[Tensor, Tensor | None]:
        """The frames' embeddings [num_frames, D], and the sound's [D] if there is one."""
        frames, sound = _of(item, "frame"), _of(item, "sound")
        count = len(next(iter(frames.values())))
        z = self.image([{key: value[i] for key, value in frames.items()} for i in range(count)])
        return z, self.audio([sound])[0] if sound else None


def _of(item: Prepared, prefix: str) -> Prepared:
    return {key.removeprefix(f"{prefix}/"): value for key, value in item.items() if key.startswith(f"{prefix}/")}
