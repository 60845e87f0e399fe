"""What CAV-MAE's pretraining computes beside its network: positions, masks, patches and losses. Pure functions.

Gong et al. 2023, Contrastive Audio-Visual Masked Autoencoder, ICLR, openreview.net/forum?id=QPtMRyk5rb; masks and
patches as in He et al. 2022, Masked Autoencoders, arXiv 2111.06377. B items, L patches, K of them kept, D the width,
P the numbers of a patch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

TEMPERATURE = 0.05
_VARIANCE_OFFSET = 1e-6  # of a patch of one colour
_LONGEST_WAVE = 10_000.0


def sincos_positions(width: int, rows: int, columns: int) -> Tensor:
    """Where a patch lies in its grid, as waves: float32 [rows * columns, width], row by row; width a multiple of 4.

    The first half of the numbers tells the column, the second the row; of each, first all sines, then all cosines.
    """
    waves = _LONGEST_WAVE ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [place.flatten().double()[:, None] * waves for place in (column, row)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1).float()


@dataclass(frozen=True)
class Mask:
    """Which patches are kept.

    Attributes:
        keep: int64 [B, K], in the order in which they are kept.
        restore: int64 [B, L], where each patch stands among the kept and, behind them, the removed.
        removed: float32 [B, L], 1 for a removed patch, 0 for a kept one.
    """

    keep: Tensor
    restore: Tensor
    removed: Tensor


def mask_by_noise(noise: Tensor, ratio: float) -> Mask:
    """Keep the patches of the smallest noise, float [B, L]; `ratio` is the share that is removed."""
    order = noise.argsort(dim=1)
    restore = order.argsort(dim=1)
    num_kept = int(noise.shape[1] * (1 - ratio))
    return Mask(order[:, :num_kept], restore, (restore >= num_kept).float())


def gather_tokens(tokens: Tensor, index: Tensor) -> Tensor:
    """[B, L, D] and int64 [B, K] → those tokens, in that order: [B, K, D]."""
    return tokens.gather(1, index[:, :, None].expand(-1, -1, tokens.shape[2]))


def patchify(image: Tensor, patch: int) -> Tensor:
    """[B, C, H, W] → [B, L, P]: patches row by row, and in each its pixels row by row, the channels of one together."""
    batch, channels, height, width = image.shape
    grid = image.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def unpatchify(patches: Tensor, grid: tuple[int, int], patch: int) -> Tensor:
    """The way back: [B, L, P] and the rows and columns of patches → [B, C, H, W]."""
    rows, columns = grid
    pixels = patches.reshape(len(patches), rows, columns, patch, patch, -1).permute(0, 5, 1, 3, 2, 4)
    return pixels.reshape(len(patches), -1, rows * patch, columns * patch)


def reconstruction_loss(target: Tensor, predicted: Tensor, removed: Tensor, *, norm_pix: bool) -> Tensor:
    """Mean squared error over the removed patches: [B, L, P] twice and [B, L] → a scalar.

    Args:
        norm_pix: compare with patches of mean 0 and variance 1.
    """
    if norm_pix:
        mean, variance = target.mean(dim=2, keepdim=True), target.var(dim=2, keepdim=True)
        target = (target - mean) / (variance + _VARIANCE_OFFSET).sqrt()
    error = (predicted - target).square().mean(dim=2)
    return (error * removed).sum() / removed.sum()


def contrastive_loss(audio: Tensor, image: Tensor, *, both_ways: bool = False) -> tuple[Tensor, Tensor]:
    """Row i of one belongs to row i of the other: [B, D] twice → the loss in nats and the share told rightly.

    Args:
        both_ways: the mean of finding the sound of each picture and the picture of each sound, else the former alone.
    """
    similarity = F.normalize(audio, dim=1) @ F.normalize(image, dim=1).T / TEMPERATURE
    own = torch.arange(len(similarity), device=similarity.device)
    ways = [similarity.T, similarity] if both_ways else [similarity.T]
    losses = [F.cross_entropy(way, own) for way in ways]
    right = [(way.argmax(dim=1) == own).float().mean() for way in ways]
    return torch.stack(losses).mean(), torch.stack(right).mean()
