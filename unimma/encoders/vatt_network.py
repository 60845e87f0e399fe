"""The networks of VATT: backbones that turn patches or words into features, and heads that bring these together.

Akbari et al. 2021, arXiv 2104.11178; the factorised head is that of Alayrac et al. 2020, "Self-Supervised MultiModal
Versatile Networks", arXiv 2006.16228. Modules are named as the variables of the published checkpoints, and options as
in the originals' configs. What an original can be told beside that (another activation, norms behind the layers, masks
over sound and video) none of the published was; it is refused.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.vatt_layers import Positions, T5Encoder, Transformer
from unimma.errors import ModelError
from unimma.types import Modality

Config = Mapping[str, Any]
Features = dict[str, Tensor]
_FRONT = {
    Modality.VIDEO: "vid_agg_embedding",
    Modality.AUDIO: "aud_agg_embedding",
    Modality.TEXT: "txt_agg_embedding",
}
_FIXED = {"activation": "gelu", "pre_norm": True, "use_masking": False, "post_proj_activation": "gelu"}
_FIXED_OF_TEXT = {"activation": "gelu", "use_agg_token": True, "is_transformer": True, "d_post_proj": None}


class MediaBackbone(nn.Module):
    """Patches of a clip, a waveform or a spectrogram → their features, and a pooled one: that of a token in front.

    A config with `spatial_patch_size` is of clips [B, T, height, width, 3] in [-1, 1], one with `spectoral_patch_size`
    of spectrograms [B, T, bands, 1], any other of waveforms [B, n, 1].
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_others(config, _FIXED)
        width, epsilon, time = config["d_model"], config["layer_norm_epsilon"], config["temporal_patch_size"]
        if "spatial_patch_size" in config:
            side = config["spatial_patch_size"]
            self.voxel_to_patch = _convolution(nn.Conv3d, 3, width, (time, side, side))
            self.patching, axes = "voxel_to_patch", ["temporal", "vertical", "horizontal"]
        elif "spectoral_patch_size" in config:
            self.spectrum_to_patch = _convolution(nn.Conv2d, 1, width, (time, config["spectoral_patch_size"]))
            self.patching, axes = "spectrum_to_patch", ["spectoral", "temporal"]
        else:
            self.wave_to_patch = _convolution(nn.Conv1d, 1, width, (time,), config["temporal_patch_stride"])
            self.patching, axes = "wave_to_patch", ["temporal"]
        self.pre_proj = nn.Linear(width, width) if config["pre_projection"] else None
        self.pos_embedding_lookup = Positions({axis: config[f"max_{axis}_buckets"] for axis in axes}, width, epsilon)
        self.agg_embedding = nn.Parameter(torch.empty(width))
        self.tx = _transformer(config)
        self.post_proj = nn.Linear(width, config["d_post_proj"]) if config["post_projection"] else None
        self.width: int = config["d_post_proj"] if config["post_projection"] else width

    def forward(self, x: Tensor) -> Features:
        """`patch_embeddings` [B, N, D], `features` [B, grid…, width] and `features_pooled` [B, width]."""
        patches, grid = patches_of(self.get_submodule(self.patching), x)
        z = patches if self.pre_proj is None else F.gelu(self.pre_proj(patches))
        # The original lays out a spectrogram's positions bands first and its patches time first, and so do we.
        sizes = grid[::-1] if self.patching == "spectrum_to_patch" else grid
        z = self.tx(behind(self.agg_embedding, z + self.pos_embedding_lookup(*sizes)))
        z = z if self.post_proj is None else F.gelu(self.post_proj(z))
        return {
            "patch_embeddings": patches,
            "features": z[:, 1:].unflatten(1, grid),
            "features_pooled": z[:, 0],
        }

    def native_sizes(self) -> tuple[int, ...]:
        """Of an input that has as many patches as there are positions; see `native_sizes`."""
        sizes = self.pos_embedding_lookup.sizes
        return native_sizes(
            self.get_submodule(self.patching), sizes[::-1] if self.patching == "spectrum_to_patch" else sizes
        )


class TextBackbone(nn.Module):
    """Word ids [B, words], 0 for padding → features of each word, and a pooled one: that of a token in front."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_others(config, _FIXED_OF_TEXT)
        self.width: int = config["d_model"]
        self.num_words: int = config["vocab_size"]
        self.embedding = nn.Embedding(config["vocab_size"], config["d_embedding"])
        self.agg_embedding = nn.Parameter(torch.empty(config["d_embedding"]))
        before = config["d_pre_proj"]
        self.pre_proj = None if before is None else nn.Linear(config["d_embedding"], before, bias=False)
        self.base_lm = T5Encoder(
            self.width,
            config["num_heads"],
            config["d_kv"],
            config["d_ff"],
            config["num_layers"],
            epsilon=config["layer_norm_epsilon"],
            num_buckets=config["num_relative_buckets"],
            max_distance=config["max_relative_distance"],
        )

    def forward(self, token_ids: Tensor) -> Features:
        """`features` [B, words, width], `features_pooled` [B, width], `attention_mask` int32 [B, words]."""
        mask = (token_ids != 0).int()
        z = behind(self.agg_embedding, self.embedding(token_ids))
        z = z if self.pre_proj is None else F.gelu(self.pre_proj(z))
        z = self.base_lm(z, F.pad(mask, (1, 0), value=1))
        return {"features": z[:, 1:], "features_pooled": z[:, 0], "attention_mask": mask}

    def native_sizes(self) -> tuple[int, ...]:
        """Nothing: it reads any number of words, for their distances alone count."""
        return ()


class UnifiedBackbone(nn.Module):
    """One Transformer for all three: what goes in and what comes out is projected by a layer of each modality's own."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_others(config, _FIXED)
        width, epsilon = config["d_model"], config["layer_norm_epsilon"]
        time, side = config["vid_temporal_patch_size"], config["vid_spatial_patch_size"]
        across = config["max_vid_spatial_buckets"]
        tables = {
            "video": {"temporal": config["max_vid_temporal_buckets"], "vertical": across, "horizontal": across},
            "audio": {"temporal": config["max_aud_temporal_buckets"]},
            "text": {"temporal": config["max_txt_temporal_buckets"]},
        }
        raw = {"video": width, "audio": width, "text": config["txt_embedding_dim"]}
        self.width: int = config["d_post_proj"]
        self.num_words: int = config["txt_vocab_size"]
        self.raw_to_embeddings = nn.ModuleDict(
            {
                "video": _convolution(nn.Conv3d, 3, width, (time, side, side)),
                "audio": _convolution(nn.Conv1d, 1, width, (config["aud_temporal_patch_size"],)),
                "text": nn.Embedding(config["txt_vocab_size"], raw["text"]),
            }
        )
        self.pre_proj = nn.ModuleDict({name: nn.Linear(size, width) for name, size in raw.items()})
        self.pos_embedding_lookup = nn.ModuleDict({n: Positions(sizes, width, epsilon) for n, sizes in tables.items()})
        self.vid_agg_embedding = nn.Parameter(torch.empty(width))
        self.aud_agg_embedding = nn.Parameter(torch.empty(width))
        self.txt_agg_embedding = nn.Parameter(torch.empty(width))
        self.tx = _transformer(config)
        self.post_proj = nn.ModuleDict({name: nn.Linear(width, self.width) for name in tables})

    def forward(self, x: Tensor, modality: Modality) -> Features:
        """Clips or waveforms → as `MediaBackbone`; word ids → as `TextBackbone`."""
        raw, out, seen = self.raw_to_embeddings[modality], {}, None
        if modality is Modality.TEXT:
            embedded, grid, mask = raw(x), tuple(x.shape[1:]), (x != 0).int()
            out["attention_mask"], seen = mask, F.pad(mask, (1, 0), value=1)
        else:
            embedded, grid = patches_of(raw, x)
            out["patch_embeddings"] = embedded
        z = F.gelu(self.pre_proj[modality](embedded)) + self.pos_embedding_lookup[modality](*grid)
        z = self.tx(behind(self.get_parameter(_FRONT[modality]), z), seen)
        z = F.gelu(self.post_proj[modality](z))
        return out | {"features": z[:, 1:].unflatten(1, grid), "features_pooled": z[:, 0]}

    def native_sizes(self, modality: Modality) -> tuple[int, ...]:
        """Of an input that has as many patches, or words, as there are positions; see `native_sizes`."""
        raw, positions = self.raw_to_embeddings[modality], self.pos_embedding_lookup[modality]
        assert isinstance(positions, Positions)
        return positions.sizes if modality is Modality.TEXT else native_sizes(raw, positions.sizes)


def patches_of(convolution: nn.Module, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Channels-last [B, sizes…, C] → patches [B, N, D] and how many along each axis; a rest at the end is dropped.

    Raises:
        ModelError: another number of axes or channels, or less than one patch.
    """
    assert isinstance(convolution, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    kernel, channels = convolution.kernel_size, convolution.in_channels
    if x.ndim != len(kernel) + 2 or x.shape[-1] != channels:
        came, expected = f"an input of shape {list(x.shape)}", f"{len(kernel) + 2} axes, the last of {channels}"
        raise ModelError(came, expected, "Bring the input into that shape.")
    if any(size < step for size, step in zip(x.shape[1:-1], kernel, strict=True)):
        came, expected = f"an input of size {list(x.shape[1:-1])}", f"one patch of {list(kernel)} at least"
        raise ModelError(came, expected, "Give it a longer or larger input.")
    grid: Tensor = convolution(x.movedim(-1, 1))
    return grid.flatten(2).transpose(1, 2), tuple(grid.shape[2:])


def native_sizes(convolution: nn.Module, num_patches: tuple[int, ...]) -> tuple[int, ...]:
    """The input that a convolution cuts into so many patches: frames, height, width; samples; steps, bands."""
    assert isinstance(convolution, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    each = zip(num_patches, convolution.stride, convolution.kernel_size, strict=True)
    return tuple((count - 1) * step + length for count, step, length in each)


def behind(front: Tensor, tokens: Tensor) -> Tensor:
    """A learned token [D] before the tokens [B, L, D] of every item: [B, 1 + L, D]."""
    return torch.cat([front.expand(len(tokens), 1, -1), tokens], dim=1)


def refuse_others(config: Config, fixed: Config) -> None:
    """Raises ModelError where a config sets an option to what this implementation does not do."""
    for name, value in fixed.items():
        if config.get(name, value) != value:
            came, expected = f"a VATT config with {name} = {config[name]!r}", f"{value!r}, as in all published models"
            raise ModelError(came, expected, "Use another checkpoint.")


def _convolution(
    kind: type[nn.Module], channels: int, width: int, kernel: tuple[int, ...], stride: int | None = None
) -> nn.Module:
    return kind(channels, width, kernel, stride=kernel if stride is None else stride)


def _transformer(config: Config) -> Transformer:
    return Transformer(
        config["d_model"],
        config["num_heads"],
        config["d_kv"],
        config["d_ff"],
        config["num_layers"],
        bias=config["use_bias"],
        epsilon=config["layer_norm_epsilon"],
    )
