"""CAV-MAE's two branches, one that hears and one that sees: our own implementation for the original checkpoints.

Gong et al. 2023, Contrastive Audio-Visual Masked Autoencoder, ICLR, openreview.net/forum?id=QPtMRyk5rb. Parameters have
the names of the authors' files. A suffix tells the way through the network: "_a" for sound alone, "_v" for pictures
alone, "" for both together; the blocks that both share have norms of their own for each way. B items, La and Lv patches
of sound and picture, D the width.
"""

from pathlib import Path
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unimma.encoders.cav_mae_checkpoint import NUM_MELS, CAVMAEConfig, State, fill, read_sizes, read_state
from unimma.encoders.cav_mae_pretraining import sincos_positions
from unimma.errors import ModelError

Way = Literal["", "_a", "_v"]
PUBLISHED_HEADS, PUBLISHED_DECODER_HEADS = 12, 16
DECODER, HEAD = ("decoder_", "mask_token"), ("mlp_head.",)  # how the names of the other parts begin


class CAVMAEBranches(nn.Module):
    """Sound and picture, each on its own way through the network: what every kind of checkpoint has.

    Without a checkpoint it starts as the authors' training did: waves for positions, Xavier's weights.
    """

    unused: tuple[str, ...] = (*DECODER, *HEAD)

    def __init__(self, config: CAVMAEConfig) -> None:
        super().__init__()
        self.config = config
        ways: dict[Way, tuple[int, tuple[int, int]]] = {"_a": (1, config.audio_grid)}
        if config.image_side_px:
            ways["_v"] = (config.num_channels, config.image_grid)
        for way, (num_channels, grid) in ways.items():
            self.register_parameter(f"modality{way}", token(config.width))
            self.register_parameter(f"pos_embed{way}", positions(config.width, grid))
            self.add_module(f"patch_embed{way}", _Patches(num_channels, config.patch, config.width))
        for way in ways:
            self.add_module(f"blocks{way}", _stack(config, config.num_own_blocks))
        self.blocks_u = _stack(config, config.num_shared_blocks)
        for way in (*ways, ""):
            self.add_module(f"norm{way}", nn.LayerNorm(config.width))

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, num_heads: int = PUBLISHED_HEADS, decoder_num_heads: int = PUBLISHED_DECODER_HEADS
    ) -> Self:
        """The network of a .pth, in eval mode, on the CPU; all other sizes are read from the shapes.

        Raises:
            ModelError: no such file, a damaged one, another network's, or heads that do not fit.
        """
        return cls.from_state(read_state(path), num_heads, decoder_num_heads, source=Path(path).name)

    @classmethod
    def from_state(
        cls,
        state: State,
        num_heads: int = PUBLISHED_HEADS,
        decoder_num_heads: int = PUBLISHED_DECODER_HEADS,
        *,
        source: str = "the state dict",
    ) -> Self:
        """The same from tensors by name, which become the network's own where they are float32.

        Raises:
            ModelError: another network's, or heads that do not fit.
        """
        config = read_sizes(state, num_heads=num_heads, decoder_num_heads=decoder_num_heads, source=source)
        with torch.device("meta"):  # no memory, and no random numbers that would be overwritten
            network = cls(config)
        fill(network, state, unused=cls.unused, source=source)
        return network.eval()

    def audio_features(self, fbank: Tensor) -> Tensor:
        """Normalised filterbank [B, T, 128] → [B, La, D]; patches row by row, the lowest pitch first, time within."""
        return self._shared(self._own(self._hear(fbank), "_a"), "_a")

    def image_features(self, image: Tensor) -> Tensor:
        """Normalised pictures [B, 3, H, W] → [B, Lv, D]; patches row by row."""
        return self._shared(self._own(self._see(image), "_v"), "_v")

    def features(self, fbank: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Both, neither knowing of the other: [B, La, D] and [B, Lv, D].

        Raises:
            ModelError: inputs of another size than the network's, or a picture for one that only hears.
        """
        return self.audio_features(fbank), self.image_features(image)

    def _hear(self, fbank: Tensor) -> Tensor:
        if fbank.shape[1:] != (self.config.num_frames, NUM_MELS):
            expected = f"[B, {self.config.num_frames}, {NUM_MELS}]"
            raise ModelError(f"a filterbank {list(fbank.shape)}", expected, "Pad it, or cut it into windows.")
        return self._place(fbank.transpose(1, 2)[:, None], "_a")

    def _see(self, image: Tensor) -> Tensor:
        side = self.config.image_side_px
        if not side:
            raise ModelError("a picture for a CAV-MAE that only hears", "a sound", "Use another checkpoint.")
        if image.shape[1:] != (self.config.num_channels, side, side):
            expected = f"[B, {self.config.num_channels}, {side}, {side}]"
            raise ModelError(f"pictures {list(image.shape)}", expected, "Bring them to that size.")
        return self._place(image, "_v")

    def _place(self, pixels: Tensor, way: Way) -> Tensor:
        tokens: Tensor = self.get_submodule(f"patch_embed{way}")(pixels)
        return tokens + self.get_parameter(f"pos_embed{way}") + self.get_parameter(f"modality{way}")

    def _own(self, tokens: Tensor, way: Way) -> Tensor:
        for block in self.get_submodule(f"blocks{way}").children():
            tokens = block(tokens)
        return tokens

    def _shared(self, tokens: Tensor, way: Way) -> Tensor:
        for block in self.blocks_u:
            tokens = block(tokens, way)
        return self._norm(tokens, way)

    def _norm(self, tokens: Tensor, way: Way) -> Tensor:
        normed: Tensor = self.get_submodule(f"norm{way}")(tokens)
        return normed


class _Patches(nn.Module):
    def __init__(self, num_channels: int, patch: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(num_channels, width, patch, stride=patch)
        nn.init.xavier_uniform_(self.proj.weight.view(width, -1))
        nn.init.zeros_(self.proj.bias)  # type: ignore[arg-type]  # torch knows of convolutions without

    def forward(self, pixels: Tensor) -> Tensor:
        """[B, C, H, W] → [B, L, D], row by row."""
        tokens: Tensor = self.proj(pixels).flatten(2).transpose(1, 2)
        return tokens


class Block(nn.Module):
    """Attention and an MLP, each behind the norm of the way that is gone."""

    def __init__(self, width: int, num_heads: int, mlp_width: int) -> None:
        super().__init__()
        self.attn, self.mlp = _Attention(width, num_heads), _MLP(width, mlp_width)
        for way in ("", "_a", "_v"):
            self.add_module(f"norm1{way}", nn.LayerNorm(width))
            self.add_module(f"norm2{way}", nn.LayerNorm(width))

    def forward(self, x: Tensor, way: Way = "") -> Tensor:
        attended: Tensor = self.attn(self.get_submodule(f"norm1{way}")(x))
        x = x + attended
        thought: Tensor = self.mlp(self.get_submodule(f"norm2{way}")(x))
        return x + thought


class _Attention(nn.Module):
    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv, self.proj = linear(width, 3 * width), linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mixed: Tensor = self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return mixed


class _MLP(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = linear(width, hidden), linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        narrowed: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return narrowed


def _stack(config: CAVMAEConfig, count: int) -> nn.ModuleList:
    return nn.ModuleList(Block(config.width, config.num_heads, config.mlp_width) for _ in range(count))


def linear(before: int, after: int) -> nn.Linear:
    """A layer before any training: Xavier's weights, no bias."""
    layer = nn.Linear(before, after)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def token(width: int) -> nn.Parameter:
    """One learned row, near zero: [1, 1, width]."""
    return nn.Parameter(torch.randn(1, 1, width) * 0.02)


def positions(width: int, grid: tuple[int, int]) -> nn.Parameter:
    """One row for each place of a grid, waves before any training: [1, rows * columns, width]."""
    return nn.Parameter(sincos_positions(width, *grid)[None])
