"""ZeroGPU of Hugging Face Spaces, where a GPU is lent by the call, to a function that was named before the start.

The bundled model runs on the CPU within a fraction of a second, which costs visitors none of their GPU minutes; others
borrow. A start that names no function is taken for a mistake there, and ended. The `spaces` package, which such a Space
installs by itself, runs the function in a process of its own, a copy of this one.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unimma.devices import on_zero_gpu
from unimma.types import Modality

if TYPE_CHECKING:
    from unimma.model import Compute, UniMMA

_QUICK = "bundled"  # on the CPU
_named: "list[Compute]" = []
_borrowing: "list[tuple[UniMMA, Compute]]" = []


def register() -> None:
    """Name the function; nothing happens elsewhere. To be called before the app is launched."""
    if on_zero_gpu():
        _named[:] = [importlib.import_module("spaces").GPU(_on_the_gpu)]


def borrow(model: "UniMMA", name: str) -> None:
    """Let a model compute on the GPU that is lent; nothing happens elsewhere, nor to the bundled one."""
    if on_zero_gpu() and _named and name != _QUICK:
        _borrowing[:] = [(model, model.compute)]
        model.compute = _named[0]


def _on_the_gpu(modality: Modality, batch: Sequence[Any]) -> Any:
    ((model, compute),) = _borrowing
    model.to("cuda")
    return compute(modality, batch)
