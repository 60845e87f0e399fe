"""Items of any length for networks of a fixed one: windows that overlap by half; their tokens put together again."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def window_starts(count: int, size: int, step: int = 1) -> list[int]:
    """Where windows of `size` pieces begin that overlap by half and leave none of `count` out; multiples of `step`.

    One, at 0, where the pieces fit in it. `count` and `size` are multiples of `step`.
    """
    if count <= size:
        return [0]
    hop = max(size // 2 // step, 1) * step
    return [*range(0, count - size, hop), count - size]


def merged(windows: Sequence[Tensor], starts: Sequence[int]) -> Tensor:
    """Windows [m, D] that begin at these moments → all the moments [M, D], the mean where windows overlap."""
    places = torch.cat([torch.arange(len(own)) + start for own, start in zip(windows, starts, strict=True)])
    places = places.to(windows[0].device)
    counts = places.bincount()
    total = windows[0].new_zeros(len(counts), windows[0].shape[1])
    return total.index_add(0, places, torch.cat(list(windows))) / counts[:, None]


def padded(tokens: Sequence[Tensor], times: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Sequences [T_i, D] and their times [T_i, 2] side by side: [B, T, D], [B, T, 2]; NaN times beyond the end."""
    ends = [own.to(tokens[0].device) for own in times]
    return pad_sequence(list(tokens), batch_first=True), pad_sequence(ends, batch_first=True, padding_value=torch.nan)
