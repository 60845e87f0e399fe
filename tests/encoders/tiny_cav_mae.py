"""A CAV-MAE small enough for tests, and a way to make its random weights tell."""

from typing import TypeVar

import torch
from torch import nn

from unimma.encoders.cav_mae import CAVMAEConfig

Network = TypeVar("Network", bound=nn.Module)
TINY = CAVMAEConfig(
    num_frames=64,
    image_side_px=32,
    width=24,
    num_heads=2,
    mlp_width=40,
    num_own_blocks=2,
    num_shared_blocks=2,
    decoder_width=16,
    decoder_num_heads=4,
    decoder_mlp_width=20,
    num_decoder_blocks=1,
)


def shaken(network: Network, seed: int = 1) -> Network:
    """Every parameter moved, also those that start as zeros and ones, so that one that is not loaded shows."""
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=drawn) * 0.05)
    return network
