"""Where models compute: on the best device that there is, or the one that is named."""

import os
from typing import TYPE_CHECKING

from unimma.errors import ConfigError

if TYPE_CHECKING:
    import torch


def find_device(name: str = "auto") -> "torch.device":
    """The device of that name; "auto" is a CUDA GPU, else that of a Mac, else the CPU.

    Where GPUs are lent by the call, "auto" is the CPU: the app borrows one when it needs it (`unimma.ui.zero`).

    Raises:
        ConfigError: no such device, or none that can be used here.
    """
    import torch

    if name == "auto":
        there = {"cuda": torch.cuda.is_available() and not on_zero_gpu(), "mps": torch.backends.mps.is_available()}
        name = next((name for name, usable in there.items() if usable), "cpu")
    try:
        return torch.empty(1, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # the second: a torch without CUDA
        expected = "auto, or one that this machine and its torch have: cpu, cuda, mps"
        raise ConfigError(f"the device {name!r}", expected, "Check --device or UNIMMA_DEVICE.") from error


def on_zero_gpu() -> bool:
    """Whether this is a Space of Hugging Face that is lent a GPU by the call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
