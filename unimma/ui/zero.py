"""ZeroGPU of Hugging Face Spaces: a start that asks for no GPU is taken for a mistake there, and ended.

The models here run on the CPU, which costs visitors none of their GPU minutes. So a function that nobody calls is named
as the one that wants the GPU; the `spaces` package, which such a Space installs by itself, then reports the start.
"""

import importlib
import os


def register() -> None:
    """Name it; nothing happens elsewhere. To be called before the app is launched."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
        importlib.import_module("spaces").GPU(_on_the_gpu)


def _on_the_gpu() -> None:
    """Nothing."""
